"""Spreadsheets and archives from the drop to the ledger, and their rejects back to the clerk."""

import gzip
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook

from gateway.errors import LedgerUnavailable
from gateway.feeds import Chunk, FileState, Keeping, Tally, Turn
from gateway.receipts import line
from gateway.translate import compile_row
from gateway.translate.load import parse_mapping
from gateway.wording import say
from tests.drops import FEED, NIK, OpenSite, Site, rows
from tests.sheets import WRITERS, Fault, Rows, xlsx, zipped

DAY = "archive/2026-03-02"
HEADER = ["nik_anak", "jenis", "tgl"]
TABLE = """[imunisasi.row]
nik_anak = { from = "nik_anak", digits = 16 }
jenis    = "jenis"
tgl      = { from = "tgl", date = "dd/mm/yyyy", optional = true }
"""
BAD: Rows = [[1405029001180003, "BCG", "30/02/2026"], ["1405029001180004", Fault("#N/A"), None]]


async def opened(open_site: OpenSite, **settings: object) -> Site:
    site = await open_site(**{"files": "imunisasi_*", "max_reject": 1.0, **settings})
    row = compile_row(parse_mapping(TABLE, "mappings/puskesmas.toml"), "imunisasi")
    site.intake.feeds = {"imunisasi": replace(site.plan, read=row.read)}
    site.adapter._inbox.spell = {"imunisasi": row.spell}
    return site


@pytest.mark.parametrize("kind", WRITERS)
async def test_one_mapping_reads_a_feed_s_csv_and_its_spreadsheets(open_site: OpenSite, kind: str) -> None:
    site = await opened(open_site)
    good = [HEADER, [NIK, "BCG", date(2026, 3, 1)], ["1405029001180002", "12", None]]
    site.drop(f"imunisasi_1.{kind}", WRITERS[kind](good))
    await site.look()
    assert site.told() == [(f"imunisasi_1.{kind}", "accepted")]
    by_sheet = (await site.ledger.look_up(FEED, {}, limit=9)).rows
    site.drop("imunisasi_2.csv", f"nik_anak;jenis;tgl\n{NIK};BCG;01/03/2026\n1405029001180002;12;\n")
    await site.look()
    assert (await site.ledger.look_up(FEED, {}, limit=9)).rows == by_sheet
    assert by_sheet[0] == {"nik_anak": NIK, "jenis": "BCG", "tgl": "2026-03-01"}
    assert site.news[0].receipt.tally.encoding == kind


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("imunisasi_1.csv.gz", gzip.compress),
        ("imunisasi_1.zip", lambda content: zipped(data_csv=content)),
    ],
)
async def test_a_packed_file_is_taken_archived_as_it_came_and_its_rejects_are_csv(
    open_site: OpenSite, name: str, pack: Callable[[bytes], bytes]
) -> None:
    site = await opened(open_site)
    site.drop(name, pack(f"nik_anak;jenis;tgl\n{NIK};BCG;\n12;BCG;\n".encode()))
    await site.look()
    assert site.files() == [f"{DAY}/{name}", f"rejected/{name}.rejected.csv"]
    (back,) = site.handed_back(f"{name}.rejected.csv")[1:]
    assert (back[0], back[1], back[3:]) == ("3", "nik_anak harus tepat 16 digit angka", ["12", "BCG", ""])


@pytest.mark.parametrize(
    ("name", "content", "records"),
    [
        ("a.csv", b"a;b\n1;2\n3;4\n", 2),
        ("a.csv.gz", gzip.compress(b"a;b\n1;2\n3;4\n", mtime=0), 2),
        ("a.zip", zipped(data_csv=b"a;b\n1;2\n3;4\n"), 2),
        ("a.xlsx", xlsx([["a"], ["1"], ["2"]]), 0),
        ("a.zip", zipped(data_xlsx=xlsx([["a"], ["1"], ["2"]])), 0),
        ("a.csv.gz", b"no gzip at all", 0),
    ],
)
async def test_how_long_a_file_is_is_known_of_text_packed_or_not(
    open_site: OpenSite, tmp_path: Path, name: str, content: bytes, records: int
) -> None:
    site = await open_site()
    (tmp_path / name).write_bytes(content)
    assert await site.adapter.length(tmp_path / name) == records


async def test_bad_cells_are_handed_back_with_every_reason_and_the_row_of_the_sheet(open_site: OpenSite) -> None:
    site = await opened(open_site)
    site.drop("imunisasi_1.xlsx", xlsx([HEADER, [None], [NIK, "BCG", None], *BAD]))
    await site.look()
    one, two = site.handed_back("imunisasi_1.xlsx.rejected.csv")[1:]
    assert one[0] == "4"
    assert one[1] == (
        "nik_anak tersimpan sebagai angka, dan Excel hanya menyimpan 15 digit; jadikan kolom bertipe Teks, lalu "
        "isi ulang; tgl bukan tanggal yang sah; tulis dengan bentuk dd/mm/yyyy"
    )
    assert one[3:] == ["1.40502900118000E+15", "BCG", "30/02/2026"]
    assert (two[0], two[1]) == ("5", "jenis berisi kesalahan Excel (#N/A)")
    site.drop("imunisasi_1.xlsx.rejected.csv", (site.folder / "rejected/imunisasi_1.xlsx.rejected.csv").read_bytes())
    await site.look()
    assert site.news[-1].receipt.tally.rules["rounded-number"] == 1, "a number is not taken for the one that was typed"


@pytest.mark.parametrize("dropped_again", ["imunisasi_1.xlsx.rejected.xlsx", "imunisasi_9.xlsx"])
@pytest.mark.parametrize("where", [{"sheet": "Data"}, {"header_row": 4}, {"sheet": "Data", "header_row": 4}])
async def test_mended_xlsx_is_taken_whatever_sheet_and_row_the_agency_s_own_files_begin_at(
    open_site: OpenSite, where: dict[str, object], dropped_again: str
) -> None:
    site = await opened(open_site, rejected="xlsx", mode="append", **where)
    title: Rows = [["Dinas"], ["Puskesmas"], ["2026"]] if "header_row" in where else []
    book = load_workbook(io.BytesIO(xlsx([*title, HEADER, [NIK, "BCG", None], ["12", "BCG", None]])))
    book.active.title = "Data"
    book.save(site.folder / "imunisasi_1.xlsx")
    await site.look()
    back = load_workbook(site.folder / "rejected/imunisasi_1.xlsx.rejected.xlsx")
    back.active["D2"] = "1405029001180002"
    back.save(site.folder / dropped_again)
    await site.look()
    assert site.told()[-1] == (dropped_again, "accepted")
    assert [each.receipt.tally.rejected for each in site.news] == [1, 0]


@pytest.mark.parametrize("dropped", ["imunisasi_1.xlsx", "imunisasi_1.csv"])
async def test_rejects_as_xlsx_are_text_and_come_back_mended(open_site: OpenSite, dropped: str) -> None:
    site = await opened(open_site, rejected="xlsx")
    bad = [["12", "=1+1", None], ["13", "x", None]]
    plain = "".join(";".join(cell or "" for cell in row) + "\n" for row in [HEADER, [NIK, "BCG", None], *bad])
    sheet = xlsx([HEADER, [NIK, "BCG", None], ["12", "'=1+1", None], ["13", "x", None]])
    site.drop(dropped, plain if dropped.endswith("csv") else sheet)
    await site.look()
    name = f"{dropped}.rejected.xlsx"
    path = site.folder / "rejected" / name
    book = load_workbook(path)
    assert [cell.value for cell in book.active[1]] == ["_baris", "_alasan", "_berkas", *HEADER]
    assert [(cell.value, cell.data_type, cell.number_format) for cell in book.active[2]][3:5] == [
        ("12", "s", "@"),
        ("'=1+1" if dropped.endswith("csv") else "''=1+1", "s", "@"),
    ]
    book.active["D2"] = "1405029001180009"
    mended = io.BytesIO()
    book.save(mended)
    site.drop(name, mended.getvalue())
    await site.look()
    assert site.told()[-1] == (name, "accepted")
    assert site.news[-1].receipt.mode == "repair"
    assert (await site.rows())[-1] == ("1405029001180009", "=1+1" if dropped.endswith("csv") else "'=1+1")
    again = load_workbook(site.folder / f"rejected/{name}.rejected.xlsx").active
    assert [cell.value for cell in again[2]][3:5] == ["13", "x"]


async def test_a_cell_that_excel_can_t_hold_is_not_cut_off_silently(open_site: OpenSite) -> None:
    site = await opened(open_site, rejected="xlsx")
    long, steering = "x" * 40_000, "a\x07b"
    site.drop("imunisasi_1.csv", f"nik_anak;jenis;tgl\n{NIK};BCG;\n1;{long};\n2;{steering};\n")
    await site.look()
    path = site.folder / "rejected/imunisasi_1.csv.rejected.xlsx"
    assert [[cell.value for cell in row][4] for row in load_workbook(path).active.iter_rows(min_row=2)] == [
        "#VALUE!",
        "#VALUE!",
    ]
    site.drop("imunisasi_1.csv.rejected.xlsx", path.read_bytes())
    await site.look()
    assert site.news[-1].receipt.tally.rules["cell-error"] == 2


async def test_a_sheet_is_gone_on_with_at_the_next_row(open_site: OpenSite) -> None:
    site = await opened(open_site)
    many = [[f"14050290{number:08}", "BCG", None] for number in range(12_000)]
    site.drop("imunisasi_1.xlsx", xlsx([HEADER, *many]))
    real, after = site.ledger.add_rows, []

    async def interrupted(turn: Turn, number: int, keeping: Keeping, chunk: Chunk, /) -> Tally:
        after.append(chunk.after)
        if len(after) == 2:
            raise LedgerUnavailable("it is gone")
        return await real(turn, number, keeping, chunk)

    site.ledger.add_rows = interrupted  # type: ignore[method-assign]
    await site.look()
    assert site.told() == []
    await site.look(61)
    assert site.told() == [("imunisasi_1.xlsx", "accepted")]
    assert after == [0, 1000, *range(1000, 12_001, 1000)]
    assert len(await site.rows()) == 12_000


async def test_the_papers_of_a_refusal_follow_a_file_that_is_taken_in_the_end(open_site: OpenSite) -> None:
    site = await opened(open_site, max_reject=0.5)
    site.drop("imunisasi_1.csv", f"nik_anak;jenis;tgl\n{NIK};BCG;\n" + "x;BCG;\n" * 9)
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "max-reject")]
    site.intake.feeds = {"imunisasi": replace(site.intake.feeds["imunisasi"], max_reject=1.0)}
    await site.ledger.want_again(site.news[0].receipt.number, by="ani")
    await site.look()
    assert site.told()[1:] == [("imunisasi_1.csv", "accepted")]
    papers = sorted(path.name for path in (site.folder / "rejected").iterdir())
    assert papers == ["imunisasi_1.csv.rejected.csv"]
    number = site.news[1].receipt.number
    assert sorted(path.name for path in (site.folder / DAY).iterdir()) == [
        "imunisasi_1.csv",
        f"imunisasi_1.csv.{number}.refused.receipt.json",
        f"imunisasi_1.csv.{number}.refused.receipt.txt",
        "imunisasi_1.csv.receipt.json",
        "imunisasi_1.csv.receipt.txt",
    ]


async def test_an_empty_file_and_one_without_rows_have_reasons_of_their_own(open_site: OpenSite) -> None:
    site = await opened(open_site)
    site.drop("imunisasi_1.csv", rows(3).replace("nik_anak;jenis", "nik_anak;jenis;tgl").replace(";BCG", ";BCG;"))
    site.intake.feeds = {"imunisasi": replace(site.intake.feeds["imunisasi"], read=dict)}
    await site.look()
    site.drop("imunisasi_2.csv", "")
    site.drop("imunisasi_3.csv", "nik_anak;jenis;tgl\n")
    await site.look()
    assert site.told()[1:] == [("imunisasi_2.csv", "empty-file"), ("imunisasi_3.csv", "no-rows")]
    empty, without = (news.receipt for news in site.news[1:])
    assert "berkas kosong" in line(empty)
    assert say(without.reason, "id") == (  # type: ignore[arg-type]  # it is there: the file was refused
        "hanya berisi judul kolom, tanpa satu baris pun, padahal data yang dipakai 3 baris"
    )


async def test_a_receipt_says_once_that_the_old_data_stays_and_only_where_there_is_some(open_site: OpenSite) -> None:
    site = await opened(open_site)
    site.drop("imunisasi_1.csv", "x;BCG\n")
    await site.look()
    assert "Data lama" not in line(site.news[0].receipt)
    site.drop("imunisasi_2.csv", f"nik_anak;jenis;tgl\n{NIK};BCG;\n1405029001180002;BCG;\n1405029001180003;BCG;\n")
    await site.look()
    site.drop("imunisasi_3.csv", f"nik_anak;jenis;tgl\n{NIK};BCG;\n")
    await site.look()
    assert line(site.news[2].receipt).lower().count("data lama tetap dipakai") == 1
    assert site.news[2].receipt.state is FileState.REFUSED


async def test_a_reason_holds_no_value_and_no_word_of_another_language(open_site: OpenSite) -> None:
    site = await opened(open_site)
    site.drop("imunisasi_1.csv", f"nik_anak;jenis;tgl\n{NIK};BCG;\nAni Lestari;BCG;besok\n1,40502E+15;BCG;\n")
    await site.look()
    reasons = [row[1] for row in site.handed_back("imunisasi_1.csv.rejected.csv")[1:]]
    assert reasons == [
        "nik_anak harus tepat 16 digit angka; tgl bukan tanggal yang sah; tulis dengan bentuk dd/mm/yyyy",
        "nik_anak sudah dibulatkan aplikasi spreadsheet, digitnya hilang; jadikan kolom bertipe Teks, lalu isi ulang",
    ]
    assert "(angka dibulatkan: 1, jumlah digit: 1, tanggal: 1)" in line(site.news[0].receipt)


async def test_a_refused_file_of_acknowledgements_says_that_what_was_read_of_it_counts(open_site: OpenSite) -> None:
    site = await opened(open_site)
    site.drop("imunisasi_1.csv", "x;y\n1;2\n")
    await site.look()
    told = line(replace(site.news[0].receipt, mode="acknowledge"))
    assert told.endswith("Jawaban di baris yang sudah terbaca tetap berlaku; taruh lagi seluruhnya.")
