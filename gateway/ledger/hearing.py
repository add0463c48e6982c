"""What an agency's word comes to, by where its message stands; the same for every store, knows no SQL."""

from gateway.acknowledged import Heard, Word
from gateway.records import Delivered, State

_SAYS = {State.DELIVERED: True, State.REFUSED: False}
_OPEN = frozenset({State.HANDED_OVER, State.DELIVERING, State.UNKNOWN})


def heard(word: Word, state: State, *, uncertain: bool) -> Heard:
    """Return what a word comes to; it settles what was handed over, or may have been."""
    if state in _OPEN or (uncertain and state in {State.PENDING, State.BURIED}):
        return "settled"
    if state in _SAYS:
        return "again" if _SAYS[state] is isinstance(word.verdict, Delivered) else "contradicts"
    return "cancelled" if state is State.CANCELLED else "not-handed-over"
