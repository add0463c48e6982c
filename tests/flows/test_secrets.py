"""After all was asked in good health and in bad, no identifier, password, key or token shows where it must not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from demo import ENVIRONMENT
from demo.testing import Running
from tests.flows import process
from tests.flows.asks import EVERY, FILE_PERMIT, REPORT_ROAD, Ask
from tests.flows.flow import Flow
from tests.flows.pilot import IMPATIENT, KEY, RESTRICTED_KEY, UNBREAKABLE, defaults, pilot
from tests.flows.process import Gateway

SWITCHES = ("wrong", "refuse", "html", "junk", "half", "down", "slow")
OWN_SWITCHES = {
    "dpmptsp": ("busy", "duplicate", "not-found", "login-refused"),
    "dinkes": ("expire", "login-refused", "quota", "duplicate"),
    "disdukcapil": ("not-found", "login-refused"),
    "pln": ("busy", "unavailable", "gangguan", "not-found", "login-refused"),
    "bkpsdm": ("drift", "busy", "not-found", "login-refused"),
    "dpupr": ("login-refused",),
    "diskominfo": ("login-refused",),
}
# NIK, NIP, family card, telephone and customer numbers, none of them behind a point, as the digits of seconds are;
# names and addresses of people.
IDENTIFIER = re.compile(r"(?<![\w.])(?:14\d{14}|19\d{16}|0812\d{8}|143205009\d{3})\b")
NAMES = ("rahmawati", "akasia 12", "zulkifli", "andré siahaan", "hidayat")


@dataclass(frozen=True)
class Sweep:
    """All that became visible: log, figures, what each ask was answered, and the paths that agencies saw."""

    log: str
    figures: str
    answers: list[tuple[Ask, httpx.Response]]
    paths: list[str]
    secrets: frozenset[str]


@pytest.fixture(scope="module")
def sweep(agencies: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sweep]:
    changes = {
        **defaults(UNBREAKABLE, "retry    = { attempts = 1 }"),
        **IMPATIENT,
    }
    folder = tmp_path_factory.mktemp("sweep")
    with process.running(pilot(folder, agencies.ports, changes)) as gateway:
        flow = Flow(gateway, agencies)
        tokens: set[str] = set()
        answers = [(ask, _asked(flow, ask, switch, tokens)) for ask, switch in _all()]
        answers += [(FILE_PERMIT, each) for each in _bad_keys_and_bodies(gateway)]
        gateway.line(answers[-1][1])
        yield Sweep(
            log=gateway.out.read_text("utf-8") + gateway.err.read_text("utf-8"),
            figures=gateway.figures(),
            answers=answers,
            paths=[each.path for name in agencies.ports for each in agencies.arrivals(name)],
            secrets=frozenset({*ENVIRONMENT.values(), *tokens, KEY, RESTRICTED_KEY, "kunci-yang-salah"}),
        )


def _all() -> Iterator[tuple[Ask, str]]:
    """Every ask in every state of its agency; the state that takes long once for each agency."""
    slow: set[str] = set()
    for ask in EVERY:
        yield ask, ""
        for switch in (*SWITCHES, *OWN_SWITCHES[ask.agency]) if ask.agency in OWN_SWITCHES else ():
            if switch != "slow" or ask.agency not in slow:
                yield ask, switch
        slow.add(ask.agency)


def _asked(flow: Flow, ask: Ask, switch: str, tokens: set[str]) -> httpx.Response:
    if ask.agency in OWN_SWITCHES:
        flow.turn(ask.agency, "up")
    answer = flow.prepared(ask, switch, seconds=5) if switch else flow.prepared(ask, "")
    tokens |= flow.agencies._stand_ins.agencies["dinkes"].agency._tokens
    if ask.agency in OWN_SWITCHES:
        flow.turn(ask.agency, "up")
    return answer


def _bad_keys_and_bodies(gateway: Gateway) -> Iterator[httpx.Response]:
    body = {**(FILE_PERMIT.body or {}), "pemohon": {"nik": "14050252059090012", "nama": 7, "email": "siti@contoh.id"}}
    yield gateway.http.post(FILE_PERMIT.path, json=body)
    yield gateway.http.get("/v1/izin/status?nomor=1405025205909001&nik=1405025205909001")
    yield gateway.http.get("/v1/1405025205909001/izin")
    yield httpx.post(gateway.url + FILE_PERMIT.path, json=FILE_PERMIT.body, headers={"x-api-key": "kunci-yang-salah"})
    yield gateway.http.post(
        REPORT_ROAD.path, content=b'{"nik": "1405025205909001"', headers={"content-type": "application/json"}
    )
    yield gateway.http.get("/docs/1405025205909001?key=" + KEY)


def test_the_sweep_saw_every_kind_of_answer(sweep: Sweep) -> None:
    assert {answer.status_code for _, answer in sweep.answers} == {200, 400, 401, 404, 422, 502, 503, 504}
    assert len(sweep.secrets) > len(ENVIRONMENT) + 4  # tokens too


def test_the_log_holds_no_secret_no_identifier_and_no_name(sweep: Sweep) -> None:
    assert [secret for secret in sweep.secrets if secret in sweep.log] == []
    assert IDENTIFIER.findall(sweep.log) == []
    assert [name for name in NAMES if name in sweep.log.lower()] == []
    assert "siti@contoh.id" not in sweep.log


def test_the_figures_hold_no_secret_no_identifier_and_no_name(sweep: Sweep) -> None:
    assert 'operation="dpmptsp/status-izin"' in sweep.figures
    assert [secret for secret in sweep.secrets if secret in sweep.figures] == []
    assert IDENTIFIER.findall(sweep.figures) == []
    assert [name for name in NAMES if name in sweep.figures.lower()] == []
    assert "161/IMB" not in sweep.figures


def test_errors_hold_no_secret_no_identifier_and_nothing_internal(sweep: Sweep) -> None:
    for _, answer in sweep.answers:
        shown = f"{answer.headers} {answer.text}"
        assert [secret for secret in sweep.secrets if secret in shown] == []
        if answer.status_code == 200:
            continue
        assert IDENTIFIER.findall(shown) == []
        for internal in ("127.0.0.1", "Traceback", 'File "', "mappings/", ".php", "nusoap", 'rc":'):
            assert internal not in shown


def test_a_reply_holds_those_identifiers_only_that_it_is_about(sweep: Sweep) -> None:
    about = {"bkpsdm/cari-pegawai", "disdukcapil/cek-kk", "pln/info-pelanggan", "pln/tagihan"}
    told = {
        ask.operation for ask, answer in sweep.answers if answer.status_code == 200 and IDENTIFIER.search(answer.text)
    }
    assert told == about


def test_no_url_that_an_agency_saw_holds_an_identifier_or_a_secret(sweep: Sweep) -> None:
    assert len(sweep.paths) > 100
    assert [path for path in sweep.paths if IDENTIFIER.search(path)] == []
    assert [path for path in sweep.paths if any(secret in path for secret in sweep.secrets)] == []
