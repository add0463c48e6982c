"""Asks an agency for the last word on what it has: the clock towards an answer stops there; delivers nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.ask import Ask
from gateway.deadlines import Deadlines
from gateway.errors import AgencyError, GatewayError, LedgerUnavailable
from gateway.hours import Calendar
from gateway.message import Message, OperationId, new_message_id
from gateway.ports import Clock, Lanes, Log, Upkeep

AGAIN = 1800.0
"""Seconds after which the same message is asked about again."""
PACE = 2.0
"""Seconds between two questions: one at a time, so that those who file something now don't feel it."""
LOOK_EVERY = 10.0
REST = 300.0
"""Seconds for which an agency that did not answer a question is asked nothing."""
LEASE = 60.0
TELL_EVERY = 86400.0
"""Seconds after which the log says again that an agency could not be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What one agency is asked, by the operation that was delivered, and when: in its hours, unless it is `away`."""

    lane: str
    asks: Mapping[OperationId, Ask]
    calendar: Calendar | None
    away: Callable[[], bool]
    log: Log


class Inquirer:
    """Makes one inquiry, in one process of all."""

    def __init__(self, inquiry: Inquiry, *, deadlines: Deadlines, lanes: Lanes, upkeep: Upkeep, clock: Clock) -> None:
        self._inquiry = inquiry
        self._deadlines = deadlines
        self._lanes = lanes
        self._upkeep = upkeep
        self._clock = clock
        self._me = new_message_id()
        self._told = float("-inf")

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            try:
                seconds = await self._turn()
            except LedgerUnavailable:
                seconds = LOOK_EVERY
            await self._clock.sleep(seconds)

    async def _turn(self) -> float:
        """Ask about one message, if there is one and the agency may be asked; returns the seconds until the next."""
        made = self._inquiry
        if not await self._may_ask() or not await self._leads(LEASE):
            return LOOK_EVERY
        message = await self._deadlines.to_ask(made.lane, made.asks.keys(), again=AGAIN)
        if message is None:
            return LOOK_EVERY
        ask = made.asks[message.operation]
        try:
            status = await ask.status(message, self._clock)
        except GatewayError as error:
            self._failed(ask, error)
            if isinstance(error, AgencyError) and error.ill is False:
                return PACE
            await self._leads(REST + LEASE)  # another process shall leave it alone too
            return REST
        if status is not None:
            await self._answered(message, ask, status)
        return PACE

    async def _leads(self, seconds: float) -> bool:
        name = f"answers of {self._inquiry.lane}"
        return await self._upkeep.hold(name, by=self._me, seconds=seconds) is not None

    async def _may_ask(self) -> bool:
        made = self._inquiry
        closed = made.calendar is not None and not made.calendar.is_open(self._clock.now())
        if closed or made.away():
            return False
        return all(pause.lane != made.lane for pause in await self._lanes.list())

    async def _answered(self, message: Message, ask: Ask, status: str) -> None:
        if await self._deadlines.answered(message.id, by=f"{ask.operation} ({status})"):
            facts = {"operation": message.operation, "message_id": message.id, "correlation_id": message.correlation_id}
            self._inquiry.log("answered", agency=self._inquiry.lane, status=status, **facts)

    def _failed(self, ask: Ask, error: GatewayError) -> None:
        """Say it once a day: nothing is lost, the same is asked again later."""
        if self._clock.monotonic() - self._told >= TELL_EVERY:
            self._told = self._clock.monotonic()
            what = f"asked {ask.operation} for a final status: {error.code}: {error}"
            self._inquiry.log("answer-not-known", level="warning", agency=self._inquiry.lane, what=what)
