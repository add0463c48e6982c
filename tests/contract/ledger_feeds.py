"""What every ledger promises about files: each is taken once, whole or not at all, and looked up in at once."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest

from gateway.errors import FieldError, TranslationError, Unavailable
from gateway.feeds import Chunk, FileReceipt, FileState, Held, Keeping, Overtaken, Reject, Tally, Turn, lease_of
from gateway.ledger import Ledger
from gateway.message import Document
from tests.contract.ledger import LEASE, Stage
from tests.fakes import MONDAY_MORNING

FEED = "puskesmas/imunisasi"
KEYED = Keeping(key=("nik", "jenis"), indexes=(("nik",), ("jenis", "nik"), ("nama",)), mapping="m1")
PLAIN = replace(KEYED, key=())
ROWS: list[Document] = [
    {"nik": "1405029001180001", "jenis": "BCG", "nama": "Ani", "alamat": {"rt": "1"}, "berat": Decimal("3.20")},
    {"nik": "1405029001180001", "jenis": "Polio", "nama": "Ani", "alamat": {"rt": "1"}, "aktif": True},
    {"nik": "1405029001180002", "jenis": "BCG", "nama": "Andi; \x00\n'", "alamat": {"rt": "2"}, "tanda": ["x"]},
]
_shas = count(1)


def held(name: str = "a.csv", *, sha: str | None = None, **changes: object) -> Held:
    made = Held(
        feed="imunisasi",
        name=name,
        folder=".taking",
        size=10,
        as_of=MONDAY_MORNING,
        sha256=sha or f"{next(_shas):064x}"[::-1],
    )
    return replace(made, **changes)


def chunk(*rows: Document, after: int = 0, rejects: tuple[Reject, ...] = (), last: bool = True) -> Chunk:
    numbered = list(enumerate(rows, after + 1))
    return Chunk(after=after, position=after + len(rows) + len(rejects), rows=numbered, rejects=rejects, last=last)


def reject(number: int, rule: str = "digits") -> Reject:
    return Reject(number=number, reasons=(FieldError(pointer="/nik", rule=rule, value="14050*"),))


async def turn(ledger: Ledger, by: str = "a", seconds: float = LEASE) -> Turn:
    token = await ledger.hold(lease_of(FEED), by=by, seconds=seconds)
    assert token is not None
    return Turn(feed=FEED, by=by, token=token)


async def taken(
    ledger: Ledger,
    *rows: Document,
    file: Held | None = None,
    keeping: Keeping = KEYED,
    rejects: tuple[Reject, ...] = (),
) -> FileReceipt:
    mine = await turn(ledger)
    receipt = await ledger.take_up(mine, file or held(), keeping)
    if receipt.state is not FileState.TAKING:
        return receipt
    if not receipt.tally.whole:
        await ledger.add_rows(mine, receipt.number, keeping, chunk(*rows, rejects=rejects))
    done = await ledger.publish(mine, receipt.number, keeping)
    await ledger.filed(mine, receipt.number, "archive/a.csv")
    return done


async def rows_of(ledger: Ledger, limit: int = 1000, **where: object) -> list[Document]:
    return list((await ledger.look_up(FEED, where, limit=limit)).rows)


class LookUpContract:
    async def test_rule_11_21_a_feed_without_a_file_is_unavailable_and_nothing_was_done(self, stage: Stage) -> None:
        with pytest.raises(Unavailable) as raised:
            await stage.ledger.look_up(FEED, {}, limit=1)
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
            ({"aktif": True}, [1]),
            ({"aktif": 1}, []),
            ({"nik": 1405029001180001}, []),
            ({"nik": None}, []),
            ({"nama": "Andi; \x00\n'"}, [2]),
            ({"nik": "1405029001180003"}, []),
            ({"nik": "1405029001180001", "nothing": "x"}, []),
        ],
    )
    async def test_rows_match_all_conditions_in_the_order_of_the_file(
        self, stage: Stage, where: Document, found: list[int]
    ) -> None:
        await taken(stage.ledger, *ROWS)
        answer = await (await stage.another()).look_up(FEED, where, limit=10)
        assert list(answer.rows) == [ROWS[number] for number in found]
        assert answer.as_of == MONDAY_MORNING

    async def test_beginnings_are_found_beside_values_in_the_order_of_the_longest(self, stage: Stage) -> None:
        await taken(stage.ledger, *ROWS)

        async def begun(where: Document, **starts: str) -> list[Document]:
            return list((await stage.ledger.look_up(FEED, where, limit=10, starts=starts)).rows)

        assert await begun({}, nama="An") == [ROWS[2], *ROWS[:2]]
        assert await begun({"jenis": "BCG"}, nama="An", nik="140502900118") == [ROWS[0], ROWS[2]]
        assert await begun({}, nama="an") == []

    async def test_pages_of_a_beginning_follow_each_other_in_its_order_whatever_is_equal(self, stage: Stage) -> None:
        names = ["Sari", "Ani", "Sari", "Sa", "Salma", "Sari", "Saÿ", "Sariman", "T", "Sari"]
        rows: list[Document] = [{"nik": "1", "jenis": str(n), "nama": name} for n, name in enumerate(names)]
        await taken(stage.ledger, *rows)
        ordered = sorted(filter(lambda row: row["nama"][:2] == "Sa", rows), key=lambda row: row["nama"].encode())
        asked = [({}, {"nama": "Sa"}), ({"nik": "1"}, {"nama": "Sa"}), ({}, {"nama": "Sa", "nik": ""})]
        for limit in (1, 2, 3, 7, 8):
            for where, starts in asked:
                seen, after = list[Document](), None
                while True:
                    found = await stage.ledger.look_up(FEED, where, limit=limit, starts=starts, after=after)
                    seen += found.rows
                    if (after := found.further) is None:
                        break
                assert seen == ordered, (limit, where, starts)

    async def test_a_page_goes_on_in_its_own_snapshot_while_it_is_kept_and_then_says_so(self, stage: Stage) -> None:
        first = held()
        await taken(stage.ledger, *ROWS, file=first)
        page = await stage.ledger.look_up(FEED, {}, limit=1)
        assert page.further is not None
        rows = [{**ROWS[0], "jenis": "DPT"}, *ROWS]
        later = held("b.csv", as_of=MONDAY_MORNING + timedelta(days=1))
        await taken(stage.ledger, *rows, file=later)
        for ledger in (stage.ledger, await stage.another()):
            for _ in range(3):
                again = await ledger.look_up(FEED, {}, limit=9, after=page.further)
                assert (list(again.rows), again.as_of, again.further) == (ROWS[1:], first.as_of, None)
                assert list((await ledger.look_up(FEED, {}, limit=9)).rows) == rows
        await taken(stage.ledger, ROWS[2])
        for ledger in (stage.ledger, await stage.another()):
            for gone in (page.further, "1", "x", "", "1-" + "9" * 30, f"{page.further}-1"):
                with pytest.raises(TranslationError) as raised:
                    await ledger.look_up(FEED, {}, limit=9, after=gone)
                assert [(one.pointer, one.rule) for one in raised.value.errors] == [("after", "page-gone")]
        await stage.ledger.roll_back(FEED, by="budi")
        assert await rows_of(stage.ledger) == rows
        with pytest.raises(TranslationError):
            await stage.ledger.look_up("puskesmas/stok", {}, limit=1, after=page.further)

    async def test_pages_follow_each_other_without_gap_or_double(self, stage: Stage) -> None:
        rows = [{"nik": f"{number % 2}", "jenis": str(number), "nama": "x"} for number in range(1200)]
        await taken(stage.ledger, *rows)
        for where in ({"nik": "1"}, {"lain": None, "nik": "1"}):
            seen, after = [], None
            while True:
                found = await stage.ledger.look_up(FEED, where, limit=250, after=after)
                seen += found.rows
                if (after := found.further) is None:
                    break
            assert seen == rows[1::2]

    async def test_rows_are_found_by_a_key_of_any_form(self, stage: Stage) -> None:
        keys = ["1", "10", "é" * 150, "é" * 150 + "a", "é" * 150 + "b", "\x00", Decimal("1.50"), 7, True, None, ["x"]]
        rows: list[Document] = [{"kode": key, "isi": str(number)} for number, key in enumerate(keys)]
        rows.append({"isi": "none at all"})
        keeping = Keeping(key=("kode",), indexes=(("kode",), ("isi", "kode")), mapping="m1")
        done = await taken(stage.ledger, *rows, {"kode": Decimal("1.5"), "isi": "the same number"}, keeping=keeping)
        assert (done.tally.accepted, done.tally.rejected, done.tally.kept) == (11, 2, 11)
        for number, key in enumerate(keys[:9]):
            found = await rows_of(stage.ledger, kode=key)
            assert [row["isi"] for row in found] == ["the same number" if number == 6 else str(number)], key
        # Those without a value, and those behind the part of a long one that is kept, come in the order of hashes.
        assert sorted(row["isi"] for row in await rows_of(stage.ledger, kode=None)) == ["10", "none at all"]
        assert len(await rows_of(stage.ledger, kode="1", isi="0")) == 1
        begun = await stage.ledger.look_up(FEED, {}, limit=10, starts={"kode": "é" * 140})
        assert sorted(row["isi"] for row in begun.rows) == ["2", "3", "4"]

    async def test_no_more_rows_than_the_limit(self, stage: Stage) -> None:
        await taken(stage.ledger, *ROWS)
        assert len(await rows_of(stage.ledger, limit=1, jenis="BCG")) == 1
        assert await rows_of(stage.ledger, limit=0) == []

    async def test_a_cell_of_a_megabyte_survives_and_is_found(self, stage: Stage) -> None:
        long = "x" * 1_000_000
        rows = [{"nik": "1", "nama": long + end} for end in "ab"]
        await taken(stage.ledger, *rows, keeping=PLAIN)
        assert await rows_of(stage.ledger, nama=long + "b") == [rows[1]]


class SnapshotContract:
    async def test_a_new_snapshot_replaces_the_old_one_whole_and_only_when_it_is_published(self, stage: Stage) -> None:
        await taken(stage.ledger, *ROWS)
        mine = await turn(stage.ledger)
        second = held("b.csv", as_of=MONDAY_MORNING + timedelta(days=1))
        receipt = await stage.ledger.take_up(mine, second, KEYED)
        await stage.ledger.add_rows(mine, receipt.number, KEYED, chunk(ROWS[2]))
        assert await rows_of(stage.ledger) == ROWS
        done = await stage.ledger.publish(mine, receipt.number, KEYED)
        assert (done.state, done.before, done.tally.kept, done.tally.accepted) == (FileState.ACCEPTED, 3, 1, 1)
        found = await stage.ledger.look_up(FEED, {"jenis": "BCG"}, limit=10)
        assert (list(found.rows), found.as_of) == ([ROWS[2]], second.as_of)

    async def test_feeds_are_apart(self, stage: Stage) -> None:
        await taken(stage.ledger, *ROWS)
        with pytest.raises(Unavailable):
            await stage.ledger.look_up("puskesmas/stok", {}, limit=1)
        assert await stage.ledger.receipts("puskesmas/stok") == ()

    async def test_rule_11_20_a_file_is_taken_up_again_at_the_next_row_by_another_process(self, stage: Stage) -> None:
        file, mine = held(), await turn(stage.ledger, "a")
        receipt = await stage.ledger.take_up(mine, file, KEYED)
        first = chunk(ROWS[0], rejects=(reject(2),), last=False)
        await stage.ledger.add_rows(mine, receipt.number, KEYED, first)
        await stage.pass_time(LEASE + 1)
        other = await stage.another()
        theirs = await turn(other, "b")
        again = await other.take_up(theirs, file, KEYED)
        assert (again.number, again.tally.position, again.tally.whole) == (receipt.number, 2, False)
        assert (again.tally.accepted, again.tally.rejected, again.tally.rules) == (1, 1, {"digits": 1})
        # Whoever lost the feed can neither add, publish nor refuse.
        for late in (
            stage.ledger.add_rows(mine, receipt.number, KEYED, chunk(ROWS[1], after=2)),
            stage.ledger.refuse(mine, receipt.number, Tally(), reject(0).reasons[0]),
        ):
            with pytest.raises(Overtaken):
                await late
        await other.add_rows(theirs, receipt.number, KEYED, chunk(ROWS[1], after=2))
        with pytest.raises(Overtaken):
            await stage.ledger.filed(mine, receipt.number, "x")
        done = await other.publish(theirs, receipt.number, KEYED)
        assert (done.tally.position, done.tally.accepted, done.tally.rejected) == (3, 2, 1)
        assert await rows_of(other) == ROWS[:2]
        assert await other.rejects(receipt.number) == [reject(2)]

    async def test_rule_11_20_publishing_asks_whose_turn_it_is(self, stage: Stage) -> None:
        mine = await turn(stage.ledger, "a")
        receipt = await stage.ledger.take_up(mine, held(), KEYED)
        await stage.ledger.add_rows(mine, receipt.number, KEYED, chunk(*ROWS))
        await stage.pass_time(LEASE + 1)
        await turn(stage.ledger, "b")
        with pytest.raises(Overtaken):
            await stage.ledger.publish(mine, receipt.number, KEYED)
        with pytest.raises(Unavailable):
            await rows_of(stage.ledger)

    async def test_a_chunk_is_kept_once(self, stage: Stage) -> None:
        mine = await turn(stage.ledger)
        receipt = await stage.ledger.take_up(mine, held(), PLAIN)
        await stage.ledger.add_rows(mine, receipt.number, PLAIN, chunk(ROWS[0], last=False))
        with pytest.raises(Overtaken):
            await stage.ledger.add_rows(mine, receipt.number, PLAIN, chunk(ROWS[0], last=False))

    async def test_what_was_read_whole_needs_only_publishing(self, stage: Stage) -> None:
        file, mine = held(), await turn(stage.ledger)
        receipt = await stage.ledger.take_up(mine, file, KEYED)
        await stage.ledger.add_rows(mine, receipt.number, KEYED, chunk(*ROWS))
        again = await stage.ledger.take_up(mine, file, KEYED)
        assert (again.number, again.tally.whole) == (receipt.number, True)
        await stage.ledger.publish(mine, receipt.number, KEYED)
        assert await rows_of(stage.ledger) == ROWS

    async def test_rule_11_21_the_live_files_content_again_is_a_duplicate_that_names_its_receipt(
        self, stage: Stage
    ) -> None:
        monday, tuesday = held(), held("b.csv")
        first = await taken(stage.ledger, *ROWS, file=monday)
        double = await taken(stage.ledger, file=replace(monday, name="copy.csv"))
        assert (double.state, double.original) == (FileState.DUPLICATE, first.number)
        await taken(stage.ledger, ROWS[0], file=tuesday)
        again = await taken(stage.ledger, *ROWS, file=monday)
        assert again.state is FileState.ACCEPTED
        assert await rows_of(stage.ledger) == ROWS

    async def test_a_file_that_is_another_before_it_was_done_is_begun_anew(self, stage: Stage) -> None:
        file, mine = held(), await turn(stage.ledger)
        first = await stage.ledger.take_up(mine, file, KEYED)
        await stage.ledger.add_rows(mine, first.number, KEYED, chunk(ROWS[0], last=False))
        other = replace(KEYED, mapping="m2")
        second = await stage.ledger.take_up(mine, replace(file, folder=""), other)
        third = await stage.ledger.take_up(mine, held(folder=""), other)
        again = await stage.ledger.take_up(mine, replace(file, folder=""), other)
        assert [one.tally.position for one in (first, second, third, again)] == [0, 0, 0, 0]
        ended = [await stage.ledger.receipt(one.number) for one in (first, second, third, again)]
        assert [one.state for one in ended if one] == [FileState.REFUSED] * 3 + [FileState.TAKING]
        assert [one.reason.rule for one in ended if one and one.reason] == ["begun-anew"] * 3
        assert await stage.ledger.unfiled(FEED) == ()
        assert not await stage.ledger.want_again(first.number, by="budi")

    async def test_what_is_wanted_afresh_is_no_duplicate_and_its_place_is_known(self, stage: Stage) -> None:
        file = held()
        await taken(stage.ledger, *ROWS, file=file)
        mine = await turn(stage.ledger)
        lies = replace(file, folder="archive/2026-03-02")
        again = await stage.ledger.take_up(mine, lies, KEYED, afresh=True)
        assert (again.state, again.place) == (FileState.TAKING, "archive/2026-03-02/a.csv")

    async def test_rule_11_21_the_same_content_by_another_mapping_is_no_duplicate(self, stage: Stage) -> None:
        file = held()
        await taken(stage.ledger, *ROWS, file=file)
        again = await taken(stage.ledger, ROWS[0], file=file, keeping=replace(KEYED, mapping="m2"))
        assert again.state is FileState.ACCEPTED
        assert await rows_of(stage.ledger) == ROWS[:1]

    async def test_a_refused_file_leaves_the_snapshot_and_its_rejects_until_it_is_put_away(self, stage: Stage) -> None:
        await taken(stage.ledger, *ROWS)
        mine = await turn(stage.ledger)
        receipt = await stage.ledger.take_up(mine, held("b.csv"), KEYED)
        tally = await stage.ledger.add_rows(mine, receipt.number, KEYED, chunk(rejects=(reject(1), reject(2))))
        reason = FieldError(pointer="", rule="max-reject", params={"rejected": "2"})
        refused = await stage.ledger.refuse(mine, receipt.number, tally, reason)
        assert (refused.state, refused.reason, refused.tally.rejected) == (FileState.REFUSED, reason, 2)
        assert [one.number for one in await stage.ledger.unfiled(FEED)] == [receipt.number]
        assert await stage.ledger.rejects(receipt.number, after=1) == [reject(2)]
        await stage.ledger.filed(mine, receipt.number, "rejected/b.csv")
        assert await stage.ledger.unfiled(FEED) == ()
        assert await stage.ledger.rejects(receipt.number) in ((), [])
        assert await rows_of(stage.ledger) == ROWS
        kept = await stage.ledger.receipt(receipt.number)
        assert kept is not None
        assert (kept.place, kept.settled, kept.ended_at is not None) == ("rejected/b.csv", True, True)

    async def test_rejects_of_a_file_that_is_not_put_away_outlive_its_snapshot(self, stage: Stage) -> None:
        ledger, mine = stage.ledger, await turn(stage.ledger)
        receipt = await ledger.take_up(mine, held(), KEYED)
        await ledger.add_rows(mine, receipt.number, KEYED, chunk(ROWS[0], rejects=(reject(2),)))
        await ledger.publish(mine, receipt.number, KEYED)
        for number in range(3):
            await taken(ledger, ROWS[number])
        assert await ledger.rejects(receipt.number) == [reject(2)]
        await ledger.filed(mine, receipt.number, "archive/a.csv")
        assert not await ledger.rejects(receipt.number)
        assert not await ledger.is_there(receipt.number)
        assert await rows_of(ledger) == [ROWS[2]]

    async def test_a_file_that_nobody_can_move_is_not_taken_twice(self, stage: Stage) -> None:
        stuck = held(folder="")
        mine = await turn(stage.ledger)
        receipt = await stage.ledger.take_up(mine, stuck, KEYED)
        await stage.ledger.add_rows(mine, receipt.number, KEYED, chunk(*ROWS))
        await stage.ledger.publish(mine, receipt.number, KEYED)
        await stage.ledger.filed(mine, receipt.number, "")
        await taken(stage.ledger, ROWS[0])
        again = await stage.ledger.take_up(mine, stuck, KEYED)
        assert (again.number, again.settled) == (receipt.number, True)
        touched = await stage.ledger.take_up(mine, replace(stuck, as_of=MONDAY_MORNING + timedelta(hours=1)), KEYED)
        assert touched.state is FileState.TAKING

    async def test_going_back_swaps_the_two_snapshots_and_names_who_did(self, stage: Stage) -> None:
        assert await stage.ledger.roll_back(FEED, by="budi") is None
        first = await taken(stage.ledger, *ROWS)
        assert await stage.ledger.roll_back(FEED, by="budi") is None
        second = await taken(stage.ledger, ROWS[0])
        standing = await stage.ledger.roll_back(FEED, by="budi")
        assert standing is not None
        assert standing.live is not None
        assert standing.previous is not None
        assert (standing.live.number, standing.previous.number) == (first.number, second.number)
        assert standing.changed_by == "budi"
        assert await rows_of(stage.ledger) == ROWS
        third = await taken(stage.ledger, ROWS[2])
        standing = await stage.ledger.standing(FEED)
        assert standing.previous is not None
        assert (standing.previous.number, standing.changed_by) == (first.number, "")
        assert await stage.ledger.is_there(third.number)
        assert not await stage.ledger.is_there(second.number)

    async def test_a_file_may_be_wanted_again_once_it_is_put_away(self, stage: Stage) -> None:
        mine = await turn(stage.ledger)
        receipt = await stage.ledger.take_up(mine, held(), KEYED)
        assert not await stage.ledger.want_again(receipt.number, by="budi")
        await stage.ledger.refuse(mine, receipt.number, Tally(), reject(0).reasons[0])
        await stage.ledger.filed(mine, receipt.number, "rejected/a.csv")
        assert await stage.ledger.want_again(receipt.number, by="budi", shrink=True)
        (wanted,) = await stage.ledger.wanted_again(FEED)
        assert (wanted.number, wanted.again, wanted.shrink) == (receipt.number, "budi", True)
        await stage.ledger.no_more_wanted(receipt.number)
        assert await stage.ledger.wanted_again(FEED) == ()
        confirmed = await stage.ledger.take_up(mine, held(), KEYED, confirmed="budi")
        assert confirmed.confirmed == "budi"
        assert not await stage.ledger.want_again(12345, by="budi")
