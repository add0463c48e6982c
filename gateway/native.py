"""What an adapter may know of its agency's contract before it calls, and Protocols by which it says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from gateway.message import Call, Document

NativeKind = Literal["text", "integer", "number", "boolean", "date", "datetime", "time", "binary", "object", "any"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeField:
    """One field of a native document as the agency's contract declares it; `many` when it may repeat.

    `null` when it may be there and hold nothing; `max` is the longest text it takes.
    """

    kind: NativeKind = "text"
    required: bool = False
    many: bool = False
    allowed: tuple[str, ...] = ()
    null: bool = False
    max: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """An operation's native fields by dotted path (`riwayat.item.nama_proses`; lists add no step), headers apart.

    Beside a field `#any`, and below one of kind "any", there may be fields of any name. `faults` are those of the
    details of the faults that it declares, each below its element's name. `detour` says why messages are not written
    and read in the quick way, if so.
    """

    request: Mapping[str, NativeField]
    reply: Mapping[str, NativeField]
    headers: Mapping[str, NativeField] = field(default_factory=dict)
    faults: Mapping[str, NativeField] = field(default_factory=dict)
    detour: str = ""


@runtime_checkable
class Described(Protocol):
    """Optional capability of an adapter: it knows its operations before calling them (a WSDL does)."""

    def contract(self, target: str, /) -> Contract:
        """Return the operation's native fields; raise ConfigError naming those that exist when there is no such one."""
        ...


@runtime_checkable
class Planned(Protocol):
    """Optional capability of an adapter: it can show what it makes of an operation's contract."""

    def plan(self, target: str, /) -> Document:
        """Return how the operation is written and read, for people; raises ConfigError when there is no such one."""
        ...


@runtime_checkable
class Wrapped(Protocol):
    """Optional capability of an adapter: it can show what it puts around a document, such as security."""

    def around(self, call: Call, /) -> Document:
        """Return it, masked; nothing where there is nothing."""
        ...


@runtime_checkable
class Prepared(Protocol):
    """Optional capability of an adapter: it can tell before the first call whether a target is written right."""

    def prepare(self, target: str, /) -> object:
        """Get ready for calls of this target; raises ConfigError saying how one is written."""
        ...


@runtime_checkable
class Compared(Protocol):
    """Optional capability of an adapter: see whether its agency still publishes the contract that is pinned here."""

    @property
    def compare_every(self) -> float | None:
        """Seconds between two looks, None where there is nothing to compare with or nobody wants it."""
        ...

    async def compare(self) -> Sequence[str]:
        """Return one line for each difference that a caller could notice.

        Raises ConfigError, saying why, when what the agency publishes can't be had or can't be understood.
        """
        ...
