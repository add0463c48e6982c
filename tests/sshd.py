"""OpenSSH's own sshd on a port of 127.0.0.1, with keys that are made for it; the user is whoever runs the tests."""

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CONFIG = """
ListenAddress 127.0.0.1
HostKey {place}/host
PidFile none
AuthorizedKeysFile {place}/client.pub
PasswordAuthentication no
UsePAM no
StrictModes no
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sshd:
    """A running sshd; whoever has `key` is let in as `user`."""

    port: int
    user: str
    key: Path
    fingerprint: str
    process: "subprocess.Popen[bytes]"


def find_sshd() -> str | None:
    """Return where sshd is, which insists on being called by its whole path."""
    return shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def sshd(place: Path, program: str) -> Iterator[Sshd]:
    """Run a server until the end of the block."""
    place.mkdir(exist_ok=True)
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / name], check=True)
    shown = subprocess.run(["ssh-keygen", "-lf", place / "host.pub"], check=True, capture_output=True, text=True).stdout
    (place / "config").write_text(CONFIG.format(place=place))
    Path("/run/sshd").mkdir(exist_ok=True)
    port = _free_port()
    with (place / "log").open("wb") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", place / "config", "-p", str(port)], stderr=log)
        try:
            _until_it_listens(port, process)
            yield Sshd(
                port=port,
                user=getpass.getuser(),
                key=place / "client",
                fingerprint=shown.split()[1],
                process=process,
            )
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_it_listens(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        assert process.poll() is None, "sshd went away"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("sshd does not listen")
