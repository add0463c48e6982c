"""A mapping sketched from a contract: every field is in it, it compiles, and an example passes both ways."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from gateway.native import Contract, NativeField
from gateway.sketch.mapping import Asked, Sketch, meaning, sketch

TEXT, MUST = NativeField(), NativeField(required=True)
OBJECT = NativeField(kind="object", required=True)
LIST = NativeField(kind="object", many=True)


def sketched(
    request: Mapping[str, NativeField] | None = None,
    reply: Mapping[str, NativeField] | None = None,
    *,
    sent: Mapping[str, object] | None = None,
    said: Mapping[str, object] | None = None,
    headers: Mapping[str, NativeField] | None = None,
) -> Sketch:
    contract = Contract(request=request or {}, reply=reply or {}, headers=headers or {})
    asked = Asked(name="op", call="Op", contract=contract, examples=[(sent or {}, said or {})])
    return sketch("mappings/x.toml", "X", [asked], "Asia/Jakarta")


def lines(made: Sketch, table: str) -> list[str]:
    text = made.text.partition(f"[op.{table}]\n")[2]
    return text.partition("\n\n")[0].splitlines()


def test_what_must_be_sent_is_required_and_the_rest_optional() -> None:
    made = sketched({"nomor": MUST, "catatan": TEXT}, sent={"nomor": "1", "catatan": "x"})

    assert made.dropped == {}
    assert lines(made, "request") == ['nomor   = "nomor"', 'catatan = { from = "catatan", optional = true }']
    assert made.examples["op"].request == {"nomor": "1", "catatan": "x"}


def test_identifiers_are_checked_and_hidden_and_shown_by_example() -> None:
    made = sketched({"NIK": NativeField(required=True, max=16)}, sent={"NIK": "1405025205909001"})

    rule = 'NIK = { from = "nik", digits = 16, mask = true, title = "NIK", example = "1405025205909001" }'
    assert lines(made, "request") == [rule]


def test_a_contract_that_is_too_short_for_an_identifier_wins() -> None:
    made = sketched({"nik": NativeField(required=True, max=10)}, sent={"nik": "1405025205"})

    assert "max = 10" in lines(made, "request")[0]
    assert made.dropped == {}


def test_types_of_the_contract_need_no_converter() -> None:
    kinds = {"a": "integer", "b": "number", "c": "boolean", "d": "date", "e": "datetime", "f": "time", "g": "binary"}
    fields = {name: NativeField(kind=kind, required=True) for name, kind in kinds.items()}  # type: ignore[arg-type]
    sent = {"a": 1, "b": Decimal("1.50"), "c": True, "d": "2026-11-24", "e": "2026-11-24T10:15:00+07:00"}
    made = sketched(fields, fields, sent=(all_ := {**sent, "f": "10:15:00", "g": "aGFsbw=="}), said=all_)

    assert made.dropped == {}
    assert lines(made, "request") == [f'{name} = "{name}"' for name in kinds]


def test_a_date_in_a_text_is_asked_about() -> None:
    assert "how are its dates written" in lines(sketched({"tgl": MUST}, sent={"tgl": "24-11-2026"}), "request")[0]


def test_a_wrapper_around_everything_is_taken_off_and_a_list_bears_its_parents_name() -> None:
    reply = {"OpResult": OBJECT, "OpResult.Daftar": OBJECT, "OpResult.Daftar.Unit": LIST}
    reply |= {"OpResult.Jumlah": NativeField(kind="integer", required=True), "OpResult.Daftar.Unit.Kode": MUST}
    made = sketched({}, reply, said={"OpResult": {"Jumlah": 1, "Daftar": {"Unit": [{"Kode": "A"}]}}})

    assert made.examples["op"].reply == {"jumlah": 1, "daftar": [{"kode": "A"}]}


def test_lists_in_lists_are_entered() -> None:
    fields = {"a": LIST, "a.b": LIST, "a.b.c": MUST, "a.b.d": NativeField(many=True)}
    document = {"a": [{"b": [{"c": "1", "d": ["2"]}]}]}
    made = sketched(fields, fields, sent=document, said=document)

    assert made.dropped == {}
    assert made.examples["op"].native == document
    assert made.examples["op"].reply == document


def test_attributes_and_texts_beside_them_are_reached() -> None:
    fields = {"biaya": OBJECT, "biaya.@mataUang": MUST, "biaya.#text": NativeField(kind="number", required=True)}
    fields |= {"@versi": MUST, "baris": LIST, "baris.@id": MUST}
    document = {"@versi": "2", "biaya": {"@mataUang": "IDR", "#text": Decimal(5)}, "baris": [{"@id": "x"}]}
    made = sketched(fields, fields, sent=document, said=document)

    assert made.dropped == {}
    ours = {"versi": "2", "biaya": {"mata_uang": "IDR", "nilai": Decimal(5)}, "baris": [{"id": "x"}]}
    assert (made.examples["op"].request, made.examples["op"].reply) == (ours, ours)
    assert made.examples["op"].native == document


def test_fields_that_are_called_like_the_keys_of_a_rule_are_told_apart_from_them() -> None:
    fields = {"periode": OBJECT, "periode.from": MUST, "periode.date": MUST, "form": OBJECT, "form.form": MUST}
    document = {"periode": {"from": "1", "date": "2"}, "form": {"form": "3"}}
    made = sketched(fields, fields, sent=document, said=document)

    assert made.dropped == {}
    assert made.examples["op"].native == document
    assert made.examples["op"].reply == {"periode": {"dari": "1", "tanggal": "2"}, "form": {"form": "3"}}


def test_two_fields_of_one_canonical_name_are_two() -> None:
    fields = {"noKTP": MUST, "nik": MUST}
    document = {"noKTP": "1405025205909001", "nik": "1405020101900001"}
    made = sketched(fields, fields, sent=document, said=document)

    assert made.examples["op"].reply == {"nik": "1405025205909001", "nik_2": "1405020101900001"}


def test_credentials_in_body_and_header_are_the_gateways_own() -> None:
    headers = {"Auth": NativeField(kind="object"), "Auth.Username": MUST, "Auth.Password": MUST}
    made = sketched({"user_id": MUST, "sandi": MUST}, headers=headers, sent={"user_id": "x", "sandi": "y"})

    assert made.login
    assert lines(made, "request") == ['user_id = "@login.user"', 'sandi   = "@login.password"']
    assert lines(made, "headers") == ['Auth.Username = "@login.user"', 'Auth.Password = "@login.password"']
    assert made.examples["op"].request == {}


def test_a_header_that_is_no_login_is_named_only() -> None:
    headers = {"Sesi": NativeField(kind="object"), "Sesi.Token": MUST}

    assert "# a header that may be sent, in [op.headers]: Sesi.Token" in sketched({}, headers=headers).text


def test_the_hint_about_outcomes_names_the_fields_that_there_are() -> None:
    made = sketched({}, {"statusCode": MUST, "message": MUST}, said={"statusCode": "1", "message": "x"})

    assert 'from = "statusCode"' in made.text
    assert 'message = "message"' in made.text


def test_an_operation_without_a_fitting_example_is_dropped_with_the_reason_and_the_others_stay() -> None:
    contract = Contract(request={"nomor": MUST}, reply={})
    good = Asked(name="baik", call="Baik", contract=contract, examples=[({"nomor": "1"}, {})])
    bad = Asked(name="buruk", call="Buruk", contract=contract, examples=[({"nomor": 1}, {})])

    made = sketch("mappings/x.toml", "X", [good, bad], "Asia/Jakarta")

    assert made.dropped == {"Buruk": "/nomor type"}
    assert list(made.examples) == ["baik"]
    assert "buruk" not in made.text


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("PegawaiTidakDitemukan", "not-found"),
        ("RecordNotFoundException", "not-found"),
        ("PermintaanDitolak", "refused"),
        ("ValidationFault", "refused"),
        ("LayananSibuk", "unavailable"),
        ("InvalidCredentials", "login"),
        ("Kesalahan", "invalid"),
    ],
)
def test_a_fault_means_what_its_name_says(fault: str, outcome: str) -> None:
    assert meaning(fault) == outcome
