"""An office with one REST agency, examined in this process."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.doctor.examination import Wanted, diagnose
from gateway.doctor.found import Check, State
from gateway.doctor.own import Usage, usage
from tests.authority import Authority

TOML = """
[gateway]
ledger = "sqlite:var/ledger.db"

[agency.dinkes]
adapter = "rest"
url     = "{url}"
mapping = "mappings/dinkes.toml"
{more}
{others}
[agency.dinkes.operation.daftar]
expose = "GET /v1/daftar"
call   = "GET /daftar"
"""
MAPPING = """
[agency]
outcome = { from = "kode", ok = ["1"], login = ["9"], refused = ["8"], message = "pesan" }

[daftar.reply]
kode = { from = "kode", optional = true }
"""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found, by agency and kind of check."""

    checks: Sequence[Check]

    def one(self, check: str, agency: str | None = "dinkes") -> Check:
        found = [one for one in self.checks if (one.agency, one.check) == (agency, check)]
        assert len(found) == 1, self.checks
        return found[0]

    def kinds(self, agency: str | None = "dinkes") -> list[str]:
        return [one.check for one in self.checks if one.agency == agency]

    def said(self, check: str, state: State, words: str, remedy: str = "", agency: str | None = "dinkes") -> None:
        one = self.one(check, agency)
        assert (one.state, words in one.says, remedy in one.remedy) == (state, True, True), one


@dataclass(frozen=True, slots=True)
class Office:
    folder: Path

    def write(self, url: str, more: str = "", others: str = "") -> None:
        (self.folder / "mappings").mkdir(exist_ok=True)
        (self.folder / "mappings/dinkes.toml").write_text(MAPPING)
        (self.folder / "gateway.toml").write_text(TOML.format(url=url, more=more, others=others))

    async def diagnose(
        self,
        *only: str,
        seconds: float = 10.0,
        environment: Mapping[str, str] | None = None,
        measure: Usage = usage,
    ) -> Diagnosis:
        # A loop of its own, as the command has, since its threads are.
        wanted = Wanted(
            config=Path("gateway.toml"), environment=environment or {}, only=only, seconds=seconds, measure=measure
        )
        return Diagnosis(await asyncio.to_thread(lambda: asyncio.run(diagnose(wanted))))


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir()
    return Office(tmp_path)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)
