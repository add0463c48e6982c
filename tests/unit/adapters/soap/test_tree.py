"""What goes through zeep's tree comes out as it went in, or is refused: zeep's own silent changes are not believed."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from adapters.soap.decode import decode
from adapters.soap.encode import encode
from adapters.soap.planning import Plans, read_plans
from gateway import Document, Fault, InvalidAnswer, TranslationError

OF = "{urn:ragam}"


@pytest.fixture(scope="module")
def ragam(wsdls: Path) -> Plans:
    return read_plans(wsdls / "ragam.wsdl")


@pytest.fixture
def write(ragam: Plans) -> Callable[..., bytes]:
    def made(document: Document) -> bytes:
        return encode(ragam.operations["Kembar"].request, document, tree=ragam.trees["Kembar", "input"])

    return made


@pytest.fixture
def read(ragam: Plans) -> Callable[..., Any]:
    def made(content: str | bytes) -> Document | Fault:
        if isinstance(content, str):
            body = f'<Kembar xmlns="urn:ragam">{content}</Kembar>' if not content.startswith("<Kembar") else content
            content = f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>{body}</e:Body></e:Envelope>'.encode()
        plan = ragam.operations["Kembar"].reply
        assert plan is not None
        return decode(plan, content, tree=ragam.trees["Kembar", "output"])

    return made


def test_two_elements_of_one_name_are_written_and_read_by_zeeps_names(
    write: Callable[..., bytes], read: Callable[..., Any]
) -> None:
    document = {"awal": 1, "isi": "a <&> é", "awal__1": 2, "@tanda": "x"}

    content = write(document)

    (payload,) = etree.fromstring(content).find("{*}Body")
    assert [(child.tag, child.text) for child in payload] == [
        (f"{OF}awal", "1"),
        (f"{OF}isi", "a <&> é"),
        (f"{OF}awal", "2"),
    ]
    assert read(content) == {"awal": 1, "isi": "a <&> é", "awal__1": 2, "@tanda": "x"}


def test_an_empty_text_stays_one(write: Callable[..., bytes], read: Callable[..., Any]) -> None:
    assert read(write({"awal": 1, "isi": "", "awal__1": 2}))["isi"] == ""


@pytest.mark.parametrize(
    "change",
    [
        {"awal": "tujuh"},
        {"awal": 2**31},
        {"awal": Decimal("1.5")},
        {"awal": None},
        {"lain": "x"},
        {"isi": {"a": 1}},
        {"isi": "\x01"},
        {"@lain": "x"},
    ],
)
def test_what_zeep_would_change_or_drop_is_not_sent(write: Callable[..., bytes], change: Document) -> None:
    with pytest.raises(TranslationError):
        write({"awal": 1, "isi": "a", "awal__1": 2, **change})


@pytest.mark.parametrize(
    "content",
    [
        "<awal>abc</awal><isi>a</isi><awal>2</awal>",
        "<awal>1.0</awal><isi>a</isi><awal>2</awal>",
        "<awal>1</awal><isi>a<b/>c</isi><awal>2</awal>",
        "<awal>1</awal><isi>a</isi>",
        "<awal>1</awal><isi>a</isi><awal>2</awal><lain/>",
        "<awal>1</awal><awal>2</awal><isi>a</isi>",
        "<awal>1</awal><isi lain='x'>a</isi><awal>2</awal>",
        "<awal>1</awal>teks<isi>a</isi><awal>2</awal>",
        "<awal>99999999999</awal><isi>a</isi><awal>2</awal>",
        "",
    ],
)
def test_what_zeep_would_read_as_something_else_is_refused(read: Callable[..., Any], content: str) -> None:
    with pytest.raises(InvalidAnswer):
        read(content)
