from decimal import Decimal
from typing import Any

import pytest

from gateway.errors import ConfigError
from gateway.translate import Compiled, compile_operation
from gateway.translate.load import parse_mapping
from gateway.translate.schema import CanonicalSchema, agree, merge

TEXT = """
[op.request]
NIK      = { from = "nik", digits = 16, mask = true, title = "NIK", about = "Nomor", example = "1405029001180001" }
NAMA     = { from = "pemohon.nama", max = 5 }
TGL      = { from = "pemohon.lahir", date = "dd-mm-yyyy", optional = true }
BIAYA    = { from = "biaya", number = "1.234,56", default = 0 }
JML      = { from = "jumlah", integer = true }
AKTIF    = { from = "aktif", bool = ["1", "0"] }
STATUS   = { from = "status", codes = "status", optional = true }
KODE     = { from = "kode", pattern = '[A-Z]{2}' }
WAKTU    = { from = "waktu", date = "iso" }
JAM      = { from = "jam", date = "HH:MM", optional = true }
LAIN     = { from = "lain", json = true, optional = true }
RT       = { from = "rt_rw", split = "/", part = 2, digits = 3 }
TETAP    = { const = "x" }
ID       = "@id"
[op.request.BERKAS.Item]
each = "berkas"
NAMA = "nama"
TAG  = { each = "tag", from = ".", optional = true }
[op.reply]
jenis = { const = "izin" }
biaya = { from = "BIAYA", number = "1.234,56", default = 0 }
catatan = { from = "CATATAN", optional = true }
status = { from = "STATUS", codes = "status", optional = true }
[codes.status]
"1" = "diajukan"
"2" = "terbit"
"""
GOOD: dict[str, Any] = {
    "nik": "1405029001180001",
    "pemohon": {"nama": "Siti", "lahir": "1990-05-12"},
    "biaya": Decimal("12.50"),
    "jumlah": 3,
    "aktif": True,
    "status": "terbit",
    "kode": "AB",
    "waktu": "2026-11-24T07:30:00+07:00",
    "jam": "07:30",
    "lain": {"apa": ["saja", 1, None]},
    "rt_rw": "001/002",
    "berkas": [{"nama": "ktp", "tag": ["a", "b"]}],
}


def compiled(text: str = TEXT) -> Compiled:
    return compile_operation(parse_mapping(text, "mappings/x.toml"), "op")


SCHEMA = compiled().request


def test_a_body_that_fits_has_no_errors() -> None:
    assert SCHEMA.check(GOOD) == ()
    assert SCHEMA.fits(GOOD)


@pytest.mark.parametrize("number", [0, 3, -(10**39), Decimal("-0.5"), Decimal("9e38"), Decimal(0), Decimal("0E-30")])
def test_a_number_of_usual_size_is_right_at_once(number: Decimal | int) -> None:
    assert SCHEMA.fits(GOOD | {"biaya": number})
    assert SCHEMA.check(GOOD | {"biaya": number}) == ()


@pytest.mark.parametrize(
    "number", [10**40, -(10**40), Decimal("1e40"), Decimal("1e-41"), Decimal("0E-41"), Decimal("nan"), True, 1.5, "3"]
)
def test_any_other_number_is_looked_at_closely(number: object) -> None:
    assert not SCHEMA.fits(GOOD | {"biaya": number})
    assert [error.pointer for error in SCHEMA.check(GOOD | {"biaya": number})] == ["/biaya"]


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"nik": "140502900118001"}, "/nik", "digits"),
    ({"nik": "١٤٠٥٠٢٩٠٠١١٨٠٠٠١"}, "/nik", "digits"),
    ({"nik": 1405029001180001}, "/nik", "type"),
    ({"nik": None}, "/nik", "null"),
    ({"pemohon": {"nama": "Siti Aminah"}}, "/pemohon/nama", "max"),
    ({"pemohon": {"nama": "a\x00"}}, "/pemohon/nama", "control-character"),
    ({"pemohon": {"nama": "a\x7f"}}, "/pemohon/nama", "control-character"),
    ({"pemohon": {"nama": "a\ufffe"}}, "/pemohon/nama", "control-character"),
    ({"pemohon": {"nama": "a\ud800"}}, "/pemohon/nama", "control-character"),
    ({"pemohon": {"nama": "x", "lahir": "1990-02-30"}}, "/pemohon/lahir", "date"),
    ({"pemohon": {"nama": "x", "lahir": "30-01-1990"}}, "/pemohon/lahir", "date"),
    ({"pemohon": {"nama": "x", "a/b~": 1}}, "/pemohon/a~1b~0", "unknown"),
    ({"pemohon": "Siti"}, "/pemohon", "type"),
    ({"pemohon": {}}, "/pemohon/nama", "required"),
    ({"biaya": "12,50"}, "/biaya", "type"),
    ({"biaya": 1.5}, "/biaya", "type"),
    ({"biaya": True}, "/biaya", "type"),
    ({"biaya": Decimal("0.001")}, "/biaya", "number"),
    ({"biaya": Decimal("1e999999")}, "/biaya", "type"),
    ({"biaya": 10**60}, "/biaya", "number"),
    ({"jumlah": True}, "/jumlah", "type"),
    ({"jumlah": Decimal(3)}, "/jumlah", "type"),
    ({"jumlah": 10**5000}, "/jumlah", "number"),
    ({"aktif": 1}, "/aktif", "type"),
    ({"aktif": "1"}, "/aktif", "type"),
    ({"status": "1"}, "/status", "enum"),
    ({"status": []}, "/status", "type"),
    ({"kode": "ABC"}, "/kode", "pattern"),
    ({"kode": "AB\n"}, "/kode", "pattern"),
    ({"waktu": "2026-11-24T07:30:00"}, "/waktu", "date"),
    ({"jam": "7:30"}, "/jam", "date"),
    ({"lain": {"apa": "\x01"}}, "/lain", "control-character"),
    ({"lain": {"\x01": ""}}, "/lain", "control-character"),
    ({"lain": 1.5}, "/lain", "type"),
    ({"rt_rw": "001"}, "/rt_rw", "split"),
    ({"rt_rw": "001/02"}, "/rt_rw", "digits"),
    ({"berkas": {"nama": "ktp"}}, "/berkas", "each"),
    ({"berkas": [{"nama": "ktp"}, {"nama": 1}]}, "/berkas/1/nama", "type"),
    ({"berkas": [{"nama": "ktp", "tag": ["a", 1]}]}, "/berkas/0/tag/1", "type"),
    ({"berkas": [None]}, "/berkas/0", "null"),
    ({"TETAP": "x"}, "/TETAP", "unknown"),
]


@pytest.mark.parametrize(("change", "pointer", "rule"), WRONG)
def test_what_does_not_fit_is_told_by_pointer_and_rule(change: dict[str, Any], pointer: str, rule: str) -> None:
    assert [(error.pointer, error.rule) for error in SCHEMA.check({**GOOD, **change})] == [(pointer, rule)]


def test_line_breaks_and_tabs_are_text() -> None:
    text = "[op.request]\nx = 'a'"
    assert compiled(text).request.check({"a": "satu\r\n\tdua \u00a0 ✓"}) == ()


def test_every_error_is_told_at_once() -> None:
    errors = SCHEMA.check({"nik": "1", "tambahan": 1})
    assert {error.pointer for error in errors} == {
        "/nik", "/tambahan", "/pemohon/nama", "/jumlah", "/aktif", "/kode", "/waktu", "/rt_rw", "/berkas",
    }  # fmt: skip
    assert len(SCHEMA.check({**GOOD, **{f"x{number}": 1 for number in range(1000)}})) == 100


@pytest.mark.parametrize("body", [None, [], "x", 1, {1: 2}, {None: None}])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    assert SCHEMA.check(body)


def test_personal_values_are_masked() -> None:
    assert [error.value for error in SCHEMA.check({**GOOD, "nik": "14050290011800011"})] == ["140502*******0011"]


def test_the_json_schema_says_the_same() -> None:
    found = SCHEMA.json
    properties: Any = found["properties"]
    assert found["additionalProperties"] is False
    assert found["required"] == [
        "nik", "pemohon", "jumlah", "aktif", "kode", "waktu", "rt_rw", "berkas",
    ]  # fmt: skip
    assert properties["nik"] == {
        "type": "string", "pattern": "^[0-9]{16}$", "title": "NIK", "description": "Nomor",
        "examples": ["1405029001180001"],
    }  # fmt: skip
    assert properties["pemohon"]["properties"]["nama"] == {"type": "string", "maxLength": 5}
    assert properties["pemohon"]["properties"]["lahir"] == {"type": "string", "format": "date"}
    assert properties["pemohon"]["required"] == ["nama"]
    assert properties["biaya"] == {"type": "number", "default": 0}
    assert properties["status"] == {"type": "string", "enum": ["diajukan", "terbit"]}
    assert properties["kode"]["pattern"] == "^(?:[A-Z]{2})$"
    assert properties["waktu"]["format"] == "date-time"
    assert properties["lain"] == {}
    assert properties["berkas"]["items"]["properties"]["tag"] == {"type": "array", "items": {"type": "string"}}


def test_a_reply_may_hold_null_where_it_is_optional() -> None:
    properties: Any = compiled().reply.json["properties"]
    assert properties["jenis"] == {"type": "string", "const": "izin"}
    assert properties["catatan"] == {"type": ["string", "null"]}
    assert properties["status"]["enum"] == ["diajukan", "terbit", None]
    assert compiled().reply.json["required"] == ["jenis", "biaya"]
    assert compiled().reply.check({"jenis": "izin", "biaya": 0, "catatan": None}) == ()
    assert [error.rule for error in compiled().reply.check({"jenis": "lain", "biaya": 0})] == ["const"]


def test_a_query_is_read_by_the_schema() -> None:
    text = """[op.request]
A = { from = "teks" }
B = { from = "jumlah", integer = true }
C = { from = "biaya", number = true }
D = { from = "aktif", bool = ["1", "0"] }
E = { from = "dalam.nama" }
F = { each = "tag", from = ".", integer = true }
"""
    read = compiled(text).request.from_query
    assert read([("teks", "1"), ("jumlah", "5"), ("biaya", "1.50"), ("aktif", "true"), ("dalam.nama", "x")]) == {
        "teks": "1",
        "jumlah": 5,
        "biaya": Decimal("1.50"),
        "aktif": True,
        "dalam": {"nama": "x"},
    }
    assert read([("tag", "1")]) == {"tag": [1]}
    assert read([("tag", "1"), ("tag", "dua")]) == {"tag": [1, "dua"]}
    assert read([("teks", "a"), ("teks", "b")]) == {"teks": ["a", "b"]}
    assert read([("jumlah", "5x"), ("biaya", "\u0661"), ("aktif", "ya"), ("biaya2", "1")]) == {
        "jumlah": "5x", "biaya": "\u0661", "aktif": "ya", "biaya2": "1",
    }  # fmt: skip
    assert read([("teks", "a"), ("teks.b", "c")]) == {"teks": "a", "teks.b": "c"}
    assert read([("teks.b", "c"), ("teks", "a")]) == {"teks": [{"b": "c"}, "a"]}


def request(rules: str) -> CanonicalSchema:
    return compiled(f"[op.request]\n{rules}").request


def test_merged_schemas_take_the_fields_of_all() -> None:
    one = request('x = { from = "nik", digits = 16 }\ny = { from = "a", optional = true }')
    two = request('z = "nik"\nw = { from = "b", split = "/", part = 2 }')
    both = merge([one, two])
    assert both.fields == {"nik", "a", "b"}
    assert both.json["required"] == ["nik", "b"]
    assert both.check({"nik": "1405029001180001", "b": "1/2"}) == ()
    assert [error.rule for error in both.check({"nik": "1405029001180001", "b": "1"})] == ["split"]
    assert [error.rule for error in both.check({"nik": "1", "b": "1/2"})] == ["digits"]


def test_schemas_that_contradict_each_other_can_t_be_merged() -> None:
    with pytest.raises(ConfigError, match=r"gateway.toml:7: nik is text in one rule and integer in another"):
        merge([request('x = "nik"'), request('x = { from = "nik", integer = true }')], "gateway.toml:7")


def test_differences_are_told_as_texts() -> None:
    one = request('x = "a"\ny = { from = "b", max = 3 }\nz = { each = "c", from = "." }')
    two = request('x = { from = "a", optional = true }\nz = { each = "c", from = "." }')
    assert agree(one, one) == ()
    assert agree(one, two) == (
        "a: text, required and text",
        "b: text, max 3, required and not there",
    )


def test_only_schemas_of_mappings_can_be_merged() -> None:
    class Other:
        pass

    with pytest.raises(TypeError):
        merge([Other()])  # type: ignore[list-item]
