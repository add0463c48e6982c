"""Every rule key in both directions, and what an error says."""

import traceback
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.errors import ConfigError, FieldError, TranslationError
from gateway.message import Context, MessageId
from gateway.translate import Compiled, compile_operation, compile_row
from gateway.translate.load import parse_mapping

CONTEXT = Context(
    id=MessageId("0190-a"),
    client="klik",
    now=datetime(2026, 11, 24, 1, 30, 15, 999, tzinfo=UTC),
    login={"user": "gateway"},
)
CODES = '\n[codes.status]\n"1" = "diajukan"\n"2" = "terbit"\n[codes.kunjungan]\n1 = "baru"\n3 = "kontrol"\n'


def compiled(text: str, **how: Any) -> Compiled:
    return compile_operation(parse_mapping(text + CODES, "mappings/x.toml"), "op", **how)


def reply(rules: str, **how: Any) -> Compiled:
    return compiled(f"[op.reply]\n{rules}", **how)


def request(rules: str, **how: Any) -> Compiled:
    return compiled(f"[op.request]\n{rules}", **how)


def refused(call: Any, *arguments: Any) -> list[FieldError]:
    with pytest.raises(TranslationError) as raised:
        call(*arguments)
    return list(raised.value.errors)


BOTH_WAYS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ('a = "x"', {"x": "teks"}, {"a": "teks"}),
    ('a.b = "x.y.z"', {"x": {"y": {"z": ""}}}, {"a": {"b": ""}}),
    ('a = { from = "x", optional = true }', {}, {}),
    ('a = { from = "x", default = "-" }', {"x": "ada"}, {"a": "ada"}),
    ('a = { from = "x", digits = 3 }', {"x": "007"}, {"a": "007"}),
    ("a = { from = \"x\", pattern = '[A-Z]+' }", {"x": "ABC"}, {"a": "ABC"}),
    ('a = { from = "x", max = 3 }', {"x": "é€b"}, {"a": "é€b"}),
    ('a = { from = "x", date = "dd-mm-yyyy" }', {"x": "24-11-2026"}, {"a": "2026-11-24"}),
    ('a = { from = "x", date = "dd-mm-yyyy", max = 10 }', {"x": "24-11-2026"}, {"a": "2026-11-24"}),
    ('a = { from = "x", number = "1.234,56" }', {"x": "1.250,00"}, {"a": Decimal("1250.00")}),
    ('a = { from = "x", number = true }', {"x": Decimal("1.50")}, {"a": Decimal("1.50")}),
    ('a = { from = "x", integer = true }', {"x": 5}, {"a": 5}),
    ('a = { from = "x", integer = "text" }', {"x": "5"}, {"a": 5}),
    ('a = { from = "x", bool = ["Y", "T"] }', {"x": "T"}, {"a": False}),
    ('a = { from = "x", bool = [1, 0] }', {"x": 1}, {"a": True}),
    ('a = { from = "x", bool = [true, false] }', {"x": True}, {"a": True}),
    ('a = { from = "x", codes = "status" }', {"x": "2"}, {"a": "terbit"}),
    ('a = { from = "x", codes = "kunjungan", integer = true }', {"x": 3}, {"a": "kontrol"}),
    ('a = { from = "x", json = true }', {"x": '{"k":[1,null]}'}, {"a": {"k": [1, None]}}),
    ('a = { from = ["x", "y"], join = " " }', {"x": "Siti", "y": "Aminah"}, {"a": "Siti Aminah"}),
    ('a = { from = ["x", "y"], join = " ", optional = true }', {"x": "Siti"}, {"a": "Siti"}),
    (
        'rt = { from = "x", split = "/", part = 1, digits = 3 }\nrw = { from = "x", split = "/", part = 2 }',
        {"x": "001/002"},
        {"rt": "001", "rw": "002"},
    ),
    ('a = { each = "x.item", from = "." }', {"x": {"item": ["p", "q"]}}, {"a": ["p", "q"]}),
    ('a = { each = "x", from = "n", integer = true }', {"x": [{"n": 1}, {"n": 2}]}, {"a": [1, 2]}),
    (
        '[op.reply.a]\neach = "x.item"\nb.c = { from = "n", codes = "status" }\n[op.reply.a.d]\neach = "m"\ne = "f"',
        {"x": {"item": [{"n": "1", "m": [{"f": "g"}]}, {"n": "2", "m": []}]}},
        {"a": [{"b": {"c": "diajukan"}, "d": [{"e": "g"}]}, {"b": {"c": "terbit"}, "d": []}]},
    ),
]


@pytest.mark.parametrize(("rules", "theirs", "ours"), BOTH_WAYS)
def test_a_reply_is_read_and_written_back(rules: str, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    table = reply(rules)
    assert table.translator.to_canonical(theirs) == ours
    assert table.native_of is not None
    assert table.native_of(ours) == theirs
    assert table.reply.check(ours) == ()


WRITTEN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ('x.y = "a.b"', {"a": {"b": "teks"}}, {"x": {"y": "teks"}}),
    ('x = { from = "a", optional = true }', {}, {}),
    ('x.y = { from = "a", optional = true }', {}, {}),
    ('x = { from = "a", default = "-" }', {}, {"x": "-"}),
    ('x = { from = "a", codes = "status", default = "diajukan" }', {}, {"x": "1"}),
    ('x = { from = "a", number = "1.234,56", default = 0 }', {}, {"x": "0,00"}),
    ('x = { from = "a", digits = 3 }', {"a": "007"}, {"x": "007"}),
    ('x = { from = "a", date = "yyyymmdd", digits = 8 }', {"a": "2026-11-24"}, {"x": "20261124"}),
    ('x = { from = "a", date = "epoch-ms" }', {"a": "2026-11-24T07:30:00+07:00"}, {"x": 1795480200000}),
    ('x = { from = "a", number = "1.234,56" }', {"a": Decimal("1250.5")}, {"x": "1.250,50"}),
    ('x = { from = "a", number = true }', {"a": Decimal("1.50")}, {"x": Decimal("1.50")}),
    ('x = { from = "a", integer = true }', {"a": 5}, {"x": 5}),
    ('x = { from = "a", integer = "text" }', {"a": 5}, {"x": "5"}),
    ('x = { from = "a", bool = ["Y", "T"] }', {"a": True}, {"x": "Y"}),
    ('x = { from = "a", codes = "status" }', {"a": "terbit"}, {"x": "2"}),
    ('x = { from = "a", codes = "kunjungan", integer = true }', {"a": "kontrol"}, {"x": 3}),
    ('x = { from = "a", json = true }', {"a": [Decimal("1.50")]}, {"x": "[1.50]"}),
    ('x = { from = ["a", "b"], join = "/" }', {"a": "001", "b": "002"}, {"x": "001/002"}),
    ('x = { from = "a", split = "/", part = 2 }', {"a": "001/002"}, {"x": "002"}),
    ('x = { const = 3 }\ny = { const = "tetap" }', {}, {"x": 3, "y": "tetap"}),
    ('x = "@id"\ny = "@client"\nz = "@login.user"', {}, {"x": "0190-a", "y": "klik", "z": "gateway"}),
    ('x = "@now"', {}, {"x": "2026-11-24T01:30:15+00:00"}),
    ('x = { from = "@now", date = "yyyymmdd" }', {}, {"x": "20261124"}),
    ('x = { from = "@now", date = "HH:MM" }', {}, {"x": "08:30"}),
    ('x = { from = "@now", date = "dd-mm-yyyy HH:MM:SS" }', {}, {"x": "24-11-2026 08:30:15"}),
    ('x = { from = ["@client", "a"], join = "-" }', {"a": "7"}, {"x": "klik-7"}),
    ('x = { each = "a", from = "." }', {"a": ["p"]}, {"x": ["p"]}),
    ('[op.request.x.item]\neach = "a"\nn = "b"', {"a": [{"b": "c"}]}, {"x": {"item": [{"n": "c"}]}}),
    ('x = { each = "a", optional = true, n = "b" }', {}, {}),
    ('x = { from = "a", when = { path = "b", equals = true } }', {"a": "p", "b": True}, {"x": "p"}),
    ('x = { from = "a", when = { path = "b", equals = true } }', {"a": "p", "b": False}, {}),
]


@pytest.mark.parametrize(("rules", "ours", "theirs"), WRITTEN)
def test_a_request_is_written(rules: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    table = request(rules)
    assert table.request.check(ours) == ()
    assert table.translator.to_native(ours, CONTEXT) == theirs


def test_null_missing_and_empty_are_three_states() -> None:
    table = reply('a = { from = "x", optional = true }\nb = { from = "y", default = "-" }')
    assert table.translator.to_canonical({"x": None, "y": None}) == {"a": None, "b": "-"}
    assert table.translator.to_canonical({}) == {"b": "-"}
    assert table.translator.to_canonical({"x": "", "y": ""}) == {"a": "", "b": ""}
    required = reply('a = "x"')
    assert [e.rule for e in refused(required.translator.to_canonical, {})] == ["required"]
    assert [e.rule for e in refused(required.translator.to_canonical, {"x": None})] == ["null"]


def test_null_in_an_optional_request_field_means_left_out() -> None:
    table = request('x = { from = "a", optional = true }\ny = { from = "b", default = "-" }')
    assert table.request.check({"a": None, "b": None}) == ()
    assert table.translator.to_native({"a": None, "b": None}, CONTEXT) == {"y": "-"}


def test_null_is_sent_as_null_where_the_rule_says_so() -> None:
    table = request('x = { from = "a", integer = true, optional = true, null = true }')
    assert table.request.check({"a": None}) == ()
    assert table.translator.to_native({"a": None}, CONTEXT) == {"x": None}
    assert table.translator.to_native({"a": 1}, CONTEXT) == {"x": 1}
    assert table.translator.to_native({}, CONTEXT) == {}


def test_blank_texts_and_zero_dates_are_missing_where_the_agency_says_so() -> None:
    rules = 'a = { from = "x", optional = true }\nb = { from = "y", date = "dd/mm/yyyy", optional = true }\nc = "z"'
    table = compiled(f'[agency]\nblank = "missing"\n[op.reply]\n{rules}')
    assert table.translator.to_canonical({"x": "", "y": "00/00/0000", "z": "0"}) == {"c": "0"}
    assert table.translator.to_canonical({"x": "", "y": "0000-00-00", "z": "0"}) == {"c": "0"}
    assert [e.rule for e in refused(table.translator.to_canonical, {"z": ""})] == ["required"]


def test_empty_text_is_missing_in_csv_unless_the_mapping_says_otherwise() -> None:
    rule = 'a = { from = "x", optional = true }'
    assert reply(rule, native="csv").translator.to_canonical({"x": ""}) == {}
    text = compiled(f'[op]\nblank = "text"\n[op.reply]\n{rule}', native="csv")
    assert text.translator.to_canonical({"x": ""}) == {"a": ""}


def test_an_operation_overrides_its_agency() -> None:
    text = '[agency]\nroot = "response"\nblank = "missing"\n[op]\nroot = ""\nblank = "text"\n[op.reply]\na = "x"'
    assert compiled(text).translator.to_canonical({"x": ""}) == {"a": ""}


@pytest.mark.parametrize(
    ("found", "ours"),
    [({"x": "1"}, {"a": "1"}), ([{"x": "1"}], {"a": "1"}), (None, {}), ({}, {}), ([], {}), ("", {})],
)
def test_the_root_is_taken_off_and_one_element_stands_for_itself(found: object, ours: dict[str, str]) -> None:
    table = compiled('[agency]\nroot = "response"\n[op.reply]\na = { from = "x", optional = true }')
    assert table.translator.to_canonical({"response": found}) == ours


@pytest.mark.parametrize("found", ["teks", 5, [{}, {}], True])
def test_a_root_that_holds_no_object_is_an_error(found: object) -> None:
    table = compiled('[agency]\nroot = "response"\n[op.reply]\na = { from = "x", optional = true }')
    error = refused(table.translator.to_canonical, {"response": found})[0]
    assert (error.rule, error.where) == ("type", "mappings/x.toml:4")


@pytest.mark.parametrize(
    ("found", "ours"),
    [
        ({"item": [{"n": "1"}, {"n": "2"}]}, [{"b": "1"}, {"b": "2"}]),
        ({"item": {"n": "1"}}, [{"b": "1"}]),
        ({"item": []}, []),
        ({"item": None}, []),
        ({"item": ""}, []),
        ({}, []),
        ([], []),
        ("", []),
        (None, []),
    ],
)
def test_one_many_or_none_is_always_a_list(found: object, ours: list[Any]) -> None:
    table = reply('a = { each = "x.item", b = "n" }')
    assert table.translator.to_canonical({"x": found}) == {"a": ours}


def test_a_condition_compares_kinds_too() -> None:
    table = reply('a = { from = "x", when = { path = "y.z", equals = 1 } }')
    assert table.translator.to_canonical({"x": "p", "y": {"z": 1}}) == {"a": "p"}
    for other in (True, "1", Decimal(1), None):
        assert table.translator.to_canonical({"x": "p", "y": {"z": other}}) == {}
    assert [e.rule for e in refused(table.translator.to_canonical, {"y": {"z": 1}})] == ["required"]


def test_extra_fields_are_ignored() -> None:
    assert reply('a = "x"').translator.to_canonical({"x": "1", "lain": {"dalam": []}}) == {"a": "1"}


def test_all_errors_of_a_record_are_told_each_with_its_line() -> None:
    table = reply(
        """nomor = "no"
nik = { from = "nik", digits = 16, mask = true }
biaya = { from = "biaya", number = "1.234,56" }
status = { from = "status", codes = "status" }
nama = { from = "nama", mask = true, max = 3 }
[op.reply.riwayat]
each = "riwayat.item"
selesai = { from = "tgl", date = "dd-mm-yyyy" }"""
    )
    native = {
        "no": 5,
        "nik": "1405029001180",
        "biaya": "Rp abc",
        "status": "7",
        "nama": "Siti Rahmawati",
        "riwayat": {"item": [{"tgl": "01-01-2026"}, {"tgl": "31-02-2026"}, "x"]},
    }
    errors = refused(table.translator.to_canonical, native)
    told = [(error.pointer, error.rule, error.where, error.value) for error in errors]
    assert told == [
        ("/nomor", "type", "mappings/x.toml:2", "5"),
        ("/nik", "digits", "mappings/x.toml:3", "14*********80"),
        ("/biaya", "number", "mappings/x.toml:4", "Rp abc"),
        ("/status", "codes", "mappings/x.toml:5", "7"),
        ("/nama", "max", "mappings/x.toml:6", "S*** (14 characters)"),
        ("/riwayat/1/selesai", "date", "mappings/x.toml:9", "31-02-2026"),
        ("/riwayat/2", "type", "mappings/x.toml:7", "x"),
    ]
    assert errors[3].params == {"allowed": "1, 2"}


def test_a_request_error_points_at_our_field() -> None:
    table = request('X.Y = { from = "a.b", number = "1.234,56" }\nZ = { each = "d", N = { from = "e/f", digits = 2 } }')
    errors = refused(table.translator.to_native, {"a": {"b": Decimal("0.001")}, "d": [{"e/f": "1"}]}, CONTEXT)
    assert [(error.pointer, error.rule) for error in errors] == [("/a/b", "number"), ("/d/0/e~1f", "digits")]


def test_a_rounded_identifier_is_named_as_such() -> None:
    table = reply('a = { from = "x", digits = 16 }')
    for spreadsheet in ("1,40502E+15", "1.40502E+15", "1E+15"):
        assert [e.rule for e in refused(table.translator.to_canonical, {"x": spreadsheet})] == ["rounded-number"]


def test_a_traceback_of_the_compiled_code_names_the_mappings_line() -> None:
    table = reply('\n\na = { from = "x", codes = "status" }')
    with pytest.raises(KeyError) as raised:
        table.translator.to_canonical._quick({"x": "9"}, None)
    last = traceback.extract_tb(raised.tb)[-1]
    assert (last.filename, last.lineno) == ("mappings/x.toml", 4)


def test_no_text_of_a_mapping_becomes_code() -> None:
    evil = '__import__("os").abort()'
    rules = f"""'k2' = {{ const = '{evil}' }}\n'g1' = {{ from = "v1", default = '''{evil}''' }}\n"M" = "E" """
    assert reply(rules).translator.to_canonical({"E": "x"}) == {"k2": evil, "g1": evil, "M": "x"}


def test_a_pure_function_is_the_way_out() -> None:
    one = reply('a = { from = "x", using = "string:capwords" }')
    assert one.translator.to_canonical({"x": "siti rahmawati"}) == {"a": "Siti Rahmawati"}
    assert one.native_of is None
    several = reply('a = { from = ["x", "y"], using = "operator:add" }')
    assert several.translator.to_canonical({"x": "p", "y": "q"}) == {"a": "pq"}
    both = reply('a = { from = "x", using = ["builtins:int", "builtins:str"] }')
    assert both.translator.to_canonical({"x": "5"}) == {"a": 5}
    assert both.native_of is not None
    assert both.native_of({"a": 5}) == {"x": "5"}
    error = refused(both.translator.to_canonical, {"x": "lima"})[0]
    assert (error.rule, error.where) == ("using", "mappings/x.toml:2")


def test_what_can_t_be_undone_has_no_inverse() -> None:
    assert reply('a = { from = ["x", "y"], join = "" }').native_of is None
    assert reply('a = { from = "x", split = "/", part = 2 }').native_of is None
    assert reply('a = { from = "x", using = ["builtins:str", "builtins:dict"] }\nb = "x.y"').native_of is None
    assert reply('a = { each = "x", from = "n" }\nb = { each = "x", from = "m" }').native_of is None
    twice = 'a = { from = "x", codes = "dua" }\n[codes.dua]\n"1" = "sama"\n"2" = "sama"'
    assert reply(twice).native_of is None


MISTAKES = {
    '[op.request]\nx = { from = "a", codes = "dua" }\n[codes.dua]\n"1" = "sama"\n"2" = "sama"': (2, "lines 4 and 5"),
    '[op.request]\nx = { from = "a", codes = "status", default = "x" }': (2, "default"),
    '[op.reply]\nx = { from = "a", date = "dd-mm-yyyy", default = "24-11-2026" }': (2, "default"),
    '[op.reply]\nx = { from = "a", using = "operator:nothing" }': (2, 'no function "operator:nothing"'),
    '[op.reply]\nx = { from = "a", using = "math:pi" }': (2, "not a function"),
    '[op.reply]\nx = { from = "a", codes = "kata", integer = true }\n[codes.kata]\nA = "a"': (2, "whole numbers"),
    '[op.request]\nx = "a"\ny = "a.b"': (3, "object"),
    '[op.request]\nx = { from = "a", integer = true }\ny = "a"': (3, "integer in one rule and text"),
    '[op.request]\nx = { from = "a", digits = 3 }\ny = { from = "a", digits = 4 }': (3, "two different limits"),
    '[op.reply]\na.b = "x"\n"a.b" = "z"': (3, "built by line 2 already"),
    '[op.request]\n"a.b" = "x"\na = "z"': (3, "built by line 2 already"),
    '[op.reply]\na.b = "x"\n[op.reply."a.b".c]\neach = "z"\nd = "e"': (3, "built by line 2 already"),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mapping_that_can_t_work_is_refused_with_its_line(text: str) -> None:
    line, what = MISTAKES[text]
    with pytest.raises(ConfigError) as raised:
        compiled(text)
    found = str(raised.value)
    assert what in found
    assert f"mappings/x.toml:{line}: " in found


def test_an_operation_without_tables_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match='did you mean "status-izin"'):
        compile_operation(parse_mapping("[status-izin.reply]\na = 'x'", "x.toml"), "status-ijin")


def test_headers_of_the_agency_and_of_the_operation_are_built_apart() -> None:
    table = compiled(
        '[agency.headers]\nAuth.User = "@login.user"\nx-a = "a"\n'
        '[op.headers]\nx-a = { const = "b" }\n[op.request]\nx = "c"'
    )
    assert table.translator.to_headers({"c": "d"}, CONTEXT) == {"Auth": {"User": "gateway"}, "x-a": "b"}
    assert table.request.fields == {"c"}
    assert table.translator.context == ("@login.user",)


def test_a_missing_login_is_an_error_of_the_request() -> None:
    table = request('x = "@login.token"')
    assert [e.rule for e in refused(table.translator.to_native, {}, CONTEXT)] == ["required"]


def test_a_native_path_leads_back_to_our_field() -> None:
    pointer = request(
        'p.q = "a.b"\ns = { from = ["c", "d"], join = " " }\nu = "@id"\n[op.request.l.item]\neach = "e"\nn = "f.g"'
    ).translator.pointer
    assert [pointer(path) for path in ("p.q", "s", "u", "none", "l.item", "l.item.n")] == [
        "/a/b", "/c", "", "", "/e", "/e",
    ]  # fmt: skip
    assert pointer("l.item.2.n") == "/e/2/f/g"
    assert pointer("l.item[2].n") == "/e/2/f/g"
    assert pointer("l.item.2") == "/e/2"


def test_the_key_holds_the_body_and_the_context_values_used() -> None:
    key = request('x = "a"\ny = "@client"').translator.key
    other = Context(id=MessageId("2"), client="lain", now=CONTEXT.now)
    assert key({"a": "1", "b": Decimal("1.0")}, CONTEXT) == key({"b": Decimal("1.0"), "a": "1"}, CONTEXT)
    assert key({"a": "1"}, CONTEXT) != key({"a": "1"}, other)
    assert key({"a": "1"}, CONTEXT) != key({"a": "2"}, CONTEXT)


def test_a_row_is_read_as_csv_and_its_errors_name_columns() -> None:
    text = """[imunisasi.row]
nik_anak = { from = "NIK_ANAK", digits = 16, mask = true }
lahir    = { from = "TGL", date = "dd/mm/yyyy", optional = true }
berat    = { from = "BERAT", number = "1.234,56", optional = true }
urutan   = { from = "NO", integer = true }
"""
    row = compile_row(parse_mapping(text, "mappings/p.toml"), "imunisasi")
    native = {"NIK_ANAK": "1405025503259101", "TGL": "", "BERAT": "4,1", "NO": "3", "LAIN": "x"}
    ours = {"nik_anak": "1405025503259101", "berat": Decimal("4.1"), "urutan": 3}
    assert row.read(native) == ours
    assert row.schema.check(ours) == ()
    assert row.columns == ("NIK_ANAK", "TGL", "BERAT", "NO")
    assert row.write is not None
    assert row.write({**ours, "berat": Decimal("4.10")}) == {"NIK_ANAK": "1405025503259101", "BERAT": "4,10", "NO": "3"}
    errors = refused(row.read, {"NIK_ANAK": "1,40502E+15", "TGL": "2/1/2026", "NO": ""})
    assert [(e.pointer, e.rule) for e in errors] == [
        ("NIK_ANAK", "rounded-number"),
        ("TGL", "date"),
        ("NO", "required"),
    ]


def test_a_row_is_text_whatever_it_means() -> None:
    with pytest.raises(ConfigError, match=r"x.toml:2: X is text by the contract"):
        compile_row(parse_mapping('[f.row]\na = { from = "X", bool = [1, 0] }', "x.toml"), "f")


def test_a_feed_without_rows_is_refused() -> None:
    with pytest.raises(ConfigError, match="no row table"):
        compile_row(parse_mapping("[f.reply]\na = 'x'", "x.toml"), "f")
