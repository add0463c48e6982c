import io
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.csv.batches import batches
from adapters.csv.disk import Disk
from adapters.csv.encoding import find_encoding
from adapters.csv.layout import Layout
from adapters.csv.read import Reading, read
from adapters.csv.settings import Dialect
from gateway import Batch, Reject, mask_text
from gateway.translate import compile_row
from gateway.translate.load import parse_mapping

HEADER = "nik_anak;nama_anak;jenis"
WANTED = ("nik_anak", "nama_anak", "jenis")


def reading(
    dialect: Dialect | None = None, wanted: Sequence[str] = WANTED, size: int = 2000, **more: object
) -> Reading:
    return Reading(name="imunisasi.csv", layout=Layout(dialect=dialect or Dialect()), wanted=wanted, size=size, **more)


def read_all(content: bytes, wanted: Sequence[str] = WANTED, dialect: Dialect | None = None, **more: object) -> Batch:
    parts = list(read(io.BytesIO(content), reading(dialect, wanted, **more)))
    assert [part.last for part in parts] == [False] * (len(parts) - 1) + [True]
    return Batch(
        rows=[row for part in parts for row in part.natives],
        rejects=[reject for part in parts for reject in part.rejects],
        done=parts[-1].done,
        skipped=sum(part.skipped for part in parts),
        encoding=parts[-1].encoding,
        last=True,
    )


def rules(rejects: Sequence[Reject]) -> list[tuple[int, str]]:
    return [(reject.number, reject.reasons[0].rule) for reject in rejects]


def lines(*rows: str, encoding: str = "utf-8") -> bytes:
    return "".join(f"{row}\r\n" for row in (HEADER, *rows)).encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_name_with_an_accent_survives_every_encoding_an_agency_may_write(encoding: str) -> None:
    found = read_all(lines("1405029001180001;José;BCG", encoding=encoding))
    assert found.rows == [(1, {"nik_anak": "1405029001180001", "nama_anak": "José", "jenis": "BCG"})]
    assert not found.rejects


def test_a_file_declared_utf8_only_loses_the_row_with_other_bytes_and_no_more() -> None:
    content = lines("1;Ani;BCG") + "2;José;BCG\r\n".encode("cp1252") + b"3;Budi;BCG\r\n"
    found = read_all(content, dialect=Dialect(encoding="utf-8"))
    assert [number for number, _ in found.rows] == [1, 3]
    assert [(reject.number, reject.reasons[0].pointer) for reject in found.rejects] == [(2, "nama_anak")]
    assert found.rejects[0].reasons[0].params == {"encoding": "utf-8"}


def test_one_utf8_row_among_cp1252_rows_is_not_worth_the_file() -> None:
    content = lines("1;José;BCG", encoding="cp1252") + "2;Renée;BCG\r\n".encode()
    assert find_encoding(io.BytesIO(content), Dialect()) == ("cp1252", True)
    assert len(read_all(content).rows) == 2


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_a_line_ending(ending: str) -> None:
    content = ending.join([HEADER, "1;a;b", "2;c;d", ""]).encode()
    assert [row["nama_anak"] for _, row in read_all(content).rows] == ["a", "c"]


def test_a_quoted_cell_may_hold_separators_quotes_and_line_breaks() -> None:
    found = read_all(lines('1;"Ani; alias ""Nia""\nbinti Umar";BCG'))
    assert found.rows[0][1]["nama_anak"] == 'Ani; alias "Nia"\nbinti Umar'


def test_too_few_and_too_many_columns_say_how_many() -> None:
    found = read_all(lines("1;Ani", "2;Ani;BCG;", "3;Ani;BCG"))
    assert rules(found.rejects) == [(1, "columns"), (2, "columns")]
    assert found.rejects[0].reasons[0].params == {"found": "2", "expected": "3"}
    assert [number for number, _ in found.rows] == [3]


def test_blank_lines_and_rows_of_empty_cells_are_no_records() -> None:
    found = read_all(lines("", "1;a;b", "   ", ";;", "2;c;d"))
    assert [number for number, _ in found.rows] == [1, 2]
    assert not found.rejects


@pytest.mark.parametrize(
    "broken",
    ['2;"Ani;BCG', '2;"Ani"x;BCG', '2;Ani;"BCG', '"2;Ani;BCG'],
    ids=["never closed", "text after the quote", "in the last cell", "in the first cell"],
)
def test_a_broken_quote_costs_one_row(broken: str) -> None:
    rest = [f"{number};Ani;BCG" for number in range(3, 200)]
    found = read_all(lines("1;Ani;BCG", broken, *rest))
    assert rules(found.rejects) == [(2, "quote")]
    assert [number for number, _ in found.rows] == [1, *range(3, 200)]


def test_two_broken_quotes_cost_two_rows() -> None:
    found = read_all(lines("1;a;b", '2;"a;b', "3;a;b", '4;"a;b', "5;a;b"))
    assert [row["nik_anak"] for _, row in found.rows] == ["1", "3", "5"]
    assert rules(found.rejects) == [(2, "quote"), (4, "quote")]


def test_a_quote_inside_an_unquoted_cell_is_text() -> None:
    assert read_all(lines('1;pipa 5";BCG')).rows[0][1]["nama_anak"] == 'pipa 5"'


def test_a_file_of_broken_quotes_only_takes_linear_time() -> None:
    found = read_all(lines(*[f'{number};"a;b' for number in range(20_000)]))
    assert len(found.rows) + len(found.rejects) == 20_000


def test_batches_are_cut_at_the_asked_size_and_the_last_says_so() -> None:
    content = lines(*[f"{number};a;b" for number in range(5)])
    parts = list(read(io.BytesIO(content), reading(size=2)))
    assert [(len(part.rows), part.last) for part in parts] == [(2, False), (2, False), (1, True)]


@pytest.mark.parametrize("plain", [False, True])
def test_a_batch_of_long_cells_holds_few_records_however_many_are_asked(*, plain: bool) -> None:
    rows = [f"{number};{'x' * 300_000};BCG" for number in range(40)]
    table = compile_row(parse_mapping('[f.row]\nnik = "nik_anak"\nnama = "nama_anak"', "mappings/f.toml"), "f")
    asked = reading(size=1000, plain=partial(table.read.of_lines, ("nik",)) if plain else None)
    found = list(read(io.BytesIO(lines(*rows)), asked))
    assert max(len(batch.rows) + len(batch.written) for batch in found) == 4
    assert any(batch.written for batch in found) is plain
    assert found[-1].done == sum(len(batch.rows) + len(batch.written) for batch in found) == 40


@pytest.mark.parametrize(
    ("header", "difference"),
    [
        ("nik_anak;nama_anak", "-jenis"),
        ("nik_anak;nama_anak;jenis_imunisasi", "jenis_imunisasi -> jenis"),
        ("NIK_ANAK;Nama Anak;jenis", "NIK_ANAK -> nik_anak; Nama Anak -> nama_anak"),
        ("nik_anak;nama_anak;posyandu;zat", "-jenis; +posyandu; +zat"),
        ("nik_anak;nama_anak;jenis;jenis", "jenis x2"),
        ("nik_anak,nama_anak,jenis", "nik_anak,nama_anak,jenis -> nik_anak; -nama_anak; -jenis"),
    ],
)
def test_a_differing_header_refuses_the_file_and_names_the_difference(header: str, difference: str) -> None:
    found = read_all(f"{header}\r\n1;a;b\r\n".encode())
    assert not found.rows
    assert rules(found.rejects) == [(0, "header")]
    assert found.rejects[0].reasons[0].params == {"difference": difference}


def test_unused_columns_and_another_order_are_fine() -> None:
    found = read_all(b"jenis; catatan ;nik_anak;nama_anak;\n1;2;3;4;\n")
    assert found.rows == [(1, {"jenis": "1", "catatan": "2", "nik_anak": "3", "nama_anak": "4", "": ""})]


def test_where_no_other_columns_are_wanted_an_added_one_changes_the_header() -> None:
    found = read_all(b"jenis;catatan;nik_anak;nama_anak\n1;2;3;4\n", only=True)
    assert [reject.reasons[0].params for reject in found.rejects] == [{"difference": "+catatan"}]
    assert read_all(b"jenis;nik_anak;nama_anak\n1;3;4\n", only=True).rows
    handed_back = f"_baris;_alasan;_berkas;{HEADER}\n2;x;y;1;2;3\n".encode()
    assert read_all(handed_back, only=True).rows, "our own columns are no added ones"


@pytest.mark.parametrize(
    "line", ["1405029001180001;Ani Lestari;BCG", "1405029001180001,Ani Lestari,BCG", "\x01\x02;\x03", "a;b;c;d"]
)
def test_of_a_line_that_is_no_header_nothing_is_shown(line: str) -> None:
    found = read_all(f"{line}\n".encode())
    assert rules(found.rejects) == [(0, "no-header")]
    assert found.rejects[0].reasons[0].params == {"columns": "nik_anak, nama_anak, jenis"}


def test_a_number_of_a_person_among_names_of_columns_is_not_shown() -> None:
    found = read_all(b"1405029001180001;nama_anak;BCG\n")
    difference = found.rejects[0].reasons[0].params["difference"]
    assert "140502******0001" in difference
    assert difference == mask_text(difference)


async def test_reading_in_a_thread_closes_the_file_even_when_left_early(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(lines(*[f"{number};a;b" for number in range(10)]))
    file = path.open("rb")
    parts = batches(file, reading(size=2), Disk())
    assert len((await anext(parts)).rows) == 2
    await parts.aclose()
    assert file.closed


@given(st.binary(max_size=300) | st.text(alphabet='ab;"\n\r\0\ufeffé,', max_size=200).map(str.encode))
def test_no_content_breaks_the_reader(content: bytes) -> None:
    read_all(content)
    read_all(content, wanted=())


@given(st.lists(st.sampled_from(["a;b;c", '"a";b;c', '"a;b;c', 'a;"b\nc";d', 'a;b"c;d', "", "a;b"]), max_size=12))
def test_no_broken_line_costs_a_good_one(rows: list[str]) -> None:
    found = read_all(lines(*rows))
    numbers = sorted([number for number, _ in found.rows] + [reject.number for reject in found.rejects])
    assert numbers == list(range(1, len(numbers) + 1))
    good = [row for _, row in found.rows if tuple(row.values()) == ("a", "b", "c")]
    assert len(good) == len([row for row in rows if row in {"a;b;c", '"a";b;c'}])


CORPUS = os.environ.get("GATEWAY_CORPUS")


@pytest.mark.skipif(not CORPUS, reason="GATEWAY_CORPUS names no folder of public files")
def test_public_files_never_break_the_reader() -> None:
    files = [path for path in Path(CORPUS or "", "csv").rglob("*") if path.is_file()]
    assert files
    for path in files:
        with path.open("rb") as file:
            for part in read(file, reading(Dialect(delimiter=","), (), 500)):
                assert all(isinstance(cell, str) for _, row in part.natives for cell in row.values())


ROWS = ["a;b;c", '"a";b;c', '"a;b;c', 'a;"b\nc";d', HEADER, "", "a;b", "TOTAL;2;"]


@given(st.lists(st.sampled_from(ROWS), max_size=14), st.integers(0, 14), st.sampled_from([None, "total"]))
def test_what_is_gone_on_with_is_what_would_have_come(rows: list[str], after: int, trailer: str | None) -> None:
    content = lines(*rows)
    whole = list(read(io.BytesIO(content), reading(size=3, trailer=trailer)))
    reached = next((batch.done for batch in whole if batch.done >= after), whole[-1].done)
    rest = list(read(io.BytesIO(content), reading(size=3, trailer=trailer, after=reached)))

    def told(batches: list[Batch]) -> list[object]:
        return [
            *[row for batch in batches for row in batch.rows if row[0] > reached],
            *[one for batch in batches for one in batch.rejects if one.number > reached or one.number == 0],
        ]

    assert told(rest) == told(whole)
    if not any(reject.number == 0 for batch in whole for reject in batch.rejects):
        assert rest[-1].done == whole[-1].done
        counted = sum(len(batch.rows) + len(batch.rejects) + batch.skipped for batch in whole)
        assert counted == whole[-1].done


def test_a_repeated_header_and_the_trailer_are_no_rows() -> None:
    found = read_all(lines("1;a;b", HEADER, "2;c;d", "Total;2;"), trailer="TOTAL")
    assert [number for number, _ in found.rows] == [1, 3]
    assert (found.skipped, found.done, found.rejects) == (2, 4, [])


@pytest.mark.parametrize(
    ("rows", "rule"),
    [(["1;a;b"], "no-trailer"), (["1;a;b", "TOTAL;1;", "2;a;b"], "trailer-early"), ([], "no-trailer")],
)
def test_a_file_whose_trailer_is_not_its_end_is_refused(rows: list[str], rule: str) -> None:
    assert rules(read_all(lines(*rows), trailer="TOTAL").rejects)[-1] == (0, rule)


def test_cells_of_a_megabyte_ten_thousand_columns_and_odd_signs_survive() -> None:
    long = "x" * 1_000_000
    names = [f"k{number}" for number in range(10_000)]
    wide = ";".join(names) + "\n" + ";".join(str(number) for number in range(10_000)) + "\n"
    assert read_all(lines(f'1;"{long}";b')).rows[0][1]["nama_anak"] == long
    assert read_all(wide.encode(), wanted=names).rows[0][1]["k9999"] == "9999"
    assert read_all(lines('1;"a""b\r\n;\x00\ufeff";c')).rows[0][1]["nama_anak"] == 'a"b\r\n;\x00\ufeff'


def test_a_file_of_its_header_only_has_no_rows() -> None:
    found = read_all(f"{HEADER}\n".encode())
    assert (found.rows, found.rejects, found.done, found.last) == ([], [], 0, True)


def test_rows_that_were_handed_back_are_read_without_the_guard_against_formulas() -> None:
    content = "_baris;_alasan;_berkas;" + HEADER + "\n2;x;r-1;1;'=1+1;'biasa\n"
    ((_, row),) = read_all(content.encode()).rows
    assert (row["nama_anak"], row["jenis"]) == ("=1+1", "'biasa")
    assert read_all(lines("1;'=1+1;b")).rows[0][1]["nama_anak"] == "'=1+1"
