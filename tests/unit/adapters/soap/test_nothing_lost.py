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
