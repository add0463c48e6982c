"""What every section of gateway.toml is made of; knows no section."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """What all settings share: frozen, no guessing of types, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
