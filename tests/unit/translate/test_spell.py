from datetime import date, datetime, time, timedelta

import pytest

from gateway.errors import FieldError, TranslationError
from gateway.translate import compile_row
from gateway.translate.load import parse_mapping

TABLE = """[f.row]
nik    = { from = "NIK", digits = 16 }
pos    = { from = "POS", digits = 5, optional = true }
lahir  = { from = "LAHIR", date = "dd/mm/yyyy", optional = true }
jam    = { from = "JAM", date = "HH:MM", optional = true }
masuk  = { from = "MASUK", date = "iso", optional = true }
biaya  = { from = "BIAYA", number = "Rp 1.234,56", optional = true }
aktif  = { from = "AKTIF", bool = ["Y", "T"], optional = true }
urutan = { from = "NO", integer = true, optional = true }
nama   = { from = "NAMA", optional = true }
wilayah = { from = "WILAYAH", split = "/", part = 1, optional = true }
"""
ROW = compile_row(parse_mapping(TABLE, "mappings/f.toml"), "f")


@pytest.mark.parametrize(
    ("column", "value", "spelt"),
    [
        ("LAHIR", date(2026, 11, 24), "24/11/2026"),
        ("LAHIR", datetime.fromisoformat("2026-11-24T07:30"), "24/11/2026"),
        ("LAHIR", 45000, None),
        ("JAM", time(7, 30), "07:30"),
        ("JAM", datetime.fromisoformat("2026-11-24T07:30"), "07:30"),
        ("JAM", timedelta(hours=7), None),
        ("MASUK", datetime.fromisoformat("2026-11-24T07:30"), "2026-11-24T07:30:00+07:00"),
        ("MASUK", date(2026, 11, 24), "2026-11-24T00:00:00+07:00"),
        ("BIAYA", 25000.0, "Rp 25.000,00"),
        ("BIAYA", -1.5, "-Rp 1,50"),
        ("BIAYA", True, None),
        ("AKTIF", True, "Y"),
        ("AKTIF", False, "T"),
        ("AKTIF", 1, None),
        ("POS", 28381.0, None),
        ("NIK", "1405025503259101", None),
    ],
)
def test_a_typed_cell_is_spelt_as_its_column_s_rule_reads_it(column: str, value: object, spelt: str | None) -> None:
    assert ROW.spell[column](value) == spelt


@pytest.mark.parametrize("value", [1405025503259101.0, 140502, 1.40502e15])
def test_a_number_in_place_of_an_identifier_is_refused(value: float) -> None:
    assert ROW.spell["NIK"](value) == FieldError(pointer="", rule="number-cell")


@pytest.mark.parametrize("value", [2838.0, 28381.5])
def test_a_short_identifier_may_be_a_number_only_with_all_its_digits(value: float) -> None:
    assert ROW.spell["POS"](value) == FieldError(pointer="", rule="number-cell")


def test_a_number_with_more_decimals_than_the_rule_reads_is_refused_and_not_read_as_thousands() -> None:
    assert ROW.spell["BIAYA"](4.055) == FieldError(pointer="", rule="decimals", params={"most": "2"})


def test_columns_without_a_form_of_their_own_are_spelt_as_any_export_would() -> None:
    assert ROW.spell.keys() == {"NIK", "POS", "LAHIR", "JAM", "MASUK", "BIAYA", "AKTIF"}


@pytest.mark.parametrize("column", ["NIK", "POS", "LAHIR", "JAM", "MASUK", "BIAYA", "AKTIF", "NO", "NAMA", "WILAYAH"])
def test_a_cell_that_cant_be_read_is_its_own_reason_in_every_kind_of_rule(column: str) -> None:
    bad = FieldError(pointer="", rule="cell-error", params={"error": "#N/A"})
    with pytest.raises(TranslationError) as caught:
        ROW.read({"NIK": "1405025503259101", column: bad})
    assert [(error.pointer.strip("/"), error.rule, error.params) for error in caught.value.errors] == [
        (column, "cell-error", {"error": "#N/A"})
    ]


def test_a_bad_cell_hides_no_other_reason_and_one_that_nobody_reads_costs_nothing() -> None:
    bad = FieldError(pointer="", rule="number-cell")
    with pytest.raises(TranslationError) as caught:
        ROW.read({"NIK": bad, "LAHIR": "30/02/2026"})
    assert [error.rule for error in caught.value.errors] == ["number-cell", "date"]
    assert ROW.read({"NIK": "1405025503259101", "CATATAN": bad}) == {"nik": "1405025503259101"}
