"""References of encoded messages to types that contain themselves: followed, and never without end."""

from pathlib import Path

import pytest

from adapters.soap.decode import decode
from adapters.soap.plan import MessagePlan
from adapters.soap.planning import read_plans
from gateway import InvalidAnswer

WSDL = """<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:x="http://www.w3.org/2001/XMLSchema"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:t="urn:t" targetNamespace="urn:t">
  <wsdl:types><x:schema targetNamespace="urn:t"><x:complexType name="T"><x:sequence>
    <x:element name="nama" type="x:string"/><x:element name="induk" type="t:T" minOccurs="0"/>
  </x:sequence></x:complexType></x:schema></wsdl:types>
  <wsdl:message name="M"><wsdl:part name="isi" type="t:T"/></wsdl:message>
  <wsdl:portType name="P"><wsdl:operation name="op"><wsdl:input message="t:M"/></wsdl:operation></wsdl:portType>
  <wsdl:binding name="B" type="t:P"><soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="op"><soap:operation soapAction="op"/>
      <wsdl:input><soap:body use="encoded" namespace="urn:t"/></wsdl:input></wsdl:operation></wsdl:binding>
  <wsdl:service name="S"><wsdl:port name="P" binding="t:B"><soap:address location="http://127.0.0.1:1/"/></wsdl:port>
  </wsdl:service>
</wsdl:definitions>"""
CALL = '<r:op xmlns:r="urn:t"><isi href="#1"/></r:op>'
START = f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{CALL}'
END = "</e:Body></e:Envelope>"


@pytest.fixture
def plan(tmp_path: Path) -> MessagePlan:
    path = tmp_path / "t.wsdl"
    path.write_text(WSDL)
    return read_plans(path).operations["op"].request


def test_references_are_followed_through_a_type_that_contains_itself(plan: MessagePlan) -> None:
    refs = '<m id="1"><nama>x</nama><induk href="#2"/></m><m id="2"><nama>y</nama></m>'

    assert decode(plan, f"{START}{refs}{END}".encode()) == {"isi": {"nama": "x", "induk": {"nama": "y"}}}


def test_an_encoded_message_that_no_plan_can_say_is_refused(tmp_path: Path) -> None:
    again = '<x:element name="induk" type="t:T" minOccurs="0"/>'
    path = tmp_path / "t.wsdl"
    path.write_text(WSDL.replace(again, f'{again}<x:element name="nama" type="x:string"/>'))

    assert "is encoded, and type 'T' has two elements named 'nama'" in read_plans(path).refused["op"].what


@pytest.mark.parametrize("target", ["1", "2"])
def test_a_reference_to_what_refers_to_it_is_refused(plan: MessagePlan, target: str) -> None:
    refs = f'<m id="1"><nama>x</nama><induk href="#{target}"/></m><m id="2"><nama>y</nama><induk href="#1"/></m>'

    with pytest.raises(InvalidAnswer):
        decode(plan, f"{START}{refs}{END}".encode())
