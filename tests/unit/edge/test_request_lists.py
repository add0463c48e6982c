"""The client's own requests as a list, and what the log, the figures and the documents tell of recorded requests."""

import base64

import msgspec
import pytest

from gateway.message import Reply
from tests.unit.edge.recorded import LOCKET, Agency, staged


async def test_a_client_lists_its_own_requests_the_newest_first(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        mine = [(await stage.post({"nomor": str(number)})).json()["id"] for number in range(3)]
        await stage.post(**LOCKET)
        got = await stage.edge.http.get("/v1/requests")
    rows = got.json()["requests"]
    assert [row["id"] for row in rows] == mine[::-1]
    assert set(rows[0]) == {"id", "operation", "state", "accepted_at", "settled_at", "answer_by", "answered_at"}
    assert got.json()["cursor"] is None


async def test_a_list_can_be_narrowed(stand, tmp_path):
    async with staged(stand, tmp_path, Agency(Reply(body={"nomor": "7"}))) as stage:
        stored, direct = await stage.post(), await stage.put(idempotency_key="a")

        async def ids(query):
            rows = (await stage.edge.http.get(f"/v1/requests?{query}")).json()["requests"]
            return [row["id"] for row in rows]

        pending, delivered = stored.json()["id"], direct.headers["location"].rpartition("/")[2]
        assert await ids("state=pending") == [pending]
        assert await ids("state=delivered") == [delivered]
        assert await ids("state=delivered&state=pending") == [delivered, pending]
        assert await ids("operation=dpmptsp/ajukan-izin") == [pending]
        assert await ids("operation=dpmptsp/ajukan-izin&state=delivered") == []
        assert await ids("operation=tidak/ada") == []


async def test_a_long_list_comes_in_pages(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        for number in range(53):
            await stage.post({"nomor": str(number)})
        first = (await stage.edge.http.get("/v1/requests")).json()
        second = (await stage.edge.http.get("/v1/requests", params={"cursor": first["cursor"]})).json()
    assert (len(first["requests"]), len(second["requests"]), second["cursor"]) == (50, 3, None)
    assert len({row["id"] for row in first["requests"] + second["requests"]}) == 53


def cursor(value):
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode().rstrip("=")


@pytest.mark.parametrize(
    ("query", "pointer", "rule"),
    [
        ("status=pending", "/status", "unknown"),
        ("state=selesai", "/state", "enum"),
        ("state=pending&state=x", "/state", "enum"),
        ("operation=a&operation=b", "/operation", "type"),
        ("cursor=*", "/cursor", "pattern"),
        (f"cursor={cursor('x')}", "/cursor", "pattern"),
        (f"cursor={cursor([1.0, 10**30])}", "/cursor", "pattern"),
    ],
)
async def test_a_list_asked_for_wrongly_is_422_with_the_reason(stand, tmp_path, query, pointer, rule):
    async with staged(stand, tmp_path, Agency()) as stage:
        got = await stage.edge.http.get(f"/v1/requests?{query}")
    assert got.status_code == 422, got.text
    assert [(error["pointer"], error["rule"]) for error in got.json()["errors"]] == [(pointer, rule)]


async def test_one_request_is_not_asked_for_twice_over(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        place = (await stage.post()).headers["location"]
        twice = await stage.edge.http.get(f"{place}?id=x")
        more = await stage.edge.http.get(f"{place}?nik=1")
    assert [answer.status_code for answer in (twice, more)] == [422, 422]


async def test_the_log_and_the_figures_tell_of_an_accepted_request_by_its_id(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        accepted = await stage.post()
        direct = await stage.put(idempotency_key="a")
        await stage.see(accepted)
    lines = stage.edge.lines()
    assert [(line["outcome"], line["status"], line.get("recorded")) for line in lines] == [
        ("accepted", 202, accepted.json()["id"]),
        ("ok", 200, direct.headers["location"].rpartition("/")[2]),
        ("ok", 200, None),
    ]
    assert lines[2]["operation"] == "requests:see"
    assert [row[4] for row in stage.edge.counted.rows] == ["accepted", "ok", "ok"]


async def test_the_documents_describe_recorded_requests_to_every_client(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        api = (await stage.edge.http.get("/openapi.json")).json()
    filing, changing = api["paths"]["/v1/izin"]["post"], api["paths"]["/v1/izin"]["put"]
    assert set(filing["responses"]) == set(changing["responses"])
    assert "Retry-After" in filing["responses"]["202"]["headers"]
    assert changing["responses"]["202"]["headers"].keys() == {"Location"}
    assert {"Location", "Preference-Applied", "Retry-After"} <= set(filing["responses"]["202"]["headers"])
    headers = [{p["name"] for p in one["parameters"] if p["in"] == "header"} for one in (filing, changing)]
    assert headers == [{"Accept-Language", "Idempotency-Key", "Prefer"}, {"Accept-Language", "Idempotency-Key"}]
    assert "Idempotency-Key" not in {p["name"] for p in api["paths"]["/v1/izin"]["get"]["parameters"]}
    assert {"409", "410", "404"} <= set(api["paths"]["/v1/requests/{id}"]["delete"]["responses"])
    assert [p["name"] for p in api["paths"]["/v1/requests"]["get"]["parameters"] if p["in"] == "query"] == [
        "state",
        "operation",
        "cursor",
    ]


async def test_readiness_tells_of_the_ledger(stand):
    async def standing():
        return {"ledger": "unavailable"}

    async with stand([], standing=standing) as edge:
        got = await edge.http.get("/readyz")
    assert (got.status_code, got.json()["ledger"]) == (200, "unavailable")
