"""Values hold to their types in zeep's tree as in a compiled message: the same values, texts and errors."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from adapters.soap.decode import decode
from adapters.soap.encode import encode
from adapters.soap.planning import Plans, read_plans
from gateway import Document, Fault, FieldError, InvalidAnswer, TranslationError
from tests.unit.adapters.soap.test_planning import OPERATION, WSDL, answer
from tests.unit.adapters.soap.test_simple import TYPES

MORE = """
<x:simpleType name="Code"><x:restriction base="x:string"><x:pattern value="[A-Z]{2}"/></x:restriction></x:simpleType>
<x:simpleType name="Area"><x:restriction base="x:decimal"><x:fractionDigits value="2"/><x:minInclusive value="0"/>
  </x:restriction></x:simpleType>
<x:simpleType name="Codes"><x:restriction><x:simpleType><x:list itemType="t:Code"/></x:simpleType>
  <x:pattern value="A.*"/></x:restriction></x:simpleType>
<x:simpleType name="ListOrNumber"><x:union memberTypes="t:Numbers x:boolean"/></x:simpleType>
"""
TEXTS = [
    *(
        "",
        " ",
        "1",
        "1 2",
        " 1\n2 ",
        "1 2 3",
        "1 a",
        "03",
        "2 1",
        "3",
        "ab",
        "abc",
        "abcd",
        "abcde",
        "ab c",
        "A",
        "A 1",
    ),
    *("A 2", "5", "6", "B", "AB", "AB CD", "CD AB", "true", "1.50", "1.505", "-1", "1e3", "2026-03-14", "x y z"),
    *("2026-03-14T09:26:53", "2026-03-14T09:26:53Z", "2026-02-30", "QQ==", "Q", "0A", "INF", "a<&>é", "14:00:00"),
]
VALUES: list[Any] = [
    *([], [1], [1, 2], [1, 2, 3], [3], [2, 1], ["ab", "c"], ["abc"], ["a b"], [""], ["A", 1], ["A", 2], ["AB"], [None]),
    *(
        1,
        5,
        6,
        2,
        True,
        1.5,
        "",
        "A",
        "B",
        "ab",
        "abcd",
        "AB",
        "QQ==",
        "2026-03-14",
        {"a": 1},
        "\x01",
        None,
        "a\u00a0b",
    ),
]
BUILTINS = "string int boolean decimal date dateTime time base64Binary hexBinary float duration gYear token NMTOKENS"
NAMED = "Numbers Two Pairs Shorts Longs Inline Either Some Several Nested Mixed Letters Code Area Codes ListOrNumber"
EVERY = [*(f"x:{name}" for name in BUILTINS.split()), *(f"t:{name}" for name in NAMED.split())]
JAKARTA = ZoneInfo("Asia/Jakarta")


class Ways(NamedTuple):
    """One type in a message that is compiled, and in one that is not."""

    compiled: Plans
    odd: Plans

    def read(self, text: str) -> Sequence[Any]:
        escaped = text.replace("&", "&amp;").replace("<", "&lt;")
        return [_read(plans, f"{before}<f>{escaped}</f>{after}", "f") for plans, before, after in self.both_ways()]

    def write(self, value: Any) -> Sequence[Any]:
        return [
            _written(plans, {"f": value, **more}) for plans, more in zip(self, ({}, {"z": 1, "z__1": 2}), strict=True)
        ]

    def both_ways(self) -> Sequence[tuple[Plans, str, str]]:
        return (self.compiled, "", ""), (self.odd, "<z>1</z>", "<z>2</z>")


@pytest.fixture
def ways(tmp_path: Path) -> Callable[..., Ways]:
    def make(field: str, attributes: str = "") -> Ways:
        end = '<x:element name="z" type="x:int"/>'
        return Ways(
            _plans(tmp_path / "a.wsdl", f"<x:sequence>{field}</x:sequence>{attributes}"),
            _plans(tmp_path / "b.wsdl", f"<x:sequence>{end}{field}{end}</x:sequence>{attributes}"),
        )

    return make


def _plans(path: Path, content: str) -> Plans:
    texts = {"parts": "", "again": "", "operation": OPERATION.format(body="")}
    path.write_text(WSDL.format(content=content, more=TYPES + MORE, **texts))
    return read_plans(path)


def _read(plans: Plans, content: str | bytes, name: str) -> Any:
    whole = answer(content) if isinstance(content, str) else content
    try:
        found: Document | Fault = decode(
            plans.operations["op"].request, whole, zone=JAKARTA, tree=plans.trees.get(("op", "input"))
        )
    except InvalidAnswer as error:
        return "wrong", [_plain(one) for one in error.errors]
    assert isinstance(found, dict)
    return found.get(name, "missing")


def _written(plans: Plans, document: Document) -> Any:
    try:
        content = encode(plans.operations["op"].request, document, tree=plans.trees.get(("op", "input")))
    except TranslationError as error:
        return "wrong", [_plain(one) for one in error.errors]
    (payload,) = etree.fromstring(content).find("{*}Body")
    field = payload.find("{*}f")
    nil = "" if field is None else field.get("{http://www.w3.org/2001/XMLSchema-instance}nil", "")
    return ("missing", payload.get("a")) if field is None else (field.text or "", nil, payload.get("a"))


def _plain(error: FieldError) -> tuple[str, str, Any, Any]:
    return error.pointer, error.rule, dict(error.params), error.value


@pytest.mark.parametrize("type_", EVERY)
def test_a_type_is_read_and_written_the_same_both_ways(ways: Callable[..., Ways], type_: str) -> None:
    both = ways(f'<x:element name="f" type="{type_}"/>')
    assert both.odd.trees
    assert not both.compiled.trees

    for text in TEXTS:
        compiled, odd = both.read(text)
        assert odd == compiled, text
    for value in VALUES:
        compiled, odd = both.write(value)
        assert odd == compiled, value


def test_what_a_list_and_a_union_say_is_enforced_in_zeeps_tree(ways: Callable[..., Ways]) -> None:
    two, either, codes = (ways(f'<x:element name="f" type="t:{name}"/>') for name in ("Two", "Either", "Codes"))

    assert two.read("1 2")[1] == [1, 2]
    assert two.read("1 2 3")[1] == (
        "wrong",
        [("f", "native", {"expected": "at most {count} values", "count": "2"}, "1 2 3")],
    )
    assert two.write([1])[1][1][0][:3] == ("f", "native", {"expected": "at least {count} values", "count": "2"})
    assert either.read("5")[1] == 5
    assert either.read("6")[1][0] == either.write(6)[1][0] == "wrong"
    assert codes.read("BA AB")[1][1][0][1] == codes.write(["BA", "AB"])[1][1][0][1] == "pattern"


@pytest.mark.parametrize("more", ['minOccurs="0"', 'nillable="true"', 'minOccurs="0" nillable="true"', 'fixed="1 2"'])
def test_missing_null_and_empty_are_three_both_ways(ways: Callable[..., Ways], more: str) -> None:
    both = ways(f'<x:element name="f" type="t:Numbers" {more}/>')

    for text in ("", "1 2", "3"):
        assert both.read(text)[1] == both.read(text)[0]
    nil = [_read(plans, f'{before}<f i:nil="true"/>{after}', "f") for plans, before, after in both.both_ways()]
    assert (nil[0] is None) == (nil[1] is None) == ("nillable" in more)
    for value in (None, [], [1, 2]):
        assert both.write(value)[1] == both.write(value)[0]


@pytest.mark.parametrize("type_", ["Numbers", "Shorts", "Either", "Some", "Code"])
def test_attributes_hold_to_their_types_both_ways(ways: Callable[..., Ways], type_: str) -> None:
    both = ways('<x:element name="f" type="x:int"/>', f'<x:attribute name="a" type="t:{type_}"/>')

    def read(text: str) -> Sequence[Any]:
        contents = (answer(f"{before}<f>1</f>{after}") for _, before, after in both.both_ways())
        said = (content.replace(b"<Op ", f'<Op a="{text}" '.encode()) for content in contents)
        return [_read(plans, content, "@a") for plans, content in zip(both, said, strict=True)]

    for text in (one for one in TEXTS if "<" not in one and "\n" not in one):
        assert read(text)[1] == read(text)[0], text
    for value in VALUES:
        document = {"f": 1, "@a": value}
        compiled, odd = _written(both.compiled, document), _written(both.odd, {**document, "z": 1, "z__1": 2})
        assert odd == compiled, value


@pytest.mark.parametrize("type_", ["Narrow", "Wider"])
def test_the_text_beside_attributes_holds_to_its_type_both_ways(ways: Callable[..., Ways], type_: str) -> None:
    both = ways(f'<x:element name="f" type="t:{type_}"/>')

    for text in ("abc", "abcd", " a"):
        assert both.read(text)[1] == both.read(text)[0]
    for value in ({"#text": "abc"}, {"#text": "abcd"}, {"#text": "a", "@a": 1}, {"#text": "a", "@a": "x"}):
        assert both.write(value)[1] == both.write(value)[0]


def test_lists_that_repeat_stay_apart(ways: Callable[..., Ways]) -> None:
    both = ways('<x:element name="f" type="t:Numbers" maxOccurs="unbounded"/>')
    content = "<z>1</z><f>1 2</f><f>3</f><z>2</z>"

    assert _read(both.odd, content, "f") == [[1, 2], [3]]
    assert _written(both.odd, {"z": 1, "f": [[1, 2], [3]], "z__1": 2})[0] == "1 2"


def test_an_object_of_nothing_stays_one_and_a_null_object_is_refused(ways: Callable[..., Ways]) -> None:
    inner = '<x:complexType><x:sequence><x:element name="g" type="x:int" minOccurs="0"/></x:sequence></x:complexType>'
    many = ways(f'<x:element name="f" maxOccurs="9" nillable="true">{inner}</x:element>')

    assert _read(many.odd, "<z>1</z><f/><f><g>1</g></f><f></f><z>2</z>", "f") == [{}, {"g": 1}, {}]
    assert _read(many.odd, '<z>1</z><f/><f i:nil="true"/><z>2</z>', "f")[0] == "wrong"
    needed = inner.replace('minOccurs="0"', 'nillable="true"')
    nulls = ways(f'<x:element name="f" maxOccurs="9" nillable="true">{needed}</x:element>')
    assert _written(nulls.odd, {"z": 1, "f": [{"g": 1}, None], "z__1": 2})[0] == "wrong"  # zeep writes nulls inside


def test_an_object_without_children_keeps_its_attributes(ways: Callable[..., Ways]) -> None:
    inner = '<x:complexType><x:sequence/><x:attribute name="g" type="x:int"/><x:anyAttribute/></x:complexType>'
    both = ways(f'<x:element name="f">{inner}</x:element>')

    assert _read(both.odd, '<z>1</z><f g="1"/><z>2</z>', "f") == {"@g": 1}
