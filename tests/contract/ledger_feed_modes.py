"""What every ledger promises about rows of one key: within a file, beside those that are there, and mended."""

from dataclasses import replace

import pytest

from gateway.feeds import FileReceipt, FileState, Held, Overtaken
from gateway.message import Document
from tests.contract.ledger import Stage
from tests.contract.ledger_feeds import FEED, KEYED, PLAIN, ROWS, chunk, held, reject, rows_of, taken, turn


class ModeContract:
    async def test_of_two_rows_with_one_key_the_later_counts_and_a_plain_repetition_is_no_fault(
        self, stage: Stage
    ) -> None:
        other = {**ROWS[0], "nama": "Anni"}
        done = await taken(stage.ledger, *ROWS, other, ROWS[1])
        assert await rows_of(stage.ledger) == [other, *ROWS[1:]]
        assert await rows_of(stage.ledger, nama="Anni") == [other]
        tally = done.tally
        assert (tally.position, tally.accepted, tally.unchanged, tally.rejected) == (5, 3, 1, 1)
        assert (tally.kept, tally.rules) == (3, {"double-key": 1})
        (double,) = await stage.ledger.rejects(done.number)
        assert (double.number, double.reasons[0].params) == (1, {"number": "4"})

    async def test_rows_whose_key_is_an_empty_text_are_of_one_key(self, stage: Stage) -> None:
        keeping = replace(KEYED, key=("nik",))
        rows: list[Document] = [{"nik": nik, "nama": nama} for nik, nama in (("", "Ani"), ("1", "Budi"), ("", "Citra"))]
        done = await taken(stage.ledger, *rows, keeping=keeping)
        assert await rows_of(stage.ledger) == [rows[2], rows[1]]
        assert (done.tally.kept, done.tally.rules) == (2, {"double-key": 1})

    async def test_without_a_key_a_row_is_known_by_its_content(self, stage: Stage) -> None:
        done = await taken(stage.ledger, *ROWS, ROWS[0], keeping=PLAIN)
        assert (done.tally.accepted, done.tally.unchanged, done.tally.kept) == (3, 1, 3)

    async def test_appending_adds_what_is_new_and_rejects_another_row_of_a_key_that_is_there(
        self, stage: Stage
    ) -> None:
        keeping = replace(KEYED, mode="append")
        await taken(stage.ledger, *ROWS[:2], keeping=keeping)
        other = {**ROWS[0], "nama": "Anni"}
        done = await taken(stage.ledger, ROWS[1], other, ROWS[2], keeping=keeping)
        assert await rows_of(stage.ledger) == ROWS
        tally = done.tally
        assert (tally.accepted, tally.unchanged, tally.rejected, tally.kept) == (1, 1, 1, 3)
        assert (done.before, tally.rules) == (2, {"key-taken": 1})

    async def test_upsert_replaces_by_key_and_the_newer_counts(self, stage: Stage) -> None:
        keeping = replace(KEYED, mode="upsert", newer="diubah")
        old = [{**row, "diubah": "2026-03-02"} for row in ROWS]
        await taken(stage.ledger, *old, keeping=keeping)
        newer, older = ({**old[0], "nama": day, "diubah": day} for day in ("2026-03-03", "2026-03-01"))
        done = await taken(stage.ledger, newer, {**older, "jenis": "Polio"}, keeping=keeping)
        assert await rows_of(stage.ledger) == [newer, *old[1:]]
        assert await rows_of(stage.ledger, nama="2026-03-03") == [newer]
        assert (done.tally.accepted, done.tally.unchanged, done.tally.kept) == (1, 1, 3)
        last = {**old[0], "nama": "last", "diubah": "2026-03-04"}
        done = await taken(stage.ledger, newer, last, newer, keeping=keeping)
        assert await rows_of(stage.ledger, nama="last") == [last]
        assert (done.tally.accepted + done.tally.unchanged, done.tally.rejected) == (3, 0)

    async def test_upsert_without_a_column_that_tells_takes_the_later_file(self, stage: Stage) -> None:
        keeping = replace(KEYED, mode="upsert")
        await taken(stage.ledger, *ROWS, keeping=keeping)
        other = {**ROWS[0], "nama": "Anni"}
        await taken(stage.ledger, other, keeping=keeping)
        assert await rows_of(stage.ledger) == [other, *ROWS[1:]]

    async def test_rows_that_were_kept_by_another_key_or_other_indexes_are_laid_out_as_they_are_now(
        self, stage: Stage
    ) -> None:
        keeping = replace(KEYED, mode="upsert")
        await taken(stage.ledger, *ROWS, keeping=replace(keeping, key=("nama", "nik", "jenis"), indexes=(("nama",),)))
        other = {**ROWS[0], "nama": "Anni"}
        done = await taken(stage.ledger, other, keeping=keeping)
        assert done.tally.kept == len(ROWS)
        assert await rows_of(stage.ledger) == [other, *ROWS[1:]]
        assert await rows_of(stage.ledger, jenis=ROWS[1]["jenis"], nik=ROWS[1]["nik"]) == [ROWS[1]]

    async def test_mended_rows_are_added_to_the_snapshot_of_their_file_and_no_other(self, stage: Stage) -> None:
        first = await taken(stage.ledger, *ROWS[:2], rejects=(reject(3),))
        mended = await taken(stage.ledger, ROWS[2], file=held("a.rejected.csv", repairs=first.reference))
        assert (mended.state, mended.mode, mended.base) == (FileState.ACCEPTED, "repair", first.number)
        assert await rows_of(stage.ledger) == ROWS
        more = {**ROWS[2], "jenis": "DPT"}
        for reference in (first.reference, mended.reference):
            again = await taken(stage.ledger, more, file=held("b.rejected.csv", repairs=reference))
            assert again.state is FileState.ACCEPTED
        await taken(stage.ledger, ROWS[0])
        late = await taken(stage.ledger, more, file=held("c.rejected.csv", repairs=first.reference))
        assert late.state is FileState.REFUSED
        assert late.reason is not None
        assert late.reason.rule == "superseded"
        assert await rows_of(stage.ledger) == [ROWS[0]]

    async def test_rule_11_21_of_a_mended_snapshot_its_file_and_what_mended_it_last_are_duplicates(
        self, stage: Stage
    ) -> None:
        file, mends = held(), list[Held]()
        first = await taken(stage.ledger, *ROWS[:1], file=file, rejects=(reject(2), reject(3)))
        for row in ROWS[1:]:
            mends.append(held("a.rejected.csv", repairs=first.reference))
            assert (await taken(stage.ledger, row, file=mends[-1])).state is FileState.ACCEPTED
        for number, again in ((first.number, file), (first.number + 2, mends[1])):
            double = await taken(stage.ledger, file=again)
            assert (double.state, double.original) == (FileState.DUPLICATE, number)
            assert await rows_of(stage.ledger) == ROWS
        # What was mended otherwise since may be mended back.
        back = await taken(stage.ledger, ROWS[1], file=mends[0])
        assert (back.state, back.tally.accepted, back.tally.unchanged) == (FileState.ACCEPTED, 0, 1)
        assert await rows_of(stage.ledger) == ROWS
        by_another = await taken(stage.ledger, ROWS[0], file=file, keeping=replace(KEYED, mapping="m2"))
        assert by_another.state is FileState.ACCEPTED

    async def test_a_mended_row_takes_the_place_of_no_other_row_but_of_the_same_record_mended_before(
        self, stage: Stage
    ) -> None:
        ledger = stage.ledger
        first = await taken(ledger, *ROWS[:2], rejects=(reject(3), reject(4)))

        async def mended(*rows: Document, **records: str) -> FileReceipt:
            """Drop rows again, some of which say which records they were."""
            mine = await turn(ledger)
            receipt = await ledger.take_up(mine, held("m.csv", repairs=first.reference), KEYED)
            mends = {int(number[1:]): record for number, record in records.items()}
            await ledger.add_rows(mine, receipt.number, KEYED, replace(chunk(*rows), mends=mends))
            done = await ledger.publish(mine, receipt.number, KEYED)
            await ledger.filed(mine, receipt.number, "archive/m.csv")
            return done

        other, third, otherwise = {**ROWS[0], "nama": "Anni"}, ROWS[2], {**ROWS[2], "nama": "Budi"}
        done = await mended(other, third, _1="r-1:4", _2="r-1:5")
        assert (done.tally.accepted, done.tally.kept, done.tally.rules) == (1, 3, {"key-taken": 1})
        assert [one.number for one in await ledger.rejects(done.number)] == [1]
        assert await rows_of(ledger) == ROWS
        # Of what was mended before, the record itself counts, however often; a row that lost its line is any other.
        for row, record, rules in (
            (otherwise, {"_1": "r-1:5"}, {}),
            (third, {"_1": "r-1:4"}, {"key-taken": 1}),
            (third, {}, {"key-taken": 1}),
            (otherwise, {"_1": "r-1:4"}, {}),
        ):
            assert (await mended(row, **record)).tally.rules == rules
            assert await rows_of(ledger) == [*ROWS[:2], otherwise]
        # Two rows of one file are judged by each other.
        more = {**third, "nama": "Citra"}
        done = await mended(otherwise, third, more, _1="r-1:4", _2="r-1:5", _3="r-1:6")
        assert done.tally.rules == {"double-key": 1}
        assert await rows_of(ledger) == [*ROWS[:2], more]

    async def test_where_a_column_tells_the_newer_counts_of_a_mended_row_and_another(self, stage: Stage) -> None:
        keeping = replace(KEYED, newer="diubah")
        rows = [{**row, "diubah": "2026-03-02"} for row in ROWS]
        first = await taken(stage.ledger, *rows[:2], keeping=keeping, rejects=(reject(3),))
        newer, older = ({**rows[0], "diubah": f"2026-03-0{day}"} for day in (3, 1))
        for row in (newer, older):
            await taken(stage.ledger, row, file=held("m.csv", repairs=first.reference), keeping=keeping)
        assert await rows_of(stage.ledger) == [newer, rows[1]]

    async def test_mends_that_were_begun_are_not_gone_on_with_in_another_snapshot(self, stage: Stage) -> None:
        await taken(stage.ledger, ROWS[0])
        second = await taken(stage.ledger, ROWS[1], rejects=(reject(2),))
        file, mine = held("b.rejected.csv", repairs=second.reference), await turn(stage.ledger)
        receipt = await stage.ledger.take_up(mine, file, KEYED)
        await stage.ledger.add_rows(mine, receipt.number, KEYED, chunk(ROWS[2], last=False))
        await stage.ledger.roll_back(FEED, by="budi")
        again = await stage.ledger.take_up(mine, file, KEYED)
        assert (again.number, again.state) == (receipt.number, FileState.REFUSED)
        assert again.reason is not None
        assert again.reason.rule == "superseded"
        assert [one.number for one in await stage.ledger.unfiled(FEED)] == [receipt.number]
        await stage.ledger.filed(mine, receipt.number, "rejected/b.csv")
        assert await rows_of(stage.ledger) == ROWS[:1]

    async def test_what_is_added_to_a_snapshot_that_is_live_no_more_begins_anew(self, stage: Stage) -> None:
        keeping = replace(KEYED, mode="append")
        await taken(stage.ledger, ROWS[0], keeping=keeping)
        await taken(stage.ledger, ROWS[1], keeping=keeping)
        file, mine = held(), await turn(stage.ledger)
        receipt = await stage.ledger.take_up(mine, file, keeping)
        await stage.ledger.add_rows(mine, receipt.number, keeping, chunk(ROWS[2]))
        await stage.ledger.roll_back(FEED, by="budi")
        with pytest.raises(Overtaken):
            await stage.ledger.publish(mine, receipt.number, keeping)
        again = await stage.ledger.take_up(mine, file, keeping)
        assert (again.number, again.tally.position) == (receipt.number, 0)
        await stage.ledger.add_rows(mine, receipt.number, keeping, chunk(ROWS[2]))
        await stage.ledger.publish(mine, receipt.number, keeping)
        assert await rows_of(stage.ledger) == [ROWS[0], ROWS[2]]

    async def test_a_snapshot_made_anew_of_all_its_files_is_as_if_they_were_added_one_by_one(
        self, stage: Stage
    ) -> None:
        for mode, last in (("append", ROWS[0]), ("upsert", {**ROWS[0], "nama": "Anni"})):
            keeping = replace(KEYED, mode=mode)
            other = {**ROWS[0], "nama": "Anni"}
            await taken(stage.ledger, ROWS[0], ROWS[1], keeping=keeping)
            live = await taken(stage.ledger, other, file=(file := held()), keeping=keeping)
            newer, mine = replace(keeping, mapping=f"m2 {mode}"), await turn(stage.ledger)
            receipt = await stage.ledger.take_up(mine, file, newer, confirmed="gateway", afresh=True, anew=live.number)
            assert (receipt.base, receipt.original, receipt.before) == (None, live.number, live.tally.kept)
            first = replace(chunk(ROWS[0], ROWS[1], last=False), source=1)
            await stage.ledger.add_rows(mine, receipt.number, newer, first)
            going = await stage.ledger.take_up(mine, file, newer, confirmed="gateway", afresh=True, anew=live.number)
            assert (going.number, going.tally.position) == (receipt.number, 2)
            assert await rows_of(stage.ledger, nama="Anni") == ([] if mode == "append" else [other])
            await stage.ledger.add_rows(mine, receipt.number, newer, replace(chunk(other, after=2), source=2))
            done = await stage.ledger.publish(mine, receipt.number, newer)
            await stage.ledger.filed(mine, receipt.number, "archive/a.csv")
            assert sorted(await rows_of(stage.ledger), key=str) == sorted([last, ROWS[1]], key=str)
            assert done.tally.rules == ({"key-taken": 1} if mode == "append" else {})

    async def test_a_mended_snapshot_made_anew_is_of_all_its_files_too(self, stage: Stage) -> None:
        ledger, file = stage.ledger, held()
        first = await taken(ledger, *ROWS[:2], file=file, rejects=(reject(3),))
        mends = held("m.csv", repairs=first.reference)
        live = await taken(ledger, ROWS[2], file=mends)
        newer, mine = replace(KEYED, mapping="m2"), await turn(ledger)
        # A file of mends may not say any more what it mends.
        last = replace(mends, repairs="")
        receipt = await ledger.take_up(mine, last, newer, confirmed="gateway", afresh=True, anew=live.number)
        assert (receipt.state, receipt.mode, receipt.base) == (FileState.TAKING, "repair", None)
        taken_by_record = replace(chunk(ROWS[2], {**ROWS[0], "nama": "Anni"}, after=3), source=2, mends={5: "r-1:9"})
        await ledger.add_rows(
            mine, receipt.number, newer, replace(chunk(*ROWS[:2], rejects=(reject(3),), last=False), source=1)
        )
        await ledger.add_rows(mine, receipt.number, newer, taken_by_record)
        assert await rows_of(ledger) == ROWS
        done = await ledger.publish(mine, receipt.number, newer)
        await ledger.filed(mine, receipt.number, "archive/m.csv")
        assert (done.tally.kept, done.tally.rules) == (3, {"digits": 1, "key-taken": 1})
        assert await rows_of(ledger) == ROWS
        for again in (file, mends):
            assert (await taken(ledger, file=again, keeping=newer)).state is FileState.DUPLICATE
        more = {**ROWS[2], "jenis": "DPT"}
        mended = await taken(ledger, more, file=held("n.csv", repairs=first.reference), keeping=newer)
        assert (mended.state, mended.base) == (FileState.ACCEPTED, receipt.number)
        assert (await taken(ledger, file=file, keeping=newer)).state is FileState.DUPLICATE
        assert await rows_of(ledger) == [*ROWS, more]

    async def test_what_is_made_anew_of_files_that_are_not_all_any_more_is_never_live(self, stage: Stage) -> None:
        keeping = replace(KEYED, mode="append")
        live = await taken(stage.ledger, ROWS[0], file=(file := held()), keeping=keeping)
        newer, mine = replace(keeping, mapping="m2"), await turn(stage.ledger)
        receipt = await stage.ledger.take_up(mine, file, newer, confirmed="gateway", afresh=True, anew=live.number)
        await stage.ledger.add_rows(mine, receipt.number, newer, chunk(ROWS[0]))
        await taken(stage.ledger, ROWS[1], file=held("b.csv"), keeping=keeping)
        again = await stage.ledger.take_up(mine, file, newer, confirmed="gateway", afresh=True, anew=live.number)
        await stage.ledger.add_rows(mine, again.number, newer, chunk(ROWS[0]))
        with pytest.raises(Overtaken):
            await stage.ledger.publish(mine, again.number, newer)
        assert await rows_of(stage.ledger) == ROWS[:2]
        left = await stage.ledger.receipt(receipt.number)
        assert left is not None
        assert (left.state, left.settled) == (FileState.REFUSED, True)
