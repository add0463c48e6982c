"""The contract of a ledger that is told by files what became of messages; implements nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from gateway.message import MessageId, OperationId
from gateway.records import Delivered, Refused

Heard = Literal["settled", "again", "contradicts", "cancelled", "not-handed-over", "unknown"]
"""What an acknowledgement came to.

settled: the message was handed over, or may have been. again: it says what is known. contradicts: the first word
counts. cancelled: the message was given up before. not-handed-over: it waits to be. unknown: there is none of this id.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What an agency says of one message."""

    message: MessageId
    verdict: Delivered | Refused


class Acknowledgements(Protocol):
    """Words of agencies that come by themselves. May raise LedgerUnavailable."""

    async def acknowledge(
        self, operations: Collection[OperationId], words: Sequence[Word], /, *, by: str
    ) -> tuple[Heard, ...]:
        """Settle what these operations handed over, in one transaction; the same words again do no harm.

        Who hands over just now is shut out: the agency has it, whatever he comes to say. `by` is kept as who said so.
        """
        ...
