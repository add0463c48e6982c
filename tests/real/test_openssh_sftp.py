"""OpenSSH's own `sftp`, `scp` and `ssh` at the gateway's SFTP server, whose clerk may use whatever is installed."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.dropping import ACCOUNT, FILE, PASSWORD, ROWS, Site, site
from tests.flows.command import Done
from tests.flows.process import Gateway, eventually

Program = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clerk:
    """Somebody with OpenSSH's programs, and the folder in which the own files lie."""

    place: Site
    gateway: Gateway
    program: Program
    folder: Path

    def begun(self, name: str, *words: str) -> "subprocess.Popen[str]":
        """Begin a program that knows the gateway's key and types the password."""
        known = self.folder / "known_hosts"
        options = ["StrictHostKeyChecking=yes", f"UserKnownHostsFile={known}", "NumberOfPasswordPrompts=1"]
        said = ["-F", "none", *(part for option in options for part in ("-o", option))]
        askpass = {"SSH_ASKPASS": str(self.folder / "askpass"), "SSH_ASKPASS_REQUIRE": "force"}
        return subprocess.Popen(
            [self.program(name), *said, *words],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **askpass},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, name: str, *words: str) -> Done:
        with self.begun(name, *words) as process:
            try:
                out, err = process.communicate(timeout=60)
            finally:
                process.kill()
        return Done(returncode=process.returncode, stdout=out, stderr=err)

    def batch(self, *commands: str) -> tuple[str, ...]:
        (self.folder / "batch").write_text("\n".join([*commands, ""]))
        return ("-o", "BatchMode=no", "-b", "batch", "-P", str(self.place.port), f"{ACCOUNT}@127.0.0.1")

    def sftp(self, *commands: str) -> Done:
        """Give commands one after the other; the first that fails ends it."""
        return self.run("sftp", *self.batch(*commands))

    def put_down(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)

    @property
    def drop(self) -> Path:
        return self.place.folder / "drop"


@pytest.fixture
def clerk(program: Program, tmp_path: Path) -> Iterator[Clerk]:
    program("sftp")
    place = site(tmp_path).configured().with_key()
    # Files wait for their marker, so that there is time to look at them.
    place.config.write_text(place.config.read_text().replace('ready      = "rename"', 'ready      = "marker"'))
    folder = tmp_path / "clerk"
    folder.mkdir()
    public = subprocess.run(
        [program("ssh-keygen"), "-y", "-f", tmp_path / "host.key"], check=True, capture_output=True, text=True
    ).stdout
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{place.port} {public}")
    (folder / "askpass").write_text(f"#!/bin/sh\necho '{PASSWORD}'\n")
    (folder / "askpass").chmod(0o700)
    with place.running() as running:
        yield Clerk(place=place, gateway=running, program=program, folder=folder)


def test_put_with_times_and_a_marker_and_get_what_came_of_it(clerk: Clerk) -> None:
    clerk.put_down(FILE, ROWS)
    os.utime(clerk.folder / FILE, (1_790_000_000, 1_790_000_000))
    clerk.put_down(f"{FILE}.ok", b"")
    done = clerk.sftp(f"put -p {FILE}", f"chmod 600 {FILE}", "ls -l", f"put {FILE}.ok")
    assert done.returncode == 0, done.stderr
    assert FILE in done.stdout
    clerk.gateway.event("file-accepted", file=FILE)
    eventually(lambda: (clerk.drop / "rejected" / f"{FILE}.rejected.csv").exists() or None, "rejects")
    got = clerk.sftp(f"get rejected/{FILE}.rejected.csv", "cd archive", "ls", f"get */{FILE}.receipt.txt")
    assert got.returncode == 0, got.stderr
    assert "2 baris diterima, 1 ditolak" in (clerk.folder / f"{FILE}.receipt.txt").read_text()
    assert (clerk.folder / f"{FILE}.rejected.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_reput_goes_on_with_what_is_in_the_making(clerk: Clerk) -> None:
    clerk.put_down(FILE, ROWS)
    (clerk.drop / f"{FILE}.filepart").write_bytes(ROWS[:20])
    done = clerk.sftp(f"reput {FILE} {FILE}.filepart", f"rename {FILE}.filepart {FILE}")
    assert done.returncode == 0, done.stderr
    assert (clerk.drop / FILE).read_bytes() == ROWS
    assert not (clerk.drop / f"{FILE}.filepart").exists()


def test_reput_goes_on_with_a_whole_file_that_is_not_taken_yet(clerk: Clerk) -> None:
    clerk.put_down(FILE, ROWS)
    (clerk.drop / FILE).write_bytes(ROWS[:20])
    assert clerk.sftp(f"reput {FILE}").returncode == 0
    assert (clerk.drop / FILE).read_bytes() == ROWS


def test_a_large_file_comes_whole(clerk: Clerk) -> None:
    content = ROWS * 200_000
    clerk.put_down(FILE, content)
    assert clerk.sftp(f"put {FILE}").returncode == 0
    assert (clerk.drop / FILE).read_bytes() == content


def test_what_is_not_its_own_is_refused(clerk: Clerk) -> None:
    clerk.put_down("lain.csv", ROWS)
    (clerk.drop / "stok.csv").write_bytes(ROWS)
    for command in (
        "put lain.csv",
        "get /etc/passwd",
        "get ../../etc/passwd",
        "get stok.csv",
        "mkdir sub",
        "ln -s /etc/passwd imunisasi_x.csv",
        "rm stok.csv",
        "rename stok.csv imunisasi_x.csv",
        "cd .taking",
        "df",
        "copy imunisasi_x.csv imunisasi_y.csv",
    ):
        assert clerk.sftp(command).returncode != 0, command
    assert sorted(path.name for path in clerk.drop.iterdir()) == ["stok.csv"]


def test_scp_works_as_sftp_and_the_old_protocol_does_not(clerk: Clerk) -> None:
    clerk.put_down(FILE, ROWS)
    words = ("-P", str(clerk.place.port))
    assert clerk.run("scp", "-O", *words, FILE, f"{ACCOUNT}@127.0.0.1:/").returncode != 0
    assert not (clerk.drop / FILE).exists()
    done = clerk.run("scp", *words, FILE, f"{ACCOUNT}@127.0.0.1:/{FILE}")
    assert done.returncode == 0, done.stderr
    assert (clerk.drop / FILE).read_bytes() == ROWS


@pytest.mark.parametrize("words", [(), ("id",), ("-s", "netconf"), ("-W", "127.0.0.1:22")])
def test_ssh_gets_nothing(clerk: Clerk, words: tuple[str, ...]) -> None:
    before = words[:2] if words[:1] == ("-W",) else words[:1] if words[:1] == ("-s",) else ()
    done = clerk.run("ssh", "-p", str(clerk.place.port), *before, f"{ACCOUNT}@127.0.0.1", *words[len(before) :])
    assert done.returncode != 0
    assert done.stdout == ""


def test_sftp_that_is_killed_leaves_a_file_in_the_making(clerk: Clerk) -> None:
    clerk.put_down(FILE, ROWS * 100_000)
    making = clerk.drop / f"{FILE}.filepart"
    # So slowly (kbit/s) that it is killed in the middle for certain.
    with clerk.begun("sftp", "-l", "2000", *clerk.batch(f"put {FILE}")) as process:
        eventually(lambda: (making.exists() and making.stat().st_size) or None, "the first bytes")
        process.kill()
    clerk.gateway.event("sftp-broken")
    assert [path.name for path in clerk.drop.iterdir()] == [making.name]
