"""What an agency says of a call that failed: codes from the special to the general, details by their declared types."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.soap.contract import contract_of
from adapters.soap.decode import decode
from adapters.soap.difference import difference
from adapters.soap.plan import MessagePlan
from adapters.soap.planning import Plans, read_plans
from adapters.soap.tolerate import Leniency
from gateway import Fault

MESSAGES = """<wsdl:message name="Gagal"><wsdl:part name="detail" element="t:Galat"/></wsdl:message>
  <wsdl:message name="Sibuk"><wsdl:part name="Sibuk" type="xs:int"/></wsdl:message>
  <wsdl:portType name="IzinPort">"""
TYPES = """<xs:element name="Galat"><xs:complexType><xs:sequence>
    <xs:element name="kode" type="xs:int"/><xs:element name="tarif" type="xs:decimal" minOccurs="0"/>
    <xs:element name="isian" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType></xs:element>
  <xs:element name="Pohon" type="t:Pohon"/>"""
OUTPUT = '<wsdl:output message="t:AjukanIzinOut"/>'
FAULTS = '<wsdl:fault name="Gagal" message="t:Gagal"/><wsdl:fault name="Sibuk" message="t:Sibuk"/>'
GALAT = '<m:Galat xmlns:m="http://dpmptsp.example.go.id/izin">{}</m:Galat>'


@pytest.fixture
def declared(wsdls: Path, tmp_path: Path) -> Callable[..., Plans]:
    def make(**changed: str) -> Plans:
        text = (wsdls / "izin.wsdl").read_text("utf-8")
        replaced = {'<wsdl:portType name="IzinPort">': MESSAGES, '<xs:element name="Pohon" type="t:Pohon"/>': TYPES}
        for old, new in {**replaced, OUTPUT: OUTPUT + FAULTS}.items():
            assert old in text
            text = text.replace(old, new, 1)
        for old, new in changed.items():
            text = text.replace(f'name="{old}" type=', f'name="{new}" type=')
        path = tmp_path / f"izin{len(changed)}.wsdl"
        path.write_text(text, "utf-8")
        return read_plans(path)

    return make


def reply(plans: Plans) -> MessagePlan:
    plan = plans.operations["AjukanIzin"].reply
    assert plan is not None
    return plan


def fault(plan: MessagePlan, detail: str, code: str = "s:Server", **how: Any) -> Fault:
    content = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
        f"<faultcode>{code}</faultcode><faultstring>Gagal</faultstring><detail>{detail}</detail></s:Fault></s:Body>"
        "</s:Envelope>"
    )
    found = decode(plan, content.encode(), **how)
    assert isinstance(found, Fault)
    return found


def test_a_declared_detail_is_read_by_its_types(declared: Callable[..., Plans]) -> None:
    given = "<m:kode>7</m:kode><m:tarif>12.50</m:tarif><m:isian>nik</m:isian>"

    found = fault(reply(declared()), GALAT.format(given) + "<Sibuk>30</Sibuk><lain>x</lain>")

    assert found.detail == {
        "Galat": {"kode": 7, "tarif": Decimal("12.50"), "isian": ["nik"]},
        "Sibuk": 30,
        "lain": "x",
    }


def test_a_detail_that_does_not_fit_is_taken_as_it_comes_and_the_fault_still_counts(
    declared: Callable[..., Plans],
) -> None:
    found = fault(reply(declared()), GALAT.format("<m:kode>tujuh</m:kode><m:isian>nik</m:isian>"))

    assert (found.code, found.text) == ("Server", "Gagal")
    assert found.detail == {"Galat": {"kode": "tujuh", "isian": "nik"}}


def test_what_is_tolerated_in_a_detail_is_counted_where_it_helped(declared: Callable[..., Plans]) -> None:
    leniency = Leniency(named=frozenset({"unknown-fields"}))

    found = fault(reply(declared()), GALAT.format("<m:kode>7</m:kode><m:x/>"), leniency=leniency)

    assert (found.detail, leniency.used) == ({"Galat": {"kode": 7, "isian": []}}, {"unknown-fields"})


@pytest.mark.parametrize(
    ("written", "code", "codes"),
    [
        ("s:Server", "Server", ()),
        ("Client", "Client", ()),
        ("s:Client.Authentication.Expired", "Client.Authentication.Expired", ("Client.Authentication", "Client")),
        ("", "", ()),
    ],
)
def test_a_dotted_code_has_its_general_ones_behind_it(
    declared: Callable[..., Plans], written: str, code: str, codes: tuple[str, ...]
) -> None:
    found = fault(reply(declared()), "", written)

    assert (found.code, found.codes) == (code, codes)


def test_subcodes_are_named_from_the_inside_out(izin12: Plans) -> None:
    content = (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code>'
        "<e:Value>e:Sender</e:Value><e:Subcode><e:Value>m:Berkas</e:Value><e:Subcode><e:Value>m:KTP</e:Value>"
        "</e:Subcode></e:Subcode></e:Code><e:Reason><e:Text>Kurang</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>"
    )

    found = decode(reply(izin12), content.encode())

    assert found == Fault(code="KTP", text="Kurang", codes=("Berkas", "Sender"))


def test_the_fields_of_a_detail_are_in_the_contract(declared: Callable[..., Plans]) -> None:
    found = contract_of(declared().operations["AjukanIzin"]).faults

    assert {path: native.kind for path, native in found.items()} == {
        "Galat": "object",
        "Galat.kode": "integer",
        "Galat.tarif": "number",
        "Galat.isian": "text",
        "Sibuk": "integer",
    }


def test_a_detail_that_changes_is_a_difference(declared: Callable[..., Plans]) -> None:
    assert difference(declared(), declared(tarif="ongkos")) == (
        "AjukanIzin: fault Galat: field ongkos is new (xsd:decimal)",
        "AjukanIzin: fault Galat: field tarif is gone",
    )
