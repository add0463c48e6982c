"""JSON within a text: what is opened, what is closed, and what is said where there is none."""

from typing import Any

import pytest

from gateway import Contract, NativeField
from gateway.errors import ConfigError, TranslationError
from gateway.message import Context
from gateway.translate import Compiled, compile_operation
from gateway.translate.load import parse_mapping
from tests.golden.test_golden import CONTEXT

TEXTS = Contract(request={"data": NativeField(required=True)}, reply={"return": NativeField()})
MAPPING = """
[op]
json = { request = ["data"], reply = ["return"] }
[op.request]
data.nik = "nik"
[op.reply.isi]
each = "return"
nama = "nama"
"""


def compiled(text: str = MAPPING, contract: Contract | None = None) -> Compiled:
    return compile_operation(parse_mapping(text, "mappings/x.toml"), "op", contract=contract)


def refused(text: str, contract: Contract | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        compiled(text, contract)
    return [f"{found.where}: {found.what}" for found in caught.value.findings]


@pytest.mark.parametrize("contract", [None, TEXTS])
def test_paths_lead_into_texts_and_a_contract_that_says_text_has_nothing_against_it(contract: Contract | None) -> None:
    table = compiled(contract=contract)

    assert table.translator.to_native({"nik": "1"}, CONTEXT) == {"data": '{"nik":"1"}'}
    assert table.translator.to_canonical(table.opened({"return": '[{"nama":"A"}]'})) == {"isi": [{"nama": "A"}]}


def test_a_table_for_all_operations_is_replaced_by_an_operations_own() -> None:
    agency = '[agency]\njson = { reply = ["lain"] }\n'

    assert compiled(agency + MAPPING).opened({"lain": "{}", "return": "{}"}) == {"lain": "{}", "return": {}}
    assert compiled(agency + "[op.reply]\na = 'lain.x'").opened({"lain": '{"x": 1}'}) == {"lain": {"x": 1}}


def test_texts_in_lists_are_opened_one_by_one_and_what_is_not_there_or_null_stays_so() -> None:
    table = compiled('[op]\njson = { reply = ["a.b"] }\n[op.reply]\nx = { from = "x", optional = true }')

    assert table.opened({"a": [{"b": "1"}, {"b": None}, {}]}) == {"a": [{"b": 1}, {"b": None}, {}]}
    assert table.opened({"a": None}) == {"a": None}
    assert table.opened({}) == {}


@pytest.mark.parametrize(("found", "rule"), [("{", "json"), ("", "json"), ("<b>Fatal</b>", "json"), (5, "type")])
def test_what_is_no_json_is_an_error_with_its_pointer_and_the_mappings_line(found: Any, rule: str) -> None:
    with pytest.raises(TranslationError) as caught:
        compiled().opened({"return": found})

    (error,) = caught.value.errors
    assert (error.pointer, error.rule, error.where) == ("/return", rule, "mappings/x.toml:3")


def test_a_context_value_goes_into_the_text_too() -> None:
    text = '[op]\njson = { request = ["data"] }\n[op.request]\ndata.kunci = "@login.password"'
    context: Context = CONTEXT

    assert compiled(text).translator.to_native({}, context) == {"data": '{"kunci":"rahasia"}'}


def test_a_path_that_is_no_text_of_the_contract_is_found() -> None:
    numbers = Contract(request={"data": NativeField(kind="integer")}, reply={"hasil": NativeField()})

    assert refused(MAPPING, numbers)[:2] == [
        "mappings/x.toml:3: data is integer by the contract, so it holds no JSON in a text",
        "mappings/x.toml:3: the agency's contract has no field return",
    ]


@pytest.mark.parametrize("written", ['["return"]', '{ replies = ["return"] }', '{ reply = "return" }'])
def test_a_json_table_that_is_written_wrong_is_found(written: str) -> None:
    (said, *_) = refused(f"[op]\njson = {written}\n[op.reply]\na = 'a'")

    assert said.startswith("mappings/x.toml:2: ")
    assert "json" in said
