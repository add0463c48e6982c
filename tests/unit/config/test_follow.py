"""An error's path is what people wrote, whatever pydantic tried on the way."""

from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Discriminator, Field, SecretStr, Tag, TypeAdapter, ValidationError

from gateway.config.follow import follow


class Token(BaseModel):
    model_config = ConfigDict(extra="forbid")
    call: str
    token: str
    from_: str = Field("", alias="from")
    body: dict[str, SecretStr | int] = {}


class Basic(BaseModel):
    kind: Literal["basic"]


class Feed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    files: str
    key: tuple[str, ...] = ()


Login = Annotated[
    Annotated[Token, Tag("token")] | Annotated[Basic, Tag("basic")],
    Discriminator(lambda value: "token" if "call" in value else "basic"),
]


class Settings(BaseModel):
    login: Annotated[Login | None, Field(description="How.")] = None
    feed: Annotated[Mapping[Annotated[str, Field(pattern="^[a-z]+$")], Feed], Field(description="What.")] = {}


def followed(kind: object, value: object) -> list[tuple[str, tuple[str, ...]]]:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    return [(".".join(path), known) for path, known in (follow(kind, e["loc"]) for e in caught.value.errors())]


@pytest.mark.parametrize(
    ("value", "path", "known"),
    [
        ({"login": {"call": "x", "token": 7}}, "login.token", ("call", "token", "from", "body")),
        ({"login": {"call": "x", "token": "", "form": ""}}, "login.form", ("call", "token", "from", "body")),
        ({"login": {"kind": "basc"}}, "login.kind", ("kind",)),
        ({"feed": {"imunisasi": {"files": "x", "fiels": "x"}}}, "feed.imunisasi.fiels", ("files", "key")),
        ({"feed": {"imunisasi": {"files": "x", "key": ["a", 7]}}}, "feed.imunisasi.key.1", ()),
        ({"feed": {"Imunisasi": {"files": "x"}}}, "feed.Imunisasi", ()),
    ],
)
def test_a_path_and_the_names_beside_its_last_step(value: object, path: str, known: tuple[str, ...]) -> None:
    assert followed(Settings, value) == [(path, known)]


def test_each_type_that_a_union_tried_points_at_the_one_value() -> None:
    found = followed(Settings, {"login": {"call": "x", "token": "y", "body": {"sandi": []}}})
    assert {path for path, _ in found} == {"login.body.sandi"}
