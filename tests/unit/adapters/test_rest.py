"""The REST adapter against a real server: what it sends and what it makes of answers."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from adapters.http import HttpClient
from adapters.login import Login
from adapters.rest import RestAdapter
from gateway import ConfigError, InvalidAnswer, Probe, TranslationError, Unavailable, UrlFields
from tests.contract.calls import CORRELATION_ID, TRACEPARENT, a_call
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.json_agency import Asked, JsonAgency, Said, said


def rest(http: HttpClient, agency: JsonAgency, login: dict[str, Any] | None = None) -> RestAdapter:
    settings = None if login is None else TypeAdapter[Any](Login).validate_python(login)
    return RestAdapter(http=http, clock=HandClock(), url=f"{agency.url}/api", login=settings)


async def test_a_write_is_a_json_post_with_the_trace(http: HttpClient, agency: JsonAgency) -> None:
    call = a_call("POST /antrean/ambil", {"nik": "1405029001180001"}, headers={"X-Kanal": "web", "X": {"Angka": 7}})
    answer = await rest(http, agency).exchange(call)
    assert (answer.document, answer.http_status) == ({"ok": True}, 200)
    (asked,) = agency.asked
    assert (asked.method, asked.path, asked.json) == ("POST", "/api/antrean/ambil", {"nik": "1405029001180001"})
    assert asked.headers["content-type"] == asked.headers["accept"] == "application/json"
    assert asked.headers["x-correlation-id"] == CORRELATION_ID
    assert asked.headers["traceparent"] == TRACEPARENT
    assert asked.headers["idempotency-key"] == call.message_id
    assert (asked.headers["x-kanal"], asked.headers["x.angka"]) == ("web", "7")


async def test_a_read_carries_its_fields_in_the_url(http: HttpClient, agency: JsonAgency) -> None:
    await rest(http, agency).exchange(a_call("GET /antrean/{kode}", {"kode": "A/1", "hal": 2}, safe=True))
    (asked,) = agency.asked
    assert (asked.method, asked.path, asked.body) == ("GET", "/api/antrean/A%2F1?hal=2", b"")
    assert "idempotency-key" not in asked.headers


@pytest.mark.parametrize("value", ["a\r\nX-Sisip: 1", "a\nb", "a\x00b", "a\x1b[31m", ["a"]])
async def test_a_header_is_never_a_way_to_write_another(http: HttpClient, agency: JsonAgency, value: object) -> None:
    with pytest.raises(TranslationError) as caught:
        await rest(http, agency).exchange(a_call("POST /x", {}, headers={"X-Nama": value}))
    assert caught.value.errors[0].pointer == "X-Nama"
    assert not agency.asked


async def test_null_headers_are_left_out(http: HttpClient, agency: JsonAgency) -> None:
    await rest(http, agency).exchange(a_call("POST /x", {}, headers={"X-Nama": None}))
    assert "x-nama" not in agency.asked[0].headers


async def test_retry_after_and_status_are_passed_on(http: HttpClient, agency: JsonAgency) -> None:
    async def busy(_: Asked) -> Said:
        return said({"pesan": "sibuk"}, 503, retry_after="2")

    agency.behave = busy
    answer = await rest(http, agency).exchange(a_call("POST /x", {}))
    assert (answer.http_status, answer.headers, answer.document) == (503, {"retry-after": "2"}, {"pesan": "sibuk"})


async def test_a_page_under_200_is_maybe_done(http: HttpClient, agency: JsonAgency) -> None:
    async def page(_: Asked) -> Said:
        return Said(b"<html>Sedang pemeliharaan</html>")

    agency.behave = page
    with pytest.raises(InvalidAnswer) as caught:
        await rest(http, agency).exchange(a_call("POST /x", {}))
    assert caught.value.maybe_done


@pytest.mark.parametrize(
    ("login", "header", "value"),
    [
        ({"kind": "basic", "user": "gateway", "password": "rahasia"}, "authorization", "Basic Z2F0ZXdheTpyYWhhc2lh"),
        ({"kind": "bearer", "token": "abc"}, "authorization", "Bearer abc"),
        ({"header": "X-API-Key", "value": "abc"}, "x-api-key", "abc"),
    ],
)
async def test_a_fixed_login_goes_with_every_call(
    http: HttpClient, agency: JsonAgency, login: dict[str, Any], header: str, value: str
) -> None:
    adapter = rest(http, agency, login)
    await adapter.exchange(a_call("POST /x", {}))
    assert agency.asked[0].headers[header] == value


async def test_credentials_for_the_mapping_are_not_sent_by_themselves(http: HttpClient, agency: JsonAgency) -> None:
    await rest(http, agency, {"user": "gateway", "password": "rahasia-kita"}).exchange(a_call("POST /x", {}))
    assert "rahasia-kita" not in str(agency.asked)
    assert "authorization" not in agency.asked[0].headers


@pytest.mark.parametrize("status", [401, 403])
async def test_a_rejected_fixed_login_is_the_channels_to_judge(
    http: HttpClient, agency: JsonAgency, status: int
) -> None:
    async def reject(_: Asked) -> Said:
        return Said(b"", status)

    agency.behave = reject
    answer = await rest(http, agency, {"kind": "bearer", "token": "abc"}).exchange(a_call("POST /x", {}))
    assert answer.http_status == status
    assert len(agency.asked) == 1


@pytest.mark.parametrize(
    ("login", "names"),
    [
        ({"kind": "basic", "user": "a", "pasword": "b"}, ["password", "pasword"]),
        ({"kind": "bearer"}, ["token"]),
        ({"kind": "ntlm", "user": "a", "password": "b"}, ["kind"]),
        ({"header": "x"}, ["value"]),
        ({"call": "GET /auth", "token": "t", "send": "x", "sent": "y"}, ["sent"]),
        ({"call": "GET /auth", "token": "t", "send": "x", "lifetime": "lama"}, ["lifetime"]),
    ],
)
def test_a_login_that_is_mistyped_is_told_by_key(login: dict[str, Any], names: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter[Any](Login).validate_python(login)
    assert sorted(str(error["loc"][-1]) for error in caught.value.errors()) == names


def test_a_get_does_not_carry_credentials_in_its_url() -> None:
    login = {"call": "GET /auth", "body": {"sandi": "x"}, "token": "t", "send": "x"}
    with pytest.raises(ValidationError, match="use `headers`, or POST"):
        TypeAdapter[Any](Login).validate_python(login)


@pytest.mark.parametrize(
    "login",
    [
        {"user": "gateway", "password": "sandi-kita"},
        {"kind": "basic", "user": "gateway", "password": "sandi-kita"},
        {"kind": "bearer", "token": "sandi-kita"},
        {"header": "x", "value": "sandi-kita"},
        {"call": "POST /a", "headers": {"p": "sandi-kita"}, "body": {"p": "sandi-kita"}, "token": "t", "send": "x"},
    ],
)
def test_secrets_are_in_no_repr(login: dict[str, Any]) -> None:
    adapter = RestAdapter(
        http=HttpClient("x"),
        clock=HandClock(),
        url="http://x.test",
        login=TypeAdapter[Any](Login).validate_python(login),
    )
    assert "sandi-kita" not in repr(adapter)


async def test_a_wrong_call_is_a_config_error_before_anything_is_sent(http: HttpClient, agency: JsonAgency) -> None:
    adapter = rest(http, agency)
    with pytest.raises(ConfigError):
        adapter.prepare("antrean/ambil")
    assert adapter.prepare("POST /x") is adapter.prepare("POST /x")


async def test_a_probe_connects_and_asks_nothing(http: HttpClient) -> None:
    async with JsonAgency() as agency:
        adapter = rest(http, agency)
        assert isinstance(adapter, Probe)
        await adapter.probe()
        assert not agency.asked
    with pytest.raises(Unavailable):
        await adapter.probe()


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("GET /a/{x}", UrlFields(path=("x",), query=True)),
        ("DELETE /a", UrlFields(query=True)),
        ("POST /a/{x}/{y}", UrlFields(path=("x", "y"))),
    ],
)
async def test_it_tells_what_stands_in_its_urls(
    http: HttpClient, agency: JsonAgency, target: str, url: UrlFields
) -> None:
    assert rest(http, agency).url_fields(target) == url
