"""`gateway demo` as the README has it tried: its ledger outlives it, until it is told to forget."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import httpx
import pytest

from demo import PORTS
from gateway.cli.demo_command import KEY
from tests.flows.asks import FILE_PERMIT
from tests.flows.command import gateway
from tests.flows.pilot import EVERYWHERE, changed, shipped
from tests.flows.process import START, STOP, eventually
from tests.ports import free_ports

HERE = Path(__file__).parents[2]
_LISTENS = re.compile(r"The gateway is at (http://\S+) in front")


class Demo:
    """The pilot's files, with the stand-ins on ports of their own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_ports(1 + len(PORTS))
        moved = {
            f"127.0.0.1:{port}": f"127.0.0.1:{self.port + number}"
            for number, (name, port) in enumerate(PORTS.items(), start=1)
            if name != "puskesmas"
        }
        self.config = shipped(folder, {**EVERYWHERE, **moved})
        self.environment = {**os.environ, "DEMO_PORT": str(self.port)}
        self.python = sys.executable

    @contextmanager
    def running(self, *options: str) -> Iterator[httpx.Client]:
        """Run it, and kill it without warning at the end; the stand-ins notice that and end too."""
        said = self.config.parent / "said.log"
        command = [self.python, "-m", "gateway", "demo", "--config", self.config, *options]
        with said.open("wb") as err:
            process = subprocess.Popen(command, env=self.environment, cwd=HERE, stdout=subprocess.DEVNULL, stderr=err)
        try:
            found = eventually(
                lambda: _LISTENS.search(said.read_text("utf-8")), f"the start of the demo: {said}", START
            )
            itself = f"kill -9 {process.pid} without warning"
            eventually(lambda: itself in said.read_text("utf-8") or None, "how to end this demo and no other", START)
            with httpx.Client(base_url=found[1], headers={"x-api-key": KEY}, timeout=30) as http:
                yield http
        finally:
            process.kill()
            process.wait(STOP)
            eventually(self._gone, "the end of the stand-ins", STOP)

    def switch(self, agency: str, how: str) -> None:
        url = f"http://127.0.0.1:{self.port}/__demo/{agency}/{how}"
        httpx.post(url, headers={"x-demo": "switch"}).raise_for_status()

    def _gone(self) -> bool | None:
        with socket.socket() as probe:
            return True if probe.connect_ex(("127.0.0.1", self.port)) else None


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    return Demo(tmp_path)


def test_the_demo_keeps_its_ledger_between_runs_and_begins_anew_when_told(demo: Demo, tmp_path: Path) -> None:
    with demo.running() as http:
        demo.switch("dpmptsp", "down")
        waits = http.post(FILE_PERMIT.path, json=FILE_PERMIT.body, headers={"idempotency-key": "izin-1"})
        assert waits.status_code == 202, waits.text
    location, key = waits.headers["location"], (tmp_path / "var/ledger.key").read_bytes()
    with demo.running("--down", "dpmptsp") as http:
        assert http.get(location).json()["state"] in {"pending", "delivering"}  # as it is tried again
        demo.switch("dpmptsp", "up")
        eventually(lambda: http.get(location).json()["state"] == "delivered" or None, "its delivery by the next run")
        again = http.post(FILE_PERMIT.path, json=FILE_PERMIT.body, headers={"idempotency-key": "izin-1"})
        assert again.headers["location"] == location
    with demo.running("--fresh") as http:
        assert http.get(location).status_code == 404
        assert http.get("/v1/requests").json()["requests"] == []
        anew = http.post(FILE_PERMIT.path, json=FILE_PERMIT.body, headers={"idempotency-key": "izin-1"})
        assert anew.is_success, anew.text
        assert anew.headers["location"] != location
    assert (tmp_path / "var/ledger.key").read_bytes() == key


def test_the_demo_runs_a_configuration_of_any_folder_from_where_nothing_is_installed(
    demo: Demo, tmp_path: Path
) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/__init__.py").write_text("raise SystemExit('not this one')", "utf-8")
    # An interpreter outside the environment sees what was installed there, without this package's being editable.
    demo.python = str(Path(sys.base_prefix, "bin", Path(sys.executable).name))
    demo.environment["PYTHONPATH"] = str(Path(click.__file__).parents[1])
    with demo.running() as http:
        assert http.get("/v1/izin/status?nomor=161/IMB/IV/2021").json()["nomor"] == "161/IMB/IV/2021"


def test_the_demo_without_its_ledgers_key_is_told_to_start_afresh_and_can(demo: Demo, tmp_path: Path) -> None:
    with demo.running():
        pass
    (tmp_path / "var/ledger.key").unlink()
    done = gateway("demo", "--config", demo.config, environment={"DEMO_PORT": str(demo.port)})
    assert done.returncode == 1
    assert "the ledger's key is missing" in done.stderr
    assert "or start with --fresh, which forgets what earlier demos recorded" in done.stderr
    assert "--lost-key" not in done.stderr
    with demo.running("--fresh") as http:
        assert http.get("/v1/requests").json()["requests"] == []


def test_the_demo_forgets_no_ledger_that_may_be_shared(demo: Demo) -> None:
    text = demo.config.read_text("utf-8")
    demo.config.write_text(changed(text, {"[gateway]\n": '[gateway]\nledger = "postgresql:///bersama"\n'}), "utf-8")
    done = gateway("demo", "--fresh", "--config", demo.config)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.search(
        r"^gateway\.toml:\d+.*--fresh forgets a ledger in a file only, and this one may be shared", done.stderr
    )
