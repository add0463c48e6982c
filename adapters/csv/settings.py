"""What an agency's section may say about its files; checked when loaded, touches no file."""

import hashlib
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from adapters.csv.place import DropLogin
from gateway import Duration, Every

Ready = Literal["stable", "marker", "rename"]
Mode = Literal["snapshot", "append", "upsert", "forward"]
SHORTEST_PASSWORD = 12
_PERCENT = 100

_PLACEHOLDER = re.compile(r"\{[^}]*\}")


def _encodings(value: str) -> str:
    for name in value.split("|"):
        try:
            "a".encode(name)
        except LookupError:
            raise ValueError(f'{name!r} is no text encoding: write "utf-8|cp1252"') from None
    return value


def _separator(value: str) -> str:
    if len(value) != 1:
        raise ValueError(f'must be one character: write "{value[:1] or ";"}"')
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


def _share(value: object) -> object:
    words = '"all-or-nothing", "row-wise"'
    if isinstance(value, str) and value not in words.replace('"', "").split(", "):
        raise ValueError(f"must be {words} or a share from 0 to 1")
    if isinstance(value, int | float) and not 0 <= value <= 1:
        near = f"; {value:g} % is {value / 100:g}" if 1 < value <= _PERCENT else ""
        raise ValueError(f"must be a share from 0 to 1, {words}{near}")
    return value


def _visible(value: str) -> str:
    if value.startswith("."):
        raise ValueError(f"{value!r} would be hidden: let it begin with something else than a dot")
    return _own_folder(value)


Separator = Annotated[str, AfterValidator(_separator)]


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
    """`account` of a feed or of acknowledgements: who brings and fetches its files by the gateway's own SFTP server."""

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
    sheet: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Which sheet of an Excel file is read; without it the first.", examples=["Data"]
    )
    header_row: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="In which row of the sheet its header stands; without it in the first row that isn't blank.",
        examples=[4],
    )
    rejected: Literal["csv", "xlsx"] = Field(
        "csv", description="As what rows are handed back that could not be taken.", examples=["xlsx"]
    )
    ready: Ready = Field(
        "stable",
        description="When a file is complete: its size and time stand still for `stable_for` and its last line is "
        "closed, a marker (`.ok` or `.done` behind its name) lies beside it, or it has its final name at all.",
    )
    stable_for: Duration = Field(10.0, description="How long it must stand still.")
    mode: Mode = Field(
        "snapshot",
        description="What a file is: the whole truth, which replaces what was there; rows to be added to what is "
        "there (`append`); rows that replace those with the same key (`upsert`); or rows each of which is sent on as a "
        "message, and not kept (`forward`).",
        examples=["upsert"],
    )
    to: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*/[a-z][a-z0-9-]*$")] | None = Field(
        None,
        description="The operation whose message each row becomes, with `forward`; it must be store-and-forward.",
        examples=["dpmptsp/ajukan-izin"],
    )
    key: tuple[str, ...] = Field(
        (),
        description="Our fields that make a row one row; of two with one key in a file the later counts. "
        "Without it a row is known by its whole content. With `forward`, a row whose key had the same content last is "
        "not sent again; without it every record of a file that was not sent before is sent.",
    )
    newer: str | None = Field(
        None,
        description="Our field that tells which of two rows with one key is the newer, and counts; "
        "without it that of the later file. By its rule it is a date, a time, a number or of so many `digits`.",
        examples=["diubah"],
    )
    max_reject: Annotated[float | Literal["all-or-nothing", "row-wise"], BeforeValidator(_share)] = Field(
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

    more_columns: Literal["pass over", "refuse"] = Field(
        "pass over",
        description="What a column is that the mapping does not name: nothing to us, or a changed header, which "
        "refuses the file as a missing column does.",
        examples=["refuse"],
    )
    engine: Literal["python", "polars"] = Field(
        "python",
        description="What reads the lines of its text files: `polars`, of the extra `csv-fast`, takes large ones in "
        "faster and wants more memory; rows and reasons are the same.",
        examples=["polars"],
    )
    every: Every | None = Field(
        None,
        description='How often a file comes, e.g. `"1 working day"` (by the agency\'s calendar), `"1 day"` or `"6h"`; '
        "when none came for longer than that, the feed is late, which is an alert.",
        examples=["1 working day"],
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
        if self.mode == "forward" and not self.to:
            raise ValueError('forward needs an operation: write to = "dpmptsp/ajukan-izin"')
        if self.to and self.mode != "forward":
            raise ValueError('to is for forward only: write mode = "forward"')
        return self


class Rows(BaseModel):
    """When the requests that wait go out together, as the rows of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int = Field(500, ge=1, le=100_000, description="The most rows of one file; so many go out at once.")
    every: Duration = Field(description="How long the oldest waits for others.", examples=["15m"])


class Ack(BaseModel):
    """One `[agency.x.out.<name>.ack]`: the files in which the agency says what became of each request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: Annotated[str, AfterValidator(_own_folder)] = Field(
        description="Which files of the agency's `drop`.", examples=["ack_*.csv"]
    )
    dialect: Dialect = Field(Dialect(), description="How they are written.")
    ready: Ready = Field("stable", description="When a file is complete, as for a feed.")
    stable_for: Duration = Field(10.0, description="How long it must stand still.")
    id: str = Field("request_id", description="The column that holds our id of the request.")
    status: str = Field("status", description="The column that says what became of it.")
    message: str | None = Field(None, description="The column with the agency's own words.", examples=["pesan"])
    delivered: tuple[str, ...] = Field(description="What `status` says of a request that was taken.", examples=[["OK"]])
    refused: tuple[str, ...] = Field((), description="And of one that was not.", examples=[["GAGAL"]])
    account: Account | None = Field(
        None,
        description="An account at the gateway's own SFTP server, which sees and fills only these files of the `drop`.",
        examples=[{"password": "${JADWAL_PASSWORD}"}],
    )

    @model_validator(mode="after")
    def _said_apart(self) -> Self:
        if both := {word.casefold() for word in self.delivered} & {word.casefold() for word in self.refused}:
            raise ValueError(f"{min(both)!r} can't be both delivered and refused")
        if not self.delivered:
            raise ValueError('nothing would ever be delivered: write delivered = ["OK"]')
        return self

    @property
    def as_feed(self) -> Feed:
        """These files as those of a feed."""
        return Feed(
            files=self.files,
            dialect=self.dialect,
            ready=self.ready,
            stable_for=self.stable_for,
            max_reject="row-wise",
            account=self.account,
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a file must have."""
        return (self.id, self.status, *((self.message,) if self.message else ()))


class Out(BaseModel):
    """One `[agency.x.out.<name>]`: where row files go; `columns` stand in for the mapping's order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: str = Field(
        description="The folder it appears in, whole or not at all; also `sftp://…` and the others, as for `drop`."
    )
    login: DropLogin | None = Field(None, description="Who we are there, as `drop_login`: `[agency.x.out.y.login]`.")
    file: Annotated[str, AfterValidator(_visible)] = Field(
        description="Its name; `{id}` stands for the message's id and must be there, or, with `batch`, `{batch}`: the "
        "time of its oldest request, and what tells its requests from others.",
        examples=["jadwal_{id}.csv"],
    )
    dialect: Dialect = Field(Dialect(), description="How it is written.")
    columns: tuple[str, ...] | None = Field(
        None,
        description="Its columns in order, where that is not the order of the mapping's request table.",
        examples=[["nik_anak", "tgl_jadwal"]],
    )
    batch: Rows | None = Field(
        None,
        description="Many requests in one file: so many, or as many as came while the oldest waited.",
        examples=[{"rows": 500, "every": "15m"}],
    )
    id_column: str | None = Field(
        None,
        description="The column that holds the request's id; with `batch` or `ack` it is called `request_id` if "
        "nothing is said here.",
        examples=["no_permintaan"],
    )
    marker: Annotated[str, Field(pattern=r"^\.[\w.-]+$")] | None = Field(
        None,
        description="What ends the name of an empty file that is put beside it once it is there.",
        examples=[".ok"],
    )
    formula_guard: bool = Field(
        True, description="Write `'` before what a spreadsheet would run as a formula; off where only programs read it."
    )
    excel: bool | Literal["sep"] = Field(
        False,
        description="For people who open it in Excel: a BOM, or, where the encoding has none, a first line `sep=;`; "
        '`"sep"` writes that line in any case, and then no BOM, which Excel would not heed.',
        examples=[True],
    )
    ack: Ack | None = Field(None, description="How the agency says what became of each request.")
    ack_timeout: Duration = Field(86400.0, description="How long that may take before somebody is told.")

    @model_validator(mode="after")
    def _named(self) -> Self:
        wanted = "{batch}" if self.batch else "{id}"
        if set(_PLACEHOLDER.findall(self.file)) != {wanted}:
            name = f"jadwal_{wanted}.csv"
            raise ValueError(f'{self.file!r} must hold {wanted} and no other placeholder: write file = "{name}"')
        return self

    @property
    def patterns(self) -> tuple[str, ...]:
        """What the names of its files fit, and of their markers."""
        name = _PLACEHOLDER.sub("*", self.file)
        return (name, f"{name}{self.marker}") if self.marker else (name,)

    @property
    def id_named(self) -> str | None:
        """The column of the request's id, if there is one."""
        return self.id_column or ("request_id" if self.batch or self.ack else None)
