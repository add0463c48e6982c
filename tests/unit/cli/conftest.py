"""The commands as they are typed, on the ledger of a folder of their own."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner, Result

from gateway.cli import _cli
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


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.chdir(tmp_path)  # the commands go to their configuration's folder
    furnish(tmp_path)
    return Office(tmp_path)
