from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from adapters.soap.contract import contract_of
from adapters.soap.decode import decode
from adapters.soap.encode import encode
from adapters.soap.plan import Choice, Field, MessagePlan, Option, paths
from adapters.soap.planning import Plans, read_plans
from gateway import Document, Fault, InvalidAnswer, TranslationError

WSDL = """<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:x="http://www.w3.org/2001/XMLSchema"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:t="urn:t" targetNamespace="urn:t">
  <wsdl:types><x:schema targetNamespace="urn:t" elementFormDefault="qualified">
    <x:element name="Op"><x:complexType>{content}</x:complexType></x:element>{more}
  </x:schema></wsdl:types>
  <wsdl:message name="M"><wsdl:part name="p" element="t:Op"/>{parts}</wsdl:message>
  <wsdl:portType name="P"><wsdl:operation name="op"><wsdl:input message="t:M"/><wsdl:output message="t:M"/>
    </wsdl:operation></wsdl:portType>
  <wsdl:binding name="B" type="t:P"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>{operation}{again}
  </wsdl:binding>
  <wsdl:service name="S"><wsdl:port name="P" binding="t:B"><soap:address location="http://127.0.0.1:1/"/></wsdl:port>
  </wsdl:service>
</wsdl:definitions>"""
OPERATION = """<wsdl:operation name="op"><soap:operation soapAction="op"/>
  <wsdl:input><soap:body use="literal"{body}/></wsdl:input><wsdl:output><soap:body use="literal"{body}/></wsdl:output>
</wsdl:operation>"""
RECURSIVE = (
    '<x:complexType name="T"><x:sequence><x:element name="b" type="t:U"/></x:sequence></x:complexType>'
    '<x:complexType name="U"><x:sequence><x:element name="c" type="t:T"/></x:sequence></x:complexType>'
)
BATAS = '<x:element name="a" type="x:string"/><x:element name="b" type="x:string"/>'
SATAB = '<x:element name="b" type="x:string"/><x:element name="a" type="x:string"/>'
Plan = Callable[..., MessagePlan]


@pytest.fixture
def plans(tmp_path: Path) -> Callable[..., Plans]:
    def make(content: str, more: str = "", parts: str = "", body: str = "", again: str = "") -> Plans:
        operation = OPERATION.format(body=body)
        path = tmp_path / "t.wsdl"
        path.write_text(WSDL.format(content=content, more=more, parts=parts, operation=operation, again=again))
        return read_plans(path)

    return make


@pytest.fixture
def plan(plans: Callable[..., Plans]) -> Plan:
    def make(content: str, more: str = "", **texts: str) -> MessagePlan:
        return plans(content, more, **texts).operations["op"].request

    return make


@pytest.fixture
def why(plans: Callable[..., Plans]) -> Callable[..., str]:
    def make(content: str, more: str = "", **texts: str) -> str:
        return plans(content, more, **texts).refused["op"].what.removeprefix("operation 'op' ")

    return make


def fields(found: MessagePlan) -> dict[str, Field]:
    assert found.payload is not None
    assert found.payload.shape is not None
    return {field.name: field for field in found.payload.shape.fields}


def answer(content: str) -> bytes:
    return (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:x="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><e:Body><Op xmlns="urn:t">{content}</Op></e:Body>'
        "</e:Envelope>"
    ).encode()


def read(found: MessagePlan, content: str) -> Document:
    document = decode(found, answer(content))
    assert not isinstance(document, Fault)
    return document


def written(found: MessagePlan, document: Document) -> Any:
    return etree.fromstring(encode(found, document)).find("{*}Body")[0]


def test_occurrences_and_facets_are_kept(plan: Plan) -> None:
    more = """<x:simpleType name="Kode"><x:restriction base="t:Dasar"><x:maxLength value="4"/></x:restriction>
      </x:simpleType><x:simpleType name="Dasar"><x:restriction base="x:token"><x:minLength value="2"/></x:restriction>
      </x:simpleType>"""
    found = fields(
        plan('<x:sequence><x:element name="kode" type="t:Kode" minOccurs="0" maxOccurs="5"/></x:sequence>', more)
    )["kode"]

    assert (found.kind, found.type, found.least, found.most) == ("text", "token", 0, 5)
    assert (found.min_length, found.max_length) == (2, 4)


def inline(value: str) -> str:
    return (
        '<x:element name="kode"><x:simpleType><x:restriction base="x:string">'
        f'<x:enumeration value="{value}"/></x:restriction></x:simpleType></x:element>'
    )


def test_two_anonymous_types_of_one_name_keep_their_own_facets(plan: Plan) -> None:
    more = f'<x:complexType name="Lain"><x:sequence>{inline("B")}</x:sequence></x:complexType>'
    found = fields(plan(f'<x:sequence>{inline("A")}<x:element name="l" type="t:Lain"/></x:sequence>', more))

    assert found["kode"].allowed == ("A",)
    assert found["l"].shape is not None
    assert found["l"].shape.fields[0].allowed == ("B",)


def test_two_anonymous_types_in_one_place_have_no_facets_rather_than_wrong_ones(plan: Plan) -> None:
    deeper = f'<x:element name="Op"><x:complexType><x:sequence>{inline("B")}</x:sequence></x:complexType></x:element>'

    assert fields(plan(f"<x:sequence>{inline('A')}{deeper}</x:sequence>"))["kode"].allowed == ()


def test_an_unqualified_element_has_no_namespace(plan: Plan) -> None:
    found = plan('<x:sequence><x:element name="a" form="unqualified" type="x:int"/></x:sequence>')

    assert fields(found)["a"].tag == "a"
    assert written(found, {"a": 1})[0].tag == "a"


def test_an_extended_type_has_its_bases_fields_first(plan: Plan) -> None:
    more = f"""<x:complexType name="Dasar"><x:sequence>{BATAS}</x:sequence></x:complexType>
      <x:complexType name="Turunan"><x:complexContent><x:extension base="t:Dasar">
        <x:sequence><x:element name="c" type="x:int"/></x:sequence></x:extension></x:complexContent></x:complexType>"""
    found = plan('<x:sequence><x:element name="isi" type="t:Turunan"/></x:sequence>', more)

    shape = fields(found)["isi"].shape
    assert shape is not None
    assert [field.name for field in shape.fields] == ["a", "b", "c"]


def test_a_group_and_a_reference_are_followed(plan: Plan) -> None:
    more = f'<x:group name="g"><x:sequence>{BATAS}</x:sequence></x:group><x:element name="luar" type="x:int"/>'
    found = plan('<x:sequence><x:group ref="t:g"/><x:element ref="t:luar" minOccurs="0"/></x:sequence>', more)

    assert {name: field.least for name, field in fields(found).items()} == {"a": 1, "b": 1, "luar": 0}


def test_an_optional_sequence_is_there_whole_or_not_at_all(plan: Plan) -> None:
    found = plan(f'<x:sequence><x:sequence minOccurs="0">{BATAS}</x:sequence></x:sequence>')

    assert found.payload is not None
    assert found.payload.shape is not None
    both = frozenset({"a", "b"})
    assert found.payload.shape.choices == (Choice(options=(Option(names=both, needed=both),)),)
    assert read(found, "") == {}
    with pytest.raises(InvalidAnswer):
        read(found, "<a>1</a>")


def test_a_repeated_choice_is_a_list_for_each_alternative(plan: Plan) -> None:
    found = plan(f'<x:choice maxOccurs="unbounded">{BATAS}</x:choice>')

    assert read(found, "<a>1</a><b>2</b><a>3</a>") == {"a": ["1", "3"], "b": ["2"]}
    assert [child.text for child in written(found, {"b": ["2"], "a": ["1"]})] == ["1", "2"]


def test_of_two_alternatives_only_one_is_read(plan: Plan) -> None:
    found = plan(f"<x:choice>{BATAS}</x:choice>")

    assert read(found, "<b>1</b>") == {"b": "1"}
    with pytest.raises(InvalidAnswer) as caught:
        read(found, "<a>1</a><b>2</b>")
    assert [error.params for error in caught.value.errors] == [{"expected": "only one of: a, b"}]


def test_a_repeated_group_of_one_element_is_a_list(plan: Plan) -> None:
    found = plan('<x:sequence maxOccurs="unbounded"><x:element name="a" type="x:int"/></x:sequence>')

    assert read(found, "<a>1</a><a>2</a>") == {"a": [1, 2]}


def test_elements_beside_declared_ones_are_read_where_any_are_allowed(plan: Plan) -> None:
    found = plan(f'<x:sequence>{BATAS}<x:any minOccurs="0" maxOccurs="unbounded"/></x:sequence>')

    document = read(found, "<a/><b/><c><d>1</d></c><e>1</e><e>2</e>")

    raw = ['<c xmlns="urn:t"><d>1</d></c>', '<e xmlns="urn:t">1</e>', '<e xmlns="urn:t">2</e>']
    assert document == {"a": "", "b": "", "c": {"d": "1"}, "e": ["1", "2"], "#any": raw}
    assert [child.tag for child in written(found, {"a": "", "b": "", "#any": raw})][2:] == [
        "{urn:t}c",
        "{urn:t}e",
        "{urn:t}e",
    ]
    with pytest.raises(TranslationError):
        encode(found, {"a": "", "b": "", "c": "1"})


def test_anything_is_read_by_the_type_it_names(plan: Plan) -> None:
    found = plan('<x:sequence><x:element name="a" maxOccurs="9" nillable="true"/></x:sequence>')

    assert read(found, '<a i:type="x:int">7</a><a>7</a><a i:nil="1"/><a><b>1</b></a>')["a"] == [
        7,
        "7",
        None,
        {"b": "1"},
    ]
    with pytest.raises(InvalidAnswer):
        read(found, '<a i:type="x:int">tujuh</a>')
    assert [child.text for child in written(found, {"a": [7, "t", True]})] == ["7", "t", "true"]


def test_an_element_without_content_is_an_empty_document(plan: Plan) -> None:
    found = plan("")

    assert read(found, "") == {}
    assert written(found, {}).tag == "{urn:t}Op"


def test_a_payload_of_text_is_a_document_of_its_text(plan: Plan) -> None:
    found = plan('<x:simpleContent><x:extension base="x:int"/></x:simpleContent>')

    assert read(found, "7") == {"#text": 7}
    assert written(found, {"#text": 7}).text == "7"


@pytest.mark.parametrize(
    "given", ["", "teks", "<a/><b/>", "<a>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "<a>&#1;</a>", 7]
)
def test_what_is_given_as_xml_must_be_one_element(plan: Plan, given: object) -> None:
    found = plan('<x:sequence><x:any minOccurs="0" maxOccurs="unbounded"/></x:sequence>')

    with pytest.raises(TranslationError):
        encode(found, {"#any": [given]})


def test_a_type_that_contains_itself_is_read_to_any_depth_and_told_once(plan: Plan) -> None:
    found = plan(
        '<x:sequence><x:element name="a" type="t:T"/></x:sequence>', RECURSIVE.replace("b", 'b" minOccurs="0', 1)
    )
    document = {"a": {"b": {"c": {"b": {"c": {}}}}}}

    assert decode(found, encode(found, document)) == document
    assert found.payload is not None
    assert [(path, one.kind) for path, one in paths(found.payload.shape)] == [
        ("a", "object"),
        ("a.b", "object"),
        ("a.b.c", "any"),
    ]


def test_what_is_nested_without_end_is_refused(plan: Plan) -> None:
    found = plan(
        '<x:sequence><x:element name="a" type="t:T"/></x:sequence>', RECURSIVE.replace("b", 'b" minOccurs="0', 1)
    )
    document: dict[str, Any] = {}
    for _ in range(2000):
        document = {"b": {"c": document}}

    with pytest.raises(TranslationError):
        encode(found, {"a": document})
    with pytest.raises(InvalidAnswer):
        read(found, "<a>" + "<b><c>" * 2000 + "</c></b>" * 2000 + "</a>")


def test_a_repeated_group_of_several_elements_is_a_list_of_its_turns(plan: Plan) -> None:
    found = plan(f'<x:sequence maxOccurs="unbounded">{BATAS}</x:sequence>')

    assert read(found, "<a>1</a><b>2</b><a>3</a><b>4</b>") == {"#group": [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]}
    with pytest.raises(InvalidAnswer) as caught:
        read(found, "<a>1</a><a>3</a><b>4</b>")
    assert [(error.pointer, error.rule) for error in caught.value.errors] == [("#group.b", "required")]


def test_elements_of_one_name_in_two_namespaces_have_two_names(plan: Plan) -> None:
    found = plan(f'<x:sequence>{BATAS}<x:element name="a" form="unqualified" type="x:int"/></x:sequence>')

    assert [(name, field.tag) for name, field in fields(found).items()] == [
        ("a", "{urn:t}a"),
        ("b", "{urn:t}b"),
        ("a_2", "a"),
    ]


def test_an_attribute_and_an_element_of_one_name_are_two(plan: Plan) -> None:
    more = '<x:complexType name="T"><x:sequence><x:element name="a" form="unqualified" type="x:int"/></x:sequence>'
    more += '<x:attribute name="a" type="x:int"/></x:complexType>'
    found = plan('<x:sequence><x:element name="t" type="t:T"/></x:sequence>', more)

    assert decode(found, encode(found, {"t": {"a": 1, "@a": 2}})) == {"t": {"a": 1, "@a": 2}}


def test_only_types_derived_from_a_named_one_may_stand_for_it(plan: Plan) -> None:
    more = (
        '<x:complexType name="T"><x:sequence><x:element name="a" type="x:int"/></x:sequence></x:complexType>'
        '<x:complexType name="U"><x:complexContent><x:extension base="t:T"/></x:complexContent></x:complexType>'
    )
    inner = '<x:element name="tanpa"><x:complexType><x:sequence/></x:complexType></x:element>'
    found = plan(f'<x:sequence><x:element name="t" type="t:T"/>{inner}</x:sequence>', more)

    assert {name: list(field.variants) for name, field in fields(found).items()} == {"t": [("urn:t", "U")], "tanpa": []}


def test_a_group_that_may_be_there_no_times_is_not_there(plan: Plan) -> None:
    more = f'<x:group name="g"><x:sequence>{BATAS}</x:sequence></x:group>'

    assert fields(plan('<x:sequence><x:group ref="t:g" minOccurs="0" maxOccurs="0"/></x:sequence>', more)) == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            f'<x:sequence maxOccurs="unbounded">{BATAS}<x:any/></x:sequence>',
            "type 'Op' repeats a group that holds any element, or another such group",
        ),
        (
            f'<x:sequence>{BATAS}<x:element name="a" type="x:string"/></x:sequence>',
            "type 'Op' has two elements named 'a' with others between them",
        ),
        (
            f"<x:choice><x:sequence>{BATAS}</x:sequence><x:sequence>{SATAB}</x:sequence></x:choice>",
            "type 'Op' has 'a' at different places of its alternatives",
        ),
    ],
)
def test_what_a_plan_can_not_say_goes_through_zeeps_tree_and_says_why(
    plans: Callable[..., Plans], content: str, reason: str
) -> None:
    found = plans(content)

    assert found.operations["op"].request.odd == reason
    assert contract_of(found.operations["op"]).detour == (
        f"its request goes through zeep's tree: {reason}; its reply goes through zeep's tree: {reason}"
    )
    assert set(found.trees) == {("op", "input"), ("op", "output")}


def test_of_several_parts_the_body_must_name_one(why: Callable[..., str], plan: Plan) -> None:
    texts = {"more": '<x:element name="Lain"/>', "parts": '<wsdl:part name="q" element="t:Lain"/>'}

    assert why("", **texts) == "has 2 parts in a document-style Body"
    assert plan(f"<x:sequence>{BATAS}</x:sequence>", **texts, body=' parts="p"').payload is not None


def test_a_part_of_a_type_is_refused_in_document_style(why: Callable[..., str]) -> None:
    assert why("", parts='<wsdl:part name="q" type="x:string"/>').startswith("has a part of a type")


def test_an_overloaded_operation_is_refused(why: Callable[..., str]) -> None:
    assert why("", again=OPERATION.format(body="")) == "is overloaded: several operations have this name"


def test_a_pattern_that_can_not_be_read_refuses_the_operation_with_the_field(why: Callable[..., str]) -> None:
    odd = '<x:simpleType><x:restriction base="x:string"><x:pattern value="(?=a)b"/></x:restriction></x:simpleType>'

    said = why(f'<x:sequence><x:element name="kode">{odd}</x:element></x:sequence>')

    assert said.startswith("has a field 'kode' whose type can't be checked: a pattern can't be read: (?=a)b has ")


def test_elements_come_in_the_order_of_their_sequence_but_not_of_a_choice_that_repeats_or_of_all(plan: Plan) -> None:
    def ordered(content: str) -> bool:
        found = plan(content)
        assert found.payload is not None
        assert found.payload.shape is not None
        return found.payload.shape.ordered

    assert ordered(f"<x:sequence>{BATAS}</x:sequence>")
    assert not ordered(f"<x:all>{BATAS}</x:all>")
    assert not ordered(f'<x:choice maxOccurs="9">{BATAS}</x:choice>')
