"""The lanes of everything that is recorded: which operations each delivers and how; delivers nothing itself."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePath
from traceback import extract_tb

from gateway.ask import Ask
from gateway.attempt import Deliverable
from gateway.deliver import Lane
from gateway.figures import deliveries
from gateway.metrics import Metrics
from gateway.ports import Log
from gateway.registry import Agency, Operation, Queue, Registry


def lanes(known: Registry, log: Log, outage: Callable[[str, bool], None], metrics: Metrics) -> Iterator[Lane]:
    """Yield the lane of each agency that can be asked and to which something may have to be delivered.

    `outage` hears of a lane whose agency went away or came back.
    """
    for agency in known.agencies.values():
        recorded = [operation for operation in agency.operations.values() if operation.recording is not None]
        if recorded and not agency.unready:
            waits = metrics.gauge("gateway_lane_paused", agency.name, "outage")
            waits.set(0)
            made = _lane(agency, recorded, known, log, _news(log, outage, waits.set))
            yield replace(made, ended=deliveries(metrics, agency.name))


def _lane(
    agency: Agency, recorded: list[Operation], known: Registry, log: Log, news: Callable[[str, bool], None]
) -> Lane:
    queue = agency.queue or Queue(concurrency=1, waiting=lambda: 0, depth=1)
    return Lane(
        name=agency.name,
        operations={operation.id: _deliverable(operation, known) for operation in recorded},
        concurrency=queue.concurrency,
        calendar=queue.calendar,
        probe=agency.probe,
        waiting=queue.waiting,
        news=news,
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
    )


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
    )


def _news(log: Log, outage: Callable[[str, bool], None], shown: Callable[[float], None]) -> Callable[[str, bool], None]:
    def news(lane: str, down: bool) -> None:
        outage(lane, down)
        shown(down)
        if down:
            log("lane-waiting", level="warning", agency=lane, what="the agency can't be reached; messages wait")
        else:
            log("lane-delivering", agency=lane, what="the agency is back; messages are delivered")

    return news


def _bugs(log: Log) -> Callable[[str, Exception], None]:
    """Say where something went wrong that never should; its own text may hold personal data."""

    def bug(lane: str, error: Exception) -> None:
        frames = extract_tb(error.__traceback__)
        place = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
        log("bug", level="error", agency=lane, what=f"delivery stumbled: {type(error).__name__} at {place}")

    return bug
