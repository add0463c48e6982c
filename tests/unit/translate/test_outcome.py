from decimal import Decimal

import pytest

from gateway.message import Fault, Outcome
from gateway.translate.load import parse_mapping
from gateway.translate.outcome import OutcomeTable, compile_outcome

TEXT = """
[agency]
root    = "response"
outcome = { from = "metadata.code", ok = ["200"], refused = ["201"], message = "metadata.message" }
http    = { 404 = "not-found", 422 = "refused" }
faults  = { "Server.Busy" = "unavailable" }
[cek.reply]
a = "b"
[lain]
outcome = { from = "content.RESPON", not-found = ["Data Tidak Ditemukan"], absent = "ok" }
http    = { 404 = "refused" }
[lain.reply]
a = "b"
[tanpa]
outcome = {}
[tanpa.reply]
a = "b"
"""
MAPPING = parse_mapping(TEXT, "mappings/x.toml")


def table(name: str) -> OutcomeTable:
    return compile_outcome(MAPPING, name)


@pytest.mark.parametrize(
    ("code", "text"),
    [(200, "200"), ("200", "200"), (Decimal(200), "200"), (True, "true"), (None, None), ([], None), ({}, None)],
)
def test_a_code_is_read_as_text_from_the_whole_answer(code: object, text: str | None) -> None:
    assert table("cek").code({"metadata": {"code": code}, "response": {}}) == text


def test_the_agencys_words_are_there_or_empty() -> None:
    assert table("cek").message({"metadata": {"message": "Ok"}}) == "Ok"
    assert table("cek").message({"metadata": "x"}) == ""
    assert table("lain").message({}) == ""


def test_an_operations_own_outcome_replaces_the_agencys_and_adds_to_its_tables() -> None:
    own = table("lain")
    assert own.codes == {"Data Tidak Ditemukan": Outcome.NOT_FOUND}
    assert own.absent == Outcome.OK
    assert own.http == {404: Outcome.REFUSED, 422: Outcome.REFUSED}
    assert own.faults == {"Server.Busy": Outcome.UNAVAILABLE}
    assert table("cek").absent == Outcome.INVALID


def test_a_list_on_the_way_stands_for_its_first_element() -> None:
    own = table("lain")
    assert own.code({"content": [{"RESPON": "Data Tidak Ditemukan"}, {}]}) == "Data Tidak Ditemukan"
    assert own.code({"content": []}) is None
    assert own.code({"content": [{"NIK": "x"}]}) is None


def test_an_empty_outcome_switches_the_agencys_off() -> None:
    assert table("tanpa").codes == {}
    assert table("tanpa").code({"metadata": {"code": 1}}) is None


FAULTY = """
[agency.faults]
Galat  = { from = "kode", refused = ["E2"], not-found = ["E1"], message = "pesan" }
Sibuk  = { unavailable = ["1"], absent = "refused" }
Server = "unavailable"
"Server.Tutup" = "invalid"

[cek.reply]
nama = "nama"
"""


@pytest.mark.parametrize(
    ("fault", "meant"),
    [
        (Fault(code="Server", text="a", detail={"Galat": {"kode": "E1", "pesan": "b"}}), ("not-found", "b", "E1")),
        (Fault(code="Server", text="a", detail={"Galat": [{"kode": "E2"}]}), ("refused", "a", "E2")),
        (Fault(code="Server", text="a", detail={"Galat": {"kode": "E9"}}), ("unavailable", "a", "")),
        (Fault(code="Server", text="a", detail={"Galat": {}}), ("unavailable", "a", "")),
        (Fault(code="Client", text="a", detail={"Galat": {"kode": "E9"}}), None),
        (Fault(code="Client", text="a", detail={"Sibuk": 1}), ("unavailable", "a", "1")),
        (Fault(code="Client", text="a", detail={"Sibuk": {"x": ""}}), ("refused", "a", "")),
        (Fault(code="Server.Busy", text="a", codes=("Server",)), ("unavailable", "a", "")),
        (Fault(code="Server.Tutup", text="a", codes=("Server",)), ("invalid", "a", "")),
        (Fault(code="KTP", text="a", codes=("Berkas", "Sender")), None),
    ],
)
def test_a_fault_means_what_its_detail_says_then_its_codes_from_the_special_to_the_general(
    fault: Fault, meant: tuple[str, str, str] | None
) -> None:
    assert compile_outcome(parse_mapping(FAULTY, "mappings/x.toml"), "cek").fault(fault) == meant
