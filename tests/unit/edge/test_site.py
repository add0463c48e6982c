"""Documents, health and figures, over a real port."""

import base64
import json
import re

import pytest

KEYLESS = {"authorization": ""}


@pytest.fixture
def operations(operation):
    return [
        operation("dpmptsp/x", "GET /v1/x", title="</script><!-- Izin"),
        operation("dinkes/y", "POST /v1/y", agency="dinkes"),
    ]


async def test_documents_are_for_everybody_when_public(stand, operations):
    async with stand(operations) as edge:
        api = await edge.http.get("/openapi.json", headers=KEYLESS)
        page = await edge.http.get("/docs", headers=KEYLESS)
    assert set(api.json()["paths"]) == {"/v1/x", "/v1/y"}
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["x-correlation-id"]


async def test_documents_show_a_client_what_it_may_ask(stand, operations):
    password = base64.b64encode(b"siapa-saja:kunci-dinkes").decode()
    async with stand(operations, docs="clients") as edge:
        refused = await edge.http.get("/docs", headers=KEYLESS)
        everything = await edge.http.get("/openapi.json")
        own = await edge.http.get("/openapi.json", headers={"authorization": f"Basic {password}"})
        broken = await edge.http.get("/docs", headers={"authorization": "Basic !"})
    assert refused.status_code == broken.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic ")
    assert set(everything.json()["paths"]) == {"/v1/x", "/v1/y"}
    assert set(own.json()["paths"]) == {"/v1/y"}


async def test_documents_can_be_off(stand, operations):
    async with stand(operations, docs="off") as edge:
        for path in ("/docs", "/openapi.json"):
            assert (await edge.http.get(path)).status_code == 404
        assert (await edge.http.get("/livez")).status_code == 200


async def test_the_page_loads_nothing_and_runs_only_its_own_script(stand, operations):
    async with stand(operations) as edge:
        page = await edge.http.get("/docs")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page.text)
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page.text, re.DOTALL)
    assert json.loads(data)["api"]["paths"]["/v1/x"]["get"]["summary"] == "</script><!-- Izin"


@pytest.mark.parametrize("path", ["/tidak-ada", "/v2/x", "/v1x", "/%761/x"])
async def test_elsewhere_is_404_as_a_problem(stand, operations, path):
    async with stand(operations) as edge:
        got = await edge.http.get(path, headers={"x-correlation-id": "c-9"})
    assert got.status_code == 404
    assert got.headers["content-type"] == "application/problem+json"
    assert got.json()["type"] == "unknown-operation"
    assert got.json()["correlation_id"] == got.headers["x-correlation-id"] == "c-9"


async def test_a_wrong_method_elsewhere_is_405(stand, operations):
    async with stand(operations) as edge:
        got = await edge.http.post("/livez")
    assert got.status_code == 405
    assert "GET" in got.headers["allow"]
    assert got.json()["type"] == "unknown-operation"


async def test_health_names_the_agencies_and_stays_out_of_the_log(stand, operations):
    async with stand(operations) as edge:
        alive = await edge.http.get("/livez", headers=KEYLESS)
        ready = await edge.http.get("/readyz", headers=KEYLESS)
        head = await edge.http.head("/livez", headers=KEYLESS)
        edge.current.phase = "starting"
        starting = await edge.http.get("/readyz", headers=KEYLESS)
        edge.current.phase = "serving"
    assert alive.json() == {"state": "alive"}
    assert ready.json() == {"state": "serving", "agencies": {"dpmptsp": "up"}}
    assert (head.status_code, head.content) == (200, b"")
    assert starting.status_code == 503
    assert [line["status"] for line in edge.lines()] == [503]


async def test_figures_come_as_text_or_as_openmetrics(stand, operations):
    async with stand(operations) as edge:
        text = await edge.http.get(f"{edge.metrics}/metrics")
        accept = {"accept": "application/openmetrics-text; version=1.0.0"}
        openmetrics = await edge.http.get(f"{edge.metrics}/metrics", headers=accept)
        other = await edge.http.get(f"{edge.metrics}/v1/x")
        not_here = await edge.http.get("/metrics")
    assert "gateway_asked_total 1.0" in text.text
    assert text.headers["content-type"].startswith("text/plain")
    assert openmetrics.text.endswith("# EOF\n")
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
    assert other.status_code == not_here.status_code == 404
