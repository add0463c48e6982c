"""One attempt to deliver a claimed message: does it still fit, has the agency got it, then send; knows no lane."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from traceback import extract_tb

from gateway.ask import Ask
from gateway.errors import AgencyError, BreakerOpen, FieldError, GatewayError, TranslationError
from gateway.handover import HandedOver
from gateway.message import Effort, Outcome, Reply
from gateway.ports import Clock, Handler
from gateway.records import Buried, Claim, Delivered, Postponed, Tried, Unknown, Verdict
from gateway.settle import verdict_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverable:
    """How one operation's stored messages are delivered; `deadline` is seconds for sending one.

    `harmless`: sending one twice does no harm, so one may find out whether the agency is there. `within` so many
    seconds the agency says what became of what it was handed; None when taking it is all it says.
    """

    pipeline: Handler
    check: Callable[[object], tuple[FieldError, ...]]
    deadline: float
    ask: Ask | None = None
    harmless: bool = False
    within: float | None = None

    @property
    def longest(self) -> float:
        """Seconds that an attempt may take."""
        return self.deadline + (self.ask.deadline if self.ask is not None else 0.0)

    def verdict(self, reply: Reply) -> Verdict:
        """Return what becomes of a message that the agency took."""
        return Delivered(reply=reply) if self.within is None else HandedOver(reply=reply, seconds=self.within)


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How an attempt ended; `error` is None when the agency took or had the message.

    `tried` is None when nothing was attempted.
    """

    verdict: Verdict
    tried: Tried | None = None
    error: Exception | None = None


async def attempt(claim: Claim, made: Deliverable, clock: Clock, *, until: float) -> End:
    """Deliver once; nothing is begun after `until` (monotonic), when the claim may be somebody else's."""
    if (misfit := misfitting(claim, made)) is not None:
        return misfit
    if claim.uncertain and claim.repeat == "ask" and made.ask is None:
        return End(verdict=Unknown(text="it may have been done, and the agency can't be asked any more"))
    at, started = clock.now(), clock.monotonic()

    def tried(outcome: Outcome, error: str = "") -> Tried:
        return Tried(at=at, seconds=clock.monotonic() - started, outcome=outcome, error=error)

    asking = claim.uncertain and made.ask is not None
    try:
        if asking and made.ask is not None:
            if (said := await made.ask.put(claim.message, clock, until=until)) is not None:
                return End(verdict=said, tried=tried(Outcome.DUPLICATE) if isinstance(said, Delivered) else None)
            asking = False
        deadline = min(until, clock.monotonic() + made.deadline)
        reply = await made.pipeline(claim.message.but(deadline=deadline, once=True, effort=Effort()))
    except GatewayError as error:
        outcome = outcome_of(error)
        asked = f"asked {made.ask.operation}: {error.code}: " if asking and made.ask is not None else ""
        text = asked + error.why
        verdict = _still_unknown(error, text) if asking else verdict_of(error)
        return End(verdict=verdict, tried=None if outcome is None else tried(outcome, text), error=error)
    except Exception as error:  # noqa: BLE001 - a bug over one message must not end the lane, nor say "not done"
        text = _place_of(error)
        lost = Postponed(seconds=0.0, maybe_done=True, text=text)
        return End(verdict=lost, tried=tried(Outcome.UNKNOWN, text), error=error)
    return End(verdict=made.verdict(reply), tried=tried(reply.outcome))


def misfitting(claim: Claim, made: Deliverable) -> End | None:
    """Return the end of a message that does not fit any more."""
    errors = made.check(claim.message.body)
    if not errors:
        return None
    return End(verdict=Buried(reason="misfit", text="it does not fit the operation any more", errors=errors))


def outcome_of(error: GatewayError) -> Outcome | None:
    """Return how an attempt ended, None when none was made."""
    return error.outcome if isinstance(error, AgencyError) and not isinstance(error, BreakerOpen) else None


def _still_unknown(error: GatewayError, text: str) -> Verdict:
    """Return what becomes of a message when asking about it failed: it is asked again, whatever the answer was."""
    if isinstance(error, TranslationError):
        return Buried(reason="misfit", text=text, errors=error.errors)
    return Postponed(seconds=0.0, maybe_done=True, text=text)


def _place_of(error: Exception) -> str:
    """Name a bug without its own text, which may hold personal data."""
    frame = extract_tb(error.__traceback__)[-1]
    return f"the gateway failed: {type(error).__name__} at {PurePath(frame.filename).name}:{frame.lineno}"
