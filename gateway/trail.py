"""What is done for a message that is traced, as spans of one trace; knows no exporter and costs nothing when off."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Fact = str | int | float | bool
Kind = Literal["server", "client", "consumer", "internal"]


class Time(Protocol):
    """The two readings of a clock that a span needs."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def now(self) -> datetime:
        """Return the wall clock's time, with its zone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Something that was done: ids in hexadecimal (W3C), `began` in seconds since 1970, facts in design.md's words.

    `link` is the traceparent of another trace that did the work.
    """

    name: str
    kind: Kind
    trace: str
    id: str
    parent: str
    began: float
    seconds: float
    failed: bool
    facts: Mapping[str, Fact]
    link: str = ""


Record = Callable[[Span], None]
"""Takes a span that is over; must not wait."""


@dataclass(frozen=True, slots=True)
class Trail:
    """The place of what comes next in its trace: below the span `parent`."""

    record: Record
    time: Time
    trace: str
    parent: str

    def begin(
        self, name: str, /, *, kind: Kind = "internal", since: float | None = None, link: str = "", own: str = ""
    ) -> "Step":
        """Begin a step now, or `since` a monotonic time that is past; `own` is its id, if it has one already."""
        return Step(self, name, kind, self.time.monotonic() if since is None else since, link, own)


class Step:
    """A span under way; what happens inside it goes on its own trail."""

    __slots__ = ("_began", "_kind", "_link", "_name", "_on", "trail")

    def __init__(self, on: Trail, name: str, kind: Kind, began: float, link: str, own: str) -> None:  # noqa: PLR0913, PLR0917 - made by Trail.begin alone
        self._on = on
        self._name = name
        self._kind: Kind = kind
        self._began = began
        self._link = link
        self.trail = Trail(on.record, on.time, on.trace, own or os.urandom(8).hex())

    @property
    def traceparent(self) -> str:
        """Return what tells others that their part belongs below this step."""
        return f"00-{self._on.trace}-{self.trail.parent}-01"

    def end(self, failed: bool = False, /, **facts: Fact) -> None:
        """Tell how it ended."""
        on = self._on
        seconds = on.time.monotonic() - self._began
        span = Span(
            name=self._name,
            kind=self._kind,
            trace=on.trace,
            id=self.trail.parent,
            parent=on.parent,
            began=on.time.now().timestamp() - seconds,
            seconds=seconds,
            failed=failed,
            facts=facts,
            link=self._link,
        )
        on.record(span)


@contextmanager
def step(trail: Trail | None, name: str, link: str = "", /, **facts: Fact) -> Iterator[None]:
    """Tell of what happens inside, if it is traced at all."""
    if trail is None:
        yield
        return
    begun = trail.begin(name, link=link)
    try:
        yield
    except BaseException as error:
        begun.end(True, outcome=outcome_of(error), **facts)
        raise
    begun.end(outcome="ok", **facts)


def mark(trail: Trail | None, name: str, /, **facts: Fact) -> None:
    """Tell of something that takes no time, if it is traced at all."""
    if trail is not None:
        trail.begin(name).end("outcome" in facts, **facts)


def outcome_of(error: BaseException) -> str:
    """Return how something ended that raised: our code for it, never a text."""
    code = getattr(type(error), "code", "")
    if isinstance(code, str) and code:
        return code
    return "internal" if isinstance(error, Exception) else "cancelled"


def sampled(traceparent: str) -> bool:
    """Tell whether the trace is recorded, by the flag that travels with it."""
    return traceparent.endswith("-01")
