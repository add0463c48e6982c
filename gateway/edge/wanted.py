"""What operators send to the control API, read and checked; acts on nothing."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from gateway.config.units import Rate
from gateway.errors import FieldError, InvalidRequest, UnknownMessage
from gateway.masking import mask_text
from gateway.message import MOST, MessageId, OperationId
from gateway.operate import PeoplesReason
from gateway.records import Delivered, Filter, Refused, State

T = TypeVar("T")
Moment = Annotated[datetime, Meta(tz=True)]
_FIRST, _LAST = 1970, 2999
_NAMED = re.compile(r"(unknown|missing required) field `([^`]*)`")


def _possible(*moments: datetime | None) -> None:
    """Raise ValueError for a time that no store and no zone can count to."""
    if any(not _FIRST <= moment.year <= _LAST for moment in moments if moment is not None):
        raise ValueError(f"a time between {_FIRST} and {_LAST}")


def message_id(text: str) -> MessageId:
    """Return the id of a message; raises UnknownMessage for what is none, and not every store can be asked for."""
    if not text.isprintable():
        raise UnknownMessage("the ledger has no message of this id")
    return MessageId(text)


class Nothing(Struct, forbid_unknown_fields=True):
    """An act that needs no more than its message."""


class Look(Struct, forbid_unknown_fields=True):
    """How a message is looked at; with `unmask` the look is recorded."""

    unmask: bool = False


class Picked(Struct, forbid_unknown_fields=True, kw_only=True):
    """Which messages; no subject, since this may stand in a URL and a NIK must not."""

    agency: str | None = None
    operation: str | None = None
    client: str | None = None
    state: list[State] = []
    since: Moment | None = None
    until: Moment | None = None
    direct: bool | None = None
    answer_before: Moment | None = None
    receipt: Annotated[int, Meta(ge=1, le=MOST)] | None = None

    def __post_init__(self) -> None:
        """Check what msgspec can't."""
        _possible(self.since, self.until, self.answer_before)

    def filter(self, subject: str | None = None) -> Filter:
        """Return the filter meant."""
        return Filter(
            lane=self.agency,
            operation=OperationId(self.operation) if self.operation else None,
            client=self.client,
            states=frozenset(self.state),
            since=self.since,
            until=self.until,
            subject=subject,
            direct=self.direct,
            answer_before=self.answer_before,
            receipt=self.receipt,
        )


class Listed(Picked, forbid_unknown_fields=True, kw_only=True):
    """A page of messages."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 50
    cursor: str | None = None
    due: bool = False
    overdue: bool = False

    def meant(self, now: datetime, subject: str | None) -> Filter:
        """Return the filter meant; `due` is near its date or past it, `overdue` past it."""
        wanted = self.filter(subject)
        before = now if self.overdue else wanted.answer_before
        return replace(wanted, answer_before=before, urgent_at=now if self.due else None)


class Searched(Listed, forbid_unknown_fields=True, kw_only=True):
    """A page of messages, by subject too."""

    subject: str | None = None


class Sought(Picked, forbid_unknown_fields=True, kw_only=True):
    """The filter of a replay."""

    subject: str | None = None


class ReplayOne(Struct, forbid_unknown_fields=True, kw_only=True):
    """One message to be replayed; an unknown one only with the phrase that says so."""

    unknown: bool = False
    confirm: str = ""


class ReplayMany(ReplayOne, forbid_unknown_fields=True, kw_only=True):
    """Messages to be replayed, by ids or a filter; a dry run unless it says otherwise; `rate` as in "10/s"."""

    ids: list[str] = []
    filter: Sought | UnsetType = UNSET
    dry_run: bool = True
    rate: str | None = None

    @property
    def messages(self) -> list[MessageId]:
        """The ids."""
        return [message_id(one) for one in self.ids]

    @property
    def wanted(self) -> Filter:
        """The filter; raises InvalidRequest when it comes beside ids."""
        if self.filter is UNSET:
            return Filter()
        if self.ids:
            raise InvalidRequest("either ids or a filter", errors=[FieldError(pointer="/ids", rule="unknown")])
        return self.filter.filter(self.filter.subject)

    @property
    def per_second(self) -> float | None:
        """The rate as a number; raises InvalidRequest."""
        try:
            return None if self.rate is None else Rate.parse(self.rate).per_second
        except ValueError as error:
            expected = str(error).removeprefix("must be ")
            wrong = FieldError(pointer="/rate", rule="type", params={"expected": expected})
            raise InvalidRequest("the rate is none", errors=[wrong]) from error


class Resolution(Struct, forbid_unknown_fields=True, kw_only=True):
    """How an unknown message ended, by a person's word."""

    outcome: Literal["delivered", "refused"]
    text: str = ""

    @property
    def verdict(self) -> Delivered | Refused:
        """The verdict."""
        return Delivered() if self.outcome == "delivered" else Refused(text=self.text)


class Edited(Struct, forbid_unknown_fields=True, kw_only=True):
    """A message's whole new canonical body; one that may have been done is sent only with the phrase that says so."""

    body: dict[str, Any]
    confirm: str = ""


class Paused(Struct, forbid_unknown_fields=True, kw_only=True):
    """Why a lane is paused, and until when."""

    reason: PeoplesReason = "operator"
    until: Moment | None = None

    def __post_init__(self) -> None:
        """Check what msgspec can't."""
        _possible(self.until)


class Resumed(Struct, forbid_unknown_fields=True, kw_only=True):
    """Which pause ends."""

    reason: PeoplesReason = "operator"


def from_body(data: bytes, kind: type[T]) -> T:
    """Read a body, numbers with their digits; an empty one says nothing. Raises InvalidRequest."""
    try:
        return msgspec.json.Decoder(kind, float_hook=Decimal).decode(data or b"{}")
    except msgspec.ValidationError as error:
        raise _misfit(error) from error
    except (msgspec.DecodeError, RecursionError) as error:
        wrong = FieldError(pointer="", rule="malformed")
        raise InvalidRequest("malformed", errors=[wrong], malformed=True) from error


def from_query(pairs: Iterable[tuple[str, str]], kind: type[T]) -> T:
    """Read a query; `state` may be repeated. Raises InvalidRequest."""
    given: dict[str, Any] = {}
    for name, text in pairs:
        if name == "state":
            given.setdefault(name, []).append(text)
        else:
            given[name] = text
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _misfit(error) from error


def _misfit(error: msgspec.ValidationError) -> InvalidRequest:
    text, _, place = str(error).partition(" - at ")
    pointer = place.strip("`").removeprefix("$").replace("[", "/").replace("]", "").replace(".", "/")
    if named := _NAMED.search(text):
        rule = "unknown" if named[1] == "unknown" else "required"
        wrong = FieldError(pointer=f"{pointer}/{mask_text(named[2])}", rule=rule)
    else:
        expected = mask_text(text).removeprefix("Expected ")
        wrong = FieldError(pointer=pointer, rule="type", params={"expected": expected})
    return InvalidRequest("the request does not fit", errors=[wrong])
