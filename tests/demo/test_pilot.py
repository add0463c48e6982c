"""The pilot's configuration asks for nothing that the stand-ins don't have."""

import re
import tomllib
from pathlib import Path

from demo import CONTROL_PORT, ENVIRONMENT, PORTS, STAND_INS

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
