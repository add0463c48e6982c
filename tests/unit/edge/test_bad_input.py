"""What bad input gets, line by line, over a real port."""

import gzip
import json
import zlib

import httpx
import pytest

KEY = b"authorization: Bearer kunci-uji\r\n"
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
async def edge(stand, operation, schema):
    async with stand(
        [
            operation("dpmptsp/ajukan-izin", "POST /v1/izin"),
            operation("dpmptsp/status-izin", "GET /v1/izin/status"),
            operation("dinkes/satu", "GET /v1/faskes/{nomor}"),
            operation("dinkes/ubah", "PUT /v1/faskes/{nomor}", request=schema(required=("nomor", "nama"))),
        ]
    ) as running:
        yield running


def problem(response, status, code):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert body["type"] == code
    assert body["status"] == status
    assert body["correlation_id"] == response.headers["x-correlation-id"]
    return body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"nomor": NaN}',
        b"\xef\xbb\xbf{}",
        b'{"nomor": "\xff"}',
        b'{"nomor": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 5_000,
        b'{"biaya": 1e999999999}',
        b'{"biaya": ' + b"9" * 5000 + b"}",
        b'{"nomor": "1"} x',
    ],
)
async def test_what_is_not_json_is_400(edge, body):
    said = problem(await edge.http.post("/v1/izin", content=body, headers=JSON), 400, "invalid-request")
    assert said["errors"][0]["message"]


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"1", b"null"])
async def test_a_top_level_that_is_no_object_is_422(edge, body):
    said = problem(await edge.http.post("/v1/izin", content=body, headers=JSON), 422, "invalid-request")
    assert said["errors"][0]["rule"] == "type"


async def test_every_wrong_field_is_told_as_pointer_rule_and_message(edge):
    said = problem(await edge.http.post("/v1/izin", json={"biaya": "x", "lain": 1}), 422, "invalid-request")
    assert {(e["pointer"], e["rule"]) for e in said["errors"]} == {
        ("/nomor", "required"),
        ("/lain", "unknown"),
        ("/biaya", "type"),
    }
    assert "wajib diisi" in {e["message"] for e in said["errors"]}


async def test_a_thousand_wrong_fields_do_not_make_a_huge_answer(edge):
    said = problem(await edge.http.post("/v1/izin", json={f"f{n}": "" for n in range(1000)}), 422, "invalid-request")
    assert len(said["errors"]) == 100
    assert said["errors_left_off"] == 901


async def test_a_body_over_one_mebibyte_is_413(edge):
    problem(await edge.http.post("/v1/izin", content=b" " * ((1 << 20) + 1), headers=JSON), 413, "too-large")


async def test_a_chunked_body_over_one_mebibyte_is_413_and_the_connection_is_not_needed_for_more(edge):
    async def chunks():
        for _ in range(20):
            yield b" " * (64 << 10)

    problem(await edge.http.post("/v1/izin", content=chunks(), headers=JSON), 413, "too-large")


async def test_a_gzip_body_is_inflated(edge):
    body = gzip.compress(b'{"nomor": ') + gzip.compress(b'"161/IMB"}')
    got = await edge.http.post("/v1/izin", content=body, headers={**JSON, "content-encoding": "gzip"})
    assert got.json() == {"nomor": "161/IMB"}


async def test_a_gzip_bomb_is_413(edge):
    squeeze = zlib.compressobj(9, wbits=31)
    bomb = b"".join(squeeze.compress(b"\0" * (1 << 20)) for _ in range(200)) + squeeze.flush()
    assert len(bomb) < 1 << 20
    got = await edge.http.post("/v1/izin", content=bomb, headers={**JSON, "content-encoding": "gzip"})
    problem(got, 413, "too-large")


@pytest.mark.parametrize(
    "body",
    [b"no gzip", gzip.compress(b"{}" * 1000, mtime=0)[:-9], gzip.compress(b"", mtime=0) * 1000],
    ids=["plain", "cut short", "a thousand empty members"],
)
async def test_broken_gzip_is_400(edge, body):
    got = await edge.http.post("/v1/izin", content=body, headers={**JSON, "content-encoding": "gzip"})
    problem(got, 400, "invalid-request")


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/jsonx"},
        {"content-type": "application/json", "content-encoding": "br"},
        {},
    ],
)
async def test_other_media_are_415(edge, headers):
    got = await edge.http.post("/v1/izin", content=b'{"nomor": "1"}', headers=headers)
    problem(got, 415, "unsupported-media")
    assert got.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    "kind", ["application/json; charset=UTF-8", 'Application/JSON ; Charset="utf-8"', "application/vnd.izin+json"]
)
async def test_json_by_any_of_its_names_is_read(edge, kind):
    got = await edge.http.post("/v1/izin", content=b'{"nomor": "1"}', headers={"content-type": kind})
    assert got.status_code == 200


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/izin", "/v1/tidak-ada", "/v1/izin/status?nomor=1"])
@pytest.mark.parametrize(
    "headers", [{"authorization": ""}, {"authorization": "Bearer salah"}, {"authorization": "Basic a3VuY2k6"}]
)
async def test_no_valid_key_is_401_on_every_path(edge, path, headers):
    got = await edge.http.get(path, headers=headers)
    problem(got, 401, "unauthorized")
    assert got.headers["www-authenticate"] == "Bearer"


async def test_an_expired_key_is_401(edge):
    problem(await edge.http.get("/v1/izin", headers={"authorization": "Bearer kunci-lama"}), 401, "unauthorized")


async def test_the_key_may_come_as_x_api_key(edge):
    async with httpx.AsyncClient(base_url=edge.url) as http:
        got = await http.get("/v1/izin/status?nomor=1", headers={"x-api-key": "kunci-uji"})
    assert got.status_code == 200


async def test_no_right_and_no_such_path_are_the_same_404(edge):
    dinkes = {"authorization": "Bearer kunci-dinkes", "x-correlation-id": "sama"}
    unknown = await edge.http.get("/v1/tidak-ada", headers=dinkes)
    forbidden = await edge.http.get("/v1/izin/status", headers=dinkes)
    wrong_method_of_the_forbidden = await edge.http.delete("/v1/izin/status", headers=dinkes)
    problem(unknown, 404, "unknown-operation")
    assert unknown.content == forbidden.content == wrong_method_of_the_forbidden.content
    assert set(unknown.headers) == set(forbidden.headers)


async def test_a_wrong_method_is_405_with_the_methods_there_are(edge):
    got = await edge.http.delete("/v1/faskes/7")
    problem(got, 405, "unknown-operation")
    assert got.headers["allow"] == "GET, HEAD, PUT, OPTIONS"


@pytest.mark.parametrize("path", ["/v1/izin/", "/v1//izin", "/v1/faskes/", "/v1/faskes/1/2", "//v1/izin"])
async def test_paths_are_strict(edge, path):
    got = await edge.raw(b"GET " + path.encode() + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + KEY + b"\r\n")
    assert got.startswith(b"HTTP/1.1 404 ")


async def test_a_header_block_over_32_kb_is_431(edge):
    got = await edge.http.get("/v1/izin/status?nomor=1", headers={"x-a": "a" * 33_000})
    problem(got, 431, "headers-too-large")


async def test_endless_headers_are_431_before_they_fill_the_memory(edge):
    got = await edge.raw(b"GET /v1/izin HTTP/1.1\r\nhost: x\r\n" + b"x-a: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 3000)
    assert got.startswith(b"HTTP/1.1 431 ")
    assert json.loads(got.partition(b"\r\n\r\n")[2])["type"] == "headers-too-large"


async def test_a_path_over_8_kb_is_414(edge):
    problem(await edge.http.get("/v1/izin/status?nomor=" + "1" * 8200), 414, "uri-too-long")


@pytest.mark.parametrize("hosts", [b"", b"host: a\r\nhost: b\r\n"])
async def test_without_exactly_one_host_it_is_400(edge, hosts):
    got = await edge.raw(b"GET /v1/izin/status?nomor=1 HTTP/1.1\r\nconnection: close\r\n" + hosts + KEY + b"\r\n")
    assert got.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in got


@pytest.mark.parametrize(
    "head",
    [
        b"HELO gateway\r\n",
        b"GET /v1/\xff HTTP/1.1\r\nhost: x\r\n",
        b"GET v1 HTTP/1.1\r\nhost: x\r\n",
        b"CONNECT a:1 HTTP/1.1\r\nhost: x\r\n",
        b"GET /v1/izin HTTP/1.1\r\nhost: x\r\nx-a: a\x00b\r\n",
        b"POST /v1/izin HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n",
        b"POST /v1/izin HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n",
    ],
)
async def test_what_is_no_http_gets_a_problem_too(edge, head):
    got = await edge.raw(head + b"\r\n")
    assert got.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert json.loads(got.partition(b"\r\n\r\n")[2])["errors"][0]["rule"] == "http"


@pytest.mark.parametrize("key", ["", "a b", "a" * 256, "k\u00e9"])
async def test_an_idempotency_key_that_can_not_be_kept_is_400(edge, key):
    got = await edge.http.post("/v1/izin", json={"nomor": "1"}, headers={"idempotency-key": key.encode("latin-1")})
    assert problem(got, 400, "invalid-request")["errors"][0]["rule"] == "idempotency-key"


async def test_two_idempotency_keys_are_400(edge):
    headers = [("idempotency-key", "a"), ("idempotency-key", "b")]
    got = await edge.http.post("/v1/izin", json={"nomor": "1"}, headers=headers)
    assert problem(got, 400, "invalid-request")["errors"][0]["rule"] == "idempotency-key"


async def test_an_idempotency_key_on_a_read_is_ignored(edge):
    assert (await edge.http.get("/v1/izin/status?nomor=1", headers={"idempotency-key": "a b"})).status_code == 200


async def test_prefer_is_advice_and_may_be_ignored(edge):
    got = await edge.http.post("/v1/izin", json={"nomor": "1"}, headers={"prefer": "respond-async"})
    assert got.status_code == 200


async def test_an_unknown_query_name_is_422(edge):
    said = problem(await edge.http.get("/v1/izin/status?nomor=1&lain=2"), 422, "invalid-request")
    assert said["errors"] == [{"pointer": "/lain", "rule": "unknown", "message": "tidak dikenal"}]


async def test_a_query_beside_a_body_is_422(edge):
    said = problem(await edge.http.post("/v1/izin?nomor=1", json={"nomor": "1"}), 422, "invalid-request")
    assert said["errors"][0]["pointer"] == "/nomor"


@pytest.mark.parametrize("path", ["/v1/izin/status?nomor=%FF", "/v1/faskes/%FF"])
async def test_an_address_that_is_not_utf8_is_400(edge, path):
    got = await edge.raw(b"GET " + path.encode() + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n" + KEY + b"\r\n")
    assert got.startswith(b"HTTP/1.1 400 ")


async def test_what_the_path_gives_may_not_be_given_again(edge):
    twice = await edge.http.put("/v1/faskes/7", json={"nomor": "8", "nama": "x"})
    assert problem(twice, 422, "invalid-request")["errors"][0]["rule"] == "in-path"
    problem(await edge.http.get("/v1/faskes/7?nomor=8"), 422, "invalid-request")


async def test_too_many_requests_are_429_with_retry_after(stand, operation, bucket):
    async with stand([operation("dpmptsp/x", "GET /v1/x")], bucket=bucket(left=1)) as edge:
        assert (await edge.http.get("/v1/x?nomor=1")).status_code == 200
        got = await edge.http.get("/v1/x?nomor=1")
    problem(got, 429, "rate-limited")
    assert got.headers["retry-after"] == "3"


async def test_a_forwarded_malformed_body_leaves_the_connection_usable(edge):
    reader, writer = await edge.connect()
    head = b"POST /v1/izin HTTP/1.1\r\nhost: x\r\n" + KEY + b"content-type: application/json\r\n"
    for body, status in ((b"{", b"400"), (b'{"nomor":"1"}', b"200")):
        writer.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.split(b" ")[1] == status
        length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()
