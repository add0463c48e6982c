"""What an examination finds: how one thing stands, in plain words and with the remedy; knows nothing of how to look."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from gateway.certificates import Certificate
from gateway.masking import mask_text
from gateway.trust import SOON
from gateway.wording import counted


class State(StrEnum):
    """How one thing stands; `skipped` is what nobody could look at."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one look found."""

    state: State
    says: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at; without an `agency` it is of the gateway itself."""

    agency: str | None
    check: str
    state: State
    says: str
    remedy: str


def ok(says: str) -> Found:
    """Return that all is well."""
    return Found(state=State.OK, says=says)


def warning(says: str, remedy: str) -> Found:
    """Return what should be considered."""
    return Found(state=State.WARNING, says=says, remedy=remedy)


def error(says: str, remedy: str) -> Found:
    """Return what must change."""
    return Found(state=State.ERROR, says=says, remedy=remedy)


def skipped(says: str, remedy: str = "") -> Found:
    """Return that nobody could look."""
    return Found(state=State.SKIPPED, says=says, remedy=remedy)


def lasting(shown: Certificate, remedy: str) -> Found:
    """Return how long a certificate lasts."""
    left = shown.ends - datetime.now(UTC)
    until = f"{shown.ends:%Y-%m-%d}"
    if left <= timedelta(0):
        return error(f"has ended on {until}", remedy.removesuffix(" before"))
    if left < SOON:
        return warning(f"ends on {until}, in {counted(left.days, 'day')}", remedy)
    return ok(f"ends on {until}, in {counted(left.days, 'day')}")


def foreign(text: object) -> str:
    """Return words that are not ours, masked."""
    return mask_text(str(text))


@dataclass(slots=True, kw_only=True)
class Chart:
    """What has been found of one agency, or of the gateway, so far; the environment's secrets never show."""

    agency: str | None
    secrets: Collection[str] = field(default=(), repr=False)
    mild: Callable[[str], bool] = lambda _check: False
    """Whether an error of this kind is none that anybody must mend."""
    checks: list[Check] = field(default_factory=list)
    under_way: list[str] = field(default_factory=list)

    @contextmanager
    def looking(self, at: str) -> Iterator[None]:
        """Know what is being looked at: what hangs stays under way."""
        self.under_way.append(at)
        yield
        self.under_way.remove(at)

    def note(self, check: str, found: Found) -> bool:
        """Keep what a look found; returns whether it found no error."""
        fine = found.state is not State.ERROR
        if not fine and self.mild(check):
            found = replace(found, state=State.WARNING, says=f"{found.says}; it is outside its service hours now")
        says, remedy = self._plain(found.says), self._plain(found.remedy)
        self.checks.append(Check(agency=self.agency, check=check, state=found.state, says=says, remedy=remedy))
        return fine

    def _plain(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())
