from decimal import Decimal
from typing import Any

import pytest
from lxml import etree

from adapters.soap.encode import encode
from adapters.soap.planning import Plans
from gateway import Document, FieldError, TranslationError

PEMOHON = {"nik": "1405029001180001", "nama": "Siti"}
ENOUGH = {"pemohon": PEMOHON, "jenis": "IMB", "luas": 72}
IZIN = "{http://dpmptsp.example.go.id/izin}"
ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"


def body(envelope: bytes) -> Any:
    (payload,) = etree.fromstring(envelope).find("{*}Body")
    return payload


def errors(plans: Plans, operation: str, document: Document, headers: Document | None = None) -> list[FieldError]:
    with pytest.raises(TranslationError) as caught:
        encode(plans.operations[operation].request, document, headers)
    assert caught.value.side == "request"
    return list(caught.value.errors)


def wrong(plans: Plans, **fields: object) -> list[tuple[str, str]]:
    return [(error.pointer, error.rule) for error in errors(plans, "AjukanIzin", {**ENOUGH, **fields})]


def test_fields_go_out_in_the_wsdls_order_whatever_the_documents(izin: Plans) -> None:
    document = {"luas": 72, "jenis": "IMB", "aktif": True, "retribusi": Decimal("1250000.50"), "pemohon": PEMOHON}

    payload = body(encode(izin.operations["AjukanIzin"].request, document))

    assert payload.tag == IZIN + "AjukanIzin"
    assert [child.tag.removeprefix(IZIN) for child in payload] == ["pemohon", "jenis", "luas", "retribusi", "aktif"]
    assert [child.text for child in payload[1:]] == ["IMB", "72", "1250000.50", "true"]


def test_markup_and_line_ends_survive(izin: Plans) -> None:
    text = "a<b>&amp;\r\n\té€𝄞]]>\"'"

    payload = body(encode(izin.operations["AjukanIzin"].request, {**ENOUGH, "jenis": text}))

    assert payload.findtext(IZIN + "jenis") == text


def test_an_attribute_keeps_quotes_and_line_ends(izin: Plans) -> None:
    text = 'a"b\n\t<&>'

    payload = body(encode(izin.operations["AjukanIzin"].request, {**ENOUGH, "biaya": {"#text": 5, "@mata_uang": text}}))

    (biaya,) = payload.iter(IZIN + "biaya")
    assert (biaya.text, biaya.get("mata_uang")) == ("5", text)


def test_missing_null_and_empty_are_three_things(izin: Plans) -> None:
    def telepon(**given: str | None) -> Any:
        document = {**ENOUGH, "pemohon": {**PEMOHON, **given}}
        return body(encode(izin.operations["AjukanIzin"].request, document))[0].find(IZIN + "telepon")

    assert telepon() is None
    assert telepon(telepon=None).attrib == {"{http://www.w3.org/2001/XMLSchema-instance}nil": "true"}
    assert (telepon(telepon="").text or "", len(telepon(telepon="").attrib)) == ("", 0)


def test_every_error_is_reported_at_once(izin: Plans) -> None:
    document = {
        "pemohon": {"nama": 5, "nik": "1", "hobi": "x"},
        "luas": "abc",
        "tanggal": "31-12-2026",
        "jens": "IMB",
    }

    found = {(error.pointer, error.rule) for error in errors(izin, "AjukanIzin", document)}

    assert found == {
        ("pemohon.nama", "type"),
        ("pemohon.nik", "native"),
        ("pemohon.hobi", "unknown"),
        ("luas", "native"),
        ("tanggal", "native"),
        ("jens", "unknown"),
        ("jenis", "required"),
    }


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("luas", 1.9, "type"),
        ("luas", 2**40, "native"),
        ("lantai", 40_000, "native"),
        ("retribusi", "1.250.000,50", "native"),
        ("aktif", "ya", "type"),
        ("diubah", "2026-03-14 09:26:53", "native"),
        ("jam", "9.26", "native"),
        ("status", "lain", "enum"),
        ("jenis", "a\x00b", "control-character"),
        ("jenis", "a\ud800b", "control-character"),
        ("jenis", "a\uffffb", "control-character"),
        ("jenis", None, "null"),
        ("jenis", ["IMB"], "type"),
        ("pemohon", "Siti", "type"),
        ("berkas", "aGFsbw==", "type"),
        ("berkas", ["?"], "native"),
        ("berkas", ["", "", "", ""], "native"),
        ("biaya", 5, "type"),
    ],
)
def test_a_value_the_agency_would_misread_is_never_sent(izin: Plans, field: str, value: object, rule: str) -> None:
    assert wrong(izin, **{field: value}) == [(field, rule)]


def test_an_error_shows_a_personal_value_masked(izin: Plans) -> None:
    (error,) = errors(izin, "AjukanIzin", {**ENOUGH, "pemohon": {**PEMOHON, "nik": "14050290011800012"}})

    assert (error.rule, dict(error.params)) == ("max", {"max": "16"})
    assert "9001180" not in str(error.value)


def test_of_a_choice_one_alternative_is_taken_whole(izin: Plans) -> None:
    assert wrong(izin, npwp="1", paspor="A", negara="MY") == [("paspor", "native")]
    assert wrong(izin, paspor="A") == [("negara", "required")]
    assert body(encode(izin.operations["AjukanIzin"].request, {**ENOUGH, "paspor": "A", "negara": "MY"})) is not None


def test_text_with_attributes_needs_both(izin: Plans) -> None:
    assert wrong(izin, biaya={}) == [("biaya.@mata_uang", "required"), ("biaya.#text", "required")]


def test_a_declared_header_is_written_and_checked(izin: Plans) -> None:
    plan = izin.operations["AjukanIzin"].request

    envelope = etree.fromstring(encode(plan, ENOUGH, {"AuthHeader": {"Username": "gateway", "Password": "<&>"}}))

    (header,) = envelope.find(ENVELOPE + "Header")
    assert header.tag == IZIN + "AuthHeader"
    assert [child.text for child in header] == ["gateway", "<&>"]
    assert [e.pointer for e in errors(izin, "AjukanIzin", ENOUGH, {"AuthHeader": {"Username": "x"}})] == [
        "AuthHeader.Password"
    ]


def test_an_undeclared_header_needs_a_namespace(izin: Plans) -> None:
    plan = izin.operations["AjukanIzin"].request

    assert [(e.pointer, e.rule) for e in errors(izin, "AjukanIzin", ENOUGH, {"Kunci": {"A": "1"}})] == [
        ("Kunci", "unknown")
    ]
    envelope = etree.fromstring(encode(plan, ENOUGH, {"Kunci": {"A": "<1>"}}, header_namespace="urn:kunci"))
    assert envelope.findtext(f"{ENVELOPE}Header/{{urn:kunci}}Kunci/{{urn:kunci}}A") == "<1>"


def test_an_encoded_message_types_every_value(sipolan: Plans) -> None:
    tahap = {"nama_proses": "Verifikasi", "tgl_selesai": None, "urut": 1}

    payload = body(encode(sipolan.operations["simpanRiwayat"].request, {"riwayat": {"item": [tahap, tahap]}}))

    xsi = "{http://www.w3.org/2001/XMLSchema-instance}"
    soapenc = "{http://schemas.xmlsoap.org/soap/encoding/}"
    (riwayat,) = payload
    assert payload.tag == "{urn:sipolan}simpanRiwayat"
    assert payload.get(f"{ENVELOPE}encodingStyle") == soapenc[1:-1]
    assert riwayat.get(soapenc + "arrayType").partition(":")[2] == "Tahap[2]"
    assert [child.get(xsi + "type").partition(":")[2] for child in riwayat[0]] == ["string", "string", "int"]
    assert riwayat[0][1].get(xsi + "nil") == "true"


def test_soap_1_2_has_its_own_envelope(izin12: Plans) -> None:
    envelope = etree.fromstring(encode(izin12.operations["AjukanIzin"].request, ENOUGH))

    assert envelope.tag == "{http://www.w3.org/2003/05/soap-envelope}Envelope"
