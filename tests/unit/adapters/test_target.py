"""Where native fields go in a REST call."""

from decimal import Decimal

import pytest

from adapters.target import compile_target
from gateway import ConfigError, Document, TranslationError

HOST = "http://dinkes.test"
BASE = f"{HOST}/api/"


def url_of(call: str, document: Document) -> str:
    url, _ = compile_target(BASE, call).request(document)
    return url.removeprefix(HOST)


@pytest.mark.parametrize(
    ("call", "document", "url"),
    [
        ("GET /faskes", {}, "/api/faskes"),
        ("GET /faskes", {"kode": "A 1&b=/", "hal": 2}, "/api/faskes?kode=A%201%26b%3D%2F&hal=2"),
        ("GET /faskes?format=json", {"kode": "A"}, "/api/faskes?format=json&kode=A"),
        ("GET /antrean/{kode}/sisa", {"kode": "161/IMB/IV 2021"}, "/api/antrean/161%2FIMB%2FIV%202021/sisa"),
        ("DELETE /antrean/{kode}", {"kode": "é", "alasan": "x"}, "/api/antrean/%C3%A9?alasan=x"),
        ("GET /x/{a}-{b}", {"a": 1, "b": Decimal("1E+3")}, "/api/x/1-1000"),
        ("GET /x", {"a": ["1", "2"], "b": None, "c": True, "d": ""}, "/api/x?a=1&a=2&c=true&d="),
        ("GET /x/{a}", {"a": "%2e%2e"}, "/api/x/%252e%252e"),
        ("GET /x/{a}", {"a": "?b=1#c"}, "/api/x/%3Fb%3D1%23c"),
        ("GET /x/{a}", {"a": "baris\r\nbaru\x00"}, "/api/x/baris%0D%0Abaru%00"),
    ],
)
def test_rule_11_12_fields_go_into_path_and_query_percent_encoded(call: str, document: Document, url: str) -> None:
    assert url_of(call, document) == url


def test_rule_11_12_what_is_not_in_the_path_is_the_body_of_a_write() -> None:
    url, body = compile_target(BASE, "PUT /izin/{nomor}").request({"nomor": "1/2", "biaya": Decimal("10.50")})
    assert url.removeprefix(HOST) == "/api/izin/1%2F2"
    assert body == b'{"biaya":10.50}'


def test_a_write_without_fields_has_an_empty_object_and_a_read_no_body() -> None:
    assert compile_target(BASE, "POST /x").request({})[1] == b"{}"
    assert compile_target(BASE, "GET /x").request({})[1] is None


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        ({}, "required"),
        ({"kode": None}, "required"),
        ({"kode": ""}, "required"),
        ({"kode": ["a"]}, "required"),
        ({"kode": ".."}, "native"),
        ({"kode": "."}, "native"),
        ({"kode": "\ud800"}, "encoding"),
        ({"kode": "a", "lain": {"x": 1}}, "type"),
    ],
)
def test_a_value_that_can_stand_in_no_url_is_a_translation_error(document: Document, rule: str) -> None:
    with pytest.raises(TranslationError) as caught:
        compile_target(BASE, "GET /antrean/{kode}").request(document)
    assert [error.rule for error in caught.value.errors] == [rule]
    assert caught.value.side == "request"


def test_all_errors_of_a_url_are_told() -> None:
    with pytest.raises(TranslationError) as caught:
        compile_target(BASE, "GET /{a}/{b}").request({"c": {}})
    assert [error.pointer for error in caught.value.errors] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "call",
    [
        "",
        "/x",
        "GET",
        "GET x",
        "get /x",
        "HEAD /x",
        "GET /x y",
        "GET /{",
        "GET /{}",
        "GET /{a.b}",
        "GET /x#y",
        "GET /é",
    ],
)
def test_a_call_that_is_no_method_and_path_is_a_config_error(call: str) -> None:
    with pytest.raises(ConfigError, match="write it like"):
        compile_target(BASE, call)
