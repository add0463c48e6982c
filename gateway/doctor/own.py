"""The gateway's own side: its configuration, its ledger with the key, and the disk under it; makes no ledger."""

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from gateway import certificates
from gateway.config.load import Located
from gateway.doctor.found import Chart, Found, error, foreign, lasting, ok, skipped, warning
from gateway.edge.tls import listener_tls
from gateway.errors import ConfigError, Finding, LedgerUnavailable
from gateway.ledger.census import census, key_check
from gateway.ledger.opening import SQLITE, folder_of
from gateway.ledger.place import refuse_network
from gateway.serve import key_source
from gateway.wording import counted

SCARCE, FULL = 0.1, 0.01
"""Shares of the disk; the former is that of the alert DiskFilling."""
_TRIED = 64 * 1024
_SLOW = 0.25
_MIB = 1024 * 1024


class Space(NamedTuple):
    """A disk's bytes, as shutil.disk_usage returns them."""

    total: int
    used: int
    free: int


Usage = Callable[[Path], Space]


def usage(folder: Path) -> Space:
    """Ask the system."""
    return Space(*shutil.disk_usage(folder))


async def examine_own(located: Located, findings: Sequence[Finding], chart: Chart, measure: Usage) -> None:
    """Look at everything that is not of one agency."""
    chart.note("configuration", _configuration(located, findings))
    if (tls := located.config.gateway.tls) is not None:
        chart.note("certificate", await asyncio.to_thread(_listener, located, Path(tls.certificate)))
    if _unread(located):
        chart.note("ledger", skipped("which one is meant is not known", "mend the configuration first"))
        return
    address = located.config.gateway.ledger
    chart.note("ledger", await _ledger(located, address))
    folder = folder_of(address)
    if folder.is_dir():
        chart.note("disk", await asyncio.to_thread(_disk, folder, measure))


def _unread(located: Located) -> bool:
    """Whether [gateway] does not hold, or the environment lacks what its ledger's address is made of."""
    section = ("gateway",) in located.lines and "gateway" not in located.config.model_fields_set
    return section or any(path in {("gateway", "ledger"), ("gateway", "ledger_key")} for path, _ in located.absent)


def _configuration(located: Located, findings: Sequence[Finding]) -> Found:
    if findings:
        more = f"; and {len(findings) - 1} more" if len(findings) > 1 else ""
        first = findings[0]
        return error(f"{first.where}: {foreign(first.what)}{more}", "gateway check names them all")
    return ok(f"{located.file} can be read")


def _listener(located: Located, file: Path) -> Found:
    """Look at what the API's own listener shows."""
    try:
        listener_tls(located)
        return lasting(certificates.of_file(file), f"put a new one into {file}, then gateway reload")
    except ConfigError as failure:
        found = failure.findings[0]
        return error(f"{found.where}: {found.what}", found.remedy)


async def _ledger(located: Located, address: str) -> Found:
    path = Path(address.removeprefix(SQLITE)) if address.startswith(SQLITE) else None
    called = str(path) if path else "PostgreSQL"
    try:
        if path is not None:
            refuse_network(path)
            if not path.exists():
                remedy = "fine before the first `gateway run`, which makes it; else its disk is not mounted: mount it"
                return warning(f"there is no {path}", remedy)
        kept = await key_check(address)
        if kept is not None:
            await asyncio.to_thread(key_source(located.config.gateway).load, kept)
        counts = await census(address)
    except LedgerUnavailable as failure:
        remedy = "run this as the gateway's user; docs/runbooks/LedgerUnavailable.md has the rest"
        return error(f"can't be read: {foreign(failure)}", remedy)
    except ConfigError as failure:
        found = failure.findings[0]
        return error(f"{found.where}: {found.what}", found.remedy)
    waiting = sum(sum(states.values()) for states in counts.values())
    return ok(f"{called} can be read, with its key; {counted(waiting, 'message is', 'messages are')} not settled")


def _disk(folder: Path, measure: Usage) -> Found:
    space = measure(folder)
    left = f"{space.free // _MIB} MiB of {space.total // _MIB} MiB are free under {folder}"
    remedy = "make room or give it a larger disk; retention in gateway.toml says how long messages are kept"
    try:
        seconds = _written(folder)
    except OSError as failure:
        why = failure.strerror or type(failure).__name__
        return error(f"nothing can be written to {folder}: {why.lower()}; {left}", f"{remedy}; run this as its user")
    if space.free < space.total * FULL:
        return error(f"is nearly full: {left}", remedy)
    if space.free < space.total * SCARCE:
        return warning(f"fills up: {left}", remedy)
    if seconds > _SLOW:
        slow = f"takes {seconds * 1000:.0f} ms for what must be safe; {left}"
        return warning(slow, "a local disk (SSD) takes 1 to 10 ms: is it shared, or about to fail?")
    return ok(left)


def _written(folder: Path) -> float:
    """Return how long it takes to have something safe on the disk; leaves nothing behind."""
    trial = folder / f".doctor-{os.getpid()}"
    began = time.monotonic()
    try:
        with trial.open("xb") as file:
            file.write(b"\0" * _TRIED)
            file.flush()
            os.fsync(file.fileno())
        return time.monotonic() - began
    finally:
        with suppress(OSError):
            trial.unlink()
