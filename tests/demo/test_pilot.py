"""The pilot's configuration asks for nothing that the stand-ins don't have."""

import re
import tomllib
from pathlib import Path

import pytest

from demo import CONTROL_PORT, ENVIRONMENT, PORTS, STAND_INS
from gateway.app import assemble, clock_of
from gateway.config.load import load
from gateway.metrics import Metrics

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "gateway.toml").read_text("utf-8")
AGENCIES = tomllib.loads(TEXT)["agency"]


def test_every_secret_of_the_pilot_has_a_value_in_the_demo() -> None:
    assert {*re.findall(r"\$\{(\w+)\}", TEXT.partition("[gateway]")[2])} == {*ENVIRONMENT}


def test_every_agency_has_a_stand_in_at_its_address() -> None:
    assert AGENCIES.keys() == STAND_INS.keys() == PORTS.keys()
    assert CONTROL_PORT not in PORTS.values()
    for name, agency in AGENCIES.items():
        if "url" in agency:
            assert f"http://127.0.0.1:{PORTS[name]}" in agency["url"]


def test_every_operation_has_its_tables() -> None:
    for agency in AGENCIES.values():
        mapping = tomllib.loads((ROOT / agency["mapping"]).read_text("utf-8"))
        for name in agency["operation"]:
            assert {"request", "reply"} <= mapping[name].keys(), name
        for feed in agency.get("feed", {}):
            assert "row" in mapping[feed]


def test_every_soap_operation_is_in_its_contract() -> None:
    for agency in AGENCIES.values():
        if agency["adapter"] == "soap":
            contract = (ROOT / agency["wsdl"]).read_text("utf-8")
            for operation in agency["operation"].values():
                assert f'<operation name="{operation["call"]}">' in contract.replace("wsdl:", "")


def test_rule_11_24_the_demo_ignores_hours_unless_it_is_asked_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    located = load(Path("gateway.toml"), ENVIRONMENT)
    closing = {name for name, agency in AGENCIES.items() if "hours" in agency}
    for hours in (True, False):
        made = assemble(located, clock=clock_of(located), metrics=Metrics(), hours=hours)
        queues = {name: agency.queue for name, agency in made.registry.agencies.items()}
        kept = {name for name, queue in queues.items() if queue and queue.calendar and queue.calendar.weekly}
        assert kept == (closing if hours else set())
    assert closing


def test_rule_11_24_the_client_demo_is_in_no_file() -> None:
    assert "demo" not in tomllib.loads(TEXT)["client"]
