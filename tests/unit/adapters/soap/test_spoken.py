"""Messages that say their types: what is written, what is read of PHP, SOAP::Lite and Axis, and what is refused."""

import time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from adapters.soap.spoken import Spoken
from adapters.soap.spoken_read import read
from adapters.soap.spoken_write import write
from gateway import Document, Fault, FieldError, InvalidAnswer, TranslationError

PLAIN = Spoken(soap="1.1", namespace="urn:sipolan")
LITE = Spoken(
    soap="1.1",
    namespace="urn:sipolan",
    base64_text=("utf-8", "iso-8859-1"),
    binary=frozenset({"return.foto"}),
    digits=True,
    zone=ZoneInfo("Asia/Jakarta"),
)
HALF_A_BLINK = 0.05
NAMESPACES = (
    'xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:c="http://schemas.xmlsoap.org/soap/encoding/" '
    'xmlns:d="http://www.w3.org/2001/XMLSchema" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:a="http://xml.apache.org/xml-soap" xmlns:p="http://namespaces.soaplite.com/perl" xmlns:u="urn:sipolan"'
)


def answer(content: str, name: str = "u:cariResponse", beside: str = "") -> bytes:
    return f"<e:Envelope {NAMESPACES}><e:Body><{name}>{content}</{name}>{beside}</e:Body></e:Envelope>".encode()


def returned(content: str, spoken: Spoken = PLAIN) -> Any:
    found = read(spoken, "cari", answer(content))
    assert not isinstance(found, Fault)
    assert found.keys() == {"return"}
    return found["return"]


def errors(content: bytes, spoken: Spoken = PLAIN) -> list[tuple[str, str]]:
    with pytest.raises(InvalidAnswer) as caught:
        read(spoken, "cari", content)
    assert caught.value.maybe_done
    return [(error.pointer, error.params.get("expected", error.rule)) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('<return i:type="d:string">Siti é</return>', "Siti é"),
        ('<return i:type="d:string"/>', ""),
        ('<return i:nil="true"/>', None),
        ("<return>tanpa jenis</return>", "tanpa jenis"),
        ('<return i:type="d:int">1099511627776</return>', 1099511627776),
        ('<return i:type="c:int">7</return>', 7),
        ('<return i:type="d:float">1250000.5</return>', Decimal("1250000.5")),
        ('<return i:type="d:boolean">1</return>', True),
        ('<return i:type="d:date">2026-03-14</return>', "2026-03-14"),
        ('<return i:type="d:dateTime">2026-03-14T01:02:03Z</return>', "2026-03-14T01:02:03Z"),
        ('<return i:type="c:base64">aGFs\nbw==</return>', "aGFsbw=="),
        ('<return i:type="c:Struct"><x i:type="d:int">1</x><y i:nil="1"/></return>', {"x": 1, "y": None}),
        ('<return i:type="u:Pemohon"><x>1</x></return>', {"x": "1"}),
        ('<return i:type="c:Struct"/>', {}),
        ("<return><x><z>1</z></x></return>", {"x": {"z": "1"}}),
        ('<return c:arrayType="d:ur-type[0]" i:type="c:Array"/>', []),
        ('<return c:arrayType="d:int[2]" i:type="c:Array"><item>1</item><item>2</item></return>', [1, 2]),
        ('<return i:type="c:Array"><item>1</item></return>', ["1"]),
        ('<return c:arrayType="d:int[]"><a>1</a></return>', [1]),
        (
            '<return c:arrayType="d:ur-type[][1]"><item c:arrayType="d:string[1]"><item>x</item></item></return>',
            [["x"]],
        ),
        (
            '<return i:type="a:Map"><item><key i:type="d:int">7</key><value i:nil="true"/></item></return>',
            {"7": None},
        ),
        (
            '<return i:type="a:Map"><item><key>nama lengkap</key><value i:type="d:int">1</value></item></return>',
            {"nama lengkap": 1},
        ),
        (
            '<return i:type="c:Array"><item id="ref1" i:type="c:Struct"><x>1</x></item><item href="#ref1"/></return>',
            [{"x": "1"}, {"x": "1"}],
        ),
    ],
)
def test_a_value_is_what_its_type_says(content: str, expected: Any) -> None:
    found = returned(content)

    assert found == expected
    assert type(found) is type(expected)


def test_soap_1_2_has_its_own_arrays_references_and_a_name_for_what_returns() -> None:
    content = (
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:d="http://www.w3.org/2001/XMLSchema" '
        'xmlns:c="http://www.w3.org/2003/05/soap-encoding" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><e:Body>'
        '<cariResponse><r:result xmlns:r="http://www.w3.org/2003/05/soap-rpc">hasil</r:result>'
        '<hasil c:itemType="d:int" c:arraySize="2" i:type="c:Array"><item c:id="a">1</item><item c:ref="#a"/></hasil>'
        "</cariResponse></e:Body></e:Envelope>"
    )

    assert read(Spoken(soap="1.2", namespace="urn:x"), "cari", content.encode()) == {"return": [1, 1]}


def test_the_first_value_is_return_and_further_ones_have_their_own_or_numbered_names() -> None:
    content = answer('<s-gensym3>a</s-gensym3><s-gensym5>b</s-gensym5><jumlah i:type="d:int">2</jumlah>')

    assert read(PLAIN, "cari", content) == {"return": "a", "return2": "b", "jumlah": 2}
    assert read(PLAIN, "cari", answer("")) == {}


def test_text_in_base64_is_read_in_the_first_charset_that_fits_and_binary_stays() -> None:
    content = (
        '<return><nama i:type="d:base64Binary">Sm9zw6k=</nama><asal i:type="d:base64Binary">Sm9z6Q==</asal>'
        '<foto i:type="d:base64Binary">/9g=</foto></return>'
    )

    assert returned(content, LITE) == {"nama": "José", "asal": "José", "foto": "/9g="}
    assert returned(content)["nama"] == "Sm9zw6k="


def test_numbers_may_come_as_the_text_that_they_were() -> None:
    content = '<return><nik i:type="d:long">1405029001180001</nik><biaya i:type="d:float">1250000.50</biaya></return>'

    assert returned(content, LITE) == {"nik": "1405029001180001", "biaya": "1250000.50"}
    assert errors(answer('<return i:type="d:int">lima</return>'), LITE) == [("return", "xsd:integer")]


def test_a_datetime_without_a_zone_gets_the_agencys_or_is_an_error() -> None:
    content = '<return i:type="d:dateTime">2026-03-14T09:26:53</return>'

    assert returned(content, LITE) == "2026-03-14T09:26:53+07:00"
    assert errors(answer(content)) == [("return", "a dateTime with its zone; else set `timezone`")]


@pytest.mark.parametrize(
    ("content", "path", "expected"),
    [
        ('<return i:type="d:teks">x</return>', "return", "a type that is known"),
        ('<return i:type="x:string">x</return>', "return", "a type that is known"),
        ('<return i:type="u:Kode">x</return>', "return", "no text beside elements"),
        ('<return i:type="d:string"><x/></return>', "return", "a type that holds elements"),
        ('<return i:type="d:float">INF</return>', "return", "xsd:float"),
        ('<return i:type="d:boolean">ya</return>', "return", "xsd:boolean"),
        ('<return i:nil="ya"/>', "return", "xsi:nil true or false"),
        ('<return i:nil="true">x</return>', "return", "nothing where xsi:nil is true"),
        ("<return>a<x>1</x></return>", "return", "no text beside elements"),
        ("<return><x>1</x><x>2</x></return>", "return.x", "each name once"),
        ('<return i:type="c:Array" c:arrayType="d:int[3]"><a>1</a></return>', "return", "3 items, not 1"),
        ('<return i:type="c:Array" c:arrayType="d:int[2,2]"/>', "return", "a list of one dimension"),
        ('<return i:type="c:Array" c:offset="[2]"/>', "return", "a whole list, without positions"),
        ('<return i:type="a:Map"><item><key>a</key></item></return>', "return", "items of one key and one value"),
        (
            '<return i:type="a:Map"><item><key>a</key><value/></item><item><key>a</key><value/></item></return>',
            "return.a",
            "each name once",
        ),
        ('<return lang="id">x</return>', "return.@lang", "unknown"),
        ('<return><x u:a="1"/></return>', "return.x.@a", "unknown"),
        ('<return href="#x"/>', "return", "a reference to an element of the Body"),
        ('<return id="x" href="#x"/>', "return", "a reference to an element of the Body"),
    ],
)
def test_what_is_not_as_it_says_is_an_error_with_its_path(content: str, path: str, expected: str) -> None:
    assert errors(answer(content))[0] == (path, expected)


def test_a_payload_of_another_name_and_a_second_one_are_errors() -> None:
    assert errors(answer("", "u:lainResponse")) == [("", "an element cariResponse")]
    with pytest.raises(InvalidAnswer, match="2 payloads"):
        read(PLAIN, "cari", answer("", beside="<u:lain/>"))


def test_an_id_that_two_elements_have_is_an_error() -> None:
    with pytest.raises(InvalidAnswer, match="one id"):
        read(PLAIN, "cari", answer('<return><a id="x">1</a><b id="x">2</b><c href="#x"/></return>'))


def test_references_that_lead_in_circles_or_multiply_end_in_an_error() -> None:
    circle = '<return id="a"><x href="#a"/></return>'
    assert ("return" + ".x" * 101, "less depth and fewer attributes") in errors(answer(circle))

    items = "".join(
        f'<x{level} id="b{level}" i:type="c:Array">{f"<i href={chr(34)}#b{level + 1}{chr(34)}/>" * 10}</x{level}>'
        for level in range(9)
    )
    bomb = '<return i:type="c:Array"><i href="#b0"/></return>'
    with pytest.raises(InvalidAnswer, match="too often"):
        read(PLAIN, "cari", answer(bomb, beside=f'{items}<x9 id="b9">x</x9>'))


def test_references_cost_time_by_the_size_of_the_answer() -> None:
    content = answer(f'<return id="a" i:type="c:Array">{f"<x href={chr(34)}#a{chr(34)}/>" * 5000}</return>')
    started = time.thread_time()

    with pytest.raises(InvalidAnswer, match="too often"):
        read(PLAIN, "cari", content)
    assert time.thread_time() - started < HALF_A_BLINK


def test_a_fault_is_a_fault() -> None:
    fault = "<e:Fault><faultcode>e:Server</faultcode><faultstring>aduh</faultstring></e:Fault>"
    content = f"<e:Envelope {NAMESPACES}><e:Body>{fault}</e:Body></e:Envelope>"

    assert read(PLAIN, "cari", content.encode()) == Fault(code="Server", text="aduh")


def sent(document: Document, spoken: Spoken = PLAIN, headers: Document | None = None) -> etree._Element:
    root = etree.fromstring(write(spoken, "cari", document, headers or {}))
    found = root.find("{*}Body/{urn:sipolan}cari")
    assert found is not None
    return found


@pytest.mark.parametrize(
    "spoken",
    [PLAIN, Spoken(soap="1.2", namespace="urn:sipolan"), Spoken(soap="1.1", namespace="urn:sipolan", maps=True)],
)
def test_what_is_written_is_read_back(spoken: Spoken) -> None:
    document = {
        "teks": "Siti é <&> \r\n 𝄞",
        "kosong": "",
        "nol": None,
        "bulat": 7,
        "besar": 2**62,
        "amat_besar": 10**30,
        "biaya": Decimal("1250000.50"),
        "aktif": False,
        "daftar": [1, "dua", None, [True]],
        "tiada": [],
        "orang": {"nama": "Siti", "anak": [{"nama": "Budi"}]},
    }
    content = write(spoken, "cariResponse", {"hasil": document}, {})

    assert read(spoken, "cari", content) == {"return": document}


def test_parameters_keep_their_order_and_binary_is_named_so() -> None:
    spoken = Spoken(soap="1.1", namespace="urn:sipolan", binary=frozenset({"foto"}))
    first, second = sent({"z": "1", "foto": "/9g="}, spoken)

    assert (first.tag, second.tag) == ("z", "foto")
    assert second.get("{http://www.w3.org/2001/XMLSchema-instance}type") == "xsd:base64Binary"


def test_a_header_block_is_in_the_methods_namespace() -> None:
    root = etree.fromstring(write(PLAIN, "cari", {}, {"Masuk": {"user": "gateway"}}))

    assert root.findtext("{*}Header/{urn:sipolan}Masuk/user") == "gateway"


@pytest.mark.parametrize(
    ("document", "error"),
    [
        ({"nama lengkap": "x"}, ("nama lengkap", "native")),
        ({"a": {"1b": "x"}}, ("a.1b", "native")),
        ({"a": "\x00"}, ("a", "control-character")),
        ({"a": Decimal("NaN")}, ("a", "type")),
        ({"a": [1.5]}, ("a", "type")),
        ({"a": 1 << 1001}, ("a", "type")),
    ],
)
def test_what_cant_be_written_is_an_error_of_the_request(document: Document, error: tuple[str, str]) -> None:
    with pytest.raises(TranslationError) as caught:
        write(PLAIN, "cari", document, {})

    assert [(found.pointer, found.rule) for found in caught.value.errors] == [error]
    assert all(isinstance(found, FieldError) for found in caught.value.errors)
