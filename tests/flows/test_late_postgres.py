"""PostgreSQL is not there when the gateway starts: reads are answered, and its ledger is opened when it can be."""

import tempfile
from pathlib import Path

import httpx

from demo.testing import Running
from tests.flows import process
from tests.flows.asks import FILE_PERMIT, PERMIT_STATUS
from tests.flows.pilot import pilot
from tests.flows.process import Gateway, eventually
from tests.flows.test_store_and_forward import ANY_HOUR, NO_HOLIDAYS
from tests.postgres import USER, Cluster


def standing(gateway: Gateway) -> str:
    answer = gateway.http.get("/readyz")
    assert (answer.status_code, answer.json()["state"]) == (200, "serving")
    return str(answer.json()["ledger"])


def file_permit(gateway: Gateway) -> httpx.Response:
    headers = {"prefer": "respond-async", "idempotency-key": "izin-1"}
    return gateway.http.request(FILE_PERMIT.method, FILE_PERMIT.path, json=FILE_PERMIT.body, headers=headers)


def on_postgres(folder: Path, agencies: Running, url: str) -> Path:
    config = pilot(folder, agencies.ports, {**ANY_HOUR, **NO_HOLIDAYS}, stored=True)
    text, here = config.read_text("utf-8"), f"sqlite:{folder}/var/ledger.db"
    assert here in text
    config.write_text(text.replace(here, url), "utf-8")
    return config


def test_a_gateway_whose_postgresql_never_comes_stops_when_it_is_told_to(agencies: Running, tmp_path: Path) -> None:
    with process.running(on_postgres(tmp_path, agencies, f"postgresql://{USER}@/ledger?host={tmp_path}")) as gateway:
        assert standing(gateway) == "unavailable"
        assert gateway.stop() == 0


def test_rule_11_18_a_gateway_that_starts_before_postgresql_serves_and_opens_its_ledger_later(
    agencies: Running, tmp_path: Path, postgres: Cluster
) -> None:
    agencies.reset()
    database = postgres.database().partition("@/")[2].partition("?")[0]
    with tempfile.TemporaryDirectory(prefix="late-", dir="/tmp") as folder:
        config = on_postgres(tmp_path, agencies, f"postgresql://{USER}@/{database}?host={folder}")
        with process.running(config) as gateway:
            assert standing(gateway) == "unavailable"
            read = gateway.http.request(PERMIT_STATUS.method, PERMIT_STATUS.path, json=PERMIT_STATUS.body)
            assert read.status_code in (200, 404), read.text
            refused = file_permit(gateway)
            assert (refused.status_code, refused.json()["type"]) == (503, "ledger-unavailable")
            assert "maybe_done" not in refused.json()
            assert "FileNotFoundError" in gateway.event("ledger-unavailable")["why"]
            Path(folder, postgres.socket.name).symlink_to(postgres.socket)
            gateway.event("ledger-opened")
            accepted = file_permit(gateway)
            assert accepted.status_code in (200, 202), accepted.text
            eventually(lambda: standing(gateway) == "ok" or None, "a ledger that is well", 30.0)
            location = accepted.headers["location"]
            told = eventually(
                lambda: ((told := gateway.http.get(location).json())["state"] == "delivered" and told) or None,
                "a permit that is delivered",
                60.0,
            )
    assert told["answer"]["status"] == 200
