"""What travels: canonical messages and replies, native calls and answers; imports only what traces them."""

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

import msgspec

from gateway.trail import Trail

MessageId = NewType("MessageId", str)
OperationId = NewType("OperationId", str)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

Document = Mapping[str, Any]
"""Parsed JSON, a SOAP body or a CSV row: text, int, Decimal, bool, None, lists and mappings of them."""


class Outcome(StrEnum):
    """How a call ended; one list for outcome tables, errors, metrics and docs."""

    OK = "ok"
    DUPLICATE = "duplicate"
    NOT_FOUND = "not-found"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    INVALID = "invalid"
    LOGIN = "login"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Effort:
    """What a message has cost so far: attempts made, seconds spent with agencies; the channel adds, the log reads."""

    attempts: int = 0
    seconds: float = 0.0


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A canonical request, validated; `deadline` is monotonic seconds and is never stored.

    `wait` is how many seconds the caller wants to wait for a recorded message's settlement, None to leave it to the
    operation; `once` asks for one attempt only, because whoever sends it will try again by itself. `asked_as` is the
    operation that the client named, where a composite passed it on to another: an idempotency key belongs to that one.
    `trail` is where what is done for it is told, None when it is not traced; `tracestate` goes with the traceparent,
    and is not stored. No dataclass, since one with so many fields takes eight times as long to make.
    """

    id: MessageId
    operation: OperationId
    body: Document
    client: str
    correlation_id: str
    traceparent: str
    accepted_at: datetime
    deadline: float
    idempotency_key: str | None = None
    asked_as: OperationId | None = None
    expires_at: datetime | None = None
    wait: float | None = None
    once: bool = False
    effort: Effort = msgspec.field(default_factory=Effort)
    tracestate: str = ""
    trail: Trail | None = None

    def but(self, **changes: Any) -> "Message":
        """Return the same with other values in some fields."""
        return msgspec.structs.replace(self, **changes)

    def __repr__(self) -> str:
        """Say which it is, and nothing that may be personal."""
        return f"Message(id={self.id!r}, operation={self.operation!r}, client={self.client!r})"


MOST = (1 << 53) - 1
"""No receipt's number is greater."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a message comes from that no app sent: the receipt of a file, and which of its records it was."""

    receipt: int
    record: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A canonical reply; `age` is seconds since the data was current, None when it is fresh.

    `recorded` is the id under which the ledger keeps the message, None when it keeps none.
    """

    body: Document = field(repr=False)
    outcome: Outcome = Outcome.OK
    age: float | None = None
    recorded: MessageId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A native request: `headers` come from the mapping (a SOAP header part may nest), `timeout` is seconds."""

    target: str
    document: Document = field(repr=False)
    timeout: float
    message_id: MessageId
    correlation_id: str
    traceparent: str
    tracestate: str = field(default="", repr=False)
    safe: bool = False
    headers: Document = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An agency's own statement that a call failed: its code, text, and the detail's elements by name.

    `codes` are the more general codes that it names as well: of `Server.Busy` `Server`, of a subcode those around it.
    """

    code: str
    text: str
    detail: Document = field(default_factory=dict)
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A body of which an adapter could make nothing: its `text`, or its `octets` where it is none; nothing is lost."""

    text: str = field(default="", repr=False)
    octets: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, body: bytes) -> "Unread":
        """Keep a body; control characters, which would steer a terminal, are no text."""
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return cls(octets=body)
        return cls(octets=body) if _CONTROL.search(text) else cls(text=text)

    @property
    def body(self) -> bytes:
        """The very bytes that came."""
        return self.octets or self.text.encode("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A native answer as it came, `size` its bytes where they are known; the channel decides what it means.

    `unread` is its body where that could not be read: such an answer has no document and no fault.
    """

    document: Document | None = field(default=None, repr=False)
    fault: Fault | None = None
    http_status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int = field(default=0, compare=False)
    unread: Unread | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a mapping may read beside the body: `@id`, `@client`, `@now`, `@login.*`."""

    id: MessageId
    client: str
    now: datetime
    login: Mapping[str, str] = field(default_factory=dict, repr=False)


def new_message_id() -> MessageId:
    """Return a UUIDv7 (RFC 9562 section 5.7): its text sorts by the millisecond it was made."""
    value = int.from_bytes(os.urandom(16), "big")
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | (value & ((1 << 80) - 1))
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    digits = f"{value:032x}"
    return MessageId(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")
