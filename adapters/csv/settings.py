"""What an agency's section may say about its files; checked when loaded, touches no file."""

import hashlib
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gateway import Duration

Ready = Literal["stable", "marker", "rename"]
Mode = Literal["snapshot", "append", "upsert"]
POLICIES = {"all-or-nothing": 0.0, "row-wise": 1.0}
"""Words for two shares of rejects."""
SHORTEST_PASSWORD = 12

_PLACEHOLDER = re.compile(r"\{[^}]*\}")


def _encodings(value: str) -> str:
    for name in value.split("|"):
        try:
            "a".encode(name)
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


def _long_enough(value: str) -> str:
    # Nothing is what a variable leaves behind that isn't set, which is told elsewhere.
    if value and len(value) < SHORTEST_PASSWORD:
        raise ValueError(f"is shorter than {SHORTEST_PASSWORD} characters, and whoever tries long enough would find it")
    return value


def _named_by_id(value: str) -> str:
    if set(_PLACEHOLDER.findall(value)) != {"{id}"}:
        raise ValueError(f'{value!r} must hold {{id}} and no other placeholder: write "jadwal_{{id}}.csv"')
    if value.startswith("."):
        raise ValueError(f"{value!r} would be hidden: let it begin with something else than a dot")
    return _own_folder(value)


Separator = Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_separator)]


class Dialect(BaseModel):
    """How the agency writes CSV; `encoding` lists what it may be, the first that fits (read) or the first (write)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delimiter: Separator = Field(";", description="What separates columns.")
    quote: Separator = Field('"', description="What surrounds a text that holds a separator.", examples=["'"])
    encoding: Annotated[str, AfterValidator(_encodings)] = Field(
        "utf-8|cp1252", description="The first that fits is read, the first is written; a BOM decides by itself."
    )

    @model_validator(mode="after")
    def _two_signs(self) -> Self:
        if self.delimiter == self.quote:
            raise ValueError("delimiter and quote are the same")
        return self

    @property
    def encodings(self) -> tuple[str, ...]:
        """The declared encodings, in order."""
        return tuple(self.encoding.split("|"))


class Account(BaseModel):
    """`account` of a feed: who may bring and fetch its files by the gateway's own SFTP server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")] | None = Field(
        None, description="What it is called; `agency-feed` when not set.", examples=["posyandu"]
    )
    password: Annotated[str, AfterValidator(_long_enough)] = Field(
        "", description='Its password, `"${NAME}"`.', examples=["${IMUNISASI_PASSWORD}"], repr=False
    )
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = Field(
        "", description="In its place, the SHA-256 of one that `gateway key new` made, as that prints it."
    )
    keys: tuple[str, ...] = Field(
        (),
        description="Public keys that log in, each as its `.pub` file has it.",
        examples=[["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3Wm4hUZ2w0ykOsOlZmFRxY0eJrLuIBzI7wqkDbX3Jv budi"]],
    )

    @model_validator(mode="after")
    def _one_password(self) -> Self:
        if self.password and self.sha256:
            raise ValueError("has password and sha256: write one of them")
        return self

    @property
    def hashed(self) -> str:
        """The password's SHA-256, nothing where it has none."""
        return hashlib.sha256(self.password.encode()).hexdigest() if self.password else self.sha256


class Feed(BaseModel):
    """One `[agency.x.feed.<name>]`: which files, when they are complete, what makes a row one row."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: Annotated[str, AfterValidator(_own_folder)] = Field(
        description="Which files; of several, the one whose name sorts last is the newest, and is taken in last."
    )
    dialect: Dialect = Field(Dialect(), description="How they are written.")
    ready: Ready = Field(
        "stable",
        description="When a file is complete: its size and time stand still for `stable_for` and its last line is "
        "closed, a marker (`.ok` or `.done` behind its name) lies beside it, or it has its final name at all.",
    )
    stable_for: Duration = Field(10.0, description="How long it must stand still.")
    mode: Mode = Field(
        "snapshot",
        description="What a file is: the whole truth, which replaces what was there; rows to be added to what is "
        "there (`append`); or rows that replace those with the same key (`upsert`).",
        examples=["upsert"],
    )
    key: tuple[str, ...] = Field(
        (),
        description="Our fields that make a row one row; of two with one key in a file the later counts. "
        "Without it a row is known by its whole content.",
    )
    newer: str | None = Field(
        None,
        description="Our field that tells which of two rows with one key is the newer, and counts; "
        "without it that of the later file.",
        examples=["diubah"],
    )
    max_reject: Annotated[float, Field(ge=0, le=1)] | Literal["all-or-nothing", "row-wise"] = Field(
        0.1,
        description="The share of bad rows beyond which the file is refused whole; `all-or-nothing` is 0, "
        "`row-wise` takes whatever is right.",
        examples=[0.02],
    )
    trailer: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="How the last row begins that is none, such as a total; a file without it was cut short, and is "
        "refused.",
        examples=["TOTAL"],
    )

    account: Account | None = Field(
        None,
        description="An account at the gateway's own SFTP server, which sees and fills only this feed's files.",
        examples=[{"password": "${IMUNISASI_PASSWORD}"}],
    )

    @model_validator(mode="after")
    def _keyed(self) -> Self:
        if self.mode == "upsert" and not self.key:
            raise ValueError('upsert needs a key: write key = ["nik"]')
        if self.newer and self.mode != "upsert":
            raise ValueError("newer is for upsert only")
        return self


class Out(BaseModel):
    """One `[agency.x.out.<name>]`: where a row file goes; `columns` stand in for the mapping's order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str = Field(description="The folder it appears in, whole or not at all.")
    file: Annotated[str, AfterValidator(_named_by_id)] = Field(
        description="Its name; `{id}` stands for the message's id and must be there."
    )
    dialect: Dialect = Field(Dialect(), description="How it is written.")
    columns: tuple[str, ...] | None = Field(
        None,
        description="Its columns in order, where that is not the order of the mapping's request table.",
        examples=[["nik_anak", "tgl_jadwal"]],
    )
