"""How good requests, vanished clients and bugs are answered, over a real port."""

import asyncio
import json
import re
from decimal import Decimal

import pytest

from gateway.edge.current import routes
from gateway.errors import FieldError, InvalidAnswer, NotFound, TranslationError, Unavailable
from gateway.message import Outcome, Reply

KEY = b"authorization: Bearer kunci-uji\r\n"
NIK = "1405020101809001"


@pytest.fixture(scope="module")
async def shared(stand, operation):
    async with stand([operation("dpmptsp/x", "GET /v1/x")]) as running:
        yield running


async def test_a_reply_is_json_with_its_digits_and_the_ids(stand, operation):
    async def handler(message):
        return Reply(body={"nomor": message.body["nomor"], "biaya": Decimal("1250000.50")})

    async with stand([operation("dpmptsp/x", "GET /v1/x", handler)]) as edge:
        got = await edge.http.get("/v1/x?nomor=161%2FIMB%2FIV%2F2021", headers={"x-correlation-id": "loket-3"})
    assert got.status_code == 200
    assert got.content == b'{"nomor":"161/IMB/IV/2021","biaya":1250000.50}'
    assert got.headers["content-type"] == "application/json"
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["x-correlation-id"] == "loket-3"
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", got.headers["traceparent"])
    assert "age" not in got.headers
    assert "server" not in got.headers


@pytest.mark.parametrize(
    ("query", "nomor"),
    [("nomor=a+b", "a b"), ("nomor=a%2Bb", "a+b"), ("&nomor=%C3%A9&", "é"), ("nomor", ""), ("nomor=a=b", "a=b")],
)
async def test_a_query_is_read_as_forms_write_it(shared, query, nomor):
    assert (await shared.http.get(f"/v1/x?{query}")).json() == {"nomor": nomor}


async def test_a_query_of_a_thousand_fields_and_more_is_refused(shared):
    assert (await shared.http.get("/v1/x?" + "a&" * 1001)).status_code == 400


async def test_the_handler_gets_a_validated_message(stand, operation):
    seen = []

    async def handler(message):
        seen.append(message)
        return Reply(body={})

    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with stand([operation("dpmptsp/x", "POST /v1/x/{nomor}", handler, deadline=7.0)]) as edge:
        now = asyncio.get_running_loop().time()
        await edge.http.post("/v1/x/161%2FIMB", json={"biaya": 1.10}, headers={"traceparent": parent})
    [message] = seen
    assert message.operation == "dpmptsp/x"
    assert message.client == "warga"
    assert message.body == {"nomor": "161/IMB", "biaya": Decimal("1.1")}
    assert message.traceparent.startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert message.traceparent.endswith("-01")
    assert "b7ad6b7169203331" not in message.traceparent
    assert 6 < message.deadline - now < 8
    assert message.accepted_at.utcoffset() is not None


async def test_a_stale_reply_bears_its_age(stand, operation):
    async def handler(_message):
        return Reply(body={}, age=12.9)

    async with stand([operation("dpmptsp/x", "GET /v1/x", handler)]) as edge:
        got = await edge.http.get("/v1/x?nomor=1")
    assert got.headers["age"] == "12"
    assert edge.counted.rows[0][4] == "stale"


async def test_head_is_get_without_a_body(stand, operation):
    async with stand([operation("dpmptsp/x", "GET /v1/x")]) as edge:
        get = await edge.http.get("/v1/x?nomor=1")
        head = await edge.http.head("/v1/x?nomor=1")
        refused = await edge.http.head("/v1/x")
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == get.headers["content-length"]
    assert refused.status_code == 422
    assert refused.content == b""


async def test_options_tells_the_methods_a_client_may_use(stand, operation):
    async with stand([operation("dpmptsp/x", "GET /v1/x"), operation("dinkes/x", "POST /v1/x")]) as edge:
        all_of_them = await edge.http.options("/v1/x")
        some = await edge.http.options("/v1/x", headers={"authorization": "Bearer kunci-dinkes"})
        nothing = await edge.http.options("/v1/y")
        nobody = await edge.http.options("/v1/x", headers={"authorization": ""})
    assert (all_of_them.status_code, all_of_them.headers["allow"]) == (204, "GET, HEAD, POST, OPTIONS")
    assert some.headers["allow"] == "POST, OPTIONS"
    assert nothing.status_code == 404
    assert nobody.status_code == 401


async def test_without_origins_no_browser_elsewhere_is_let_in(stand, operation):
    asks = {"origin": "https://klik.example", "access-control-request-method": "POST"}
    async with stand([operation("dpmptsp/x", "POST /v1/x")]) as edge:
        preflight = await edge.http.options("/v1/x", headers={**asks, "authorization": ""})
        got = await edge.http.post("/v1/x", json={"nomor": "1"}, headers=asks)
    assert preflight.status_code == 401
    assert "access-control-allow-origin" not in got.headers


async def test_a_configured_origin_is_let_in_and_another_is_not(stand, operation):
    asks = {"origin": "https://klik.example", "access-control-request-method": "POST", "authorization": ""}
    async with stand([operation("dpmptsp/x", "POST /v1/x")], origins=("https://klik.example",)) as edge:
        preflight = await edge.http.options("/v1/x", headers=asks)
        unknown_path = await edge.http.options("/v1/tidak-ada", headers=asks)
        stranger = await edge.http.options("/v1/x", headers={**asks, "origin": "https://lain.example"})
        got = await edge.http.post("/v1/x", json={}, headers={"origin": "https://klik.example"})
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "https://klik.example"
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    assert {**unknown_path.headers, "date": ""} == {**preflight.headers, "date": ""}
    assert stranger.status_code == 401
    assert got.status_code == 422
    assert got.headers["access-control-allow-origin"] == "https://klik.example"


async def test_a_bug_is_500_with_nothing_but_the_correlation_id(stand, operation):
    async def handler(_message):
        raise RuntimeError(f"http://10.0.0.7/?nik={NIK}")

    async with stand([operation("dpmptsp/x", "GET /v1/x", handler)]) as edge:
        got = await edge.http.get("/v1/x?nomor=1")
    assert got.status_code == 500
    assert got.json()["type"] == "internal"
    assert "10.0.0.7" not in got.text
    bug, line = edge.lines()
    assert bug["event"] == "bug"
    assert "RuntimeError" in bug["traceback"]
    assert bug["correlation_id"] == line["correlation_id"] == got.json()["correlation_id"]
    assert NIK not in json.dumps(bug)


async def test_a_cancellation_that_leaks_out_of_a_handler_is_a_bug_and_not_a_broken_connection(stand, operation):
    async def handler(_message):
        shared = asyncio.ensure_future(asyncio.sleep(10))
        shared.cancel()
        await shared

    async with stand([operation("dpmptsp/x", "GET /v1/x", handler)]) as edge:
        got = await edge.http.get("/v1/x?nomor=1")
    assert (got.status_code, got.json()["type"]) == (500, "internal")


async def test_an_offer_to_upgrade_is_ignored(stand, operation):
    """Java's HttpClient offers h2c with its first request, body and all, and keeps the connection."""
    offer = (
        b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAA\r\n"
    )
    head = b"POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 13\r\n" + KEY
    async with stand([operation("dpmptsp/x", "POST /v1/x")]) as edge:
        reader, writer = await edge.connect()
        for more in (offer, b"", offer):
            writer.write(head + more + b'\r\n{"nomor":"1"}')
            answer = await asyncio.wait_for(reader.readuntil(b'{"nomor":"1"}'), 30)
            assert answer.startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_a_reply_that_is_no_json_is_a_bug_and_not_a_broken_connection(stand, operation):
    async def handler(_message):
        return Reply(body={"x": object()})

    async with stand([operation("dpmptsp/x", "GET /v1/x", handler)]) as edge:
        assert (await edge.http.get("/v1/x?nomor=1")).status_code == 500
        assert (await edge.http.get("/v1/x")).status_code == 422


async def test_a_client_that_hangs_up_cancels_a_read(stand, operation):
    begun, ended = asyncio.Event(), asyncio.Event()

    async def handler(_message):
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with stand([operation("dpmptsp/x", "GET /v1/x", handler)]) as edge:
        _, writer = await edge.connect()
        writer.write(b"GET /v1/x?nomor=1 HTTP/1.1\r\nhost: x\r\n" + KEY + b"\r\n")
        await begun.wait()
        writer.close()
        await asyncio.wait_for(ended.wait(), 30)
    assert [line["outcome"] for line in edge.lines()] == ["client-gone"]
    assert edge.counted.rows[0][3] == 499


async def test_a_client_that_hangs_up_does_not_stop_a_write(stand, operation):
    begun, go, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handler(_message):
        begun.set()
        await go.wait()
        ended.set()
        return Reply(body={"nomor": "7"})

    async with stand([operation("dpmptsp/x", "POST /v1/x", handler)]) as edge:
        _, writer = await edge.connect()
        body = b'{"nomor":"1"}'
        writer.write(
            b"POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 13\r\n"
            + KEY
            + b"\r\n"
            + body
        )
        await begun.wait()
        writer.close()
        await asyncio.sleep(0.25)
        go.set()
        await asyncio.wait_for(ended.wait(), 30)
    assert [line["outcome"] for line in edge.lines()] == ["ok"]


async def test_a_client_that_hangs_up_in_mid_body_asks_nothing(stand, operation):
    asked = []

    async def handler(message):
        asked.append(message)
        return Reply(body={})

    async with stand([operation("dpmptsp/x", "POST /v1/x", handler)]) as edge:
        _, writer = await edge.connect()
        head = b"POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n"
        writer.write(head + KEY + b'\r\n{"nomor"')
        while not edge.edge.under_way:  # noqa: ASYNC110 -- the other end of a socket moves
            await asyncio.sleep(0.01)
        writer.close()
        await writer.wait_closed()
        while edge.edge.under_way:  # noqa: ASYNC110 -- the other end of a socket moves
            await asyncio.sleep(0.01)
    assert asked == []
    assert [line["status"] for line in edge.lines()] == [499]


async def test_a_slow_read_is_answered_when_its_client_stays(stand, operation):
    async def handler(_message):
        await asyncio.sleep(0.3)
        return Reply(body={"nomor": "1"})

    async with stand([operation("dpmptsp/x", "GET /v1/x", handler)]) as edge:
        answers = [await edge.http.get("/v1/x?nomor=1") for _ in range(2)]
    assert [got.status_code for got in answers] == [200, 200]


async def test_pipelined_requests_are_answered_in_order(stand, operation):
    async with stand([operation("dpmptsp/x", "GET /v1/x")]) as edge:
        one = b"GET /v1/x?nomor=%d HTTP/1.1\r\nhost: x\r\n" + KEY + b"%s\r\n"
        got = await edge.raw(b"".join(one % (n, b"connection: close\r\n" if n == 4 else b"") for n in range(5)))
    assert re.findall(rb'"nomor":"(\d)"', got) == [b"0", b"1", b"2", b"3", b"4"]


async def test_expect_100_is_not_answered_when_the_body_will_not_be_read(stand, operation):
    async with stand([operation("dpmptsp/x", "POST /v1/x")]) as edge:
        head = b"POST /v1/x HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-type: application/json\r\n" + KEY
        got = await edge.raw(head + b"content-length: 9999999\r\n\r\n", until=b"\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 413 ")


async def test_a_reload_swaps_the_routes_whole_and_requests_under_way_keep_theirs(stand, operation, admitted):
    begun, go = asyncio.Event(), asyncio.Event()

    async def handler(_message):
        begun.set()
        await go.wait()
        return Reply(body={"nomor": "lama"})

    async with stand([operation("dpmptsp/x", "GET /v1/x", handler)]) as edge:
        old = asyncio.create_task(edge.http.get("/v1/x?nomor=1"))
        await begun.wait()
        edge.current.routes = routes([operation("dpmptsp/y", "GET /v1/y")], admitted, edge.counted.observe)
        assert (await edge.http.get("/v1/x?nomor=1")).status_code == 404
        assert (await edge.http.get("/v1/y?nomor=1")).status_code == 200
        assert "/v1/y" in (await edge.http.get("/openapi.json")).json()["paths"]
        go.set()
        assert (await old).json() == {"nomor": "lama"}


async def test_every_request_is_counted_once_with_operation_client_and_outcome(stand, operation):
    async def handler(_message):
        raise Unavailable("connect", maybe_done=False)

    operations = [operation("dpmptsp/x", "GET /v1/x", handler), operation("dpmptsp/y", "POST /v1/y")]
    async with stand(operations) as edge:
        await edge.http.get("/v1/x?nomor=1")
        await edge.http.post("/v1/y", json={"nomor": "1"})
        await edge.http.get("/v1/tidak-ada")
        await edge.http.get("/v1/x", headers={"authorization": ""})
        await edge.http.get("/livez")
    assert [(row[0], row[1], row[2], row[3], row[4]) for row in edge.counted.rows] == [
        ("dpmptsp/x", "GET", "warga", 503, "agency-unavailable"),
        ("dpmptsp/y", "POST", "warga", 200, "ok"),
        (None, "GET", "warga", 404, "unknown-operation"),
        (None, "GET", "", 401, "unauthorized"),
    ]
    assert edge.counted.rows[1][7:9] == (13, 13)


async def test_the_log_names_the_mapping_line_and_no_secret_nor_nik(stand, operation):
    async def wrong_reply(_message):
        where = "mappings/dpmptsp.toml:12"
        raise TranslationError(
            "reply",
            [FieldError(pointer="/biaya", rule="number", params={"number": "1.234,56"}, where=where, value='"Rp abc"')],
        )

    async def html(_message):
        raise InvalidAnswer(f"HTML under 200: <p>{NIK}", maybe_done=True)

    async def absent(_message):
        raise NotFound(f"NIK {NIK} tidak ditemukan", maybe_done=False)

    handlers = {"a": wrong_reply, "b": html, "c": absent}
    async with stand([operation(f"dpmptsp/{n}", f"POST /v1/{n}/{{nomor}}", h) for n, h in handlers.items()]) as edge:
        for name in handlers:
            await edge.http.post(f"/v1/{name}/{NIK}", json={"biaya": 1})
        await edge.http.post(f"/v1/a/{NIK}?{NIK}={NIK}", json={NIK: NIK})
        await edge.http.get(f"/v1/{NIK}", headers={"x-correlation-id": "a b"})
    lines = edge.lines()
    assert lines[0]["error"] == ('mappings/dpmptsp.toml:12: /biaya: is not a valid number (1.234,56) ("Rp abc")')
    assert lines[0]["level"] == "error"
    assert lines[1]["error"].startswith("HTML under 200")
    text = edge.stream.getvalue().decode()
    assert NIK not in text
    assert "kunci-uji" not in text
    assert len(lines) == 5


async def test_outcome_duplicate_is_told_in_figures_and_log(stand, operation):
    async def handler(_message):
        return Reply(body={}, outcome=Outcome.DUPLICATE)

    async with stand([operation("dpmptsp/x", "GET /v1/x", handler)]) as edge:
        assert (await edge.http.get("/v1/x?nomor=1")).status_code == 200
    assert edge.counted.rows[0][4] == "duplicate"
    assert edge.lines()[0]["outcome"] == "duplicate"


@pytest.mark.parametrize("language", ["id", "en"])
async def test_problems_speak_the_language_asked_for(stand, operation, language):
    async def handler(_message):
        raise Unavailable("connect", maybe_done=False, retry_after=30)

    async with stand([operation("dpmptsp/x", "POST /v1/x", handler)]) as edge:
        got = await edge.http.post("/v1/x", json={"nomor": "1"}, headers={"accept-language": f"{language};q=0.9, fr"})
    assert got.headers["content-language"] == language
    assert got.headers["retry-after"] == "30"
    assert got.json() == {
        "type": "agency-unavailable",
        "status": 503,
        "title": {"id": "Sistem instansi tidak dapat dihubungi", "en": "Agency unavailable"}[language],
        "detail": {
            "id": "DPMPTSP (SIPOLAN) sedang tidak dapat dihubungi. Permintaan belum diproses; aman diulangi.",
            "en": "DPMPTSP (SIPOLAN) can't be reached at the moment. "
            "The request was not processed; it is safe to send it again.",
        }[language],
        "correlation_id": got.headers["x-correlation-id"],
        "agency": "dpmptsp",
        "operation": "dpmptsp/x",
        "maybe_done": False,
    }


async def test_what_never_became_a_request_is_logged_and_counted(stand, operation):
    async with stand([operation("dinkes/daftar-faskes", "GET /v1/faskes")]) as s:
        got = await s.raw(b"GET /v1/faskes HTTP/1.1\r\nx-correlation-id: a-1\r\nhost: x\r\nno colon\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 400 ")
        (row,) = s.counted.rows
        assert row[:5] == (None, "?", "", 400, "invalid-request")
        (line,) = s.lines()
    assert (line["correlation_id"], line["status"], line["outcome"]) == ("a-1", 400, "invalid-request")
