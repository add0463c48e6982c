"""A gateway that has seen everything that is counted: good answers, outages, misfits, strangers, deliveries."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from demo.testing import Running
from tests.flows import process
from tests.flows.asks import EVERY, FACILITIES, FILE_PERMIT, KINDS, MY_TICKETS, PERMIT_STATUS, Ask
from tests.flows.pilot import defaults, dropped_in, pilot
from tests.flows.process import Gateway, eventually
from tests.served import serving

CHANGES = {
    'hours   = "Mon-Thu 07:30-16:00; Fri 07:30-16:30"': 'hours   = "Mon-Sun 00:00-24:00"',
    'timezone = "Asia/Jakarta"\n\n[defaults]': 'timezone = "Asia/Jakarta"\nholidays = "none"\n\n[defaults]',
    'mapping = "mappings/dinkes.toml"\n': 'mapping = "mappings/dinkes.toml"\nquota = "5000/day"\n',
    'mapping = "mappings/dpmptsp.toml"\n': (
        'mapping = "mappings/dpmptsp.toml"\ntolerate = ["leading-junk"]\nwsdl_check = "100ms"\n'
    ),
}
IMPATIENT = defaults('breaker  = { open_for = "1s" }', 'retry    = { attempts = 2, wait = "10ms", max_wait = "20ms" }')
_SAMPLE = re.compile(r"^(\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? [^ ]+$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="')


@contextmanager
def lively(agencies: Running, drops: Path, folder: Path) -> Iterator[Gateway]:
    """Run a gateway and let it live through everything."""
    agencies.reset()
    config = pilot(folder, agencies.ports, {**CHANGES, **IMPATIENT, **dropped_in(drops)}, stored=True)
    with _published(folder / "wsdl/dpmptsp"), process.running(config) as gateway:
        gateway.event("file-accepted")
        for each in EVERY:
            if each.first is None:
                ask(gateway, each)
        _strangers(gateway)
        _misfit(gateway, agencies)
        _outage(gateway, agencies)
        yield gateway
    agencies.reset()


@contextmanager
def _published(folder: Path) -> Iterator[None]:
    """Publish what is pinned in a folder elsewhere than at the stand-in, whose arrivals other tests count."""
    with serving() as server:
        source = server.put("/sipolan?wsdl", (folder / "sipolan.wsdl").read_text("latin-1"))
        (folder / "pinned.toml").write_text(f'source = "{source}"\ntaken = 2026-11-24T10:00:00Z\n', "utf-8")
        yield


def ask(gateway: Gateway, what: Ask, **headers: str) -> httpx.Response:
    """Ask."""
    return gateway.http.request(what.method, what.path, json=what.body, headers=headers)


def _strangers(gateway: Gateway) -> None:
    gateway.http.get("/v1/nowhere")
    gateway.http.get(KINDS.path, headers={"x-api-key": "nobody's"})
    gateway.http.post(MY_TICKETS.path, json={"nik": "satu"})


def _misfit(gateway: Gateway, agencies: Running) -> None:
    agencies.switch("dinkes", "wrong")
    ask(gateway, FACILITIES)
    ask(gateway, MY_TICKETS)
    agencies.switch("dinkes", "up")
    agencies.switch("dpmptsp", "junk")
    assert ask(gateway, KINDS).status_code == 200
    agencies.switch("dpmptsp", "up")


def _outage(gateway: Gateway, agencies: Running) -> None:
    agencies.switch("dpmptsp", "down")
    for _ in range(6):
        ask(gateway, PERMIT_STATUS)
    assert "age" in ask(gateway, KINDS).headers
    accepted = ask(gateway, FILE_PERMIT, prefer="respond-async")
    assert accepted.status_code == 202, accepted.text
    gateway.event("lane-waiting", agency="dpmptsp")
    agencies.switch("dpmptsp", "up")

    def delivered() -> bool | None:
        return gateway.http.get(accepted.headers["location"]).json()["state"] == "delivered" or None

    eventually(delivered, "the permit is delivered", 60.0)


def samples(figures: str) -> dict[str, set[str]]:
    """Return the labels that each metric has, by the name under which the table declares it."""
    found: dict[str, set[str]] = {}
    for name, labels in _SAMPLE.findall(figures):
        found.setdefault(name, set()).update(_LABEL.findall(labels))
    return found
