"""What bad input gets from the real process with the pilot's configuration; nothing of it reaches an agency."""

import gzip
import json
import socket
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from tests.flows.asks import EVERY, FACILITIES, FILE_PERMIT, PERMIT_STATUS, SITI
from tests.flows.flow import Flow, problem
from tests.flows.pilot import RESTRICTED_KEY

JSON = {"content-type": "application/json"}
PERMIT: Mapping[str, Any] = FILE_PERMIT.body or {}
APPLICANT: Mapping[str, Any] = PERMIT["pemohon"]
MEBIBYTE = 1 << 20


@pytest.fixture(autouse=True)
def _no_agency_hears_of_it(flow: Flow) -> Iterator[None]:
    yield
    assert {name: flow.arrived(name) for name in flow.agencies.ports} == {name: [] for name in flow.agencies.ports}


def post(flow: Flow, content: bytes, **headers: str) -> httpx.Response:
    given = {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return flow.gateway.http.post("/v1/izin", content=content, headers=given)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"nomor=1",
        b"\xef\xbb\xbf{}",
        b'{"jenis": "\xff"}',
        b'{"jenis": NaN}',
        b'{"jenis": "\\ud800"}',
        b'{"jenis":' * 5000,
        b'{"jenis": 1e999999999}',
        b'{"jenis": "IMB"} ,',
        "{}".encode("utf-16"),
    ],
)
def test_what_is_not_json_is_400(flow: Flow, content: bytes) -> None:
    problem(post(flow, content), 400, "invalid-request")


@pytest.mark.parametrize("content", [b"[]", b"null", b'"IMB"', b"7"])
def test_json_that_is_no_object_is_422(flow: Flow, content: bytes) -> None:
    problem(post(flow, content), 422, "invalid-request")


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in PERMIT.items() if key != name}


def applicant(**fields: object) -> dict[str, Any]:
    return {**PERMIT, "pemohon": {**APPLICANT, **fields}}


WRONG_FIELDS: Mapping[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "missing": (without("jenis"), [("/jenis", "required")]),
    "null": ({**PERMIT, "jenis": None}, [("/jenis", "null")]),
    "unknown": ({**PERMIT, "jenisnya": "IMB"}, [("/jenisnya", "unknown")]),
    "of another type": ({**PERMIT, "jenis": 7}, [("/jenis", "type")]),
    "an object instead of a text": ({**PERMIT, "jenis": {"kode": "IMB"}}, [("/jenis", "type")]),
    "a text instead of an object": ({**PERMIT, "pemohon": "Siti"}, [("/pemohon", "type")]),
    "missing inside": (
        {**PERMIT, "pemohon": {"nik": SITI}},
        [("/pemohon/nama", "required"), ("/pemohon/alamat", "required")],
    ),
    "unknown inside": (applicant(ktp="1"), [("/pemohon/ktp", "unknown")]),
    "too short a number": (applicant(nik="140502"), [("/pemohon/nik", "digits")]),
    "other digits": (applicant(nik="١٤٠٥٠٢٥٢٠٥٩٠٩٠٠١"), [("/pemohon/nik", "digits")]),
    "too long": (applicant(nama="a" * 101), [("/pemohon/nama", "max")]),
    "no code": ({**PERMIT, "jenis_permohonan": "lama"}, [("/jenis_permohonan", "enum")]),
    "no date": (applicant(tanggal_lahir="12-05-1990"), [("/pemohon/tanggal_lahir", "date")]),
    "no day of the calendar": (applicant(tanggal_lahir="1990-02-30"), [("/pemohon/tanggal_lahir", "date")]),
    "with a control character": (applicant(nama="Siti\x00Rahmawati"), [("/pemohon/nama", "control-character")]),
    "with another control character": (applicant(nama="Siti\x1b[31m"), [("/pemohon/nama", "control-character")]),
    "many at once": (
        {"jenis": 7, "pemohon": {"nik": "1"}, "lain": 1},
        [
            ("/jenis", "type"),
            ("/jenis_permohonan", "required"),
            ("/lain", "unknown"),
            ("/pemohon/alamat", "required"),
            ("/pemohon/nama", "required"),
            ("/pemohon/nik", "digits"),
        ],
    ),
}


@pytest.mark.parametrize(("body", "expected"), WRONG_FIELDS.values(), ids=WRONG_FIELDS)
def test_every_wrong_field_is_told_by_pointer_rule_and_message(
    flow: Flow, body: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    said = problem(flow.ask(FILE_PERMIT, body), 422, "invalid-request")
    assert sorted((each["pointer"], each["rule"]) for each in said["errors"]) == sorted(expected)
    assert all(each["message"] for each in said["errors"])


def test_errors_are_told_in_indonesian_unless_english_is_asked_for(flow: Flow) -> None:
    body = without("jenis")
    messages = [
        flow.ask(FILE_PERMIT, body, **headers).json()["errors"][0]["message"]
        for headers in ({}, {"accept-language": "en"}, {"accept-language": "fr, en;q=0.5, id;q=0.7"})
    ]
    assert messages == ["wajib diisi", "is required", "wajib diisi"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [("/nomor", "required")]),
        ("?nomor=1&nomer=2", [("/nomer", "unknown")]),
        ("?nomor=" + "9" * 51, [("/nomor", "max")]),
        ("?nomor=1%002", [("/nomor", "control-character")]),
    ],
)
def test_a_query_is_held_to_the_same_rules(flow: Flow, query: str, expected: list[tuple[str, str]]) -> None:
    said = problem(flow.gateway.http.get(f"/v1/izin/status{query}"), 422, "invalid-request")
    assert [(each["pointer"], each["rule"]) for each in said["errors"]] == expected


def test_a_field_given_twice_is_not_taken_for_one(flow: Flow) -> None:
    problem(flow.gateway.http.get("/v1/izin/status?nomor=1&nomor=2"), 422, "invalid-request")


def test_a_query_that_is_no_text_is_400(flow: Flow) -> None:
    problem(flow.gateway.http.get("/v1/izin/status?nomor=%ff"), 400, "invalid-request")


def test_a_query_on_a_post_is_422(flow: Flow) -> None:
    answer = flow.gateway.http.post("/v1/izin?jenis=IMB", json=PERMIT)
    assert problem(answer, 422, "invalid-request")["errors"][0]["pointer"] == "/jenis"


def test_a_body_over_one_mebibyte_is_413(flow: Flow) -> None:
    problem(post(flow, b'{"jenis": "' + b"a" * MEBIBYTE + b'"}'), 413, "too-large")


def test_a_chunked_body_over_one_mebibyte_is_413(flow: Flow) -> None:
    answer = flow.gateway.http.post("/v1/izin", content=(b" " * 65536 for _ in range(20)), headers=JSON)
    problem(answer, 413, "too-large")


def test_a_gzip_bomb_is_413(flow: Flow) -> None:
    squeeze = zlib.compressobj(9, wbits=31)
    bomb = b"".join(squeeze.compress(b" " * MEBIBYTE) for _ in range(300)) + squeeze.flush()
    assert len(bomb) < MEBIBYTE
    problem(post(flow, bomb, content_encoding="gzip"), 413, "too-large")


@pytest.mark.parametrize("content", [b"{}", gzip.compress(b"{}" * 999)[:-6]], ids=["none at all", "cut short"])
def test_broken_gzip_is_400(flow: Flow, content: bytes) -> None:
    problem(post(flow, content, content_encoding="gzip"), 400, "invalid-request")


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "text/plain"},
        {"content_type": "text/xml"},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "multipart/form-data; boundary=x"},
        {"content_type": "application/json; charset=iso-8859-1"},
        {"content_encoding": "br"},
    ],
    ids=lambda headers: next(iter(headers.values())),
)
def test_other_media_are_415(flow: Flow, headers: dict[str, str]) -> None:
    problem(post(flow, json.dumps(PERMIT).encode(), **headers), 415, "unsupported-media")


@pytest.mark.parametrize(
    "headers", [{}, {"x-api-key": "salah"}, {"x-api-key": ""}, {"authorization": "Bearer salah"}], ids=str
)
def test_no_valid_key_is_401_for_every_operation(flow: Flow, headers: dict[str, str]) -> None:
    with httpx.Client(base_url=flow.gateway.url, headers=headers) as stranger:
        for ask in EVERY:
            answer = stranger.request(ask.method, ask.path, json=ask.body)
            problem(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer"


def test_no_valid_key_is_401_where_there_is_nothing_too(flow: Flow) -> None:
    for path in ("/v1", "/v1/", "/v1/tidak-ada", "/v1/izin/../faskes"):
        problem(httpx.get(flow.gateway.url + path), 401, "unauthorized")


def test_a_path_without_a_right_to_it_and_an_unknown_path_are_the_same_404(flow: Flow) -> None:
    limited = {"x-api-key": RESTRICTED_KEY}
    refusals = [
        problem(flow.gateway.http.request(method, path, headers=limited, json=body), 404, "unknown-operation")
        for method, path, body in (
            ("GET", PERMIT_STATUS.path, None),
            ("POST", "/v1/izin", PERMIT),
            ("DELETE", "/v1/izin", None),
            ("GET", "/v1/tidak-ada", None),
            ("GET", "/v1/faskes/", None),
            ("GET", "/v1/FASKES", None),
            ("GET", "/v1//faskes", None),
        )
    ]
    alike = [{name: value for name, value in said.items() if name != "correlation_id"} for said in refusals]
    assert all(said == alike[0] for said in alike)


def test_a_wrong_method_is_405_with_those_there_are(flow: Flow) -> None:
    for ask in EVERY:
        path = ask.path.partition("?")[0]
        answer = flow.gateway.http.request("DELETE", path)
        problem(answer, 405, "unknown-operation")
        assert answer.headers["allow"] == ("GET, HEAD, OPTIONS" if ask.method == "GET" else "POST, OPTIONS")


def test_a_write_is_no_read(flow: Flow) -> None:
    answer = flow.gateway.http.get("/v1/izin")
    problem(answer, 405, "unknown-operation")
    assert answer.headers["allow"] == "POST, OPTIONS"


def test_an_idempotency_key_with_a_space_is_400(flow: Flow) -> None:
    said = problem(flow.ask(FILE_PERMIT, **{"idempotency-key": "a 1"}), 400, "invalid-request")
    assert said["errors"][0]["rule"] == "idempotency-key"


def test_a_path_over_8_kilobytes_is_414(flow: Flow) -> None:
    problem(flow.gateway.http.get("/v1/izin/status?nomor=" + "9" * 8200), 414, "uri-too-long")


def test_headers_over_32_kilobytes_are_431(flow: Flow) -> None:
    problem(flow.ask(FACILITIES, **{"x-lain": "a" * 33000}), 431, "headers-too-large")


def test_a_head_without_end_is_431(flow: Flow) -> None:
    assert _raw(flow, b"GET /v1/faskes HTTP/1.1\r\nhost: x\r\nx-lain: " + b"a" * 100_000).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "sent",
    [
        b"lorem ipsum\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /v1/faskes HTTP/1.1\r\nhost x\r\n\r\n",
        b"POST /v1/izin HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        b"POST /v1/izin HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n{}",
    ],
    ids=["words", "TLS", "a header without a colon", "two lengths", "a length below nothing"],
)
def test_what_is_no_http_is_400(flow: Flow, sent: bytes) -> None:
    assert _raw(flow, sent).startswith(b"HTTP/1.1 400 ")


def test_the_process_is_as_well_as_before(flow: Flow) -> None:
    assert httpx.get(f"{flow.gateway.url}/livez").status_code == 200
    assert httpx.get(f"{flow.gateway.url}/readyz").status_code == 200
    assert [line for line in flow.gateway.lines() if line.get("event") == "bug"] == []


def _raw(flow: Flow, sent: bytes) -> bytes:
    host, _, port = flow.gateway.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        try:
            connection.sendall(sent)
        except ConnectionError:
            """Refused before the end: what it said is still there to be read."""
        return connection.recv(65536)
