"""The steps that make and change a ledger's tables."""

from hashlib import sha256

import pytest

from gateway.ledger.migrations import Dialect, migrations

SHIPPED: dict[Dialect, list[str]] = {
    "sqlite": ["8db64ba6c39ddab7e511d6cd3d60ed3bac5fa233aacb03923a87933cfe9586e4"],
    "postgres": ["1d34fd795182e17a14ad961f16dc8982f49221490b66882b1476c2f76636a83d"],
}


@pytest.mark.parametrize("dialect", SHIPPED)
def test_a_step_that_ledgers_have_been_through_never_changes(dialect: Dialect) -> None:
    digests = [sha256(step.sql.encode()).hexdigest() for step in migrations(dialect)]
    assert digests[: len(SHIPPED[dialect])] == SHIPPED[dialect], "put it back, and make what it lacks a step of its own"


def test_both_stores_have_the_same_steps_but_for_what_only_one_keeps_in_its_tables() -> None:
    steps = {dialect: [(step.number, step.name) for step in migrations(dialect)] for dialect in SHIPPED}
    both = [(1, "ledger"), (2, "turns"), (4, "feeds"), (5, "forward"), (6, "handed_over")]
    assert steps == {"sqlite": both, "postgres": sorted([*both, (3, "clock")])}  # SQLite has no functions of its own
