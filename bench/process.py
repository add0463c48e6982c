"""The processes that are measured: started on one core, looked at through /proc, and ended; knows no request."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread

ROOT = Path(__file__).parent.parent
GATEWAY_CORE, LOAD_CORE = 0, 1
_TICKS = os.sysconf("SC_CLK_TCK")
_PATIENCE = 30.0
SCRAPE_EVERY = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server: where it listens, and its process with all that it started.

    `scraped` is where its metrics are read while it is loaded, empty when nobody reads them.
    """

    address: str
    pid: int
    scraped: str = ""

    def cpu_seconds(self) -> float:
        """Return user and system time of the process tree so far."""
        return sum(_ticks(pid) for pid in _tree(self.pid)) / _TICKS

    def resident(self) -> float:
        """Return the resident memory of the process tree in MB."""
        return sum(_resident(pid) for pid in _tree(self.pid)) / 1024


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _tree(int(child))


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])  # utime, stime: fields 14 and 15 of proc(5)


def _resident(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) if found else 0


def need(*programs: str) -> None:
    """Raise SystemExit when a program or a core is missing."""
    os.environ["PATH"] += os.pathsep + "/usr/sbin"  # where Debian puts nginx and only root looks
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise SystemExit(f"make bench needs {', '.join(missing)}. On Debian and Ubuntu: apt install wrk nginx-light")
    if not {GATEWAY_CORE, LOAD_CORE} <= os.sched_getaffinity(0):
        raise SystemExit(f"make bench needs the cores {GATEWAY_CORE} and {LOAD_CORE}, one for the gateway alone")


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


@contextmanager
def nginx(conf: Path, port: int, *, core: int) -> Iterator[Server]:
    """Run nginx with one configuration file, and its pid file and the like beside that."""
    with _running(
        ["nginx", "-p", str(conf.parent), "-c", conf.name, "-e", "stderr"], port, conf.parent, core
    ) as server:
        yield server


@contextmanager
def gateway(folder: Path, port: int, *, core: int | None = GATEWAY_CORE, untold: str = "") -> Iterator[Server]:
    """Run `gateway run` on a folder's gateway.toml; its log goes to a file there.

    `untold` are the kinds of telemetry that bench/untold.py takes out of it.
    """
    module = ["bench.untold", untold] if untold else ["gateway"]
    command = [sys.executable, "-m", *module, "run", "--config", str(folder / "gateway.toml")]
    with _running(command, port, folder, core) as server:
        yield server


@contextmanager
def relay(folder: Path, port: int, agency: int, operation: str) -> Iterator[Server]:
    """Run what passes bytes on between a client and an agency's one operation; `folder` takes what it says."""
    folder.mkdir()
    command = [sys.executable, str(ROOT / "bench/relay.py"), str(port), str(agency), operation]
    with _running(command, port, folder, GATEWAY_CORE) as server:
        yield server


@contextmanager
def _running(command: Sequence[str], port: int, folder: Path, core: int | None) -> Iterator[Server]:
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*pinned, *command], cwd=ROOT, stdout=log, stderr=log)
    try:
        _wait_for(process, port, folder / "log")
        yield Server(address=f"127.0.0.1:{port}", pid=process.pid)
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.005)
    raise SystemExit(f"{process.args} does not listen:\n{log.read_text()}")


@contextmanager
def scraping(address: str) -> Iterator[None]:
    """Read the metrics every second, as often as they are rendered anew; Prometheus would every 15 s."""
    ending = Event()

    def go_on() -> None:
        connection = HTTPConnection(address, timeout=10)
        while not ending.wait(SCRAPE_EVERY):
            connection.request("GET", "/metrics")
            connection.getresponse().read()
        connection.close()

    scraper = Thread(target=go_on, name="scraper")
    if address:
        scraper.start()
    try:
        yield
    finally:
        ending.set()
        if address:
            scraper.join()


def ask(address: str, method: str, path: str, key: str, body: str | None = None) -> str:
    """Ask once and return the answer's body; raises SystemExit unless it is a success."""
    connection = HTTPConnection(address, timeout=10)
    headers = {"X-API-Key": key} | ({"Content-Type": "application/json"} if body else {})
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != HTTPStatus.OK:
        raise SystemExit(f"{method} {path}: {answer.status} {text}")
    return text


def first_answer(folder: Path, port: int, path: str, key: str) -> tuple[float, float]:
    """Return the seconds from exec to the first answered request, and the MB that are resident a moment later."""
    started = time.monotonic()
    with gateway(folder, port, core=None) as server:
        ask(server.address, "GET", path, key)
        seconds = time.monotonic() - started
        time.sleep(1.0)
        return seconds, server.resident()
