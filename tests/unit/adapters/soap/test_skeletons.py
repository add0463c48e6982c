"""What looks like an answer before is read without a parser: the same values, the same errors, or not at all."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from adapters.soap.decode import decode
from adapters.soap.plan import MessagePlan
from adapters.soap.planning import Plans
from adapters.soap.skeletons import skeletons_of
from adapters.soap.tolerate import Leniency
from gateway import Document, InvalidAnswer
from tests.unit.adapters.soap.test_planning import Plan, answer, plan, plans

__all__ = ["plan", "plans"]

ISI = (
    '<x:sequence><x:element name="nama" type="x:string"/><x:element name="umur" type="x:int" minOccurs="0"/>'
    '<x:element name="saat" type="x:dateTime" minOccurs="0" nillable="true"/>'
    '<x:element name="izin" minOccurs="0" maxOccurs="3"><x:complexType><x:sequence>'
    '<x:element name="nomor" type="x:string"/><x:element name="luas" type="x:int" minOccurs="0"/>'
    "</x:sequence></x:complexType></x:element></x:sequence>"
)
LATIN = '<?xml version="1.0" encoding="ISO-8859-1"?>'


@pytest.fixture
def found(plan: Plan) -> MessagePlan:
    return plan(ISI)


def at_once(found: MessagePlan, content: bytes, zone: ZoneInfo | None = None) -> Document | None:
    """Return what is read by a skeleton, None where the parser is needed."""
    return skeletons_of(found, zone).read(content)


def test_an_answer_like_one_before_is_read_at_once(found: MessagePlan) -> None:
    decode(found, answer("<nama>Siti</nama><umur>7</umur>"))
    like = answer("<nama>Budi \U0001f600 bin Ali</nama><umur>8</umur>")

    assert at_once(found, like) == {"nama": "Budi \U0001f600 bin Ali", "umur": 8, "izin": []} == decode(found, like)


def test_what_answers_have_besides_is_learnt_too(found: MessagePlan) -> None:
    for content in (
        "<nama>a</nama>",
        '<nama/><saat i:nil="true"/>',
        "<nama>a</nama><umur>1</umur><izin><nomor>1</nomor></izin>",
    ):
        assert at_once(found, answer(content)) is None
        decode(found, answer(content))
    izin = "<izin><nomor>1</nomor></izin>"

    assert at_once(found, answer(f'<nama/><umur>3</umur><saat i:nil="true"/>{izin}{izin}')) == {
        "nama": "",
        "umur": 3,
        "saat": None,
        "izin": [{"nomor": "1"}, {"nomor": "1"}],
    }
    assert at_once(found, answer("<nama>b</nama>")) == {"nama": "b", "izin": []}


@pytest.mark.parametrize(
    "wrong",
    [
        "<nama>a</nama><umur>tujuh</umur>",
        "<nama>a</nama><umur>99999999999</umur>",
        "<umur>7</umur><nama>a</nama>",
        "<nama>a</nama><nama>b</nama><umur>7</umur>",
        "<umur>7</umur>",
        "<nama>a</nama><umur>7</umur>" + 4 * "<izin><nomor>1</nomor></izin>",
        "<nama>a</nama><umur>7</umur>teks",
        "<nama>a]]>b</nama><umur>7</umur>",
        "<nama>a&b</nama><umur>7</umur>",
        "<nama>a&tidak;b</nama><umur>7</umur>",
        "<nama>a&#1;b</nama><umur>7</umur>",
        "<nama>a\x01b</nama><umur>7</umur>",
        "<nama>a\uffffb</nama><umur>7</umur>",
    ],
)
def test_what_is_wrong_is_refused_as_if_nothing_had_been_before(found: MessagePlan, wrong: str) -> None:
    for content in ("<nama>a</nama><umur>1</umur>", "<nama>a</nama><izin><nomor>1</nomor></izin>"):
        decode(found, answer(content))

    with pytest.raises(InvalidAnswer) as first:
        decode(replace(found), answer(wrong))
    with pytest.raises(InvalidAnswer) as second:
        decode(found, answer(wrong))
    assert (str(second.value), second.value.errors) == (str(first.value), first.value.errors)


def test_references_to_characters_are_characters(found: MessagePlan) -> None:
    decode(found, answer("<nama>a &amp; b</nama>"))

    like = answer("<nama>&lt;CV. Maju &amp; Jaya&gt; &#233; &quot;&apos;</nama>")
    assert at_once(found, like) == {"nama": "<CV. Maju & Jaya> é \"'", "izin": []}
    assert at_once(found, answer("<nama>a&#13;b</nama>")) is None
    assert decode(found, answer("<nama>a&#13;b</nama>"))["nama"] == "a\rb"  # type: ignore[index]


@pytest.mark.parametrize("strange", ["<nama><![CDATA[a]]></nama>", "<nama>a<!-- b -->c</nama>", "<nama>a\r\nb</nama>"])
def test_what_needs_a_parser_goes_to_the_parser(found: MessagePlan, strange: str) -> None:
    decode(found, answer("<nama>a</nama>"))

    assert at_once(found, answer(strange)) is None
    assert decode(found, answer(strange)) == decode(replace(found), answer(strange))


def test_a_time_without_a_zone_is_of_the_agencys(found: MessagePlan) -> None:
    jakarta = ZoneInfo("Asia/Jakarta")
    content = answer("<nama>a</nama><saat>2026-03-14T09:26:53</saat>")
    first = decode(found, content, zone=jakarta)

    assert at_once(found, content, jakarta) == first
    assert first["saat"] == "2026-03-14T09:26:53+07:00"  # type: ignore[index]
    with pytest.raises(InvalidAnswer):
        decode(found, content)


def test_an_answer_that_is_no_utf8_is_read_as_what_it_says_it_is(found: MessagePlan) -> None:
    def said(nama: str) -> bytes:
        return (LATIN + answer(f"<nama>{nama}</nama>").decode()).encode("latin-1")

    decode(found, said("Siti"))

    assert at_once(found, said("Ã©")) == {"nama": "Ã©", "izin": []}
    assert skeletons_of(found, None).read(said("é"), "windows-1252") is None
    leniency = Leniency(charset="windows-1252")
    assert decode(found, said("\x96"), leniency=leniency)["nama"] == "\u2013"  # type: ignore[index]
    assert leniency.used == {"charset"}


def test_what_was_only_tolerated_teaches_nothing(found: MessagePlan) -> None:
    leniency = Leniency(named=frozenset({"any-order"}))
    content = answer("<umur>7</umur><nama>a</nama>")
    decode(found, content, leniency=leniency)

    assert leniency.used == {"any-order"}
    assert at_once(found, content) is None


def test_answers_that_are_never_alike_are_given_up(found: MessagePlan) -> None:
    for number in range(50):
        decode(found, answer("<nama>a</nama>").replace(b"<nama>", b"<nama" + b" " * number + b">"))

    assert at_once(found, answer("<nama>a</nama>").replace(b"<nama>", b"<nama" + b" " * 49 + b">")) is None
    assert at_once(found, answer("<nama>a</nama>").replace(b"<nama>", b"<nama" + b" " * 39 + b">")) is not None


def test_a_long_list_is_learnt_from_its_beginning(plans: Callable[..., Plans]) -> None:
    found = plans(ISI.replace('maxOccurs="3"', 'maxOccurs="unbounded"')).operations["op"].request
    izin = "<izin><nomor>1</nomor></izin>"
    decode(found, answer(f"<nama>a</nama>{5000 * izin}<izin><nomor>2</nomor><luas>9</luas></izin>"))

    read = at_once(found, answer(f"<nama>a</nama>{3 * izin}<izin><nomor>3</nomor><luas>8</luas></izin>"))
    assert read is not None
    assert read["izin"][-1] == {"nomor": "3", "luas": 8}


BERATRIBUT = (
    '<x:sequence><x:element name="izin" minOccurs="0" maxOccurs="unbounded"><x:complexType><x:sequence>'
    '<x:element name="luas" type="t:Luas" minOccurs="0"/></x:sequence><x:attribute name="nomor" type="x:string"/>'
    '<x:attribute name="urut" type="x:int"/></x:complexType></x:element></x:sequence>'
)
LUAS = (
    '<x:complexType name="Luas"><x:simpleContent><x:extension base="x:decimal">'
    '<x:attribute name="satuan" type="x:string" use="required"/></x:extension></x:simpleContent></x:complexType>'
)


@pytest.fixture
def beratribut(plan: Plan) -> MessagePlan:
    return plan(BERATRIBUT, LUAS)


def test_attributes_and_the_text_beside_them_are_read_at_once(beratribut: MessagePlan) -> None:
    decode(beratribut, answer("<izin nomor='1' urut=\"7\"><luas satuan='m2'>2.5</luas></izin>"))
    one = "<izin nomor='{}' urut=\"{}\"><luas satuan='{}'>{}</luas></izin>"
    like = answer(one.format('a"b > c', "8", "", "1") + one.format("é &amp; &apos;", "-9", "ha", "0.50"))

    read = at_once(beratribut, like)
    assert read == decode(replace(beratribut), like)
    assert read == {
        "izin": [
            {"@nomor": 'a"b > c', "@urut": 8, "luas": {"@satuan": "", "#text": 1}},
            {"@nomor": "é & '", "@urut": -9, "luas": {"@satuan": "ha", "#text": Decimal("0.50")}},
        ]
    }


def test_an_element_with_attributes_may_be_empty(beratribut: MessagePlan) -> None:
    for content in ('<izin nomor="1"/>', '<izin nomor="1"><luas satuan="ha">1</luas></izin>'):
        decode(beratribut, answer(content))

    assert at_once(beratribut, answer('<izin nomor="5"/><izin nomor="6"/>')) == {
        "izin": [{"@nomor": "5"}, {"@nomor": "6"}]
    }
    assert at_once(beratribut, answer('<izin nomor="5"><luas satuan="ha">9</luas></izin>')) == {
        "izin": [{"@nomor": "5", "luas": {"@satuan": "ha", "#text": 9}}]
    }


@pytest.mark.parametrize(
    "strange",
    [
        '<izin nomor="a&#10;b" urut="1"/>',
        '<izin nomor="a\nb" urut="1"/>',
        '<izin nomor="a\tb" urut="1"/>',
        '<izin urut="1" nomor="a"/>',
        '<izin nomor="a"/>',
        '<izin nomor="a" urut=" 1 "/>',
        "<izin nomor='a' urut=\"1\"/>",
        '<izin nomor="a" urut="tujuh"/>',
        '<izin nomor="a" urut="99999999999"/>',
        '<izin nomor="a" urut="1" nomor="b"/>',
        '<izin nomor="a" urut="1" lain="b"/>',
        '<izin nomor="a" i:nil="true" urut="1"/>',
        '<izin nomor="a<b" urut="1"/>',
        '<izin nomor="a&b" urut="1"/>',
    ],
)
def test_attributes_are_read_or_refused_as_if_nothing_had_been_before(beratribut: MessagePlan, strange: str) -> None:
    decode(beratribut, answer('<izin nomor="1" urut="1"/>'))
    fresh = replace(beratribut)

    assert _outcome(beratribut, strange) == _outcome(fresh, strange)


def _outcome(found: MessagePlan, content: str) -> object:
    try:
        return decode(found, answer(content))
    except InvalidAnswer as error:
        return str(error), error.errors
