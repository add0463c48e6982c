"""What the end of an attempt means for a recorded message, and telling the ledger so; knows no lane."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence

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

    A settlement that never gets through is no loss: the lease ends, and the message is uncertain or unknown. One that
    can't be recorded, now or later, makes it unknown at once: else it would be sent again and again.
    """

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._owed: set[asyncio.Task[None]] = set()

    async def settle(self, settlement: Settlement) -> bool:
        """Settle; returns whether the ticket was still good, as far as that is known yet.

        Raises whatever keeps it from being recorded as it is.
        """
        try:
            return (await self._outbox.settle(settlement))[0]
        except LedgerUnavailable:
            self._owe(self._insist(settlement))
            return True
        except Exception as error:
            await self._at_least(_unrecordable(settlement, error))
            raise

    async def settle_all(self, settlements: Sequence[Settlement]) -> tuple[bool, ...]:
        """Settle in one go; as `settle`, but what keeps one from being recorded does not keep the others."""
        try:
            return await self._outbox.settle(*settlements)
        except LedgerUnavailable:
            for one in settlements:
                self._owe(self._insist(one))
            return (True,) * len(settlements)
        except Exception:  # noqa: BLE001 - raised again by the one it is about
            found = await asyncio.gather(*map(self.settle, settlements), return_exceptions=True)
        if failed := next((each for each in found if isinstance(each, BaseException)), None):
            raise failed
        return tuple(each is True for each in found)

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

    async def _at_least(self, settlement: Settlement) -> None:
        try:
            await self._outbox.settle(settlement)
        except LedgerUnavailable:
            self._owe(self._insist(settlement))
        except Exception:  # noqa: BLE001, S110 - the first error is the one to be heard of, and the lease ends by itself
            pass

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
        stripped = False
        while True:
            await self._clock.sleep(RETRY_EVERY)
            try:
                await self._outbox.settle(settlement)
            except LedgerUnavailable:
                continue
            except Exception as error:  # noqa: BLE001 - nobody waits here to hear of it, and the message must not be sent again
                if not stripped:
                    settlement, stripped = _unrecordable(settlement, error), True
                    continue
            return


def _unrecordable(settlement: Settlement, error: Exception) -> Settlement:
    """Return as much of a settlement as can always be recorded."""
    text = f"how it ended can't be recorded ({type(error).__name__}); ask the agency, then resolve or replay it"
    return Settlement(ticket=settlement.ticket, verdict=Unknown(text=text))


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
            return RefusedVerdict(code=end.code, text=end.words, errors=end.errors, why=end.why)
        case InvalidAnswer() | UnknownOutcome() if end.maybe_done:
            return Unknown(code=end.code, text=end.why, words=end.words, native=end.native)
        case TranslationError() if not direct:
            return Buried(reason="misfit", text=end.why, errors=end.errors)
        case _:
            return _not_settled(end, direct=direct)


def _not_settled(error: GatewayError, *, direct: bool) -> Verdict:
    maybe_done, words = (error.maybe_done, error.words) if isinstance(error, AgencyError) else (False, "")
    if not direct:
        return Postponed(seconds=0.0, maybe_done=maybe_done, text=error.why, words=words)
    return Unknown(code=error.code, text=error.why, words=words) if maybe_done else Released(text=error.why)
