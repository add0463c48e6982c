"""Asks again after a failure that allows it; the only place that knows tenacity, entered after a first failure only."""

from collections.abc import Callable
from dataclasses import dataclass

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from gateway.errors import AgencyError, NotFound, Overloaded, Refused
from gateway.message import Message, Reply
from gateway.policies.budget import RetryBudget
from gateway.ports import Clock, Handler
from gateway.trail import step


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Policy: try up to `attempts` times before `message.deadline`, pausing between `shortest` and `longest` seconds.

    A failure is tried again when it is retryable and the operation is `repeatable` (safe, or harmless to repeat) or
    certainly not done. An agency's Retry-After is waited for, or, when it reaches past the deadline, ends the call.
    `on_retry` gets the code of the failure that is tried again.
    """

    clock: Clock
    budget: RetryBudget
    repeatable: bool
    attempts: int = 3
    shortest: float = 0.2
    longest: float = 5.0
    on_retry: Callable[[str], None] = lambda _: None
    on_exhausted: Callable[[], None] = lambda: None

    def __call__(self, handler: Handler) -> Handler:
        """Wrap a handler."""
        count, allow = self.budget.count, self._allow

        async def call(message: Message) -> Reply:
            count()
            try:
                return await handler(message)
            except AgencyError as error:
                if message.once or not allow(error):
                    raise
                first = error
            return await self._again(handler, message, first)

        return call

    async def _again(self, handler: Handler, message: Message, first: AgencyError) -> Reply:
        """Go on after `first`, which tenacity is shown as the first attempt."""
        failures: list[AgencyError] = []

        async def attempt() -> Reply:
            if not failures:
                failures.append(first)
                raise first
            if self.clock.monotonic() >= message.deadline:  # overslept
                raise failures[-1]
            self.on_retry(failures[-1].code)
            try:
                return await handler(message)
            except AgencyError as error:
                failures.append(error)
                raise

        async def pause(seconds: float) -> None:
            with step(message.trail, "retry", reason=failures[-1].code):
                await self.clock.sleep(seconds)

        retrying = AsyncRetrying(
            sleep=pause,
            stop=lambda state: self._stop(state, message.deadline),
            wait=self._wait,
            retry=retry_if_exception(self._allow),
            reraise=True,
        )
        try:
            return await retrying(attempt)
        except (AgencyError, Overloaded) as error:
            doubt = next((failure for failure in failures if failure.maybe_done), None)
            if doubt is None or _settles(error):
                raise
            # "Nothing was sent" is true of the last attempt only; whoever asks again must know of the earlier one.
            raise doubt from error

    def _allow(self, error: BaseException) -> bool:
        return isinstance(error, AgencyError) and error.retryable and (self.repeatable or not error.maybe_done)

    def _wait(self, state: RetryCallState) -> float:
        # tenacity's window doubles with each failure; the first is from `shortest` to twice that.
        backoff = wait_random_exponential(multiplier=2 * self.shortest, min=self.shortest, max=self.longest)
        asked = getattr(state.outcome and state.outcome.exception(), "retry_after", None)
        return max(backoff(state), asked or 0.0)

    def _stop(self, state: RetryCallState, deadline: float) -> bool:
        """True when no attempt, no time or no budget is left, in this order: only a real retry may spend."""
        if state.attempt_number >= self.attempts or self.clock.monotonic() + state.upcoming_sleep >= deadline:
            return True
        if self.budget.take():
            return False
        self.on_exhausted()
        return True


def _settles(error: AgencyError | Overloaded) -> bool:
    """Whether the last error says itself what may have been done: an answer does, and so does a doubt of its own."""
    return isinstance(error, NotFound | Refused) or getattr(error, "maybe_done", False)
