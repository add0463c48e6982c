"""The commands as they are typed, on the ledger of a folder of their own."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner, Result

from gateway import app, serve
from gateway.cli import _cli
from gateway.config.load import load
from gateway.intake import Intake
from gateway.metrics import Metrics
from gateway.snapshots import LedgerSnapshots
from tests.office import NAME, NIK, Books, books, furnish

T = TypeVar("T")


@dataclass(frozen=True)
class Office:
    """A folder with a gateway.toml; `gateway(...)` is a command typed there."""

    folder: Path

    def gateway(self, *arguments: str, typed: str = "", **environment: str) -> Result:
        """Run a command; nothing that it prints may show a NIK or a name, unless that was asked for."""
        config = ("--config", str(self.folder / "gateway.toml"))
        result = CliRunner().invoke(_cli, [*arguments, *config], input=typed, env=environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        if "--unmask" not in arguments:
            assert NIK not in result.output
            assert NAME not in result.output
        return result

    def json(self, *arguments: str, **more: str) -> Any:
        """Run a command that went well and answers in JSON."""
        result = self.gateway(*arguments, "--json", **more)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def ledger(self, work: Callable[[Books], Awaitable[T]]) -> T:
        """Do something on the ledger, as another process would."""

        async def inside() -> T:
            async with books(self.folder) as made:
                return await work(made)

        return asyncio.run(inside())

    def take_in(self, name: str) -> None:
        """Take an agency's files in, as a running gateway does."""

        async def once() -> None:
            located = load(self.folder / "gateway.toml", {})
            clock = app.clock_of(located)
            ledger = await serve.ledger_of(located, clock)
            made = app.assemble(
                located, clock=clock, metrics=Metrics(), snapshots=lambda agency: LedgerSnapshots(ledger, agency)
            )
            agency = made.registry.agencies[name]
            assert agency.source is not None
            await Intake(
                agency=name,
                source=agency.source,
                feeds=agency.feeds,
                ledger=ledger,
                me="a",
                clock=clock,
                log=lambda _event, /, **_facts: None,
                report=lambda _news: None,
            ).once()
            await made.close()
            await ledger.close()

        asyncio.run(once())


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.chdir(tmp_path)  # the commands go to their configuration's folder
    furnish(tmp_path)
    return Office(tmp_path)
