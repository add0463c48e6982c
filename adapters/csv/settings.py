"""What an agency's section may say about its files; checked when loaded, touches no file."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

Ready = Literal["stable", "marker", "rename"]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")
_PLACEHOLDER = re.compile(r"\{[^}]*\}")


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not (found := _SPAN.fullmatch(value)):
        raise ValueError(f'{value!r} is no duration: write "10s", "500ms", "2m" or "1h"')
    return float(found[1]) * _UNITS[found[2]]


def _encodings(value: str) -> str:
    for name in value.split("|"):
        try:
            "".encode(name)
        except LookupError:
            raise ValueError(f'{name!r} is no text encoding: write "utf-8|cp1252"') from None
    return value


def _separator(value: str) -> str:
    if value in "\r\n\0":
        raise ValueError("a line break can't separate columns or quote text")
    return value


def _own_folder(value: str) -> str:
    if "/" in value or "\\" in value:
        raise ValueError(f"{value!r} has a folder in it: files lie directly in the folder")
    return value


def _named_by_id(value: str) -> str:
    if set(_PLACEHOLDER.findall(value)) != {"{id}"}:
        raise ValueError(f'{value!r} must hold {{id}} and no other placeholder: write "jadwal_{{id}}.csv"')
    if value.startswith("."):
        raise ValueError(f"{value!r} would be hidden: let it begin with something else than a dot")
    return _own_folder(value)


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0)]
Separator = Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_separator)]


class Dialect(BaseModel):
    """How the agency writes CSV; `encoding` lists what it may be, the first that fits (read) or the first (write)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delimiter: Separator = ";"
    quote: Separator = '"'
    encoding: Annotated[str, AfterValidator(_encodings)] = "utf-8|cp1252"

    @property
    def encodings(self) -> tuple[str, ...]:
        """The declared encodings, in order."""
        return tuple(self.encoding.split("|"))


class Feed(BaseModel):
    """One `[agency.x.feed.<name>]`: which files, when they are complete, what makes a row one row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: Annotated[str, AfterValidator(_own_folder)]
    dialect: Dialect = Dialect()
    ready: Ready = "stable"
    stable_for: Seconds = 10.0
    key: tuple[str, ...] = ()
    max_reject: Annotated[float, Field(ge=0, le=1)] = 0.1


class Out(BaseModel):
    """One `[agency.x.out.<name>]`: where a row file goes; `columns` stand in for the mapping's order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str
    file: Annotated[str, AfterValidator(_named_by_id)]
    dialect: Dialect = Dialect()
    columns: tuple[str, ...] | None = None
