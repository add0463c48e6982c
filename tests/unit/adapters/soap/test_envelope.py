import json
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from adapters.soap.decode import decode
from adapters.soap.envelope import Body, open_envelope
from adapters.soap.planning import Plans
from gateway import Fault, InvalidAnswer

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
# What the corpus leaves open ("accept or reject"), decided: the whole text, never a part of it.
ACCEPTED = {"00", "15", "19", "23", "25", "43"}
HALF_A_BLINK = 0.05


def wrapped(body: str, uri: str = SOAP_11, before: str = "") -> bytes:
    return f'{before}<e:Envelope xmlns:e="{uri}"><e:Body>{body}</e:Body></e:Envelope>'.encode()


def fault(content: bytes) -> Fault:
    found = open_envelope(content, "1.1", encoded=False)
    assert isinstance(found, Fault)
    return found


def why(content: bytes) -> str:
    with pytest.raises(InvalidAnswer) as caught:
        open_envelope(content, "1.1", encoded=False)
    assert caught.value.maybe_done
    return str(caught.value)


def test_a_fault_has_its_code_without_prefix_its_text_and_its_detail() -> None:
    content = wrapped(
        "<e:Fault><faultcode>e:Server.Busy</faultcode><faultstring> Sistem sibuk </faultstring><detail>"
        '<x:Galat xmlns:x="urn:x"><x:kode>E1</x:kode><x:isian>a</x:isian><x:isian>b</x:isian></x:Galat>'
        "</detail></e:Fault>"
    )

    assert fault(content) == Fault(
        code="Server.Busy",
        text="Sistem sibuk",
        detail={"Galat": {"kode": "E1", "isian": ["a", "b"]}},
        codes=("Server",),
    )


def test_a_soap_1_2_fault_is_named_by_its_innermost_subcode_and_then_by_those_around_it() -> None:
    content = wrapped(
        "<e:Fault><e:Code><e:Value>e:Receiver</e:Value><e:Subcode><e:Value>m:Sibuk</e:Value></e:Subcode></e:Code>"
        '<e:Reason><e:Text xml:lang="id">Sibuk</e:Text></e:Reason><e:Detail><a>1</a></e:Detail></e:Fault>',
        SOAP_12,
    )

    assert fault(content) == Fault(code="Sibuk", text="Sibuk", detail={"a": "1"}, codes=("Receiver",))


def test_a_fault_without_a_subcode_is_named_by_its_code() -> None:
    content = wrapped("<e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code></e:Fault>", SOAP_12)

    assert fault(content) == Fault(code="Sender", text="")


def test_an_empty_body_has_no_payload() -> None:
    assert open_envelope(wrapped(" "), "1.1", encoded=False) == Body(None, {})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"<html><body>Sedang dalam perbaikan", "is an HTML page"),
        (b"<!DOCTYPE html><html>", "is an HTML page"),
        (b"<br />\n<b>Fatal error</b>:  Uncaught Error in /var/www/index.php", "is an HTML page"),
        (b"Warning: mysql_connect()", "is text, not XML"),
        (b"{}", "is text, not XML"),
        (wrapped("<a/>", before='\n<?xml version="1.0"?>'), "something before its XML declaration"),
        (wrapped("<a/>", before='<?xml version="1.0"?><!DOCTYPE a>'), "has a DOCTYPE"),
        (b"<a/>", "is no SOAP envelope but <a>"),
        (wrapped("<a/>")[:-5], "is not well-formed XML"),
        (wrapped("<a/>") + b"<b/>", "is not well-formed XML"),
        (wrapped("<a/><b/>"), "has 2 payloads"),
        (wrapped("liar<a/>"), "has text beside its payload"),
        (wrapped("<a/>").replace(b"<e:Body>", b"<e:Body/><e:Body>"), "exactly one Body"),
        (wrapped("<a/>", SOAP_12), "SOAP 1.2 envelope"),
        (wrapped("<a/>", before='<?xml version="1.0" encoding="utf-7"?>'), "is in utf-7"),
        (wrapped("<a/>", before='<?xml version="1.0" encoding="ebcdic-cp-us"?>'), ""),
        (b"\x00\x01\x02", ""),
    ],
)
def test_an_unreadable_answer_says_what_it_is(content: bytes, said: str) -> None:
    assert said in why(content)


def test_personal_data_does_not_get_into_the_reason() -> None:
    assert "1405029001180001" not in why(b"<x1405029001180001/>")
    assert "1405029001180001" not in why(b"<a><x1405029001180001></a>")


@pytest.mark.parametrize("attributes", [1_000, 20_000])
def test_many_attributes_cost_bounded_time(izin: Plans, attributes: int) -> None:
    many = " ".join(f'a{number}="1"' for number in range(attributes))
    payload = f'<m:AjukanIzinResponse xmlns:m="http://dpmptsp.example.go.id/izin" {many}/>'
    plan = izin.operations["AjukanIzin"].reply
    assert plan is not None

    started = time.thread_time()
    with pytest.raises(InvalidAnswer):
        decode(plan, wrapped(payload))

    assert time.thread_time() - started < HALF_A_BLINK


def test_the_corpus_of_attacks_ends_as_its_manifest_wants(izin: Plans, corpus: Path) -> None:
    folder = corpus / "xml-attacks"
    plan = izin.operations["AjukanIzin"].reply
    assert plan is not None
    for name in json.loads((folder / "manifest.json").read_text()):
        content = (folder / name).read_bytes()
        started = time.thread_time()
        try:
            found = decode(plan, content, zone=ZoneInfo("Asia/Jakarta"))
            accepted = not isinstance(found, Fault)
            assert accepted == (name != "55-fault-in-200.xml"), name
            ended = accepted
        except InvalidAnswer:
            ended = False
        assert time.thread_time() - started < HALF_A_BLINK, name
        assert ended == (name[:2] in ACCEPTED), name


@pytest.mark.parametrize(
    ("name", "nama"), [("19-latin1-declared.xml", "Café"), ("23-cdata-split.xml", "ABC"), ("25-pi-split.xml", None)]
)
def test_split_and_legacy_text_is_whole(izin: Plans, corpus: Path, name: str, nama: str | None) -> None:
    plan = izin.operations["AjukanIzin"].reply
    assert plan is not None

    found = decode(plan, (corpus / "xml-attacks" / name).read_bytes(), zone=ZoneInfo("Asia/Jakarta"))

    assert not isinstance(found, Fault)
    assert found["nama"] == (nama or "admin@pelalawan")
