"""What flattening a content model or a detour could lose: the order of turns, attributes of nothing, facets."""

from collections.abc import Callable

import pytest

from adapters.soap.decode import decode
from adapters.soap.encode import encode
from adapters.soap.planning import Plans
from gateway import InvalidAnswer, TranslationError
from tests.unit.adapters.soap.test_planning import BATAS, Plan, plan, plans, read, written

__all__ = ["plan", "plans"]


def test_turns_of_a_group_stand_together_and_not_among_what_follows(plan: Plan) -> None:
    group = f'<x:sequence maxOccurs="unbounded">{BATAS}</x:sequence><x:element name="z" type="x:int"/>'
    found = plan(f"<x:sequence>{group}</x:sequence>")
    turn = "<a>1</a><b>2</b>"

    assert read(found, f"{turn}{turn}<z>9</z>")["z"] == 9
    with pytest.raises(InvalidAnswer, match="does not fit"):
        read(found, f"{turn}<z>9</z>{turn}")


def test_what_is_null_has_no_attributes_that_would_be_lost(plan: Plan) -> None:
    inner = '<x:complexType><x:sequence/><x:attribute name="id" type="x:int"/></x:complexType>'
    found = plan(f'<x:sequence><x:element name="o" nillable="true">{inner}</x:element></x:sequence>')
    nil = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"'

    assert read(found, f"<o {nil}/>") == {"o": None}
    with pytest.raises(InvalidAnswer, match="does not fit"):
        read(found, f'<o {nil} id="5"/>')


def test_a_list_of_none_is_no_alternative(plan: Plan) -> None:
    many = 'type="x:int" minOccurs="0" maxOccurs="unbounded"'
    found = plan(f'<x:choice><x:element name="a" {many}/><x:element name="b" {many}/></x:choice>')

    assert [child.tag for child in written(found, {"a": [1], "b": []})] == ["{urn:t}a"]


@pytest.mark.parametrize("kode", ["abc", "a"])
def test_facets_hold_in_zeeps_tree_too(plans: Callable[..., Plans], kode: str) -> None:
    more = '<x:simpleType name="K"><x:restriction base="x:string"><x:length value="2"/></x:restriction></x:simpleType>'
    inside = '<x:element name="a" type="x:int"/><x:element name="k" type="t:K"/><x:element name="a" type="x:int"/>'
    found = plans(f"<x:sequence>{inside}</x:sequence>", more)
    request, tree = found.operations["op"].request, found.trees["op", "input"]
    right = encode(request, {"a": 1, "k": "ab", "a__1": 2}, tree=tree)

    assert decode(request, right, tree=tree) == {"a": 1, "k": "ab", "a__1": 2}
    with pytest.raises(TranslationError):
        encode(request, {"a": 1, "k": kode, "a__1": 2}, tree=tree)
    with pytest.raises(InvalidAnswer):
        decode(request, right.replace(b">ab<", f">{kode}<".encode()), tree=tree)


ATTRIBUTES = '<x:attribute name="versi" type="x:decimal" fixed="1.0"/><x:attribute name="lama" type="x:string"/>'


def test_what_is_fixed_is_that_or_nothing_else_and_an_empty_element_says_it(plan: Plan) -> None:
    content = '<x:element name="jenis" type="x:string" fixed="IMB"/><x:element name="n" type="x:int" fixed="7"/>'
    found = plan(f"<x:sequence>{content}</x:sequence>{ATTRIBUTES}")
    whole = "<jenis>IMB</jenis><n>07</n>"

    assert read(found, whole) == {"jenis": "IMB", "n": 7}
    assert read(found, "<jenis/><n/>") == {"jenis": "IMB", "n": 7}
    assert written(found, {"jenis": "IMB", "n": 7, "@versi": 1}).get("versi") == "1"
    for wrong in ("<jenis>SIUP</jenis><n>7</n>", "<jenis>IMB</jenis><n>8</n>"):
        with pytest.raises(InvalidAnswer, match="does not fit"):
            read(found, wrong)
    with pytest.raises(TranslationError):
        encode(found, {"jenis": "IMB", "n": 7, "@versi": 2})


def test_what_a_base_fixes_holds_for_what_is_derived_from_it(plan: Plan) -> None:
    fixed = '<x:sequence><x:element name="k" type="x:string" fixed="K"/></x:sequence>'
    found = plan('<x:complexContent><x:extension base="t:D"/></x:complexContent>', _type("D", fixed))

    assert read(found, "<k>K</k>") == {"k": "K"}
    with pytest.raises(InvalidAnswer, match="does not fit"):
        read(found, "<k>L</k>")


def test_an_attribute_that_a_restriction_forbids_is_none(plan: Plan) -> None:
    base = _type("D", f"<x:sequence/>{ATTRIBUTES}")
    forbidden = '<x:sequence/><x:attribute name="lama" use="prohibited"/>'
    derived = _type("E", f'<x:complexContent><x:restriction base="t:D">{forbidden}</x:restriction></x:complexContent>')
    found = plan(
        '<x:sequence><x:element name="d" type="t:D"/><x:element name="e" type="t:E"/></x:sequence>', base + derived
    )

    assert read(found, '<d lama="x"/><e versi="1.0"/>')["d"] == {"@lama": "x"}
    with pytest.raises(InvalidAnswer, match="does not fit"):
        read(found, '<d/><e lama="x"/>')
    with pytest.raises(TranslationError):
        encode(found, {"d": {}, "e": {"@lama": "x"}})


def test_elements_nobody_declared_have_their_place_too(plan: Plan) -> None:
    any_ = '<x:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="9"/>'
    found = plan(f"<x:sequence>{BATAS}{any_}<x:element name='z' type='x:int'/></x:sequence>")
    lain = '<lain xmlns="urn:lain">1</lain>'

    assert read(found, f"<a/><b/>{lain}{lain}<z>1</z>")["lain"] == ["1", "1"]
    for wrong in (f"{lain}<a/><b/><z>1</z>", f"<a/><b/>{lain}<z>1</z>{lain}", f"<a/><b/><z>1</z>{lain}"):
        with pytest.raises(InvalidAnswer, match="does not fit"):
            read(found, wrong)


def test_an_element_in_a_namespace_that_is_no_address_is_refused(plan: Plan) -> None:
    found = plan("<x:sequence><x:any minOccurs='0'/></x:sequence>")

    assert read(found, '<lain xmlns="urn:lain"/>')["lain"] == ""
    with pytest.raises(InvalidAnswer, match="does not fit"):
        read(found, '<lain xmlns="lain"/>')


def test_of_an_element_without_a_type_nothing_is_lost(plan: Plan) -> None:
    found = plan('<x:sequence><x:element name="a"/></x:sequence>')
    document = {"a": {"@id": "7", "b": {"@satuan": "kg", "#text": "5"}, "c": ["1", "2"]}}

    assert read(found, '<a id="7"><b satuan="kg">5</b><c>1</c><c>2</c></a>') == document
    assert decode(found, encode(found, document)) == document
    for wrong in ("<a>teks<b/></a>", "<a><b/>teks</a>", '<a x="1" xmlns:p="urn:p" p:x="2"/>'):
        with pytest.raises(InvalidAnswer, match="does not fit"):
            read(found, wrong)
    for impossible in ({"#text": "t", "b": "1"}, {"@": "1"}, {"@b": 1}):
        with pytest.raises(TranslationError):
            encode(found, {"a": impossible})


def _type(name: str, content: str) -> str:
    return f'<x:complexType name="{name}">{content}</x:complexType>'
