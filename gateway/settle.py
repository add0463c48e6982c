"""What the end of an attempt means for a recorded message, and telling the ledger so; knows no lane."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine

from gateway.errors import (
    AgencyError,
    GatewayError,
    IdempotencyMismatch,
    InvalidAnswer,
    LedgerUnavailable,
    NotFound,
    Refused,
    TranslationError,
    UnknownOutcome,
)
from gateway.message import Reply
from gateway.ports import Clock, Outbox
from gateway.records import Buried, Delivered, Postponed, Receipt, Released, Settlement, Unknown, Verdict
from gateway.records import Refused as RefusedVerdict

RETRY_EVERY = 1.0
"""Seconds between tries to tell a ledger that does not answer how a message ended."""


class Settler:
    """Tells the ledger how messages ended, and goes on telling it while it can't be reached.

    A settlement that never gets through is no loss: the lease ends, and the message is uncertain or unknown.
    """

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._owed: set[asyncio.Task[None]] = set()

    async def settle(self, settlement: Settlement) -> bool:
        """Settle; returns whether the ticket was still good, as far as that is known yet."""
        try:
            return (await self._outbox.settle(settlement))[0]
        except LedgerUnavailable:
            self._owe(self._insist(settlement))
            return True

    def release(self, begin: Callable[[], Awaitable[Receipt]]) -> None:
        """Free the key of a direct write that is not sent, because the word of its intent was lost.

        `begin` begins it again: only that tells whether it is there. Once the lease of one that is there has ended,
        it stays unknown: another process may have told its client so.
        """
        self._owe(self._release(begin))

    async def close(self) -> None:
        """Give up on what is still owed."""
        for task in tuple(self._owed):
            task.cancel()
        await asyncio.gather(*self._owed, return_exceptions=True)

    def _owe(self, telling: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(telling)
        self._owed.add(task)
        task.add_done_callback(self._owed.discard)

    async def _release(self, begin: Callable[[], Awaitable[Receipt]]) -> None:
        while True:
            await self._clock.sleep(RETRY_EVERY)
            try:
                receipt = await begin()
            except LedgerUnavailable:
                continue
            except IdempotencyMismatch:  # it was not there, and another has the key now
                return
            if receipt.ticket is not None:
                verdict = Released(text="the ledger could not be reached; nothing was sent")
                await self.settle(Settlement(ticket=receipt.ticket, verdict=verdict))
            return

    async def _insist(self, settlement: Settlement) -> None:
        while True:
            await self._clock.sleep(RETRY_EVERY)
            try:
                await self._outbox.settle(settlement)
            except LedgerUnavailable:
                continue
            return


def verdict_of(end: Reply | GatewayError, *, direct: bool = False) -> Verdict:
    """Return what becomes of the message; who delivers says when it is tried again, where it is.

    A refusal settles it. What certainly was not done is tried again, or, on a direct write, released with its key.
    What may have been done and can't be read is unknown: the native answer is kept and nothing is sent again (11.3).
    A document that does not fit buries it, since nothing was sent.
    """
    match end:
        case Reply():
            return Delivered(reply=end)
        case NotFound() | Refused():
            return RefusedVerdict(code=end.code, text=str(end), errors=end.errors)
        case InvalidAnswer() | UnknownOutcome() if end.maybe_done:
            return Unknown(code=end.code, text=str(end), native=end.native)
        case TranslationError() if not direct:
            return Buried(reason="misfit", text=str(end), errors=end.errors)
        case _:
            return _not_settled(end, direct=direct)


def _not_settled(error: GatewayError, *, direct: bool) -> Verdict:
    maybe_done = isinstance(error, AgencyError) and error.maybe_done
    if not direct:
        return Postponed(seconds=0.0, maybe_done=maybe_done, text=str(error))
    return Unknown(code=error.code, text=str(error)) if maybe_done else Released(text=str(error))
