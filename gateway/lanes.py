"""The lanes of everything that is recorded: which operations each delivers and how, and what is asked afterwards."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import PurePath
from traceback import extract_tb

from gateway.answers import Inquiry
from gateway.ask import Ask
from gateway.attempt import Deliverable
from gateway.batch import Batch
from gateway.deliver import Lane
from gateway.edge.accesslog import explain
from gateway.figures import deliveries
from gateway.metrics import Metrics
from gateway.ports import Log
from gateway.records import Claim, PauseReason, Postponed, Settlement, became
from gateway.registry import Agency, Operation, Queue, Registry, Together


def lanes(known: Registry, log: Log, outage: Callable[[str, bool], None], metrics: Metrics) -> Iterator[Lane]:
    """Yield the lane of each agency that can be asked and to which something may have to be delivered.

    `outage` hears of a lane whose agency went away or came back.
    """
    for agency in known.agencies.values():
        recorded = [operation for operation in agency.operations.values() if operation.recording is not None]
        if recorded and not agency.unready:
            counted = deliveries(metrics, agency.name)
            yield _lane(agency, recorded, known, news=_news(log, outage), told=_told(log, counted), log=log)


def inquiries(known: Registry, log: Log, down: Callable[[str], bool]) -> Iterator[Inquiry]:
    """Yield what is to be asked of each agency about messages that it has and has not answered for good.

    `down` tells of a lane whether its agency is known to be away.
    """
    for agency in known.agencies.values():
        found = {operation.id: _ask(operation, known) for operation in agency.operations.values()}
        asks = {name: ask for name, ask in found.items() if ask is not None and ask.final is not None}
        if asks and not agency.unready:
            calendar = agency.queue.calendar if agency.queue is not None else None
            yield Inquiry(lane=agency.name, asks=asks, calendar=calendar, away=partial(down, agency.name), log=log)


def _lane(  # noqa: PLR0913 - who hears of it
    agency: Agency,
    recorded: list[Operation],
    known: Registry,
    *,
    news: Callable[[str, bool], None],
    told: Callable[[Claim, Settlement, Exception | None], None],
    log: Log,
) -> Lane:
    queue = agency.queue or Queue(concurrency=1, waiting=lambda: 0, depth=1)
    return Lane(
        name=agency.name,
        operations={one.id: _deliverable(one, known) for one in recorded if one.together is None},
        batches=[_batch(one, one.together, known) for one in recorded if one.together is not None],
        concurrency=queue.concurrency,
        calendar=queue.calendar,
        probe=agency.probe,
        slots=queue.slots,
        waiting=queue.waiting,
        news=news,
        hours=_hours(log, agency.name),
        told=told,
        bug=_bugs(log),
    )


def _deliverable(operation: Operation, known: Registry) -> Deliverable:
    recording = operation.recording
    return Deliverable(
        pipeline=operation.pipeline or operation.handler,
        check=operation.request.check,
        deadline=operation.deadline,
        ask=_ask(operation, known),
        harmless=recording is not None and recording.repeat == "harmless",
        within=operation.within,
    )


def _batch(operation: Operation, together: Together, known: Registry) -> Batch:
    made, when = _deliverable(operation, known), together.batching
    return Batch(operation=operation.id, made=made, rows=when.rows, every=when.every, send=together.send)


def _ask(operation: Operation, known: Registry) -> Ask | None:
    question = operation.recording.ask if operation.recording is not None else None
    if question is None:
        return None
    asked = known.operations[question.operation]
    return Ask(
        operation=asked.id,
        handler=asked.pipeline or asked.handler,
        fields=question.fields,
        done=question.done,
        deadline=asked.deadline,
        reply_fields=operation.reply.fields,
        check=operation.reply.check,
        final=question.final,
    )


def _news(log: Log, outage: Callable[[str, bool], None]) -> Callable[[str, bool], None]:
    def news(lane: str, down: bool) -> None:
        outage(lane, down)
        if down:
            log("lane-waiting", level="warning", agency=lane, what="the agency can't be reached; messages wait")
        else:
            log("lane-delivering", agency=lane, what="the agency is back; messages are delivered")

    return news


def _hours(log: Log, agency: str) -> Callable[[PauseReason | None, datetime | None], None]:
    def hours(reason: PauseReason | None, until: datetime | None) -> None:
        if reason is None:
            log("lane-open", agency=agency, what="the agency serves again; messages are delivered")
        else:
            end = None if until is None else until.isoformat()
            log("lane-closed", agency=agency, reason=reason, until=end, what="messages wait until the agency serves")

    return hours


def _told(
    log: Log, counted: Callable[[Claim, Settlement], None]
) -> Callable[[Claim, Settlement, Exception | None], None]:
    """Count each delivery and write a line of it; its correlation id is that of the request which filed the message."""

    def told(claim: Claim, settlement: Settlement, error: Exception | None) -> None:
        counted(claim, settlement)
        message, tried, verdict = claim.message, settlement.tried, settlement.verdict
        state = became(claim, verdict)
        facts = {
            "correlation_id": message.correlation_id,
            "trace_id": message.traceparent[3:35],
            "client": message.client,
            "operation": message.operation,
            "agency": claim.lane,
            "state": state,
            "outcome": tried.outcome.value if tried is not None else None,
            "agency_ms": round(tried.seconds * 1000, 2) if tried is not None else None,
            "attempts": claim.attempts + (tried is not None),
            "again": round(verdict.seconds, 1) if state == "postponed" and isinstance(verdict, Postponed) else None,
            "recorded": claim.ticket.id,
            "error": explain(error) if error is not None else getattr(verdict, "text", "") or None,
        }
        known = {name: fact for name, fact in facts.items() if fact is not None}
        log("delivery", level=_LEVELS.get(state, "info"), **known)

    return told


_LEVELS = {"postponed": "warning", "unknown": "error", "buried": "error"}


def _bugs(log: Log) -> Callable[[str, Exception], None]:
    """Say where something went wrong that never should; its own text may hold personal data."""

    def bug(lane: str, error: Exception) -> None:
        frames = extract_tb(error.__traceback__)
        place = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
        log("bug", level="error", agency=lane, what=f"delivery stumbled: {type(error).__name__} at {place}")

    return bug
