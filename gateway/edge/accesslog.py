"""One JSON line per request or change of state, written off the event loop; never a path, a query or a body."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import BinaryIO, Literal

import msgspec

from gateway.errors import AgencyError, FieldError, InvalidRequest, TranslationError
from gateway.masking import mask_text
from gateway.ports import Clock
from gateway.wording import say

Level = Literal["debug", "info", "warning", "error"]

_FLUSH_SECONDS = 0.05
_HELD_BYTES = 8 << 20
_IDS = frozenset(
    {"correlation_id", "trace_id", "recorded", "message_id"}
)  # made or checked by us; a mask would break the search for them
_ERROR_LENGTH, _ERRORS = 2000, 20


class Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A request as the log tells it; `ms` is from its first byte to its answer, `agency_ms` of all attempts.

    `trace_id` is None where no trace was looked for; `recorded` is the id under which the ledger keeps it.
    """

    time: datetime
    level: Level
    event: str = "request"
    correlation_id: str
    trace_id: str | None = None
    client: str | None = None
    method: str
    operation: str | None = None
    agency: str | None = None
    outcome: str
    status: int
    ms: float
    agency_ms: float | None = None
    attempts: int = 0
    age: float | None = None
    recorded: str | None = None
    error: str | None = None


class LineLog:
    """Lines gathered for a moment and written together by a thread, so that a slow reader of the log delays nobody.

    When the reader is stuck, lines past 8 MiB are dropped; so are those that can't be written (a full disk, a reader
    that went away). They are counted in the first line that gets through.
    """

    __slots__ = ("_busy", "_clock", "_dropped", "_encoder", "_held", "_lines", "_stream", "_timer", "_writer")

    def __init__(self, stream: BinaryIO, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._encoder = msgspec.json.Encoder()
        self._lines: list[bytes] = []
        self._held = 0
        self._dropped = 0
        self._timer: asyncio.TimerHandle | None = None
        self._busy: asyncio.Future[int] | None = None
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log")

    def request(self, line: Line) -> None:
        """Write a request's line."""
        self._add(self._encoder.encode(line))

    def __call__(self, event: str, /, *, level: str = "info", **facts: object) -> None:
        """Write the line of a change of state, or of a bug; every fact but an id is masked."""
        line: dict[str, object] = {"time": self._clock.now().isoformat(), "level": level, "event": event}
        for name, fact in facts.items():
            line[name] = mask_text(fact) if isinstance(fact, str) and name not in _IDS else fact
        self._add(msgspec.json.encode(line, enc_hook=lambda value: mask_text(str(value))))

    def _add(self, line: bytes) -> None:
        if self._held > _HELD_BYTES:
            self._dropped += 1
            return
        self._lines.append(line)
        self._held += len(line)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        self._timer = None
        if self._busy is not None:
            if not self._busy.done():
                self._timer = asyncio.get_running_loop().call_later(_FLUSH_SECONDS, self._flush)
                return
            self._dropped += self._busy.result()
        self._busy = asyncio.get_running_loop().run_in_executor(self._writer, self._write, *self._take())

    def _take(self) -> tuple[Sequence[bytes], int]:
        taken = self._lines, self._dropped
        self._lines, self._held, self._dropped = [], 0, 0
        return taken

    def _write(self, lines: Sequence[bytes], dropped: int) -> int:
        """Write, in the thread; returns how many lines are lost now."""
        if dropped:
            news = {"time": self._clock.now().isoformat(), "level": "warning", "event": "log-lines-dropped"}
            lines = [msgspec.json.encode(news | {"lines": dropped}), *lines]
        try:
            self._stream.write(b"\n".join([*lines, b""]))
            self._stream.flush()
        except OSError:
            return dropped + len(lines) - bool(dropped)
        return 0

    def close(self) -> None:
        """Write what is left; the thread ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._lines or self._dropped:
            self._writer.submit(self._write, *self._take())
        self._writer.shutdown()


def level_of(status: int) -> Level:
    """Return how much a person should care: bugs and broken answers are errors, an agency that is away a warning."""
    if status in (500, 502):
        return "error"
    return "warning" if status > 500 else "info"  # noqa: PLR2004 -- the HTTP class


def milliseconds(seconds: float) -> float:
    """Return milliseconds with two decimals; a third of what `round` costs."""
    return int(seconds * 100_000 + 0.5) / 100


def explain(error: Exception) -> str | None:
    """Return an error for the log: masked, with mapping file:line and values where a document did not fit."""
    errors: Sequence[FieldError] = ()
    if isinstance(error, InvalidRequest | AgencyError | TranslationError):
        errors = error.errors
    text = "" if isinstance(error, TranslationError) else str(error)
    parts = [text] if text else []
    parts += [_field(e, shown=not isinstance(error, InvalidRequest)) for e in errors[:_ERRORS]]
    if len(errors) > _ERRORS:
        parts.append(f"and {len(errors) - _ERRORS} more")
    return mask_text("; ".join(parts)[: 2 * _ERROR_LENGTH])[:_ERROR_LENGTH] or None


def _field(error: FieldError, *, shown: bool) -> str:
    where = f"{error.where}: " if error.where else ""
    value = f" ({error.value})" if shown and error.value is not None else ""
    return f"{where}{error.pointer or '/'}: {say(error, 'en')}{value}"
