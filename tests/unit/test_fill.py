"""An adapter's fields are its settings: what the gateway has goes in by type, the rest is checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.errors import ConfigError, Finding
from gateway.fill import fill
from gateway.message import Answer
from gateway.ports import Clock
from tests.fakes import FakeClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    clock: Clock
    url: str
    secret: SecretStr
    limit: int = 100
    tables: Mapping[str, str] = field(default_factory=dict)
    _made: list[str] = field(init=False, default_factory=list)

    async def exchange(self, _call: Any, /) -> Answer:
        return Answer()


def filled(settings: Mapping[str, Any], make: Any = Adapter) -> Any:
    return fill(
        make, settings, {Clock: CLOCK}, section=("agency", "pln"), where=lambda path: f"gateway.toml:{len(path)}"
    )


CLOCK = FakeClock()


def findings(settings: Mapping[str, Any], make: Any = Adapter) -> tuple[Finding, ...]:
    with pytest.raises(ConfigError) as caught:
        filled(settings, make)
    return caught.value.findings


def test_what_the_gateway_provides_goes_in_by_type_and_settings_by_name() -> None:
    adapter = filled({"url": "http://x", "secret": "s", "tables": {"a": "b"}})
    assert adapter.clock is CLOCK
    assert (adapter.url, adapter.limit, adapter.tables) == ("http://x", 100, {"a": "b"})
    assert adapter.secret.get_secret_value() == "s"


def test_every_wrong_setting_is_told_at_once() -> None:
    found = findings({"urll": "http://x", "limit": "many"})
    told = {finding.what: finding.remedy for finding in found}
    assert told["agency.pln.urll: unknown key"] == 'did you mean "url"?'
    assert told["agency.pln.url: is required"] == 'did you mean url by "urll"?'
    assert any("agency.pln.limit" in what for what in told)
    assert any("agency.pln.secret: is required" in what for what in told)


def test_a_misspelt_key_of_every_agency_is_named_too() -> None:
    found = findings({"url": "x", "secret": "s", "tiemout": "8s"})
    assert [finding.remedy for finding in found] == ['did you mean "timeout"?']


def test_what_is_provided_or_internal_is_no_setting() -> None:
    found = findings({"url": "x", "secret": "s", "clock": "sundial", "_made": []})
    assert {finding.what for finding in found} == {"agency.pln.clock: unknown key", "agency.pln._made: unknown key"}


def test_a_secret_is_in_no_finding() -> None:
    found = findings({"url": 5, "secret": "rahasia", "x": "rahasia"})
    assert "rahasia" not in " ".join(map(str, found))


def test_an_adapter_that_is_no_dataclass_has_no_settings() -> None:
    (finding,) = findings({}, make=dict)
    assert "is not a dataclass" in finding.what
