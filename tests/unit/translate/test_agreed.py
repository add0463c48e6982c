"""A mapping against what the agency's contract (a WSDL) says."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from gateway.errors import ConfigError
from gateway.native import Contract, NativeField
from gateway.translate import Compiled, compile_operation
from gateway.translate.load import parse_mapping
from tests.unit.translate.test_compile import CONTEXT

FIELDS: Mapping[str, NativeField] = {
    "nip": NativeField(required=True),
    "jenis": NativeField(allowed=("A", "B")),
    "jumlah": NativeField(kind="integer"),
    "gaji": NativeField(kind="number"),
    "aktif": NativeField(kind="boolean"),
    "lahir": NativeField(kind="date"),
    "dibuat": NativeField(kind="datetime"),
    "berkas": NativeField(kind="object"),
    "berkas.item": NativeField(kind="object", many=True),
    "berkas.item.nama": NativeField(required=True),
    "berkas.item.ukuran": NativeField(kind="integer"),
    "berkas.item.tag": NativeField(many=True),
}
CONTRACT = Contract(request=FIELDS, reply=FIELDS, headers={"Auth.User": NativeField(required=True)})


def compiled(text: str) -> Compiled:
    return compile_operation(parse_mapping(text, "mappings/x.toml"), "op", contract=CONTRACT)


def findings(text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        compiled(text + '\n[agency.headers]\nAuth.User = "@login.user"\n')
    return [str(finding) for finding in refused.value.findings]


GOOD = """
[agency.headers]
Auth.User = "@login.user"
[op.request]
nip    = "nip"
jenis  = { from = "jenis", optional = true }
jumlah = { from = "jumlah", optional = true }
gaji   = { from = "gaji", number = "1.234,56", optional = true }
aktif  = { from = "aktif", optional = true }
lahir  = { from = "lahir", optional = true }
[op.request.berkas.item]
each   = "berkas"
nama   = "nama"
ukuran = { from = "ukuran", optional = true }
tag    = { each = "tag", from = ".", optional = true }
[op.reply]
nip    = "nip"
gaji   = "gaji"
aktif  = "aktif"
lahir  = "lahir"
dibuat = "dibuat"
kode   = { from = "jumlah", codes = "kode" }
[op.reply.berkas]
each = "berkas.item"
nama = "nama"
ukuran = "ukuran"
[codes.kode]
1 = "satu"
"""


def test_native_types_become_canonical_types() -> None:
    properties: Any = compiled(GOOD).reply.json["properties"]
    assert [properties[name].get("type") for name in ("nip", "gaji", "aktif", "lahir")] == [
        "string", "number", "boolean", "string",
    ]  # fmt: skip
    assert properties["lahir"]["format"] == "date"
    assert properties["dibuat"]["format"] == "date-time"
    assert properties["berkas"]["items"]["properties"]["ukuran"] == {"type": "integer"}


def test_a_field_below_the_root_is_what_the_contract_says() -> None:
    contract = Contract(
        request={}, reply={"return": NativeField(kind="object"), "return.n": NativeField(kind="integer")}
    )
    text = '[op]\nroot = "return"\n[op.reply]\nn = "n"'
    table = compile_operation(parse_mapping(text, "x.toml"), "op", contract=contract)

    assert table.translator.to_canonical({"return": {"n": 7}}) == {"n": 7}
    assert table.reply.json["properties"] == {"n": {"type": "integer"}}


def test_native_values_pass_as_what_they_are() -> None:
    table = compiled(GOOD)
    native = {
        "nip": "007", "gaji": Decimal("1.50"), "aktif": True, "lahir": "1990-05-12", "dibuat": "2026-11-24T07:30:00",
        "jumlah": 1, "berkas": {"item": {"nama": "x", "ukuran": 3}},
    }  # fmt: skip
    assert table.translator.to_canonical(native) == {
        "nip": "007", "gaji": Decimal("1.50"), "aktif": True, "lahir": "1990-05-12",
        "dibuat": "2026-11-24T07:30:00+07:00", "kode": "satu", "berkas": [{"nama": "x", "ukuran": 3}],
    }  # fmt: skip
    body = {"nip": "007", "jumlah": 5, "gaji": Decimal("1.5"), "berkas": [{"nama": "x", "ukuran": 3, "tag": ["t"]}]}
    assert table.request.check(body) == ()
    assert table.translator.to_native(body, CONTEXT) == {
        "nip": "007", "jumlah": 5, "gaji": Decimal("1.5"),
        "berkas": {"item": [{"nama": "x", "ukuran": 3, "tag": ["t"]}]},
    }  # fmt: skip


def test_an_enumeration_of_the_contract_holds_for_our_field() -> None:
    table = compiled(GOOD)
    errors = table.request.check({"nip": "1", "jenis": "C", "berkas": []})
    assert [(error.rule, error.params) for error in errors] == [("enum", {"allowed": "A, B"})]
    properties: Any = table.request.json["properties"]
    assert properties["jenis"]["enum"] == ["A", "B"]


MISTAKES = {
    '[op.reply]\na = "nipp"': (2, "has no field nipp", 'did you mean "nip"'),
    '[op.request]\nnip = "a"\njenus = "b"': (3, "has no field jenus", 'did you mean "jenis"'),
    '[op.request]\njenis = "b"': (1, "requires nip", 'add nip = "..."'),
    '[op.request]\nnip = "a"\n[op.request.berkas.item]\neach = "b"\nukuran = "c"': (1, "requires berkas.item.nama", ""),
    '[op.request]\nnip = "a"\n[op.request.berkas.item]\neach = "b"\nnama = "c"\nnema = "d"': (
        6,
        "berkas.item.nema",
        "nama",
    ),
    '[op.reply]\na = "berkas.item.nama"': (2, "berkas.item may repeat", "each"),
    '[op.reply.a]\neach = "berkas.item"\nb = "nma"': (3, "no field berkas.item.nma", "nama"),
    '[op.reply.a]\neach = "berkas.itm"\nb = "nama"': (1, "no field berkas.itm", "berkas.item"),
    '[op.reply]\na = { from = "nip", when = { path = "jeniss", equals = "1" } }': (2, "no field jeniss", "jenis"),
    '[op.request]\nnip = "a"\nberkas.item = "b"': (3, "berkas.item may repeat", "each"),
    '[op.reply]\na = { from = "nip", bool = [1, 0] }': (2, "nip is text by the contract", '["1", "0"]'),
    '[op]\noutcome = { from = "kode", ok = ["1"] }\n[op.reply]\na = "nip"': (2, "has no field kode", ""),
    '[op.headers]\nAuth.Pass = "@login.password"': (2, "no field Auth.Pass", ""),
    '[op.reply]\na = { from = "lahir", date = "dd-mm-yyyy" }': (2, "lahir is date by the contract", "leave out date"),
    '[op.reply]\na = { from = "aktif", bool = ["1", "0"] }': (
        2,
        "aktif is boolean by the contract",
        "[true, false]",
    ),
    '[op.request]\nnip = "n"\njenis = { from = "a", codes = "j" }\n[codes.j]\nA = "a"\nX = "x"': (
        3,
        "not allow X",
        "A, B",
    ),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_what_the_contract_lacks_is_told_with_its_line(text: str) -> None:
    line, what, remedy = MISTAKES[text]
    found = findings(text)
    assert any(finding.startswith(f"mappings/x.toml:{line}: ") and what in finding for finding in found), found
    assert any(remedy in finding for finding in found)


def test_a_header_that_the_contract_does_not_declare_is_the_adapters_business() -> None:
    compiled('[agency.headers]\nAuth.User = "@login.user"\nX-Kanal = { const = "spbe" }\n[op.request]\nnip = "n"')


def test_what_nothing_asks_for_is_no_finding() -> None:
    compiled('[agency.headers]\nAuth.User = "@login.user"\n[op.request]\nnip = { const = "1" }\n[op.reply]\na = "nip"')


def test_an_operation_without_an_answer_needs_no_outcome_in_it() -> None:
    text = '[agency]\noutcome = { from = "kode", ok = ["1"] }\n[op.request]\nnip = "n"'
    one_way = Contract(request={"nip": NativeField()}, reply={})
    assert compile_operation(parse_mapping(text, "x.toml"), "op", contract=one_way).request.fields == {"n"}


def test_a_code_in_a_faults_detail_must_be_one_of_its_fields() -> None:
    faults = {"Galat": NativeField(kind="object"), "Galat.kode": NativeField()}
    contract = Contract(request={"nip": NativeField()}, reply={}, faults=faults)
    text = '[op.request]\nnip = "n"\n[op.faults]\nGalat = {{ from = "{}", refused = ["1"] }}\nLain = {{ from = "x" }}'

    compile_operation(parse_mapping(text.format("kode"), "x.toml"), "op", contract=contract)
    with pytest.raises(ConfigError) as refused:
        compile_operation(parse_mapping(text.format("koda"), "x.toml"), "op", contract=contract)

    (finding,) = refused.value.findings
    assert finding.where == "x.toml:4"
    assert "kode" in str(finding)


def test_below_what_can_be_anything_and_beside_any_element_a_mapping_names_what_it_likes() -> None:
    contract = Contract(
        request={},
        reply={"apa": NativeField(kind="any"), "isi": NativeField(kind="object"), "isi.#any": NativeField(many=True)},
    )

    def told(source: str) -> list[str]:
        text = f'[op.request]\n[op.reply]\nx = "{source}"\n'
        try:
            compile_operation(parse_mapping(text, "mappings/x.toml"), "op", contract=contract)
        except ConfigError as error:
            return [finding.what for finding in error.findings]
        return []

    assert [told(source) for source in ("apa.b.c", "isi.DataSet.Tabel", "apa")] == [[], [], []]
    assert told("lain") == ["the agency's contract has no field lain"]


def test_null_is_sent_only_where_the_contract_takes_it() -> None:
    rule = (
        '[op.request]\nnip = "nip"\njumlah = { from = "jumlah", optional = true, null = true }\n[op.reply]\nnip = "nip"'
    )

    assert any("jumlah may not be null" in found for found in findings(rule))
