"""What Kubernetes would do with the pod, done here: its files laid out, its environment set, its probes asked."""

import base64
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chart.release import ROOT, Release, pilot, released

PYTHON = ROOT / ".venv/bin/python"
KEY = base64.b64encode(b"k" * 32).decode()
AGENCIES = {
    name: "rahasia"
    for name in re.findall(r"\$\{(\w+)\}", (ROOT / "gateway.toml").read_text("utf-8"))
    if not name.startswith("GATEWAY_")
}
SECRETS: Mapping[str, Mapping[str, str]] = {"opd-gateway-ledger": {"key": KEY}, "agencies": AGENCIES}
PATIENCE = 30.0

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(), reason="the gateway's own environment is not there: make .venv/dev"
)


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


class Node:
    """A folder that stands for a node; ports and paths of the pod become ones that are free here."""

    def __init__(self, folder: Path, release: Release) -> None:
        self.folder, self.release = folder, release
        self.ports = {port["name"]: free_port() for port in release.container["ports"]}
        self.here = {
            **{f"0.0.0.0:{there}": f"127.0.0.1:{self.ports[name]}" for name, there in self._declared()},
            "/var/lib/opd-gateway": str(folder / "ledger"),
        }
        (folder / "ledger").mkdir()
        self.mount = self._projected()

    def _declared(self) -> list[tuple[str, int]]:
        return [(port["name"], port["containerPort"]) for port in self.release.container["ports"]]

    def local(self, text: str) -> str:
        for there, here in self.here.items():
            text = text.replace(there, here)
        return text

    def _projected(self) -> Path:
        """Lay the projected volume out as the kubelet does: a folder of this moment, behind two links."""
        (volume,) = [each["projected"] for each in self.release.pod["volumes"] if "projected" in each]
        mount = self.folder / "etc"
        moment = mount / "..2026_11_24_08_00_00.1"
        moment.mkdir(parents=True)
        maps = {each["metadata"]["name"]: each["data"] for each in self.release.all("ConfigMap")}
        for source in volume["sources"]:
            data = maps[source["configMap"]["name"]]
            items = source["configMap"].get("items") or [{"key": key, "path": key} for key in data]
            for item in items:
                path = moment / item["path"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self.local(data[item["key"]]), "utf-8")
        (mount / "..data").symlink_to(moment.name)
        for name in {path.name for path in moment.iterdir()}:
            (mount / name).symlink_to(f"..data/{name}")
        return mount

    def environment(self) -> dict[str, str]:
        """Return the container's environment and nothing of ours but where programs are."""
        made = {"PATH": os.environ["PATH"]}
        for source in self.release.container.get("envFrom", []):
            made |= SECRETS[source["secretRef"]["name"]]
        for each in self.release.container["env"]:
            if "value" in each:
                made[each["name"]] = self.local(each["value"])
            else:
                reference = each["valueFrom"]["secretKeyRef"]
                made[each["name"]] = SECRETS[reference["name"]][reference["key"]]
        return {**made, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PYTHON, "-m", "gateway", *arguments],
            cwd=self.mount,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def url(self, http: Mapping[str, str]) -> str:
        return f"http://127.0.0.1:{self.ports[http['port']]}{http['path']}"

    def asked(self, probe: str) -> int:
        """Ask a probe; 0 when nobody answers."""
        http = self.release.container[f"{probe}Probe"]["httpGet"]
        try:
            with urllib.request.urlopen(self.url(http), timeout=5) as told:
                status: int = told.status
                return status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


@contextmanager
def started(node: Node) -> Iterator[subprocess.Popen[str]]:
    process = node.command(*node.release.container["args"])
    until = time.monotonic() + PATIENCE
    try:
        while node.asked("startup") != 200:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < until
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path, released(pilot()))


def test_the_pilots_pod_finds_nothing_wrong_with_its_own_files(node: Node) -> None:
    check = node.command("check")
    said, _ = check.communicate(timeout=PATIENCE)
    assert check.returncode == 0, said


def test_it_starts_answers_its_probes_and_stops_within_its_grace(node: Node) -> None:
    with started(node) as process:
        assert [node.asked(probe) for probe in ("startup", "readiness", "liveness")] == [200, 200, 200]
        figures = urllib.request.urlopen(f"http://127.0.0.1:{node.ports['metrics']}/metrics", timeout=5).read()
        assert b"gateway_build_info" in figures
        process.send_signal(signal.SIGTERM)
        assert process.wait(node.release.pod["terminationGracePeriodSeconds"]) == 0
    assert [path.name for path in (node.folder / "ledger").iterdir()] == ["ledger.db"]


def test_the_defaults_start_too(tmp_path: Path) -> None:
    node = Node(tmp_path, released({}))
    with started(node):
        assert node.asked("readiness") == 200


def test_the_release_s_own_test_passes(node: Node) -> None:
    (test,) = node.release.one("Pod")["spec"]["containers"]
    python, *arguments = test["command"]
    service = node.release.one("Service", "opd-gateway")["metadata"]["name"]
    assert python == "python"
    assert f"http://{service}:80/livez" in arguments
    arguments[-1] = f"http://127.0.0.1:{node.ports['http']}/livez"
    with started(node):
        said = subprocess.run([PYTHON, *arguments], capture_output=True, text=True, check=True).stdout
    assert said == '{"state":"alive"}\n'


def test_an_operators_command_finds_the_ledger_from_inside(node: Node) -> None:
    with started(node):
        listed = node.command("lane", "list", "--json")
        said, _ = listed.communicate(timeout=PATIENCE)
    assert (listed.returncode, "dpmptsp" in said) == (0, True), said


def test_a_copy_is_made_beside_the_ledger_with_every_file_that_is_mounted_and_without_the_key(node: Node) -> None:
    copy = node.folder / "ledger/copy"
    with started(node):
        backup = node.command("backup", str(copy))
        said, _ = backup.communicate(timeout=PATIENCE)
    assert backup.returncode == 0, said
    files = {str(path.relative_to(copy)) for path in copy.rglob("*") if path.is_file()}
    wanted = {f"mappings/{name}" for name in pilot()["mappings"]} | {f"wsdl/{name}" for name in pilot()["wsdl"]}
    assert files == wanted | {"RESTORE.txt", "gateway.toml", "ledger.db"}
    assert all(KEY.encode() not in (copy / name).read_bytes() for name in files)


def test_files_that_are_replaced_are_seen_by_the_next_command(node: Node) -> None:
    """A mounted ConfigMap changes by its links: what is behind the old one is taken away."""
    with started(node) as process:
        assert Path(f"/proc/{process.pid}/cwd").readlink() == node.mount
        old = node.mount / (node.mount / "..data").readlink()
        new = node.mount / "..2026_11_24_09_00_00.2"
        old.rename(new)
        (node.mount / "..data_tmp").symlink_to(new.name)
        (node.mount / "..data_tmp").rename(node.mount / "..data")
        check = node.command("check")
        said, _ = check.communicate(timeout=PATIENCE)
        assert check.returncode == 0, said
        assert node.asked("readiness") == 200
