"""Rows of a try, in memory: found as those in the ledger are (ledger_feeds.py)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.errors import TranslationError, Unavailable
from gateway.message import Document
from gateway.snapshots import MemorySnapshots
from tests.fakes import MONDAY_MORNING

TUESDAY = MONDAY_MORNING + timedelta(days=1)
ROWS: list[Document] = [
    {"nik": "1405029001180001", "jenis": "BCG", "alamat": {"rt": "1"}, "berat": Decimal("3.20")},
    {"nik": "1405029001180001", "jenis": "Polio", "alamat": {"rt": "1"}},
    {"nik": "1405029001180002", "jenis": "BCG", "alamat": {"rt": "2"}, "tanda": ["x"]},
]


@pytest.fixture
def snapshots() -> MemorySnapshots:
    return MemorySnapshots()


async def test_rule_11_21_a_feed_without_a_file_is_unavailable_and_nothing_was_done(snapshots: MemorySnapshots) -> None:
    with pytest.raises(Unavailable) as raised:
        await snapshots.find("imunisasi", {}, limit=1)
    assert not raised.value.maybe_done


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({}, [0, 1, 2]),
        ({"nik": "1405029001180001"}, [0, 1]),
        ({"jenis": "BCG", "nik": "1405029001180001"}, [0]),
        ({"alamat.rt": "2"}, [2]),
        ({"berat": Decimal("3.2")}, [0]),
        ({"berat": None}, [1, 2]),
        ({"nik": "1405029001180003"}, []),
        ({"nik": "1405029001180001", "nothing": "x"}, []),
    ],
)
async def test_rows_match_all_conditions_in_the_order_of_the_file(
    snapshots: MemorySnapshots, where: Document, found: list[int]
) -> None:
    snapshots.publish("imunisasi", ROWS, as_of=MONDAY_MORNING)
    for _ in range(2):
        answer = await snapshots.find("imunisasi", where, limit=10)
        assert list(answer.rows) == [ROWS[number] for number in found]
        assert answer.as_of == MONDAY_MORNING


async def test_no_more_rows_than_the_limit(snapshots: MemorySnapshots) -> None:
    snapshots.publish("imunisasi", ROWS, as_of=MONDAY_MORNING)
    assert len((await snapshots.find("imunisasi", {"jenis": "BCG"}, limit=1)).rows) == 1
    assert len((await snapshots.find("imunisasi", {}, limit=0)).rows) == 0


async def test_a_new_snapshot_replaces_the_old_one_whole(snapshots: MemorySnapshots) -> None:
    snapshots.publish("imunisasi", ROWS, as_of=MONDAY_MORNING)
    await snapshots.find("imunisasi", {"jenis": "BCG"}, limit=10)
    snapshots.publish("imunisasi", ROWS[1:], as_of=TUESDAY)
    answer = await snapshots.find("imunisasi", {"jenis": "BCG"}, limit=10)
    assert (list(answer.rows), answer.as_of) == ([ROWS[2]], TUESDAY)


async def test_pages_of_a_beginning_follow_each_other_in_its_order(snapshots: MemorySnapshots) -> None:
    rows: list[Document] = [{"nama": name, "nik": str(n)} for n, name in enumerate(["Salma", "Ani", "Sari", "Salma"])]
    snapshots.publish("imunisasi", [*rows, {"nik": "4"}], as_of=MONDAY_MORNING)
    first = await snapshots.find("imunisasi", {}, limit=2, starts={"nama": "Sa"})
    second = await snapshots.find("imunisasi", {}, limit=2, starts={"nama": "Sa"}, after=first.further)
    assert [*first.rows, *second.rows] == [rows[0], rows[3], rows[2]]
    assert second.further is None
    assert not (await snapshots.find("imunisasi", {}, limit=2, starts={"nama": "None"})).rows


async def test_a_page_of_what_was_replaced_is_gone(snapshots: MemorySnapshots) -> None:
    snapshots.publish("imunisasi", ROWS, as_of=MONDAY_MORNING)
    page = await snapshots.find("imunisasi", {}, limit=1)
    snapshots.publish("imunisasi", ROWS, as_of=TUESDAY)
    with pytest.raises(TranslationError):
        await snapshots.find("imunisasi", {}, limit=1, after=page.further)
