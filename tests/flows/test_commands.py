"""The other commands, as a person types them: try, openapi, key new, run, demo, and what is no command at all."""

import hashlib
import json
import re
import shlex
import socket
import tomllib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from demo import ENVIRONMENT
from demo.puskesmas import Puskesmas
from demo.switch import Mode
from demo.testing import Running
from gateway.cli.demo_command import KEY as DEMO_KEY
from gateway.cli.demo_command import to_try
from tests.flows.asks import (
    ALYA,
    BILL,
    CHILD,
    EVERY,
    FILE_PERMIT,
    MY_TICKETS,
    PERMIT_STATUS,
    SITI,
    TAKE_TICKET,
    UNITS,
    VERIFY,
    Ask,
)
from tests.flows.command import gateway
from tests.flows.flow import Flow, problem
from tests.flows.pilot import ROOT, changed, dropped_in, pilot, shipped
from tests.flows.process import Gateway, running

STEPS = ["canonical request", "native request", "native answer", "canonical reply (ok)"]
_STEP = re.compile(
    r"^(canonical request|native request|native answer|canonical reply \([a-z]+\))(?:  [\d.]+ ms)?$", re.MULTILINE
)
PILOT: dict[str, Any] = tomllib.loads((ROOT / "gateway.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def config(agencies: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    drops = tmp_path_factory.mktemp("commands-drops") / "puskesmas"
    Puskesmas(drops).modes["up"](Mode())
    return pilot(tmp_path_factory.mktemp("commands"), agencies.ports, dropped_in(drops))


@pytest.fixture
def fresh(agencies: Running) -> Running:
    agencies.reset()
    return agencies


def steps(printed: str) -> list[tuple[str, Any]]:
    """The steps that `gateway try` printed, by title without its time, as JSON."""
    parts = _STEP.split(printed)
    return [(title, json.loads(text)) for title, text in zip(parts[1::2], parts[2::2], strict=True)]


def tried(config: Path, ask: Ask, body: dict[str, Any]) -> list[Any]:
    done = gateway("try", ask.operation, "--data", json.dumps(body), "--config", config)
    assert done.returncode == 0, done.stdout + done.stderr
    found = steps(done.stdout)
    assert [title for title, _ in found] == STEPS
    assert len(re.findall(r"  \d+\.\d ms$", done.stdout, re.MULTILINE)) == 2
    for secret in ENVIRONMENT.values():
        assert secret not in done.stdout + done.stderr
    return [document for _, document in found]


def test_trying_a_soap_operation_shows_every_step_and_no_secret(config: Path, fresh: Running) -> None:
    request, native, answer, reply = tried(config, PERMIT_STATUS, {"nomor": "161/IMB/IV/2021"})
    assert request == {"nomor": "161/IMB/IV/2021"}
    assert native["call"] == "statusPermohonan"
    assert native["document"] == {"kode_akses": "gateway", "kata_sandi": "***", "no_permohonan": "161/IMB/IV/2021"}
    assert answer["document"]["retribusi"] == "1.250.000,50"
    assert (reply["biaya"], reply["selesai"]) == (1250000.50, "2021-04-28")


def test_trying_a_rest_operation_shows_every_step(config: Path, fresh: Running) -> None:
    _, native, answer, reply = tried(config, MY_TICKETS, {"nik": SITI})
    assert (native["call"], native["document"]) == ("POST /antrean/saya", {"nik": SITI})
    assert answer["document"]["metadata"] == {"message": "Ok", "code": 200}
    assert reply["antrean"][0]["perkiraan"] == "2026-12-01T08:00:00+07:00"


def test_trying_a_rest_operation_with_the_password_in_its_body_hides_it(config: Path, fresh: Running) -> None:
    _, native, _, reply = tried(config, VERIFY, {"nik": SITI, "nama": "Siti Rahmawati"})
    assert (native["document"]["password"], native["document"]["NIK"]) == ("***", SITI)
    assert reply == {"cocok": {"nama": True}}


def test_trying_a_csv_operation_waits_for_the_first_file(config: Path, fresh: Running) -> None:
    _, native, answer, reply = tried(config, CHILD, {"nik_anak": ALYA})
    assert (native["call"], native["document"]) == ("imunisasi", {"nik_anak": ALYA})
    assert len(answer["document"]["rows"]) == reply["jumlah"] == 4


def test_trying_what_does_not_fit_tells_every_field_and_sends_nothing(config: Path, fresh: Running) -> None:
    done = gateway("try", "dpmptsp/ajukan-izin", "--data", '{"jenis": 7, "lain": 1}', "--config", config)
    assert done.returncode == 1
    for words in ("/jenis must be", "/lain is not a known field", "/pemohon/nik is required"):
        assert words in done.stdout
    assert fresh.arrivals("dpmptsp") == []


def test_trying_a_broken_agency_names_the_mapping_line(config: Path, fresh: Running) -> None:
    fresh.switch("dpmptsp", "wrong")
    done = gateway("try", "dpmptsp/status-izin", "--data", '{"nomor": "161/IMB/IV/2021"}', "--config", config)
    assert done.returncode == 1
    assert re.search(r"mappings/dpmptsp\.toml:\d+: /biaya is not a valid number \(1\.234,56\) \(Rp abc\)", done.stdout)


def test_trying_with_the_demos_secrets_needs_no_environment(config: Path, fresh: Running) -> None:
    done = gateway("try", "dpmptsp/daftar-jenis-izin", "--demo", "--config", config, environment={})
    assert (done.returncode, len(steps(done.stdout))) == (0, 4), done.stderr


def test_trying_without_the_secret_says_so_outside_service_hours_too(agencies: Running, tmp_path: Path) -> None:
    now = datetime.now().replace(microsecond=0)  # noqa: DTZ005 - as people write it
    days = timedelta(days=7)
    shut = f"maintenance = [{{ start = {(now - days).isoformat()}, until = {(now + days).isoformat()} }}]"
    config = pilot(tmp_path, agencies.ports, {"[agency.dpmptsp]\n": f"[agency.dpmptsp]\n{shut}\n"})
    done = gateway("try", "dpmptsp/daftar-jenis-izin", "--config", config, environment={})
    assert done.returncode == 1
    assert done.stdout.endswith(
        "agency-unavailable\n"
        "  dpmptsp/daftar-jenis-izin: the environment has no SIPOLAN_PASSWORD; set it before starting\n"
        "  for a try with the stand-ins: --demo\n"
    ), done.stdout


def test_trying_an_unknown_operation_names_the_nearest(config: Path) -> None:
    done = gateway("try", "dpmptsp/status-ijin", "--config", config)
    assert (done.returncode, done.stdout) == (1, "")
    assert 'did you mean "dpmptsp/status-izin"?' in done.stderr


def test_the_openapi_document_has_every_exposed_path_and_needs_no_secret(tmp_path: Path) -> None:
    done = gateway("openapi", "--config", shipped(tmp_path), environment={})
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    exposed = [
        operation["expose"].split(" ")
        for operation in (
            *(each for agency in PILOT["agency"].values() for each in agency["operation"].values()),
            *PILOT["operation"].values(),
        )
        if "expose" in operation
    ]
    assert document["openapi"].startswith("3.1")
    own = {("get", "/v1/requests"), ("get", "/v1/requests/{id}"), ("delete", "/v1/requests/{id}")}
    assert {(method.lower(), path) for method, path in exposed} | own == {
        (method, path)
        for path, item in document["paths"].items()
        for method in item
        if path.startswith("/v1/") and method in {"get", "post", "put", "patch", "delete"}
    }


def test_the_asks_of_these_tests_are_every_operation_that_is_exposed() -> None:
    exposed = {
        f"{name}/{operation}"
        for name, agency in PILOT["agency"].items()
        for operation, section in agency["operation"].items()
        if "expose" in section
    }
    assert {ask.operation for ask in EVERY} == exposed | {f"gateway/{name}" for name in PILOT["operation"]}


def test_the_running_gateway_serves_the_same_document(flow: Flow, config: Path) -> None:
    served = flow.gateway.http.get("/openapi.json").json()
    assert served == json.loads(gateway("openapi", "--config", config).stdout)


def test_a_new_key_fits_its_hash_and_the_configuration(tmp_path: Path) -> None:
    first, second = (gateway("key", "new").stdout for _ in range(2))
    key = re.search(r"^  (\S{43})$", first, re.MULTILINE)
    line = re.search(r"^  (keys = .*)$", first, re.MULTILINE)
    assert key is not None
    assert line is not None
    assert hashlib.sha256(key[1].encode()).hexdigest() in line[1]
    assert first != second
    config = shipped(tmp_path)
    config.write_text(f'{config.read_text("utf-8")}\n[client.baru]\n{line[1]}\nallow = ["*"]\n', "utf-8")
    assert gateway("check", "--config", config).returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("chek",),
        ("check", "--josn"),
        ("try",),
        ("try", "dpmptsp/status-izin", "--data", "{"),
        ("try", "dpmptsp/status-izin", "--data", "[]"),
        ("key",),
        ("run", "now"),
        ("openapi", "--config"),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2_and_says_how(arguments: tuple[str, ...]) -> None:
    done = gateway(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(("Usage: gateway", "Error: "))
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("path", ["gateway.toml", "no-folder/gateway.toml"])
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_configuration_that_is_not_there_is_one_clear_finding(command: str, path: str, tmp_path: Path) -> None:
    done = gateway(command, "--config", tmp_path / path)
    assert done.returncode == 1
    assert "no such file" in done.stdout + done.stderr
    assert "--config" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_one_clear_finding(config: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        folder = tmp_path / "run"
        folder.mkdir()
        busy = shipped(folder, {'listen   = "127.0.0.1:8080"': f'listen   = "{address}"\nmetrics  = "127.0.0.1:0"'})
        done = gateway("run", "--config", busy)
    assert done.returncode == 1
    assert f'can\'t listen on "{address}": address already in use' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_ledger_that_is_away_is_one_clear_line_to_an_operator(tmp_path: Path) -> None:
    config = shipped(tmp_path, {"[gateway]\n": '[gateway]\nledger = "postgresql://gateway:rahasia@127.0.0.1:1/x"\n'})
    done = gateway("lane", "list", "--config", config)
    assert done.returncode == 1
    assert done.stderr.startswith("ledger: PostgreSQL did not do what was asked")
    assert (done.stderr.count("\n"), "rahasia" in done.stderr) == (1, False)


def test_what_is_no_address_of_a_ledger_does_not_start(tmp_path: Path) -> None:
    config = shipped(tmp_path, {"[gateway]\n": '[gateway]\nledger = "postgresql://gateway:rahasia@127.0.0.1:x/x"\n'})
    done = gateway("run", "--config", config)
    assert done.returncode == 1
    assert done.stderr.startswith("gateway.ledger: it is no address")
    assert (done.stderr.count("\n"), "rahasia" in done.stderr) == (1, False)


def test_a_broken_configuration_does_not_start(tmp_path: Path) -> None:
    config = shipped(tmp_path)
    config.write_text(changed(config.read_text("utf-8"), {'timeout = "8s"': 'timeuot = "8s"'}), "utf-8")
    done = gateway("run", "--config", config)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.search(r"^gateway\.toml:\d+: agency\.dpmptsp\.timeuot: unknown key", done.stderr)


def test_rule_11_24_the_demo_listens_on_loopback_only(tmp_path: Path) -> None:
    done = gateway("demo", "--config", shipped(tmp_path, {'"127.0.0.1:8080"': '"0.0.0.0:8080"'}))
    assert done.returncode == 1
    assert 'the demo listens on loopback only, and "0.0.0.0:8080" is not' in done.stderr


@pytest.fixture
def poor(agencies: Running, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway whose environment lacks one agency's secret."""
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "PLN_SECRET"}
    with running(pilot(tmp_path, agencies.ports), environment) as started:
        yield started


def test_rule_11_23_an_agency_without_its_secret_answers_503_and_the_others_start(
    poor: Gateway, fresh: Running
) -> None:
    answer = poor.http.post(BILL.path, json=BILL.body)
    assert problem(answer, 503, "agency-unavailable")["maybe_done"] is False
    assert "PLN_SECRET" not in answer.text
    assert poor.http.get(UNITS.path).status_code == 200
    assert "PLN_SECRET" in poor.event("agency-unready", agency="pln")["why"]
    assert fresh.arrivals("pln") == []


COMMANDS = [*to_try("127.0.0.1:8080")]


@pytest.mark.parametrize("line", [line for _, line in COMMANDS], ids=[title for title, _ in COMMANDS])
def test_what_the_demo_says_to_try_works(flow: Flow, line: str) -> None:
    curl, *words = shlex.split(line)
    body: str | None = None
    headers: dict[str, str] = {}
    url = ""
    while words:
        match words.pop(0):
            case "-H":
                name, _, value = words.pop(0).partition(": ")
                headers[name.lower()] = value
            case "--json":
                body = words.pop(0)
                headers["content-type"] = "application/json"
            case word:
                url = word
    assert (curl, headers.pop("x-api-key")) == ("curl", DEMO_KEY)
    path = url.removeprefix("http://127.0.0.1:8080")
    answer = flow.gateway.http.request("GET" if body is None else "POST", path, content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()


def test_there_are_five_things_to_try_one_for_each_kind_of_agency() -> None:
    paths = [re.search(r"8080(/v1/[a-z/]+)", line) for _, line in COMMANDS]
    assert [found and found[1] for found in paths] == [
        PERMIT_STATUS.path.partition("?")[0],
        FILE_PERMIT.path,
        TAKE_TICKET.path,
        CHILD.path,
        "/v1/warga/ringkasan",
    ]


def test_a_plan_is_shown_and_nothing_is_sent(config: Path, fresh: Running) -> None:
    done = gateway("try", "dpmptsp/status-izin", "--plan", "--config", config)
    assert done.returncode == 0, done.stderr
    assert '"style": "rpc/encoded"' in done.stdout
    assert '"path": "compiled"' in done.stdout
    assert fresh.arrivals("dpmptsp") == []
    assert "has no plan" in gateway("try", CHILD.operation, "--plan", "--config", config).stdout
