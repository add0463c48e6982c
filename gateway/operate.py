"""What operators do to messages and lanes, each act once for every way to ask for it; knows no HTTP and no terminal."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from gateway.deadlines import Deadlines
from gateway.errors import (
    AgencyError,
    FieldError,
    InvalidRequest,
    NotFound,
    Refused,
    UnknownMessage,
    WrongState,
)
from gateway.message import Document, MessageId, OperationId
from gateway.ports import Archive, Clock, Lanes
from gateway.records import Delivered, Filter, LaneStats, Page, Pause, Record, State, Summary
from gateway.records import Refused as RefusedVerdict
from gateway.registry import Operation

Operations = Mapping[OperationId, Operation]
PeoplesReason = Literal["operator", "maintenance"]
"""The reasons for which a person may pause a lane; hours and outages are the gateway's own business."""

REPLAYABLE = frozenset({State.BURIED, State.EXPIRED, State.REFUSED})
BY_DEFAULT = frozenset({State.BURIED, State.EXPIRED})
IN_DOUBT = frozenset({State.UNKNOWN, State.HANDED_OVER})
"""What a filter that names no state replays: a refusal was an answer, so it is replayed only where it is named."""

BATCH, PAGE, SAMPLE = 100, 500, 5
TICK = 0.25
"""Seconds between two batches of a replay that has a rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Messages to be replayed, the oldest first, and a few of them; nobody knows whether the `doubtful` were done."""

    ids: tuple[MessageId, ...]
    doubtful: frozenset[MessageId] = frozenset()
    sample: tuple[Summary, ...] = ()

    @property
    def phrase(self) -> str:
        """What a person must say before anything is sent that may have been done already; empty when nothing is."""
        return f"send {len(self.doubtful)} again" if self.doubtful else ""

    def check(self, said: str) -> None:
        """Raise InvalidRequest unless it is the phrase."""
        if said.strip() != self.phrase and self.doubtful:
            error = FieldError(pointer="/confirm", rule="const", params={"const": f'"{self.phrase}"'})
            raise InvalidRequest("what may have been done already is sent again only when confirmed", errors=[error])


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """How far a replay is: `skipped` are those that something had happened to since they were chosen."""

    done: int
    skipped: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """What became of an unknown message whose answer was read again; `why` and `errors` while it still can't be."""

    state: State
    why: str = ""
    errors: tuple[FieldError, ...] = ()


async def search(archive: Archive, wanted: Filter, *, limit: int, cursor: str | None = None) -> Page:
    """Return the newest matching messages; raises InvalidRequest for a cursor that is none."""
    rows: list[Summary] = []
    while True:
        page = await archive.search(wanted, cursor=cursor, limit=min(PAGE, limit - len(rows)))
        rows += page.rows
        cursor = page.cursor
        if cursor is None or len(rows) >= limit:
            return Page(rows=tuple(rows), cursor=cursor)


async def show(archive: Archive, message: MessageId, *, unmasked_by: str | None = None) -> Record:
    """Return all about a message; a look at what is masked otherwise is recorded. Raises UnknownMessage."""
    record = await archive.get(message, unmasked_by=unmasked_by)
    if record is None:
        raise UnknownMessage("the ledger has no message of this id")
    return record


async def chosen_by_id(archive: Archive, ids: Sequence[MessageId], *, unknown: bool = False) -> Chosen:
    """Return these messages; raises UnknownMessage or WrongState for the first that can't be replayed."""
    rows: list[Summary] = []
    for message in dict.fromkeys(ids):
        record = await show(archive, message)
        if record.summary.state in IN_DOUBT and not unknown:
            raise _wrong(record, "nobody knows whether it was done, so it is replayed only on purpose (unknown)")
        if record.summary.state not in REPLAYABLE | IN_DOUBT:
            raise _wrong(record, "only what is buried, expired, refused, unknown or handed over is replayed")
        if record.shed or not record.readable:
            raise _wrong(record, f"its body {'is kept no more' if record.shed else 'is sealed with a lost key'}")
        rows.append(record.summary)
    rows.sort(key=lambda row: row.accepted_at)
    return Chosen(ids=tuple(row.id for row in rows), doubtful=_doubtful(rows), sample=tuple(rows[:SAMPLE]))


async def chosen_by_filter(archive: Archive, wanted: Filter, *, unknown: bool = False) -> Chosen:
    """Return what matches and can be replayed; a filter must say something.

    Raises InvalidRequest for one that says nothing, or names a state that can't be replayed.
    """
    if wanted == Filter():
        raise InvalidRequest("name messages or a filter", errors=[FieldError(pointer="/filter", rule="required")])
    allowed = REPLAYABLE | (IN_DOUBT if unknown else set())
    if wanted.states - allowed:
        error = FieldError(pointer="/state", rule="enum", params={"allowed": ", ".join(sorted(allowed))})
        raise InvalidRequest("messages in this state are not replayed", errors=[error])
    states = wanted.states or (BY_DEFAULT | ({State.UNKNOWN} if unknown else set()))
    newest_first: list[MessageId] = []
    doubtful: set[MessageId] = set()
    oldest: list[Summary] = []
    async for rows in _pages(archive, replace(wanted, states=frozenset(states))):
        newest_first += [row.id for row in rows]
        doubtful |= _doubtful(rows)
        oldest = [*oldest, *rows][-SAMPLE:]
    return Chosen(ids=tuple(reversed(newest_first)), doubtful=frozenset(doubtful), sample=tuple(reversed(oldest)))


async def replay(  # noqa: PLR0913 - who, how fast, how sure, and until when
    archive: Archive,
    chosen: Chosen,
    *,
    by: str,
    clock: Clock,
    rate: float | None = None,
    confirm: str = "",
    stop: asyncio.Event | None = None,
) -> AsyncIterator[Replayed]:
    """Make messages pending again, `rate` of them a second, telling after each batch; ends early when `stop` is set.

    Raises InvalidRequest, before anything is done, when some may have been done and `confirm` is not their phrase.
    """
    chosen.check(confirm)
    stop = stop or asyncio.Event()
    size = BATCH if rate is None else max(1, min(BATCH, round(rate * TICK)))
    done, total = 0, len(chosen.ids)
    for start in range(0, total, size):
        if stop.is_set():
            return
        batch = chosen.ids[start : start + size]
        for unknown in (False, True):
            ids = [message for message in batch if (message in chosen.doubtful) is unknown]
            done += len(await archive.replay(ids, by=by, unknown=unknown)) if ids else 0
        tried = start + len(batch)
        yield Replayed(done=done, skipped=tried - done, total=total)
        if rate is not None and tried < total:
            await _sleep(stop, clock, size / rate)


async def reread(archive: Archive, operations: Operations, message: MessageId, *, by: str) -> Reread:
    """Read an unknown message's kept answer again; what can be read settles it. Raises UnknownMessage, WrongState."""
    record = await show(archive, message)
    if record.summary.state is not State.UNKNOWN:
        raise _wrong(record, "only an unknown message is reread")
    if record.native is None:
        raise _wrong(record, "no answer of the agency's was kept; ask the agency, then resolve it")
    reread = _operation(operations, record).reread
    if reread is None:
        raise _wrong(record, "its operation keeps no answers")
    try:
        verdict: Delivered | RefusedVerdict = Delivered(reply=reread(record.native))
    except (NotFound, Refused) as error:
        verdict = RefusedVerdict(code=error.code, text=error.words, errors=error.errors, why=error.why)
    except AgencyError as error:
        why = error.by or str(error) or error.code
        if not error.maybe_done:
            why += "; this answer says that it was not done, so it may be replayed (unknown)"
        return Reread(state=State.UNKNOWN, why=why, errors=error.errors)
    return Reread(state=await resolve(archive, message, verdict, by=by))


async def resolve(archive: Archive, message: MessageId, verdict: Delivered | RefusedVerdict, *, by: str) -> State:
    """Say how a message ended that is unknown or handed over; returns its state. Raises UnknownMessage, WrongState."""
    if not await archive.resolve(message, verdict, by=by):
        raise _wrong(await show(archive, message), "only what is unknown or handed over is resolved")
    return State.DELIVERED if isinstance(verdict, Delivered) else State.REFUSED


async def cancel(archive: Archive, message: MessageId, *, by: str) -> State:
    """Give up a pending or buried message; returns its state, unknown when it may have been done.

    Raises UnknownMessage, WrongState.
    """
    if not await archive.cancel(message, by=by):
        raise _wrong(await show(archive, message), "only what is pending or buried is cancelled")
    return (await show(archive, message)).summary.state


async def answered(archive: Archive, deadlines: Deadlines, message: MessageId, *, by: str) -> datetime | None:
    """Say that people have their answer, however it came; returns when they had it.

    Raises UnknownMessage, and WrongState where none was due or they had one already.
    """
    stopped = await deadlines.answered(message, by=by)
    record = await show(archive, message)
    if not stopped and (at := record.summary.answered_at) is not None:
        raise WrongState(f"people had their answer already, at {at:%Y-%m-%d %H:%M:%S}", state=record.summary.state)
    if not stopped:
        raise _wrong(record, "no answer of it is due")
    return record.summary.answered_at


async def editable(archive: Archive, message: MessageId, *, unmasked_by: str | None = None) -> Record:
    """Return a buried message; raises UnknownMessage, WrongState."""
    record = await show(archive, message)
    if record.summary.state is not State.BURIED:
        raise _wrong(record, "only a buried message is edited")
    if record.shed:
        raise _wrong(record, "its body is kept no more")
    return record if unmasked_by is None else await show(archive, message, unmasked_by=unmasked_by)


def just(record: Record) -> Chosen:
    """Return one message as chosen to be sent again."""
    row = record.summary
    return Chosen(ids=(row.id,), doubtful=_doubtful([row]), sample=(row,))


async def edit(  # noqa: PLR0913 - which, what, who, how sure
    archive: Archive, operations: Operations, message: MessageId, body: Document, *, by: str, confirm: str = ""
) -> State:
    """Replace a buried message's body, keep what changed as a deed, and send it; returns its state.

    Raises UnknownMessage, WrongState, and InvalidRequest when the body does not fit the operation, or when the message
    may have been done and `confirm` is not the phrase of `just`.
    """
    record = await editable(archive, message)
    if errors := _operation(operations, record).request.check(body):
        raise InvalidRequest("the body does not fit the operation", errors=errors)
    chosen = just(record)
    chosen.check(confirm)
    if not await archive.edit(message, body, by=by, sure=bool(chosen.doubtful)):
        raise _wrong(await show(archive, message), "something happened to it meanwhile")
    return State.PENDING


async def lanes(lanes: Lanes, agencies: Collection[str]) -> tuple[LaneStats, ...]:
    """Return how every lane stands, those too that never had a message."""
    found = {stats.lane: stats for stats in await lanes.stats()}
    every = {name: LaneStats(lane=name) for name in agencies} | found
    return tuple(every[name] for name in sorted(every))


async def pause(  # noqa: PLR0913 - which, why, who and until when
    lanes: Lanes,
    agencies: Collection[str],
    lane: str,
    *,
    by: str,
    now: datetime,
    reason: PeoplesReason = "operator",
    until: datetime | None = None,
) -> None:
    """Let nothing of a lane be delivered; messages are taken on. Raises InvalidRequest."""
    await _must_be_lane(lanes, agencies, lane)
    if until is not None and until <= now:
        error = FieldError(pointer="/until", rule="date", params={"date": "a time to come"})
        raise InvalidRequest("a pause ends in the future", errors=[error])
    await lanes.pause(lane, reason, by=by, until=until)


async def resume(
    lanes: Lanes, agencies: Collection[str], lane: str, *, by: str, reason: PeoplesReason = "operator"
) -> tuple[bool, tuple[Pause, ...]]:
    """End a person's pause; returns whether there was one, and the pauses that go on. Raises InvalidRequest."""
    await _must_be_lane(lanes, agencies, lane)
    ended = await lanes.resume(lane, reason, by=by)
    return ended, tuple(pause for pause in await lanes.list() if pause.lane == lane)


async def _must_be_lane(lanes: Lanes, agencies: Collection[str], lane: str) -> None:
    if lane in agencies:
        return
    known = {*agencies, *(stats.lane for stats in await lanes.stats())}
    if lane not in known:
        error = FieldError(pointer="/agency", rule="enum", params={"allowed": ", ".join(sorted(known))})
        raise InvalidRequest(f'there is no lane "{lane}"', errors=[error])


async def _pages(archive: Archive, wanted: Filter) -> AsyncIterator[tuple[Summary, ...]]:
    cursor: str | None = None
    while True:
        page = await archive.search(wanted, cursor=cursor, limit=PAGE)
        yield page.rows
        if (cursor := page.cursor) is None:
            return


async def _sleep(stop: asyncio.Event, clock: Clock, seconds: float) -> None:
    """Wait, no longer than until `stop` is set."""
    waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(clock.sleep(seconds))]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def _doubtful(rows: Sequence[Summary]) -> frozenset[MessageId]:
    """Return which of them may be done twice when they are sent again, so that a person has to confirm it."""
    return frozenset(row.id for row in rows if row.state in IN_DOUBT or (row.uncertain and row.repeat != "harmless"))


def _operation(operations: Operations, record: Record) -> Operation:
    operation = operations.get(record.summary.operation)
    if operation is None:
        raise _wrong(record, f"gateway.toml has no operation {record.summary.operation} any more")
    return operation


def _wrong(record: Record, why: str) -> WrongState:
    state = record.summary.state
    return WrongState(f"it is {state}: {why}", state=state)
