"""A running gateway takes another configuration: at once, whole or not at all, and nobody's request notices."""

import asyncio
import hashlib
import re
import signal
from collections import Counter
from pathlib import Path

import httpx
import pytest

from demo.testing import Running
from tests.flows.asks import FILE_PERMIT
from tests.flows.command import Done, gateway
from tests.flows.pilot import KEY, defaults, pilot
from tests.flows.process import Gateway, eventually, running
from tests.flows.test_control import LISTENS, OPERATOR, OPERATOR_KEY, address
from tests.flows.test_store_and_forward import ANY_HOUR, NO_HOLIDAYS

OLD, NEW = 'GET /v1/faskes"', 'GET /v1/fasilitas"'
RELOADS, ASKERS = 20, 4


@pytest.fixture(autouse=True)
def fresh(agencies: Running) -> None:
    agencies.reset()


@pytest.fixture
def config(agencies: Running, tmp_path: Path) -> Path:
    return pilot(tmp_path, agencies.ports)


def change(config: Path, old: str, new: str) -> None:
    text = config.read_text("utf-8")
    assert text.count(old) == 1, old
    config.write_text(text.replace(old, new), "utf-8")


def reload(config: Path) -> Done:
    return gateway("reload", "--config", config)


def test_what_was_changed_holds_after_a_reload_and_nothing_before(config: Path) -> None:
    with running(config) as one:
        change(config, OLD, NEW)
        assert one.http.get("/v1/faskes").status_code == 200
        done = reload(config)
        assert (done.returncode, done.stdout.startswith("reloaded at ")) == (0, True), done.stderr
        assert one.http.get("/v1/faskes").status_code == 404
        assert one.http.get("/v1/fasilitas").status_code == 200
        assert "/v1/fasilitas" in one.http.get("/openapi.json").json()["paths"]
        assert one.stop() == 0


def test_a_mapping_a_key_and_a_new_client_count_too(config: Path) -> None:
    new = {"x-api-key": "kunci-klien-baru-yang-panjang"}
    with running(config) as one:
        assert one.http.get("/v1/faskes", headers=new).status_code == 401
        digest = hashlib.sha256(new["x-api-key"].encode()).hexdigest()
        text = config.read_text("utf-8")
        client = f'[client.baru]\nkeys = [{{ sha256 = "{digest}" }}]\nallow = ["dinkes/*"]\n'
        config.write_text(f"{text}\n{client}", "utf-8")
        assert reload(config).returncode == 0
        assert one.http.get("/v1/faskes", headers=new).status_code == 200
        assert one.stop() == 0


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (OLD, 'faskes"', "expose"),
        ('mapping = "mappings/dinkes.toml"', 'mapping = "mappings/lain.toml"', "no such file"),
        ('timezone = "Asia/Jakarta"\n', 'timezone = "Asia/Makassar"\n', "can't change while the gateway runs"),
        ("[agency.dinkes]", "[agency.dinkes", "is not TOML"),
    ],
)
def test_a_bad_configuration_changes_nothing_and_says_why(config: Path, old: str, new: str, why: str) -> None:
    with running(config) as one:
        change(config, old, new)
        one.process.send_signal(signal.SIGHUP)
        assert why in "".join(one.event("configuration-refused")["why"])
        assert one.http.get("/v1/faskes").status_code == 200
        done = reload(config)
        assert (done.returncode, why in done.stderr) == (1, True), done.stderr
        assert done.stderr.endswith(" goes on with what it had\n")
        told(one, 0.0)
        assert one.stop() == 0


def test_another_address_is_refused_by_the_gateway_at_the_old_one(config: Path) -> None:
    """The command finds it by its configuration, though the file says another address now."""
    with running(config) as one:
        change(config, 'listen   = "127.0.0.1:0"', 'listen   = "127.0.0.1:1"')
        done = reload(config)
        assert (done.returncode, done.stdout) == (1, "")
        assert "gateway.listen: can't change while the gateway runs (restart it, or put the old value" in done.stderr
        assert "refused; the gateway on 127.0.0.1:0 goes on with what it had" in done.stderr
        assert one.http.get("/v1/faskes").status_code == 200
        assert one.stop() == 0


def test_an_agency_without_its_secret_is_named_after_a_reload(config: Path) -> None:
    with running(config) as one:
        lacking = NEW_AGENCY.replace("http://127.0.0.1:9", "${KUNCI_DPUPR_BARU}")
        (config.parent / "mappings/dpupr-baru.toml").write_text("", "utf-8")
        config.write_text(config.read_text("utf-8") + lacking, "utf-8")
        done = reload(config)
        assert (done.returncode, done.stdout.startswith("reloaded at ")) == (0, True), done.stderr
        said = "can't be asked: dpupr-baru: the environment has no KUNCI_DPUPR_BARU; set it before starting\n"
        assert done.stderr == said
        assert one.stop() == 0


NEW_AGENCY = """
[agency.dpupr-baru]
adapter = "rest"
url     = "http://127.0.0.1:9"
mapping = "mappings/dpupr-baru.toml"
hours   = "Mon-Fri 08:00-16:00"
quota   = "10/day"
"""


def test_figures_say_how_the_last_reload_ended_and_show_nothing_of_one_that_was_refused(config: Path) -> None:
    with running(config) as one:
        started = told(one, 1.0)
        before = config.read_text("utf-8")
        (config.parent / "mappings/dpupr-baru.toml").write_text("", "utf-8")
        config.write_text(before.replace(OLD, 'faskes"') + NEW_AGENCY, "utf-8")
        assert reload(config).returncode == 1
        assert told(one, 0.0) == started
        assert re.findall(r"(?m)^gateway_\w+(?<!_total){[^}]*dpupr-baru.*", one.figures()) == []
        config.write_text(before + NEW_AGENCY, "utf-8")
        assert reload(config).returncode == 0
        assert told(one, 1.0) > started
        assert 'gateway_agency_quota_left{agency="dpupr-baru"} 10.0' in one.figures()
        assert one.stop() == 0


def told(one: Gateway, successful: float) -> float:
    """Wait until the figures, which are made once a second, say so of the last load; returns when one last was good."""

    def shown() -> float | None:
        of = dict(re.findall(r"(?m)^gateway_config_last_(\w+) (.*)$", one.figures()))
        return float(of["success_timestamp_seconds"]) if float(of["load_successful"]) == successful else None

    return eventually(shown, f"the last load was {successful}")


def test_without_a_running_gateway_the_command_says_so(config: Path) -> None:
    done = reload(config)
    assert (done.returncode, "no gateway with this configuration runs here" in done.stderr) == (1, True)
    assert done.stderr.count("(") == 1


def test_where_the_ledgers_folder_was_changed_the_command_says_what_to_do(config: Path) -> None:
    kept = config.read_text("utf-8")
    with running(config) as one:
        change(config, f"sqlite:{config.parent}/var/ledger.db", f"sqlite:{config.parent}/lain/ledger.db")
        done = reload(config)
        assert done.returncode == 1
        assert "began while `ledger` named another folder, keeps that ledger until it is started again" in done.stderr
        assert "put the line back to reload it, or stop it and start it to move the ledger" in done.stderr
        config.write_text(kept, "utf-8")
        assert reload(config).returncode == 0
        assert one.stop() == 0


def test_operators_reload_through_the_control_api(agencies: Running, tmp_path: Path) -> None:
    config = pilot(tmp_path, agencies.ports, LISTENS)
    config.write_text(config.read_text("utf-8") + OPERATOR, "utf-8")
    with running(config) as one, httpx.Client(base_url=address(one), headers={"x-api-key": OPERATOR_KEY}) as control:
        change(config, OLD, NEW)
        assert control.post("/reload").json() == {"reloaded": True}
        assert one.http.get("/v1/fasilitas").status_code == 200
        assert one.event("operator-act", act="reload")["outcome"] == "done"
        assert one.stop() == 0


def test_what_an_agency_may_be_asked_is_not_counted_anew(agencies: Running, tmp_path: Path) -> None:
    """A breaker that is open stays open, and a quota that is spent stays spent, where their settings stay."""
    config = pilot(tmp_path, agencies.ports, defaults("breaker  = { failures = 2, minimum = 2, window = 4 }"))
    with running(config) as one:
        agencies.switch("dinkes", "down")
        for _ in range(3):
            one.http.get("/v1/faskes")
        assert one.http.get("/v1/faskes").json()["type"] == "breaker-open"
        assert reload(config).returncode == 0
        assert one.http.get("/v1/faskes").json()["type"] == "breaker-open"
        assert one.stop() == 0


def test_rule_11_10_a_reload_drops_the_old_answers_that_are_kept(config: Path, agencies: Running) -> None:
    with running(config) as one:
        good = one.http.get("/v1/izin/jenis")
        agencies.switch("dpmptsp", "down")
        stale = one.http.get("/v1/izin/jenis")
        assert (stale.status_code, stale.json(), "age" in stale.headers) == (200, good.json(), True)
        assert reload(config).returncode == 0
        assert one.http.get("/v1/izin/jenis").status_code == 503
        assert one.stop() == 0


async def test_rule_11_22_no_request_fails_while_the_gateway_reloads(agencies: Running, tmp_path: Path) -> None:
    await reloading(agencies, tmp_path, RELOADS)


async def reloading(agencies: Running, folder: Path, reloads: int) -> Counter[int]:
    """Reload under load, an operation coming and going each time; nobody may notice. Returns what was answered."""
    config = pilot(folder, agencies.ports, defaults("concurrency = 64"))
    with running(config) as one:
        seen, over = Counter[int](), asyncio.Event()
        async with httpx.AsyncClient(base_url=one.url, headers={"x-api-key": KEY}, timeout=30) as http:
            asking = [asyncio.create_task(_ask(http, seen, over)) for _ in range(ASKERS)]
            for number in range(reloads):
                change(config, *((OLD, NEW) if number % 2 == 0 else (NEW, OLD)))
                one.process.send_signal(signal.SIGHUP)
                await asyncio.to_thread(_reloaded, one, number + 1)
            over.set()
            await asyncio.gather(*asking)
        assert set(seen) == {200}, seen
        assert seen[200] > reloads
        assert one.stop() == 0
    return seen


async def _ask(http: httpx.AsyncClient, seen: Counter[int], over: asyncio.Event) -> None:
    while not over.is_set():
        seen[(await http.get("/v1/faskes/jadwal?kode_poli=UMU&tanggal=2026-12-01")).status_code] += 1


def _reloaded(one: Gateway, times: int) -> None:
    def look() -> bool | None:
        return sum(line.get("event") == "configuration-loaded" for line in one.lines()) >= times or None

    eventually(look, f"reload {times}")


def test_rule_11_22_an_operation_with_waiting_messages_can_not_be_taken_away(agencies: Running, tmp_path: Path) -> None:
    config = pilot(tmp_path, agencies.ports, {**ANY_HOUR, **NO_HOLIDAYS}, stored=True)
    agencies.switch("dpmptsp", "down")
    with running(config) as one:
        answer = one.http.post("/v1/izin", json=FILE_PERMIT.body, headers={"prefer": "respond-async"})
        assert answer.status_code == 202
        change(config, "[agency.dpmptsp.operation.ajukan-izin]", "[agency.dpmptsp.operation.ajukan-baru]")
        mapping = config.parent / "mappings/dpmptsp.toml"
        mapping.write_text(mapping.read_text("utf-8").replace("[ajukan-izin.", "[ajukan-baru."), "utf-8")
        done = reload(config)
        assert done.returncode == 1
        assert "dpmptsp/ajukan-izin" in done.stderr
        assert "1 message" in done.stderr
        assert one.http.get(answer.headers["location"]).status_code == 200
        agencies.switch("dpmptsp", "up")
        eventually(lambda: _delivered(one, answer.headers["location"]), "the delivery", 60.0)
        assert reload(config).returncode == 0
        assert one.stop() == 0


def _delivered(one: Gateway, location: str) -> bool | None:
    return one.http.get(location).json()["state"] == "delivered" or None
