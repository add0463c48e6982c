"""kill -9 at random moments of a gateway that takes files in, on both stores."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.chaos.clerk import survived
from tests.postgres import Cluster

long = pytest.mark.skipif("CHAOS_KILLS" not in os.environ, reason="takes minutes: make real and make chaos run it")


async def test_files_survive_with_a_ledger_in_a_file(tmp_path: Path) -> None:
    await survived(tmp_path, f"sqlite:{tmp_path}/ledger.db")


async def test_files_survive_with_postgresql(tmp_path: Path, postgres: Cluster) -> None:
    await survived(tmp_path, await asyncio.to_thread(postgres.database))


@long
async def test_files_survive_two_gateways_on_one_folder(tmp_path: Path) -> None:
    await survived(tmp_path, f"sqlite:{tmp_path}/ledger.db", beside=1)


@long
async def test_files_survive_two_gateways_on_one_folder_with_postgresql(tmp_path: Path, postgres: Cluster) -> None:
    await survived(tmp_path, await asyncio.to_thread(postgres.database), beside=1)


@long
async def test_files_survive_mappings_that_change(tmp_path: Path) -> None:
    await survived(tmp_path, f"sqlite:{tmp_path}/ledger.db", remaps=4)


@long
async def test_files_survive_mappings_that_change_with_postgresql(tmp_path: Path, postgres: Cluster) -> None:
    await survived(tmp_path, await asyncio.to_thread(postgres.database), remaps=4)
