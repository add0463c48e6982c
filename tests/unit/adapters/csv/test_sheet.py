import asyncio
import io
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter

import pytest
from openpyxl import Workbook

from adapters.csv import sheet
from adapters.csv.batches import batches
from adapters.csv.disk import Disk
from adapters.csv.layout import Cells, Layout
from adapters.csv.read import Reading, opened, read
from adapters.csv.settings import Dialect
from gateway import Batch, FieldError
from tests.sheets import WRITERS, Fault, endless, ods, xlsx

HEADER = ["nik_anak", "nama_anak", "jenis"]
KINDS = pytest.mark.parametrize("kind", WRITERS)


def read_all(name: str, content: bytes, wanted: Sequence[str] = HEADER, size: int = 2, **layout: object) -> Batch:
    reading = Reading(name=name, layout=Layout(dialect=Dialect(), **layout), wanted=wanted, size=size)
    parts = list(read(io.BytesIO(content), reading))
    assert [part.last for part in parts] == [False] * (len(parts) - 1) + [True]
    return Batch(
        rows=[row for part in parts for row in part.natives],
        rejects=[reject for part in parts for reject in part.rejects],
        skipped=sum(part.skipped for part in parts),
        done=parts[-1].done,
        encoding=parts[-1].encoding,
        last=True,
    )


def cells(name: str, content: bytes, **layout: object) -> list[list[str]]:
    with opened(io.BytesIO(content), name, Layout(dialect=Dialect(), **layout)) as found:
        return [[*row] for row in found if row is not None]


def refused(name: str, content: bytes, **layout: object) -> FieldError:
    found = read_all(name, content, **layout)
    assert not found.rows
    return found.rejects[0].reasons[0]


@KINDS
def test_cells_become_the_texts_that_a_csv_export_has(kind: str) -> None:
    rows: list[list[object]] = [
        ["teks", "bulat", "pecahan", "tanggal", "waktu", "jam", "benar", "lama", "kosong", "akhir"],
        [
            ' "a";\n=b ',
            12,
            0.1 + 0.2,
            date(2026, 11, 24),
            datetime.fromisoformat("2026-11-24T07:30"),
            time(7, 30),
            True,
            timedelta(hours=30) if kind == "xlsx" else "30:00:00",
            None,
            "'x",
        ],
    ]
    assert cells(f"a.{kind}", WRITERS[kind](rows))[1] == [
        ' "a";\n=b ',
        "12",
        "0.3",
        "2026-11-24",
        "2026-11-24 07:30:00",
        "07:30:00",
        "TRUE",
        "30:00:00",
        "",
        "'x",
    ]


@KINDS
def test_a_number_beyond_excel_s_digits_is_its_own_reason_and_is_never_shown_as_if_it_were_whole(kind: str) -> None:
    found = read_all(f"a.{kind}", WRITERS[kind]([HEADER, [1405029001180001, "Ani", "BCG"], ["1", "Ani", 5]]))
    assert found.rows == [
        (1, {"nik_anak": FieldError(pointer="", rule="number-cell"), "nama_anak": "Ani", "jenis": "BCG"}),
        (2, {"nik_anak": "1", "nama_anak": "Ani", "jenis": "5"}),
    ]
    assert cells(f"a.{kind}", WRITERS[kind]([HEADER, [1405029001180001]]))[1][0] == "1.40502900118000E+15"


@KINDS
def test_an_error_cell_is_no_empty_cell(kind: str) -> None:
    content = WRITERS[kind](
        [HEADER, ["1", "Ani", "BCG"], ["2", Fault("#N/A"), "BCG"], [None] * 3, ["3", "x", Fault("#DIV/0!")]]
    )
    found = read_all(f"a.{kind}", content)
    bad = [
        (number, name, cell) for number, row in found.rows for name, cell in row.items() if not isinstance(cell, str)
    ]
    assert bad == [
        (2, "nama_anak", FieldError(pointer="", rule="cell-error", params={"error": "#N/A"})),
        (3, "jenis", FieldError(pointer="", rule="cell-error", params={"error": "#DIV/0!"})),
    ]


def test_a_formula_without_its_result_is_no_empty_cell_even_in_the_last_row() -> None:
    found = read_all("a.xlsx", xlsx([HEADER, ["1", "Ani", "BCG"], ["=1+1", "=A1", "=B1"]]))
    reason = FieldError(pointer="", rule="cell-no-value")
    assert found.rows[1] == (2, dict.fromkeys(HEADER, reason))


@KINDS
def test_the_sheet_and_the_header_s_row_may_be_named(kind: str) -> None:
    title = [["LAPORAN IMUNISASI"], [None], HEADER, ["1", "Ani", "BCG"]]
    content = WRITERS[kind](title, before={"Petunjuk": [["baca dahulu"]]})
    found = read_all(f"a.{kind}", content, sheet="Data", header_row=3)
    assert found.rows == [(1, {"nik_anak": "1", "nama_anak": "Ani", "jenis": "BCG"})]
    assert refused(f"a.{kind}", content, sheet="Rekap") == FieldError(
        pointer="", rule="no-sheet", params={"sheet": "Rekap", "most": "5000000"}
    )
    assert refused(f"a.{kind}", content).rule == "no-header"
    assert refused(f"a.{kind}", content, sheet="Data", header_row=9).rule == "empty-file"


@KINDS
def test_blank_rows_a_repeated_header_wide_rows_and_short_ones_do_as_in_csv(kind: str) -> None:
    rows = [[None], HEADER, ["1", "a", "b"], [None] * 3, HEADER, ["2"], ["3", "a", "b", "lebih"]]
    found = read_all(f"a.{kind}", WRITERS[kind](rows))
    assert found.rows == [
        (1, {"nik_anak": "1", "nama_anak": "a", "jenis": "b"}),
        (3, {"nik_anak": "2", "nama_anak": "", "jenis": ""}),
    ]
    assert (found.skipped, found.done) == (1, 4)
    assert [(reject.number, reject.reasons[0].params) for reject in found.rejects] == [
        (4, {"found": "4", "expected": "3"})
    ]


@KINDS
@pytest.mark.parametrize(
    ("rows", "rule"),
    [([HEADER[:2]], "header"), ([], "empty-file"), ([["nik_anka", "nama_anak", "jenis"]], "header")],
)
def test_a_header_is_checked_as_in_csv(kind: str, rows: list[list[object]], rule: str) -> None:
    assert refused(f"a.{kind}", WRITERS[kind](rows)).rule == rule


def test_a_sheet_that_begins_at_another_cell_keeps_its_row_numbers() -> None:
    book = Workbook()
    for place, name in enumerate(HEADER, 3):
        book.active.cell(5, place, name)
        book.active.cell(9, place, name.upper())
    made = io.BytesIO()
    book.save(made)
    with opened(made, "a.xlsx", Layout(dialect=Dialect())) as found:
        assert [(found.line, [*row]) for row in found if row is not None] == [
            (5, ["", "", *HEADER]),
            (9, ["", "", *map(str.upper, HEADER)]),
        ]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "sheet-broken"),
        (b"nik_anak;nama_anak\n", "text-in-sheet"),
        (xlsx([HEADER])[:-40], "sheet-broken"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 99, "old-excel"),
    ],
)
def test_what_is_no_spreadsheet_is_refused_with_its_reason(content: bytes, rule: str) -> None:
    assert refused("a.xlsx", content).rule == rule


def test_a_thousand_bytes_that_claim_a_thousand_gigabytes_are_refused_at_once(tmp_path: Path) -> None:
    book = Workbook()
    book.active["A1"], book.active["XFD1048576"] = "nik_anak", "x"
    book.save(tmp_path / "a.xlsx")
    began, before = perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refused("a.xlsx", (tmp_path / "a.xlsx").read_bytes()).rule == "sheet-too-large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10
    assert perf_counter() - began < 20


def test_an_ods_that_repeats_its_cells_without_end_is_refused_at_once() -> None:
    began = perf_counter()
    assert refused("a.ods", endless()).rule in {"sheet-broken", "sheet-too-large"}
    assert perf_counter() - began < 20


def test_a_long_text_that_stands_in_every_cell_does_not_fill_the_gateway_s_memory() -> None:
    content = xlsx([HEADER, *[["x" * 32_767] * 3] * 700])
    assert len(content) < 1 << 20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    last = list(
        read(io.BytesIO(content), Reading(name="a.xlsx", layout=Layout(dialect=Dialect()), wanted=HEADER, size=5000))
    )[-1]
    assert last.rejects[0].reasons[0].rule == "sheet-too-large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 160 << 10


def test_a_trailing_total_is_no_row_and_a_sheet_without_it_was_cut_short() -> None:
    def told(*more: list[object]) -> Batch:
        layout = Layout(dialect=Dialect())
        reading = Reading(name="a.xlsx", layout=layout, wanted=HEADER, size=9, trailer="Total")
        return list(read(io.BytesIO(xlsx([HEADER, ["1", "Ani", "BCG"], *more])), reading))[-1]

    whole = told([None, "TOTAL", 1])
    assert (len(whole.rows), whole.skipped, whole.rejects) == (1, 1, [])
    assert told().rejects[0].reasons[0].rule == "no-trailer"
    assert told(["TOTAL"], ["2", "Budi", "BCG"]).rejects[0].reasons[0].rule == "trailer-early"


def test_more_cells_than_may_be_are_refused_with_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MOST_CELLS", 8)
    assert len(read_all("a.xlsx", xlsx([HEADER, ["1", "a", "b"]])).rows) == 1
    reason = refused("a.xlsx", xlsx([HEADER, ["1", "a", "b"], ["2", "a", "b"]]))
    assert (reason.rule, reason.params["most"]) == ("sheet-too-large", "8")


def test_sixteen_thousand_columns_and_long_cells_survive() -> None:
    wide = [f"k{number}" for number in range(16_384)]
    assert cells("a.xlsx", xlsx([wide, wide])) == [wide, wide]
    assert cells("a.ods", ods([["a"], ["x" * 1_000_000]])) == [["a"], ["x" * 1_000_000]]


def children() -> list[str]:
    """Return what this process started and nobody has ended or waited for, as far as it reads sheets."""
    found = []
    for each in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        for child in each.read_text().split():
            with suppress(OSError):
                found.append(Path(f"/proc/{child}/cmdline").read_text())
    return [line for line in found if "cells.py" in line or not line]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system has no /proc")
async def test_leaving_early_ends_the_child_and_closes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx([HEADER, *[[str(number), "a", "b"] for number in range(6000)]]))
    file = path.open("rb")
    reading = Reading(name="a.xlsx", layout=Layout(dialect=Dialect()), wanted=HEADER, size=2)
    parts = batches(file, reading, Disk())
    assert len((await anext(parts)).rows) == 2
    await parts.aclose()
    assert file.closed
    assert await asyncio.to_thread(children) == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_child_that_is_told_to_stop_says_nothing_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    if signal.getsignal(how) is signal.SIG_IGN:
        pytest.skip("whoever started the tests lets them, and their children, ignore it (nohup)")
    slow = tmp_path / "slow.py"
    slow.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(sheet, "_CHILD", slow)
    with opened(io.BytesIO(xlsx([HEADER])), "a.xlsx", Layout(dialect=Dialect())) as found:
        assert os.getsid(found._child.pid) != os.getsid(0)  # type: ignore[attr-defined]
        found._child.send_signal(how)  # type: ignore[attr-defined]
        with pytest.raises(InterruptedError):
            next(found)


def test_the_child_is_told_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, str]] = []
    real = subprocess.Popen

    def noticed(*arguments: object, env: dict[str, str], **more: object) -> object:
        told.append(env)
        return real(*arguments, env=env, **more)  # type: ignore[call-overload]

    monkeypatch.setenv("SIPOLAN_PASSWORD", "rahasia")
    monkeypatch.setattr(subprocess, "Popen", noticed)
    assert cells("a.xlsx", xlsx([["a"]])) == [["a"]]
    assert "SIPOLAN_PASSWORD" not in told[0]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@KINDS
def test_what_libreoffice_itself_writes_is_read(tmp_path: Path, kind: str) -> None:
    rows = [HEADER, ["1405029001180001", "Ani; alias", date(2026, 11, 24)], [1405029001180001, "Budi", 12]]
    (tmp_path / "b.xlsx").write_bytes(xlsx(rows))
    home = f"-env:UserInstallation=file://{tmp_path}/office"
    out = ["--outdir", str(tmp_path / "out"), str(tmp_path / "b.xlsx")]
    subprocess.run(
        ["soffice", home, "--headless", "--convert-to", kind, *out],
        check=True,
        capture_output=True,
        timeout=120,
    )
    found = cells(f"b.{kind}", (tmp_path / f"out/b.{kind}").read_bytes())
    assert found == [HEADER, ["1405029001180001", "Ani; alias", "2026-11-24"], ["1.40502900118000E+15", "Budi", "12"]]


WITHOUT = """
import sys
sys.modules["python_calamine"] = None  # as if it were not installed
from pathlib import Path
from gateway import app
for finding in app.check(Path(sys.argv[1]), {}):
    print(finding)
"""
SECTION = """
[agency.rsud]
adapter = "csv"
drop    = "drops"
mapping = "rsud.toml"
[agency.rsud.feed.stok]
files = "stok_*.{ending}"
{more}
"""


@pytest.mark.parametrize(
    ("ending", "more", "told"),
    [
        ("csv", "", ""),
        ("xlsx", "", "Excel files need python-calamine and openpyxl, which are not installed here"),
        ("csv", 'rejected = "xlsx"', "install the extra: make .venv/excel"),
        (
            "csv",
            (
                '[agency.rsud.out.jadwal]\nfolder = "drops"\nfile = "jadwal_{id}.csv"\n'
                'ack = { files = "ack_*.xlsx", delivered = ["OK"] }'
            ),
            "out.jadwal.ack.files: Excel files need python-calamine",
        ),
    ],
)
def test_without_the_extra_only_excel_is_missing(tmp_path: Path, ending: str, more: str, told: str) -> None:
    (tmp_path / "rsud.toml").write_text('[stok.row]\nkode = "kode"\n')
    (tmp_path / "drops").mkdir()
    (tmp_path / "gateway.toml").write_text(SECTION.format(ending=ending, more=more))
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "gateway.toml"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
    )
    assert told in done.stdout
    assert bool(told) == ("Excel" in done.stdout)


def test_a_row_with_bad_cells_is_still_a_row_of_texts() -> None:
    row = Cells(["1", "x"], {0: FieldError(pointer="", rule="number-cell")})
    assert row == ["1", "x"]
