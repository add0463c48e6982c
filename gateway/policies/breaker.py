"""Leaves an agency alone after it failed too often, and lets one call through to see whether it is back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from gateway.errors import AgencyError, BreakerOpen
from gateway.message import Message, Reply
from gateway.ports import Clock, Handler, Policy
from gateway.trail import mark

BreakerState = Literal["closed", "open", "half-open"]


@dataclass(slots=True, kw_only=True)
class Breaker:
    """What is known of one agency's health.

    Opens after `failures` in a row, or when `share` of the last `window` calls failed, of which there are at least
    `minimum`; after `open_for` seconds one probe decides. `on_change` hears each new state. One per agency.
    """

    clock: Clock
    failures: int = 5
    share: float = 0.5
    window: int = 20
    minimum: int = 5
    open_for: float = 30.0
    on_change: Callable[[BreakerState], None] = lambda _: None
    state: BreakerState = field(default="closed", init=False)
    _recent: int = field(default=0, init=False)  # one bit a call, the newest lowest, set when it failed
    _seen: int = field(default=0, init=False)
    _in_a_row: int = field(default=0, init=False)
    _turn: int = field(default=0, init=False)
    _until: float = field(default=0.0, init=False)

    def enter(self, message: Message) -> int:
        """Return the ticket to settle with; raises BreakerOpen while no call may pass."""
        if self.state != "closed":
            self._probe(message)
        return self._turn

    def settle(self, ticket: int, *, failed: bool | None) -> None:
        """Note how a call ended; None when it says nothing about the agency (cancelled, or never sent).

        A ticket is good for the state it was given in: what comes late from before a change does not count.
        """
        if ticket != self._turn:
            return
        if self.state == "closed":
            if failed is not None:
                self._note(failed=failed)
        elif failed is None:
            self._become("open")  # its time is over already, so the next call probes
        elif failed:
            self._open()
        else:
            self._recent = self._seen = self._in_a_row = 0
            self._become("closed")

    def _probe(self, message: Message) -> None:
        remaining = self._until - self.clock.monotonic()
        if self.state == "half-open" or remaining > 0:
            mark(message.trail, "breaker", outcome=BreakerOpen.code)
            raise BreakerOpen(
                f"{message.operation}: the agency failed too often just now, nothing was sent; try again later",
                maybe_done=False,
                retry_after=max(1.0, remaining),
            )
        self._become("half-open")

    def _note(self, *, failed: bool) -> None:
        self._recent = (self._recent << 1 | failed) & ((1 << self.window) - 1)
        if self._seen < self.window:
            self._seen += 1
        if not failed:
            self._in_a_row = 0
            return
        self._in_a_row += 1
        often = self._seen >= self.minimum and self._recent.bit_count() >= self.share * self._seen
        if often or self._in_a_row >= self.failures:
            self._open()

    def _open(self) -> None:
        self._until = self.clock.monotonic() + self.open_for
        self._become("open")

    def _become(self, state: BreakerState) -> None:
        self._turn += 1
        self.state = state
        self.on_change(state)


def breaker(state: Breaker, counts: Callable[[], bool] = lambda: True) -> Policy:
    """Let calls pass while the agency's breaker does; a failure outside its hours, when not `counts()`, is expected.

    Failures are every AgencyError but not-found and refused, which are answers; a rejected login counts too, because
    repeating it locks accounts. Overloaded and TranslationError say nothing about the agency.
    """
    enter, settle = state.enter, state.settle

    def policy(handler: Handler) -> Handler:
        async def call(message: Message) -> Reply:
            ticket = enter(message)
            try:
                reply = await handler(message)
            except AgencyError as error:
                settle(ticket, failed=error.ill if counts() else None)
                raise
            except BaseException:
                settle(ticket, failed=None)
                raise
            settle(ticket, failed=False)
            return reply

        return call

    return policy
