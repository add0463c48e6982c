"""Rows handed back as .xlsx that are more than one sheet holds."""

import io
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest
from openpyxl import load_workbook

from adapters.csv.layout import Layout
from adapters.csv.read import Reading, read
from adapters.csv.rejected_sheet import Sheet
from adapters.csv.rejects import OURS
from adapters.csv.settings import Dialect

HEADER = [*OURS, "nik", "jenis"]
ROWS = [[str(number), "nik salah", "ab12", f"14050290011800{number:02}", "BCG"] for number in range(2, 9)]
WIDTH = len(HEADER)


def handed_back(sheet: Sheet, rows: Sequence[Sequence[str]] = ROWS) -> bytes:
    for row in (HEADER, *rows):
        sheet.add(row)
    with sheet.end() as made:
        return made.read()


def read_back(content: bytes, **layout: Any) -> tuple[list[list[object]], int]:
    reading = Reading(
        name="a.rejected.xlsx", layout=Layout(dialect=Dialect(), **layout), wanted=["nik", "jenis"], size=3
    )
    parts = [*read(io.BytesIO(content), reading)]
    assert not [reject for part in parts for reject in part.rejects]
    return [[*cells] for part in parts for _, cells in part.rows], sum(part.skipped for part in parts)


@pytest.mark.parametrize("limit", [{"most_rows": 3}, {"most_cells": 3 * WIDTH}, {"most_cells": 3 * WIDTH + 1}])
@pytest.mark.parametrize("layout", [{}, {"sheet": "Data"}, {"header_row": 4}])
def test_rows_that_go_on_in_further_sheets_all_come_back(limit: dict[str, int], layout: dict[str, object]) -> None:
    content = handed_back(Sheet(**limit))
    book = load_workbook(io.BytesIO(content))
    assert {sheet.title: sheet.max_row for sheet in book} == {
        "rejected": 3,
        "rejected 2": 3,
        "rejected 3": 3,
        "rejected 4": 2,
    }
    assert read_back(content, **layout) == (ROWS, 3)


def test_no_row_is_lost_where_somebody_took_a_further_sheet_s_header_out() -> None:
    book = load_workbook(io.BytesIO(handed_back(Sheet(most_rows=5))))
    book["rejected 2"].delete_rows(1)
    saved = io.BytesIO()
    book.save(saved)
    assert read_back(saved.getvalue()) == (ROWS, 0)


def test_a_sheet_that_somebody_named_alike_in_the_agency_s_own_file_is_not_read() -> None:
    book = load_workbook(io.BytesIO(handed_back(Sheet())))
    book.active.delete_cols(1, len(OURS))
    book.create_sheet("rejected 2").append(["nik", "jenis"])
    saved = io.BytesIO()
    book.save(saved)
    assert read_back(saved.getvalue()) == ([row[len(OURS) :] for row in ROWS], 0)


@pytest.mark.parametrize("layout", [{}, {"sheet": "Data"}, {"header_row": 4}])
def test_a_workbook_is_parsed_once_wherever_its_rows_lie(
    monkeypatch: pytest.MonkeyPatch, layout: dict[str, object]
) -> None:
    started, begin = list[object](), subprocess.Popen

    def noticed(*words: Any, **more: Any) -> Any:
        started.append(words)
        return begin(*words, **more)

    monkeypatch.setattr(subprocess, "Popen", noticed)
    assert read_back(handed_back(Sheet()), **layout) == (ROWS, 0)
    assert len(started) == 1
