"""What a verdict changes in a message's row, the same for every store; knows no SQL."""

from dataclasses import dataclass

from gateway.errors import FieldError
from gateway.handover import HandedOver
from gateway.ledger.keys import Keys
from gateway.ledger.rows import said, seal_answer
from gateway.message import MessageId, Reply
from gateway.records import (
    FINAL,
    Buried,
    Delivered,
    Expired,
    Postponed,
    Refused,
    Released,
    State,
    Unknown,
    Verdict,
)

INTERRUPTED = "the process that was sending it went away before it knew how it ended"
"""The error of an attempt whose lease ended."""
POISON_INTERRUPTIONS = 10
"""So many interruptions in a row bury a message: by then it is what ends the process."""
LONGEST_PAUSE = 300.0
"""Seconds for which an interrupted message waits, and up to twice as long so that not all come back together."""
LONGEST_WAIT = 3600.0
"""Seconds for which a message is postponed at most, whoever asks for more; deliverers wait minutes."""
LONGEST_LEASE = 6 * 3600.0
"""Seconds for which a message is held at most without being extended; deliverers hold one for less than a minute."""

_ANSWERED = frozenset({State.REFUSED, State.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The new values of a settled row; None leaves `uncertain` as it is, `after` is seconds until the next try."""

    state: State
    reason: str = ""
    text: str = ""
    answer: Reply | Refused | None = None
    native: bytes | None = None
    after: float = 0.0
    uncertain: bool | None = None
    frees_idempotency: bool = False

    @property
    def final(self) -> bool:
        """Whether nobody need look at it any more."""
        return self.state in FINAL

    def answers(self, *, until_final: bool) -> bool:
        """Whether people have an answer by this: the agency said no, they gave up, or it said yes and that is all."""
        return self.state in _ANSWERED or (self.state is State.DELIVERED and not until_final)

    def sealed_answer(self, keys: Keys, message: MessageId) -> bytes | None:
        """Return the answer as it is stored."""
        return seal_answer(keys, message, self.answer)

    def sealed_native(self, keys: Keys, message: MessageId) -> bytes | None:
        """Return the native answer as it is stored."""
        return None if self.native is None else keys.seal(message, "native", self.native)


def change(  # noqa: PLR0911 - one return for each verdict
    verdict: Verdict, *, direct: bool, never: bool, uncertain: bool = False
) -> Change:
    """Return what a verdict makes of a message.

    `never` when it must not be sent again after an unknown outcome, `uncertain` when an attempt may have been done:
    then it does not expire, which would say that nothing was.
    """
    match verdict:
        case Delivered(reply=reply):
            outcome = reply.outcome.value if reply is not None else "ok"
            return Change(state=State.DELIVERED, reason=outcome, answer=reply, uncertain=False)
        case HandedOver(reply=reply, seconds=seconds):
            return Change(state=State.HANDED_OVER, answer=reply, after=seconds, uncertain=True)
        case Refused(code=code, why=why):
            return Change(state=State.REFUSED, reason=code, text=said(why), answer=verdict, uncertain=False)
        case Unknown(code=code, text=text, words=words, native=native):
            kept = _kept(code, words)
            return Change(state=State.UNKNOWN, reason=code, text=said(text), answer=kept, native=native, uncertain=True)
        case Buried(reason=reason, text=text, words=words, errors=errors):
            return Change(state=State.BURIED, reason=reason, text=said(text), answer=_kept(reason, words, errors))
        case Postponed() if not direct and not (never and verdict.maybe_done):
            return _postponed(verdict)
        case _:
            return _given_up(verdict, uncertain=uncertain)


def _kept(code: str, words: str, errors: tuple[FieldError, ...] = ()) -> Refused | None:
    """Return what is sealed for people who may look at it: the agency's words, and the values that did not fit."""
    return Refused(code=code, text=words, errors=errors) if words or errors else None


def _postponed(verdict: Postponed) -> Change:
    return Change(
        state=State.PENDING,
        reason="postponed",
        text=said(verdict.text),
        answer=_kept("postponed", verdict.words),
        after=bounded(verdict.seconds, LONGEST_WAIT),
        uncertain=True if verdict.maybe_done else None,
    )


def _given_up(verdict: Expired | Released | Postponed, *, uncertain: bool) -> Change:
    text = said(verdict.text)
    if isinstance(verdict, Expired):
        return Change(state=State.UNKNOWN if uncertain else State.EXPIRED, reason="expired", text=text)
    if isinstance(verdict, Postponed) and verdict.maybe_done:
        kept = _kept("outcome-unknown", verdict.words)
        return Change(state=State.UNKNOWN, reason="outcome-unknown", text=text, answer=kept, uncertain=True)
    return Change(state=State.CANCELLED, reason="released", text=text, frees_idempotency=True)


def bounded(seconds: float, longest: float) -> float:
    """Return what a store takes of a wait or a lease that is asked for, and is sure to read back."""
    return max(0.0, min(longest, seconds))  # in this order, no number at all becomes the longest


def holds(state: State, *, skip_buried: bool) -> bool:
    """Return whether a message in this state keeps back the later ones of its order key."""
    return state in {State.PENDING, State.DELIVERING} or (state in {State.BURIED, State.UNKNOWN} and not skip_buried)


def interrupted(message: str, interruptions: int) -> tuple[State, float]:
    """Return what becomes of a message that may be sent again, by its interruptions in a row, and in how many seconds.

    The first may be a restart. After more of them the message may be what ends the process, so it is tried apart from
    those that were interrupted with it.
    """
    if interruptions >= POISON_INTERRUPTIONS:
        return State.BURIED, 0.0
    if interruptions == 1:
        return State.PENDING, 0.0
    spread = 1 + ord(message[-1]) % 16 / 16
    return State.PENDING, min(LONGEST_PAUSE, 2.0**interruptions) * spread
