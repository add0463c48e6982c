"""The contract of a ledger that knows by when people must have an answer; implements nothing."""

from collections.abc import Collection
from typing import Protocol

from gateway.message import Message, MessageId, OperationId


class Deadlines(Protocol):
    """The clocks that run towards a message's `answer_by`. Every method may raise LedgerUnavailable.

    A clock stops when the message is refused or cancelled, or delivered unless it is `until_final`. Nobody was answered
    by what is buried, unknown or expired. A replay starts it again, towards the same date.
    """

    async def to_ask(self, lane: str, operations: Collection[OperationId], /, *, again: float) -> Message | None:
        """Return the delivered message whose agency was not asked for longest, None when none is to be asked about.

        Only those whose clock runs until a final status; the same one comes again after `again` seconds at the
        earliest, whoever asks.
        """
        ...

    async def answered(self, message: MessageId, /, *, by: str) -> bool:
        """Stop a message's clock, for it is known that people have an answer; returns whether it ran."""
        ...
