"""Heads: what is always sent, what a caller may replace, and what HTTP can't hold."""

import pytest

from adapters.head import head, split
from gateway import TranslationError


def lines(
    method: str = "GET", url: str = "http://dinkes.test/a", length: int | None = None, **headers: str
) -> list[str]:
    origin, target = split(url)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = head(method, origin, target, named, length=length, close=False).decode("latin-1")
    assert text.endswith("\r\n\r\n")
    return text[:-4].split("\r\n")


def test_a_head_has_what_every_request_needs() -> None:
    assert lines(X="1") == [
        "GET /a HTTP/1.1",
        "Host: dinkes.test",
        "User-Agent: opd-gateway",
        "Accept-Encoding: gzip, deflate",
        "X: 1",
    ]


@pytest.mark.parametrize(
    ("url", "target", "host", "port"),
    [
        ("http://a", "/", "a", 80),
        ("http://a?x=1", "/?x=1", "a", 80),
        ("http://A.b:81/c/d?e=/f?g#h", "/c/d?e=/f?g", "a.b:81", 81),
        ("https://a:443/", "/", "a", 443),
        ("https://a:80/%2e%2e//", "/%2e%2e//", "a:80", 80),
        ("HTTP://[::1]:8080/x", "/x", "[::1]:8080", 8080),
    ],
)
def test_a_url_is_taken_apart(url: str, target: str, host: str, port: int) -> None:
    origin, found = split(url)
    assert (found, dict(origin.defaults)["Host"], origin.port) == (target, host, port)
    assert origin.tls == url.startswith("https")


@pytest.mark.parametrize(
    "url",
    ["", "a/b", "ftp://a", "http://", "http:///a", "http://a:99999", "http://a:x", "http://[::1", "http://a/b c",
     "http://a/b\r\nX: 1", "http://a\r\n/b", "http://a/é", "http://a/\x7f"],
)  # fmt: skip
def test_a_url_that_http_cannot_hold_is_refused_without_being_told(url: str) -> None:
    with pytest.raises(TranslationError) as caught:
        split(url)
    assert not url or url not in repr(caught.value)


def test_credentials_in_a_url_are_basic_authentication() -> None:
    assert "Authorization: Basic dTpwQHM=" in lines(url="http://u:p%40s@a/")
    assert lines(url="http://u:p@a/", authorization="Bearer x")[-1] == "authorization: Bearer x"
    assert len(lines(url="http://u:p@a/", authorization="Bearer x")) == 5


@pytest.mark.parametrize("name", ["Host", "user-agent", "ACCEPT_ENCODING"])
def test_a_caller_may_replace_what_is_sent_by_default(name: str) -> None:
    assert [line for line in lines(**{name: "x"}) if line.lower().startswith(name.lower().replace("_", "-"))] == [
        f"{name.replace('_', '-')}: x"
    ]


@pytest.mark.parametrize("name", ["Content_Length", "transfer_encoding", "Connection", "Expect", "Upgrade"])
def test_a_caller_does_not_say_where_a_message_ends(name: str) -> None:
    with pytest.raises(TranslationError):
        lines(**{name: "0"})


@pytest.mark.parametrize("value", ["a\r\nX: 1", "a\nb", "a\rb", "a\0b", "\x7f", "a\x0bb", "日"])
@pytest.mark.parametrize("others", [{}, {"Y": "é"}])
def test_a_value_that_http_cannot_hold_is_refused(value: str, others: dict[str, str]) -> None:
    with pytest.raises(TranslationError):
        lines(X=value, **others)


@pytest.mark.parametrize("value", ["", "a\tb", "Café", "\xa0"])
def test_a_value_that_http_can_hold_is_sent(value: str) -> None:
    assert f"X: {value}" in lines(X=value)


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "é"])
def test_a_name_or_method_that_is_no_token_is_refused(name: str) -> None:
    with pytest.raises(TranslationError):
        lines(**{name: "1"})
    with pytest.raises(TranslationError):
        lines(method=name)


@pytest.mark.parametrize(("method", "length"), [("GET", None), ("DELETE", None), ("POST", 0), ("PUT", 0), ("PATCH", 0)])
def test_a_write_without_a_body_says_so(method: str, length: int | None) -> None:
    assert ("Content-Length: 0" in lines(method)) == (length == 0)
    assert "Content-Length: 7" in lines(method, length=7)


def test_a_connection_for_one_request_says_so() -> None:
    origin, target = split("http://a/")
    assert b"\r\nConnection: close\r\n\r\n" in head("POST", origin, target, {}, length=1, close=True)
