"""Calls that go over in batches, and agencies that say only later what became of them; knows no ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from gateway.errors import AgencyError, TranslationError
from gateway.message import Answer, Call, Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """A verdict: the agency has it and will say what became of it, within `seconds` if all is well."""

    reply: Reply
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """When calls go over together: as soon as there are `rows`, or the oldest has waited `every` seconds."""

    rows: int
    every: float


@runtime_checkable
class Batches(Protocol):
    """Optional capability of an adapter: it hands calls over together, as the rows of one file."""

    def batching(self, target: str, /) -> Batching | None:
        """Return when calls of this target go over together, None when each goes by itself."""
        ...

    async def exchange_many(self, calls: Sequence[Call], /) -> Sequence[Answer | TranslationError]:
        """Hand over calls of one target at once, and return for each, in order, how it ended.

        The same calls make the same thing, whenever they come. What can't be written is left out and does not keep the
        others. Raises for all of those as `exchange` does, with `maybe_done`.
        """
        ...


BatchEnd = Reply | AgencyError | TranslationError
"""How one of a batch ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AckColumns:
    """How an agency acknowledges: which columns hold our id, its status and its words, and what a status means."""

    id: str
    status: str
    message: str | None
    delivered: tuple[str, ...]
    refused: tuple[str, ...]
    seconds: float


@runtime_checkable
class Acknowledged(Protocol):
    """Optional capability of an adapter: files in which an agency says what became of what it was handed."""

    def acknowledgement(self, target: str, /) -> AckColumns | None:
        """Return how calls of this target are acknowledged, None when handing them over is all; raises ConfigError."""
        ...
