"""The image, built twice by buildah on a base of Debian's own packages, and run: no Docker, no registry of images."""

import ast
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from demo import ENVIRONMENT
from tests.flows.pilot import ROOT, changed
from tests.flows.process import STOP, eventually
from tests.ports import free_ports
from tests.real.test_replicas_behind_proxy import answers

TEXT = (ROOT / "Dockerfile").read_text("utf-8")
RELEASE = re.findall(r"^ARG BASE=python:3\.11-slim-(\w+)$", TEXT, re.MULTILINE)[0]
LIKE_PYTHONS_BASE = "python3,python3-venv,ca-certificates,passwd"
ASKED = ("index-url", "extra-index-url", "find-links", "cert", "proxy", "trusted-host")

pytestmark = [
    pytest.mark.skipif("BUILD_IMAGE" not in os.environ, reason="takes three minutes: make image runs it"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes a Debian of its own"),
]


class Builder:
    """buildah with a store of its own and without a daemon."""

    def __init__(self, path: str, folder: Path) -> None:
        self._command = [path, "--root", str(folder / "store"), "--runroot", str(folder / "run")]
        self.environment = {**os.environ, "BUILDAH_ISOLATION": "chroot"}

    def command(self, *arguments: str | Path) -> list[str]:
        return [*self._command, *map(str, arguments)]

    def __call__(self, *arguments: str | Path) -> str:
        done = subprocess.run(
            self.command(*arguments), env=self.environment, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def image(self, name: str, pip: Path) -> Mapping[str, str]:
        """Build it, and return what lies in the gateway's own folder; pip asks where it asks on this machine."""
        seen = ["--volume", f"{pip}:/etc/pip.conf:ro", "--volume", "/etc/ssl/certs:/etc/ssl/certs:ro"]
        base = ["--build-arg", "BASE=localhost/base:latest", "--pull-never", "--format", "docker"]
        self("bud", *base, *seen, "--tag", name, ROOT)
        container = self("from", name)
        found = _sums(Path(self("mount", container)) / "opt/opd-gateway")
        self("rm", container)
        return found


def _sums(folder: Path) -> Mapping[str, str]:
    """Return of each file its mode and what sums up its bytes, of each link where it leads."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else f"{path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture(scope="module")
def builder(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    folder = tmp_path_factory.mktemp("image")
    made = Builder(program("buildah"), folder)
    debian = folder / "debian"
    mirror = _mirror(program("apt-get"))
    bootstrap = [program("debootstrap"), "--variant=minbase", f"--include={LIKE_PYTHONS_BASE}", RELEASE, debian, mirror]
    done = subprocess.run(bootstrap, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    (debian / "usr/bin/python").symlink_to("python3")
    empty = made("from", "scratch")
    made("add", "--quiet", empty, debian, "/")
    made("config", "--env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", empty)
    made("commit", "--quiet", "--rm", empty, "base")
    yield made
    made("rm", "--all")
    subprocess.run([program("umount"), folder / "store/overlay"], capture_output=True, check=False)  # if it was mounted
    shutil.rmtree(folder)


def _mirror(apt: str) -> str:
    """Return where this machine has its Debian from; nothing where it has another release."""
    listed = subprocess.run(
        [apt, "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.splitlines()
    found = [line.split()[-1] for line in listed if line.startswith(f"{RELEASE} main ")]
    if not found:
        pytest.skip(f"this machine has no Debian {RELEASE} to take packages from")
    return found[0]


@pytest.fixture(scope="module")
def pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This machine's own settings of pip, as a file."""
    listed = subprocess.run(
        [ROOT / ".venv/bin/python", "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    settings = {name.rpartition(".")[2]: value for name, _, value in (line.partition("=") for line in listed)}
    lines = [f"{name} = {ast.literal_eval(settings[name])}" for name in ASKED if name in settings]
    file = tmp_path_factory.mktemp("pip") / "pip.conf"
    file.write_text("\n".join(["[global]", *lines, ""]), "utf-8")
    return file


def _configured(folder: Path, port: int) -> Path:
    """The pilot's configuration, as it is mounted into a container."""
    shutil.copytree(ROOT / "mappings", folder / "mappings")
    shutil.copytree(ROOT / "wsdl", folder / "wsdl")
    for name in ("puskesmas", "puskesmas-masuk"):
        (folder / "var/drops" / name).mkdir(parents=True)
    ours = {"listen": f"127.0.0.1:{port}", "metrics": "127.0.0.1:0", "ledger": "sqlite:/var/lib/opd-gateway/ledger.db"}
    changes = {'listen   = "127.0.0.1:8080"': "\n".join(f'{name} = "{value}"' for name, value in ours.items())}
    text = changed((ROOT / "gateway.toml").read_text("utf-8"), changes)
    (folder / "gateway.toml").write_text(text, "utf-8")
    folder.chmod(0o755)
    return folder


def _below(pid: int) -> Iterator[int]:
    """Yield what a process started, the youngest last: without a container runtime all of it is seen from here."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text("ascii").split():
            yield int(child)
            yield from _below(int(child))


def test_two_builds_hold_the_same_to_the_byte_and_what_is_built_serves(
    builder: Builder, pip: Path, tmp_path: Path
) -> None:
    first, second = builder.image("first", pip), builder.image("second", pip)
    assert len(first) > 1000
    assert {path for path in first.keys() | second.keys() if first.get(path) != second.get(path)} == set()

    made = json.loads(builder("inspect", "--type", "image", "first"))["Docker"]["config"]
    assert (made["User"], made["Entrypoint"], made["Cmd"]) == ("10001:10001", ["gateway"], ["run"])

    port = free_ports()
    url, container = f"http://127.0.0.1:{port}", builder("from", "first")
    seen = ["--volume", f"{_configured(tmp_path, port)}:/etc/opd-gateway:ro"]
    seen += [f"--env={name}={value}" for name, value in ENVIRONMENT.items()]

    def inside(*command: str) -> str:
        return builder("run", *seen, container, "--", *command)

    assert inside("id", "-u") == "10001"
    assert inside("pwd") == "/etc/opd-gateway"
    assert inside("gateway", "check") == "nothing to change"
    assert inside("sh", "-c", "touch /opt/opd-gateway/x || python -m pip || echo neither").endswith("neither")

    command = builder.command("run", *seen, container, "--", "gateway", "run")
    running = subprocess.Popen(command, env=builder.environment, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        eventually(lambda: answers(f"{url}/readyz"), "the gateway in the image")
        healthy = [word.replace(":8080/", f":{port}/") for word in made["Healthcheck"]["Test"][1:]]
        assert inside(*healthy) == ""
        assert httpx.get(f"{url}/v1/izin/jenis").status_code == 401
        os.kill([*_below(running.pid)][-1], signal.SIGTERM)
        assert running.wait(STOP) == 0
    finally:
        running.kill()
        running.wait()
    assert "ledger.db" in inside("ls", "/var/lib/opd-gateway")
