"""The settings of gateway.toml, their defaults and meaning; the configuration reference is made from them."""

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator

from gateway.config.address import Address
from gateway.config.locate import suggest
from gateway.config.settings import Settings
from gateway.config.sftp import Sftp
from gateway.config.tls import ListenerTls, Tls
from gateway.config.units import Duration, Quota, Rate, WorkingDays

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
Exposure = Annotated[
    str,
    StringConstraints(
        pattern=r"^(GET|POST|PUT|PATCH|DELETE) /v1(/([A-Za-z0-9_.~!$&'()*+,;=:@-]+|\{[A-Za-z_][A-Za-z0-9_.-]*\}))+$"
    ),
]


def _not_ours(name: str) -> str:
    if name == GATEWAY:
        raise ValueError(f"{GATEWAY} is what operations of the gateway itself are called by; choose another name")
    return name


GATEWAY = "gateway"
AgencyName = Annotated[Name, AfterValidator(_not_ours)]


def _zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError(f'"{name}" is no time zone ({suggest(name, zoneinfo.available_timezones())})')
    return name


Zone = Annotated[str, AfterValidator(_zone)]


class Tracing(Settings):
    """Where traces go: an OpenTelemetry collector that takes OTLP over HTTP; needs the extra `tracing`."""

    endpoint: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#]+/\S*$")] = Field(
        description='The collector\'s address, e.g. `"http://127.0.0.1:4318/v1/traces"`.',
        examples=["http://127.0.0.1:4318/v1/traces"],
    )
    ratio: float = Field(
        1.0,
        ge=0,
        le=1,
        description="The share of requests that are traced; one whose caller says whether it is traced follows that.",
        examples=[0.1],
    )


class Gateway(Settings):
    """The gateway itself."""

    name: str = Field("opd-gateway", description="Shown in the documents and pages, e.g. the regency's name.")
    listen: Address = Field("127.0.0.1:8080", description="Where apps reach the API.")
    tls: ListenerTls | None = Field(
        None,
        description="Its certificate, where no proxy before it does TLS.",
        examples=[{"certificate": "tls/api.pem", "key": "tls/api-key.pem"}],
    )
    metrics: Address = Field(
        "127.0.0.1:9090",
        description="Where Prometheus reads `/metrics`; its own listener.",
        examples=["127.0.0.1:9100"],
    )
    timezone: Zone = Field("Asia/Jakarta", description="The zone of dates and times in the canonical JSON.")
    holidays: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}|none)$")] = Field(
        "ID", description='The country whose holidays close agencies that have hours; `"none"` keeps none.'
    )
    ledger: Annotated[str, StringConstraints(pattern=r"^(sqlite:|postgresql://)\S+$")] = Field(
        "sqlite:var/ledger.db",
        description="Where recorded messages are kept: a file, or PostgreSQL when one machine is no longer enough.",
        examples=["postgresql://gateway@db.example/gateway"],
    )
    ledger_key: str = Field(
        "", description='The ledger\'s master key, `"${GATEWAY_KEY}"`; a file beside the ledger holds it when empty.'
    )
    control: Address = Field(
        "127.0.0.1:9091", description="Where operators reach the control API; its own listener, off without operators."
    )
    drain: Duration | None = Field(
        None,
        description="At a stop, how long `/readyz` says 503 while everything is still served, for a proxy to notice.",
        examples=["5s"],
    )
    sftp: Sftp | None = Field(
        None,
        description="An SFTP server of the gateway's own, for those who drop files; off when not set.",
        examples=[{"listen": "0.0.0.0:2222", "host_key": "tls/sftp-host.key"}],
    )
    docs: Literal["public", "clients", "off"] = Field(
        "public",
        description="Who may read `/docs` and `/openapi.json`: everybody, holders of a key, or nobody.",
        examples=["clients"],
    )
    origins: tuple[str, ...] = Field(
        (),
        description="Web origins that may call from a browser (CORS); off when empty.",
        examples=[["https://klik.pelalawankab.example"]],
    )
    tracing: Tracing | None = Field(
        None,
        description="Where traces go; off when not set.",
        examples=[{"endpoint": "http://127.0.0.1:4318/v1/traces", "ratio": 0.1}],
    )


class Retry(Settings):
    """Trying again after a failure that certainly did nothing, or on a read."""

    attempts: int = Field(3, ge=1, le=10, description="Attempts in all, the first included.", examples=[2])
    wait: Duration = Field(
        0.2,
        description="The shortest wait; each is drawn between this and twice this, then four times this, and so on.",
        examples=["500ms"],
    )
    max_wait: Duration = Field(5.0, description="The longest wait of all.", examples=["10s"])
    budget: float = Field(
        0.2,
        gt=0,
        le=1,
        description="Retries as a share of the agency's calls; three in ten seconds are always allowed.",
        examples=[0.1],
    )


class Breaker(Settings):
    """Giving a failing agency a rest."""

    failures: int = Field(5, ge=1, description="Opens after so many failures in a row ...", examples=[10])
    share: float = Field(
        0.5, gt=0, le=1, description="... or when this share of the last calls failed.", examples=[0.8]
    )
    window: int = Field(20, ge=1, description="How many last calls the share is taken of.", examples=[50])
    minimum: int = Field(5, ge=1, description="The share counts only from so many calls on.", examples=[10])
    open_for: Duration = Field(30.0, description="How long nothing is sent; then one call may try.", examples=["1m"])


class Defaults(Settings):
    """What holds for every agency and operation that says nothing else."""

    timeout: Duration = Field(10.0, description="The longest one attempt may take.")
    deadline: Duration = Field(20.0, description="The longest everything may take: waiting, attempts, retries.")
    retry: Retry = Field(Retry(), description="Trying again.", examples=[{"attempts": 2}])
    breaker: Breaker = Field(
        Breaker(), description="Giving a failing agency a rest.", examples=[{"failures": 10, "open_for": "1m"}]
    )
    expires: Duration = Field(72 * 3600.0, description="How long a stored message is tried, in the lane's open time.")
    concurrency: int = Field(8, ge=1, description="Calls at one agency at a time.", examples=[4])
    waiting: int = Field(
        64, ge=0, description="Calls that may wait for their turn; more are `overloaded`.", examples=[16]
    )


class Key(Settings):
    """One key of a client, as `gateway key new` prints it."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(description="The key's SHA-256.")
    until: dt.date | None = Field(None, description="The last day on which the key is valid.")


class Client(Settings):
    """An app that may call the gateway."""

    title: str = Field("", description="The app as people know it.")
    keys: tuple[Key, ...] = Field(min_length=1, description="One key, two while they are being changed.")
    allow: tuple[str, ...] = Field(description='Operations it may call: `"dpmptsp/*"`, `"dinkes/daftar-faskes"`.')
    rate: Rate | None = Field(None, description='How often it may call, e.g. `"50/s"`.')


class Operator(Settings):
    """A person, or a script, that may look into the ledger and act on it through the control API."""

    title: str = Field("", description="Who it is.")
    keys: tuple[Key, ...] = Field(description="One key, two while they are being changed.")


class Retention(Settings):
    """How long the ledger keeps what is settled."""

    keys: Duration = Field(7 * 86400.0, description="Idempotency keys and their answers.")
    bodies: Duration = Field(30 * 86400.0, description="Bodies, requests and answers.")
    metadata: Duration = Field(365 * 86400.0, description="Everything else.")
    files: Duration = Field(
        400 * 86400.0, description="Receipts of files, and why rows were rejected; never those of rows still in use."
    )


class ClosedDays(Settings):
    """Days on which an agency serves nobody, beside the holidays."""

    first: dt.date = Field(description="The first day.")
    last: dt.date | None = Field(None, description="The last day; the first when not set.")
    name: str = Field("", description="Why, as people read it.")


class SpecialHours(Settings):
    """Hours that replace the weekly ones for a time, such as those of Ramadan."""

    first: dt.date = Field(description="The first day.")
    last: dt.date = Field(description="The last day.")
    hours: str = Field(description="As the agency's `hours`.")
    on_holidays: bool = Field(default=False, description="They hold on holidays too.")


class Maintenance(Settings):
    """A planned time in which an agency's system is switched off."""

    start: dt.datetime = Field(description="When it starts, e.g. `2026-12-01T20:00:00`, by the agency's clock.")
    until: dt.datetime = Field(description="When it ends.")
    reason: str = Field("", description="Why, as people read it.")


class FinalSettings(Settings):
    """Which answers to the question are an agency's last word: the clock of `answer_within` stops there."""

    field: str = Field(description="The field of its reply that holds the status.")
    words: tuple[str, ...] = Field(alias="is", min_length=1, description="The statuses after which nothing more comes.")


class AskSettings(Settings):
    """How to find out, by our own id, whether an agency has a message already."""

    operation: str = Field(description="An operation of the same agency that looks it up.")
    fields: Mapping[str, str] = Field(alias="with", description='What to ask it: `{ ref = "@id" }`.')
    done: str = Field(description="The field of its reply that is there once the message was done.")
    final: FinalSettings | None = Field(
        None, description="Its final statuses: until one of them, `answer_within` counts on after the delivery."
    )


class Operation(Settings):
    """One thing that can be asked of an agency."""

    title: str = Field("", description="What it does, for people.")
    about: str = Field(
        "", description="More about it, for the documentation.", examples=["Hanya untuk permohonan sejak 2021."]
    )
    expose: Exposure | None = Field(None, description='Method and path, e.g. `"POST /v1/izin"`; none: composites only.')
    call: str = Field(description="What the agency calls it: a SOAP operation, `POST /path/{x}`, a feed.")
    safe: bool | None = Field(None, description="A read: may be retried, shared and cached. GET is safe by itself.")
    timeout: Duration | None = Field(None, description="As in `[defaults]`, for this operation.", examples=["3s"])
    deadline: Duration | None = Field(None, description="As in `[defaults]`, for this operation.", examples=["6s"])
    answer_within: WorkingDays | None = Field(None, description="As for the agency, for this operation.")
    stale: Duration | None = Field(None, description="Serve the last good answer so long while the agency is down.")
    deliver: Literal["direct", "store-and-forward"] = Field(
        "direct", description="`store-and-forward` keeps a message on disk and delivers it when the agency is there."
    )
    wait: Duration = Field(0.0, description="How long an app waits for the delivery before it is told 202.")
    expires: Duration | None = Field(None, description="As in `[defaults]`, for this operation.")
    order_by: str | None = Field(None, description="Messages with the same value of this field stay in order.")
    on_buried: Literal["hold", "skip"] = Field(
        "hold", description="Whether a buried or unknown message holds back the later ones of its `order_by`."
    )
    subject: str | None = Field(None, description="The field whom it is about; searchable, kept as a keyed hash.")
    repeat: Literal["harmless", "ask", "never"] = Field(
        "never", description="May it be sent again when nobody knows whether it was done? `ask` asks first."
    )
    ask: AskSettings | None = Field(None, description='How to ask; for `repeat = "ask"`.')

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.stale is not None and not self.reads:
            raise ValueError("stale is for reads; write safe = true if this operation only reads")
        if self.deliver == "store-and-forward" and self.reads:
            raise ValueError("a read is not stored and forwarded; leave out deliver")
        if (self.repeat == "ask") != (self.ask is not None):
            raise ValueError('repeat = "ask" and ask = { ... } go together')
        return self

    @property
    def reads(self) -> bool:
        """Whether asking twice does no harm."""
        return self.safe if self.safe is not None else (self.expose or "").startswith("GET ")


class Composite(Settings):
    """An operation of the gateway itself: passes on (`route`) or asks several at once (`gather`)."""

    title: str = Field("", description="What it does, for people.")
    about: str = Field(
        "", description="More about it, for the documentation.", examples=["Hanya untuk permohonan sejak 2021."]
    )
    expose: Exposure = Field(description='Method and path, e.g. `"POST /v1/aduan"`.')
    safe: bool = Field(default=False, description="A read; a gather must be.")
    deadline: Duration | None = Field(None, description="As in `[defaults]`.", examples=["10s"])
    route: Mapping[str, str] | None = Field(
        None, description='`{ by = "kategori", jalan = "dpupr/lapor", "*" = "diskominfo/lapor" }`'
    )
    gather: Mapping[str, str] | None = Field(None, description="Part name = safe operation.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.route is None) == (self.gather is None):
            raise ValueError("needs either route or gather")
        if self.route is not None and "by" not in self.route:
            raise ValueError('route needs by = "<field>"')
        if self.gather is not None and not self.safe:
            raise ValueError("a gather only reads; write safe = true")
        return self


class Agency(Settings):
    """An OPD or partner and the one legacy system behind its adapter; further keys are its adapter's settings."""

    model_config = ConfigDict(extra="allow")

    title: str = Field("", description="The agency as people know it; shown in errors.")
    adapter: str = Field(
        description='`"soap"`, `"soap-no-wsdl"`, `"rest"`, `"csv"`, or a dotted name as `"adapters.pln:PlnAdapter"`.'
    )
    mapping: str = Field(description="The agency's mapping file.")
    timezone: Zone | None = Field(None, description="The zone of its dates and times; the gateway's when not set.")
    timeout: Duration | None = Field(None, description="As in `[defaults]`, for this agency.")
    deadline: Duration | None = Field(None, description="As in `[defaults]`, for this agency.", examples=["15s"])
    retry: Retry | None = Field(None, description="As in `[defaults]`, for this agency.", examples=[{"attempts": 1}])
    breaker: Breaker | None = Field(
        None, description="As in `[defaults]`, for this agency.", examples=[{"open_for": "2m"}]
    )
    concurrency: int | None = Field(None, ge=1, description="As in `[defaults]`, for this agency.", examples=[2])
    waiting: int | None = Field(None, ge=0, description="As in `[defaults]`, for this agency.", examples=[0])
    expires: Duration | None = Field(None, description="As in `[defaults]`, for this agency.")
    depth: int = Field(10_000, ge=1, description="Stored messages that may wait; more are `overloaded`.")
    age: Duration = Field(
        24 * 3600.0,
        gt=0,
        description="Open time for which stored messages may wait for their first try; then more are `overloaded`.",
    )
    retention: Retention = Field(Retention(), description="How long its messages are kept.")
    rate: Rate | None = Field(None, description='How often it may be called, e.g. `"20/s"`; calls wait their turn.')
    quota: Quota | None = Field(
        None, description='What it allows in a period, e.g. `"5000/day"`; each replica counts since its start.'
    )
    hours: str | None = Field(
        None, description='When it serves, e.g. `"Sen-Kam 07:30-16:00; Jum 07:30-16:30"`; always when not set.'
    )
    closed: tuple[ClosedDays, ...] = Field((), description="Days on which it is closed, beside the holidays.")
    special: tuple[SpecialHours, ...] = Field((), description="Times with other hours, such as Ramadan.")
    maintenance: tuple[Maintenance, ...] = Field((), description="Planned times without its system.")
    answer_within: WorkingDays | None = Field(
        None, description='When people must have an answer by law, e.g. `"3 working days"`.'
    )
    tls: Tls = Field(Tls(), description="How its HTTPS is checked.", examples=[{"ca": "tls/sipolan-ca.pem"}])
    operation: Mapping[Name, Operation] = Field(default_factory=dict, description="What can be asked of it.")


class Config(Settings):
    """A whole gateway.toml."""

    gateway: Gateway = Field(Gateway(), description="The gateway itself.")
    defaults: Defaults = Field(Defaults(), description="What holds unless an agency or operation says otherwise.")
    client: Mapping[Name, Client] = Field(default_factory=dict, description="The apps that may call.")
    operator: Mapping[Name, Operator] = Field(default_factory=dict, description="Who may run it.")
    agency: Mapping[AgencyName, Agency] = Field(default_factory=dict, description="The agencies.")
    operation: Mapping[Name, Composite] = Field(default_factory=dict, description="The gateway's own operations.")
