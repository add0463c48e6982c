"""Simple types as they are declared: whatever restricts a list, a union or the text beside attributes holds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.soap.decode import decode
from adapters.soap.encode import encode
from adapters.soap.plan import MessagePlan
from adapters.soap.planning import read_plans
from adapters.soap.sample import sample
from adapters.soap.tolerate import Leniency, Tolerance
from gateway import InvalidAnswer, TranslationError
from tests.unit.adapters.soap.test_planning import OPERATION, WSDL


def short(most: int) -> str:
    return f'<x:simpleType><x:restriction base="x:string"><x:maxLength value="{most}"/></x:restriction></x:simpleType>'


TYPES = f"""
<x:simpleType name="Numbers"><x:list itemType="x:int"/></x:simpleType>
<x:simpleType name="Two"><x:restriction base="t:Numbers"><x:length value="2"/></x:restriction></x:simpleType>
<x:simpleType name="Pairs"><x:restriction base="t:Numbers"><x:enumeration value="1 2"/><x:enumeration value="3"/>
  </x:restriction></x:simpleType>
<x:simpleType name="Shorts"><x:list>{short(2)}</x:list></x:simpleType>
<x:simpleType name="Longs"><x:list>{short(4)}</x:list></x:simpleType>
<x:simpleType name="Inline"><x:restriction><x:simpleType><x:list itemType="x:int"/></x:simpleType>
  <x:maxLength value="2"/></x:restriction></x:simpleType>
<x:simpleType name="Letter"><x:restriction base="x:string"><x:enumeration value="A"/></x:restriction></x:simpleType>
<x:simpleType name="Either"><x:union memberTypes="t:Letter">
  <x:simpleType><x:restriction base="x:int"><x:maxInclusive value="5"/></x:restriction></x:simpleType>
  </x:union></x:simpleType>
<x:simpleType name="Some"><x:restriction base="t:Either"><x:enumeration value="A"/><x:enumeration value="1"/>
  </x:restriction></x:simpleType>
<x:simpleType name="Several"><x:restriction><x:simpleType><x:list itemType="t:Some"/></x:simpleType>
  <x:minLength value="1"/></x:restriction></x:simpleType>
<x:simpleType name="Nested"><x:restriction>{short(3)}<x:minLength value="2"/></x:restriction></x:simpleType>
<x:complexType name="Text"><x:simpleContent><x:extension base="x:string"><x:attribute name="a" type="x:int"/>
  </x:extension></x:simpleContent></x:complexType>
<x:complexType name="Narrow"><x:simpleContent><x:restriction base="t:Text"><x:maxLength value="3"/>
  </x:restriction></x:simpleContent></x:complexType>
<x:complexType name="Wider"><x:simpleContent><x:extension base="t:Narrow"/></x:simpleContent></x:complexType>
<x:simpleType name="Mixed"><x:union memberTypes="x:int x:string"/></x:simpleType>
<x:simpleType name="Letters"><x:union memberTypes="t:Letter x:int"/></x:simpleType>
"""
Of = Callable[[str], MessagePlan]


@pytest.fixture
def of(tmp_path: Path) -> Of:
    def make(type_: str, more: str = "") -> MessagePlan:
        element = more or f'<x:element name="f" type="t:{type_}"/>'
        path = tmp_path / "t.wsdl"
        content = f"<x:sequence>{element}</x:sequence>"
        texts = {"parts": "", "again": "", "operation": OPERATION.format(body="")}
        path.write_text(WSDL.format(content=content, more=TYPES, **texts))
        return read_plans(path).operations["op"].request

    return make


def read(plan: MessagePlan, text: str, leniency: Leniency | None = None) -> Any:
    start = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><Op xmlns="urn:t">'
    content = f"{start}<f>{text}</f></Op></e:Body></e:Envelope>".encode()
    document = decode(plan, content, leniency=leniency)
    assert isinstance(document, dict)
    return document["f"]


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        ("Two", {"1 2": [1, 2], " 1\n2 ": [1, 2]}, {"1": [1], "1 2 3": [1, 2, 3], "1 a": [1, "a"]}),
        ("Pairs", {"1 2": [1, 2], "03": [3]}, {"2 1": [2, 1], "1": [1]}),
        ("Shorts", {"ab c": ["ab", "c"]}, {"abc": ["abc"]}),
        ("Longs", {"abcd": ["abcd"]}, {"abcde": ["abcde"]}),
        ("Inline", {"": [], "1 2": [1, 2]}, {"1 2 3": [1, 2, 3], "a": ["a"]}),
        ("Either", {"A": "A", "5": 5}, {"B": "B", "6": 6}),
        ("Some", {"A": "A", "1": 1}, {"2": 2, "B": "B"}),
        ("Several", {"A 1": ["A", 1]}, {"": [], "A 2": ["A", 2]}),
        ("Nested", {"ab": "ab", "abc": "abc"}, {"a": "a", "abcd": "abcd"}),
        ("Narrow", {"abc": {"#text": "abc"}}, {"abcd": {"#text": "abcd"}}),
        ("Wider", {"abc": {"#text": "abc"}}, {"abcd": {"#text": "abcd"}}),
    ],
)
def test_what_a_type_says_holds_in_both_directions(
    of: Of, type_: str, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    plan = of(type_)

    for text, value in good.items():
        assert read(plan, text) == value
        assert b"</n0:f>" in encode(plan, {"f": value})
    for text, value in bad.items():
        with pytest.raises(InvalidAnswer):
            read(plan, text)
        with pytest.raises(TranslationError):
            encode(plan, {"f": value})


@pytest.mark.parametrize("type_", ["Two", "Pairs", "Shorts", "Inline", "Either", "Some", "Several", "Nested", "Narrow"])
def test_an_example_is_one_that_can_be_sent(of: Of, type_: str) -> None:
    plan = of(type_)

    encode(plan, sample(plan, lambda _: None))


def test_an_anonymous_list_is_held_to_what_it_says(of: Of) -> None:
    inner = '<x:simpleType><x:list itemType="x:int"/></x:simpleType><x:maxLength value="1"/>'
    element = f'<x:element name="f"><x:simpleType><x:restriction>{inner}</x:restriction></x:simpleType></x:element>'
    plan = of("", element)

    assert read(plan, "1") == [1]
    with pytest.raises(InvalidAnswer):
        read(plan, "1 2")


@pytest.mark.parametrize(
    ("type_", "tolerance", "text", "value"),
    [
        ("Mixed", "empty-values", "", ""),
        ("Letters", "beyond-facets", "7", 7),
    ],
)
def test_what_a_member_of_a_union_takes_needs_no_tolerance(
    of: Of, type_: str, tolerance: Tolerance, text: str, value: Any
) -> None:
    leniency = Leniency(named=frozenset({tolerance}))

    assert read(of(type_), text, leniency) == value
    assert (leniency.used, leniency.missed) == (set(), set())


@pytest.mark.parametrize(("type_", "text", "value"), [("Letters", "B", "B"), ("Two", "1", [1])])
def test_what_no_member_takes_may_be_tolerated(of: Of, type_: str, text: str, value: Any) -> None:
    leniency = Leniency(named=frozenset({"beyond-facets"}))

    assert read(of(type_), text, leniency) == value
    assert leniency.used == {"beyond-facets"}
