"""`gateway demo`: eight stand-in agencies and the gateway before them, on loopback, for a client whose key is demo."""

import asyncio
import contextlib
import ipaddress
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import click
import uvloop

import demo
from demo import CONTROL_PORT, PORTS
from gateway import serve
from gateway.cli.options import config_option, environment, read_config
from gateway.config.load import Located
from gateway.edge.auth import Admission, KeyHash
from gateway.errors import ConfigError, Finding
from gateway.ledger.keys import GIVEN_UP
from gateway.ledger.opening import SQLITE, beside

KEY = "demo"
FORGET = "start with --fresh, which forgets what earlier demos recorded"
STAND_INS_START = 15.0
"""Seconds."""

SITI = '{"nik": "1405025205909001", "nama": "Siti Rahmawati", "alamat": "Jl. Akasia 12"}'
TO_TRY: tuple[tuple[str, str, str], ...] = (
    ("a permit's status (SOAP)", "/v1/izin/status?nomor=161/IMB/IV/2021", ""),
    ("file a permit (SOAP)", "/v1/izin", f'{{"jenis": "IMB", "jenis_permohonan": "baru", "pemohon": {SITI}}}'),
    (
        "a queue ticket at the clinic (REST)",
        "/v1/antrean",
        '{"nik": "1405020311789003", "no_hp": "081200009003", "kode_poli": "UMU", "tanggal": "TOMORROW"}',
    ),
    (
        "a child's immunisations (CSV; there a few seconds after the start)",
        "/v1/imunisasi/cari",
        '{"nik_anak": "1405025503259101"}',
    ),
    ("everything about one citizen (gathered)", "/v1/warga/ringkasan", '{"nik": "1405025205909001"}'),
)
"""What it shows, the path, and the JSON to send when it isn't a GET; every one of them works when pasted."""


@click.command(name="demo", help="Start the stand-in agencies and the gateway; prints what to try. Ctrl-C ends both.")
@config_option
@click.option("--hours", is_flag=True, help="Keep the agencies' service hours; without it they serve at any time.")
@click.option("--fresh", is_flag=True, help="Forget what earlier demos recorded.")
@click.option("--down", multiple=True, type=click.Choice(list(PORTS)), help="An agency that is switched off at first.")
def command(config: Path, *, hours: bool, fresh: bool, down: Sequence[str]) -> None:
    """Start everything."""
    place = config.absolute()

    def read() -> Located:
        return read_config(place, environment(demo=True))

    located = read()
    listen, metrics = located.config.gateway.listen, located.config.gateway.metrics
    _only_loopback(located.where("gateway", "listen"), listen)
    _only_loopback(located.where("gateway", "metrics"), metrics)
    if located.config.operator:
        _only_loopback(located.where("gateway", "control"), located.config.gateway.control)
    if fresh:
        _forget(located.where("gateway", "ledger"), located.config.gateway.ledger)
    guest = Admission(name="demo", title="Demo", keys=(KeyHash(sha256=sha256(KEY.encode()).hexdigest()),), allow=("*",))
    kept = _keeps(located.config.gateway.ledger)
    with _stand_ins(down, kept=kept), _in_its_words(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        told = serve.Told(started=_tell)
        runner.run(serve.run(located, read, guests=[guest], hours=hours, compares=False, told=told))


def _forget(where: str, address: str) -> None:
    """Take the demo's ledger away; its key may stay."""
    if not address.startswith(SQLITE):
        what = "--fresh forgets a ledger in a file only, and this one may be shared"
        raise ConfigError(Finding(where=where, what=what, remedy='write "sqlite:var/ledger.db" for the demo'))
    for ending in ("", "-wal", "-shm"):
        Path(address.removeprefix(SQLITE) + ending).unlink(missing_ok=True)
    shutil.rmtree(beside(Path(address.removeprefix(SQLITE))), ignore_errors=True)


def _keeps(address: str) -> bool:
    """Tell whether there is a ledger of an earlier demo, so that no file need be taken in a second time."""
    return not address.startswith(SQLITE) or Path(address.removeprefix(SQLITE)).exists()


@contextlib.contextmanager
def _in_its_words() -> Iterator[None]:
    """Name the way out of a lost key that the demo has."""
    try:
        yield
    except ConfigError as error:
        mended = (replace(found, remedy=found.remedy.replace(GIVEN_UP, FORGET)) for found in error.findings)
        raise ConfigError(*mended) from error


def _only_loopback(where: str, address: str) -> None:
    host = address.rpartition(":")[0].strip("[]")
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != "localhost":
        what = f'the demo listens on loopback only, and "{address}" is not: its key is known to everybody'
        raise ConfigError(Finding(where=where, what=what, remedy='write "127.0.0.1:8080", or use gateway run'))


@contextlib.contextmanager
def _stand_ins(down: Sequence[str], *, kept: bool) -> Iterator[None]:
    """Run the stand-ins as a child; it hears Ctrl-C too, and is ended in any case, even by kill -9 of this process."""
    for port in (CONTROL_PORT, *PORTS.values()):
        _must_be_free(port)
    # It starts in the configuration's folder: the package is found where it is, and nothing there may pass for it.
    command = [sys.executable, "-P", "-m", "demo", "--beside", *(f"--down={name}" for name in down)]
    command += ["--kept"] if kept else []
    found = os.pathsep.join(filter(None, (str(Path(demo.__file__).parents[1]), os.environ.get("PYTHONPATH"))))
    surroundings = {**os.environ, "PYTHONPATH": found}
    child = subprocess.Popen(command, stdin=subprocess.PIPE, env=surroundings)  # noqa: S603 - our own words, and names
    try:
        _wait_for(child)
        yield
    finally:
        child.terminate()
        child.wait()


def _must_be_free(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            what = f"port {port}, which a stand-in agency needs, is in use"
            raise ConfigError(Finding(where="gateway demo", what=what, remedy="is another demo running?"))


def _wait_for(child: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + STAND_INS_START
    while time.monotonic() < until and child.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", CONTROL_PORT)) == 0:
                return
        time.sleep(0.02)
    what = "the stand-in agencies did not start"
    raise ConfigError(Finding(where="gateway demo", what=what, remedy="run python -m demo and read what it says"))


def to_try(listen: str) -> Iterator[tuple[str, str]]:
    """Yield each command with what it shows."""
    tomorrow = time.strftime("%Y-%m-%d", time.localtime(time.time() + 86_400))
    for title, path, data in TO_TRY:
        sent = f" --json '{data.replace('TOMORROW', tomorrow)}'" if data else ""
        yield title, f"curl -H 'X-API-Key: {KEY}' 'http://{listen}{path}'{sent}"


def _tell(listen: str, metrics: str) -> None:
    lines = ["", f"The gateway is at http://{listen} in front of {len(PORTS)} stand-in agencies. Try:", ""]
    for title, line in to_try(listen):
        lines += [f"  # {title}", f"  {line}", ""]
    if shutil.which("curl") is None:
        lines += ["  (curl is not installed here: apt-get install curl)", ""]
    lines += [
        f"  documentation   http://{listen}/docs",
        f"  metrics         http://{metrics}/metrics",
        f"  switch one off  curl -X POST -H 'X-Demo: switch' http://127.0.0.1:{CONTROL_PORT}/__demo/dinkes/down",
        "  (after a few failures the gateway leaves an agency alone for 30 s)",
        f"  and on again    curl -X POST -H 'X-Demo: switch' http://127.0.0.1:{CONTROL_PORT}/__demo/dinkes/up",
        "",
        f"Ctrl-C stops everything, kill -9 {os.getpid()} without warning. One line per request follows.",
        "",
    ]
    click.echo("\n".join(lines), err=True)
