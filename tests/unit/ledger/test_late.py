"""A ledger that can't be reached when the gateway starts: each call says so until it can, and then goes to it."""

from pathlib import Path

import pytest

from gateway.errors import ConfigError, Finding, LedgerUnavailable
from gateway.ledger import Ledger
from gateway.ledger.late import opened_or_late
from gateway.records import Filter
from tests.delivery import open_ledger
from tests.fakes import FakeClock

AWAY = LedgerUnavailable("PostgreSQL does not answer")
OLD = ConfigError(Finding(where="gateway.ledger", what="a newer gateway has changed this ledger"))


class Opening:
    """Fails in turn with what it is given, and opens a ledger then."""

    def __init__(self, folder: Path, clock: FakeClock, *failures: Exception) -> None:
        self.folder, self.clock, self.failures = folder, clock, [*failures]
        self.lines: list[str] = []

    async def __call__(self) -> Ledger:
        if self.failures:
            raise self.failures.pop(0)
        return await open_ledger(self.folder, self.clock)

    def log(self, event: str, /, **_: object) -> None:
        self.lines.append(event)


async def test_it_is_opened_by_itself_and_every_call_goes_to_it_then(tmp_path: Path) -> None:
    clock = FakeClock()
    opening = Opening(tmp_path, clock, AWAY, AWAY)
    ledger = await opened_or_late(opening, clock, opening.log)
    with pytest.raises(LedgerUnavailable, match="does not answer"):
        await ledger.search(Filter())
    await clock.sleep(5.0)
    assert (await ledger.search(Filter())).rows == ()
    assert opening.lines == ["ledger-unavailable", "ledger-opened"]
    await ledger.close()


async def test_why_it_is_not_to_be_used_is_said_once_and_it_is_taken_when_that_is_put_right(tmp_path: Path) -> None:
    clock = FakeClock()
    opening = Opening(tmp_path, clock, AWAY, OLD, OLD, OLD)
    ledger = await opened_or_late(opening, clock, opening.log)
    await clock.sleep(5.0)
    with pytest.raises(LedgerUnavailable, match="a newer gateway"):
        await ledger.stats()
    await clock.sleep(5.0)
    assert await ledger.stats() == ()
    assert opening.lines == ["ledger-unavailable", "ledger-refused", "ledger-opened"]
    await ledger.close()


async def test_a_fault_of_ours_does_not_end_the_trying(tmp_path: Path) -> None:
    clock = FakeClock()
    opening = Opening(tmp_path, clock, AWAY, RuntimeError("a bug"))
    ledger = await opened_or_late(opening, clock, opening.log)
    await clock.sleep(5.0)
    assert await ledger.stats() == ()
    assert opening.lines == ["ledger-unavailable", "bug", "ledger-opened"]
    await ledger.close()


async def test_it_can_be_given_up(tmp_path: Path) -> None:
    clock = FakeClock(autojump=False)
    opening = Opening(tmp_path, clock, AWAY)
    await (await opened_or_late(opening, clock, opening.log)).close()
    assert opening.lines == ["ledger-unavailable"]


async def test_what_can_be_reached_and_is_not_to_be_used_is_refused_at_once(tmp_path: Path) -> None:
    clock = FakeClock()
    opening = Opening(tmp_path, clock, OLD)
    with pytest.raises(ConfigError):
        await opened_or_late(opening, clock, opening.log)
