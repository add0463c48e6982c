"""Lines gathered and written away from the loop."""

import asyncio
import json
import threading
from io import BytesIO

from gateway.clock import SystemClock
from gateway.edge.accesslog import Line, LineLog, explain
from gateway.errors import FieldError, InvalidRequest, TranslationError

NOW = SystemClock().now()
NIK = "1405020101809001"


def line(**more):
    facts = {"time": NOW, "level": "info", "correlation_id": "c", "method": "GET", "outcome": "ok", "status": 200}
    return Line(**{**facts, "ms": 1.0, **more})


class Stuck(BytesIO):
    """A stream whose reader does not read."""

    def __init__(self):
        super().__init__()
        self.free, self.stuck = threading.Event(), threading.Event()

    def write(self, data):
        self.stuck.set()
        self.free.wait(60)
        return super().write(data)


class Full(BytesIO):
    """A stream to a disk that is full for the first few writes."""

    def __init__(self, failures):
        super().__init__()
        self.failures = failures

    def write(self, data):
        if self.failures:
            self.failures -= 1
            raise OSError(28, "No space left on device")
        return super().write(data)


async def test_lines_are_written_together_and_in_order():
    stream = BytesIO()
    log = LineLog(stream, SystemClock())
    for number in range(3):
        log.request(line(ms=float(number)))
    assert stream.getvalue() == b""
    log.close()
    assert [json.loads(text)["ms"] for text in stream.getvalue().splitlines()] == [0, 1, 2]


async def test_a_line_appears_without_closing():
    stream = BytesIO()
    log = LineLog(stream, SystemClock())
    log.request(line())
    while not stream.getvalue():  # noqa: ASYNC110 -- another thread writes
        await asyncio.sleep(0.01)
    log.close()


async def test_a_stuck_reader_delays_nobody_and_lost_lines_are_counted():
    stream = Stuck()
    log = LineLog(stream, SystemClock())
    log("first")
    while not stream.stuck.is_set():  # noqa: ASYNC110 -- another thread writes
        await asyncio.sleep(0.01)
    for _ in range(12):
        log("much", text="x" * (1 << 20))
    stream.free.set()
    log.close()
    lines = [json.loads(text) for text in stream.getvalue().splitlines()]
    assert [one["event"] for one in lines[:3]] == ["first", "log-lines-dropped", "much"]
    assert lines[1]["lines"] + len(lines) - 2 == 12


async def test_lines_that_can_not_be_written_are_counted_and_trouble_nobody():
    stream = Full(failures=2)
    log = LineLog(stream, SystemClock())
    for failures in (1, 0):
        log("lost")
        log("lost")
        while stream.failures > failures:  # noqa: ASYNC110 -- another thread writes
            await asyncio.sleep(0.01)
    log("there")
    while not stream.getvalue():  # noqa: ASYNC110 -- as above
        await asyncio.sleep(0.01)
    log.close()
    lost, there = (json.loads(text) for text in stream.getvalue().splitlines())
    assert (lost["event"], lost["lines"], there["event"]) == ("log-lines-dropped", 4, "there")


async def test_facts_are_masked_and_may_be_anything():
    stream = BytesIO()
    log = LineLog(stream, SystemClock())
    made = "80c08a451462ddad112908265ba73a43"
    log(
        "breaker-opened",
        level="warning",
        correlation_id=made,
        agency="dinkes",
        reason=f"NIK {NIK}",
        other=ValueError(NIK),
        at=None,
    )
    log.close()
    said = json.loads(stream.getvalue())
    assert said["event"] == "breaker-opened"
    assert said["level"] == "warning"
    assert said["correlation_id"] == made
    assert NIK not in stream.getvalue().decode()


def test_the_clients_values_are_not_explained_and_the_agencys_are():
    field = FieldError(pointer="/nik", rule="digits", params={"digits": "16"}, where="m.toml:3", value="140***")
    assert explain(InvalidRequest(errors=[field])) == "m.toml:3: /nik: must be exactly 16 digits"
    assert explain(TranslationError("reply", [field])) == "m.toml:3: /nik: must be exactly 16 digits (140***)"


def test_many_errors_are_cut():
    errors = [FieldError(pointer=f"/{n}", rule="required") for n in range(50)]
    said = explain(TranslationError("reply", errors))
    assert said is not None
    assert said.endswith("and 30 more")
