"""Drops elsewhere: what an address and a login must say, and what is told where they don't."""

import subprocess
import sys
from pathlib import Path

import asyncssh
import pytest

from adapters.csv.kinds import drop_at
from adapters.csv.place import DropLogin, place_of
from gateway import ConfigError

FINGERPRINT = "SHA256:" + "A" * 43
WITHOUT = """
import sys
for name in ("asyncssh", "aioftp", "obstore"):
    sys.modules[name] = None  # as if they were not installed
from pathlib import Path
from gateway import app
for finding in app.check(Path(sys.argv[1]), {"SANDI": "x"}):
    print(finding)
"""
SECTION = """
[agency.{name}]
adapter = "csv"
drop    = "{drop}"
mapping = "rsud.toml"
{login}
[agency.{name}.feed.stok]
files = "stok_*.csv"
[agency.{name}.operation.stok]
expose = "GET /v1/{name}"
call   = "stok"
"""
MAPPING = '[stok.row]\nkode = "kode"\n[stok.request]\nkode = "kode"\n[stok.reply.rows]\neach = "rows"\nkode = "kode"\n'
PASSWORD = '"${SANDI}"'


@pytest.mark.parametrize(
    ("text", "shown", "user", "path"),
    [
        ("sftp://rsud@10.1.2.3/keluar/", "sftp://10.1.2.3:22", "rsud", "/keluar"),
        ("sftp://rsud@server:2222/~/keluar", "sftp://server:2222", "rsud", "/~/keluar"),
        ("ftp://a%40b@server", "ftp://server:21", "a@b", ""),
        ("ftps://rsud@server/a%20b", "ftps://server:21", "rsud", "/a b"),
        ("s3://serah/rsud/keluar", "s3://serah", "", "/rsud/keluar"),
    ],
)
def test_an_address_is_read(text: str, shown: str, user: str, path: str) -> None:
    place = place_of(text, "drop")
    assert (str(place), place.user, place.path) == (shown, user, path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("smb://user@host/dir", r"drop: smb:// is not supported \(mount it and name the folder here, or write sftp://"),
        ("sftp://user:rahasia@host/dir", r"drop: has a password in it \(write it under drop_login"),
        ("sftp://host/dir", r"drop: is not of the form of such an address \(write sftp://user@host/folder"),
        ("ftp://user@host:99999/dir", "drop: is no address"),
        ("ftp://user@host/a/../b", "drop: has signs in it that no folder has"),
        ("ftp://user@host/a%0d%0aDELE b", "drop: has signs in it that no folder has"),
        ("s3:///dir", r"drop: is not of the form of such an address \(write s3://bucket/folder"),
    ],
)
def test_what_is_no_address_is_told_without_its_password(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        place_of(text, "drop")
    assert "rahasia" not in str(raised.value)


@pytest.mark.parametrize(
    ("place", "login", "said"),
    [
        ("sftp://a@host/x", {"password": "x"}, r"drop_login: by which key is host known\? \(ask its owner"),
        ("sftp://a@host/x", {"host_key": FINGERPRINT}, r"drop_login: sftp:// needs a login \(write password"),
        ("sftp://a@host/x", {"password": "x", "host_key": "md5:00"}, r"drop_login.host_key: is no fingerprint"),
        ("sftp://a@host/x", {"key": "none", "host_key": FINGERPRINT}, r"drop_login.key: none: no such file"),
        ("sftp://a@host/x", {"password": "x", "ca": "x"}, r"drop_login.ca: is nothing that sftp:// has use for"),
        ("ftp://a@host/x", {}, r"drop_login: ftp:// needs a login \(write password"),
        ("ftps://a@host/x", {"password": "x", "ca": "none.pem"}, r"drop_login.ca: none.pem: no such file"),
        ("drops/rsud", {"password": "x"}, r"drop_login: is nothing that a folder of this machine has use for"),
        ("s3://serah", {"access_key": "a"}, r"drop_login: s3:// needs a key \(write access_key"),
    ],
)
def test_a_login_must_have_what_its_kind_needs_and_no_more(place: str, login: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        drop_at(place, "drop", DropLogin.model_validate(login))


def test_files_of_keys_are_read_when_loaded(tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(tmp_path / "locked", "pkcs8-pem", passphrase="kunci")
    (tmp_path / "none").write_text("no key")
    (tmp_path / "hosts").write_text("lain ssh-ed25519 " + key.export_public_key().decode().split()[1] + "\n")
    base = {"host_key": FINGERPRINT}
    for login, said in (
        ({**base, "key": "locked"}, r"out\.a\.login\.key: .*locked can't be read as a private key"),
        (
            {**base, "key": "locked", "key_password": "salah"},
            r"out\.a\.login\.key: .*locked can't be read as a private key",
        ),
        ({**base, "key": "none"}, r"out\.a\.login\.key: .*none can't be read as a private key"),
        ({"password": "x", "known_hosts": "hosts"}, r"out\.a\.login\.known_hosts: .*hosts has no key of host"),
    ):
        files = {name: str(tmp_path / each) for name, each in login.items() if name in ("key", "known_hosts")}
        with pytest.raises(ConfigError, match=said):
            drop_at("sftp://a@host/x", "out.a.folder", DropLogin.model_validate({**login, **files}), "out.a.login")
    opened = {**base, "key": str(tmp_path / "locked"), "key_password": "kunci"}
    drop_at("sftp://a@host/x", "drop", DropLogin.model_validate(opened))
    drop_at("sftp://a@lain/x", "drop", DropLogin(password="x", known_hosts=tmp_path / "hosts"))


def test_an_authority_that_is_no_certificate_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for place, login in (("ftps://a@host/x", {"password": "x"}), ("s3://b", {"access_key": "a", "secret_key": "b"})):
        with pytest.raises(ConfigError, match=r"drop_login\.ca"):
            drop_at(place, "drop", DropLogin.model_validate({**login, "ca": str(tmp_path / "ca.pem")}))


def test_without_the_extra_only_drops_elsewhere_are_missing(tmp_path: Path) -> None:
    sections = (
        ("folder", "drops/rsud", ""),
        ("sftp", "sftp://a@h/x", f'drop_login = {{ password = {PASSWORD}, host_key = "{FINGERPRINT}" }}'),
        ("ftps", "ftps://a@h/x", f"drop_login = {{ password = {PASSWORD} }}"),
        ("s3", "s3://b/x", f'drop_login = {{ access_key = "a", secret_key = {PASSWORD} }}'),
    )
    (tmp_path / "rsud.toml").write_text(MAPPING)
    config = tmp_path / "gateway.toml"
    config.write_text("".join(SECTION.format(name=name, drop=drop, login=login) for name, drop, login in sections))
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(config)], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    remedy = "which is not installed here (install the extra: make .venv/drops; or mount the folder and name it here)"
    assert done.stdout.splitlines() == [
        f"gateway.toml:15: agency.sftp.drop: sftp:// needs asyncssh, {remedy}",
        f"gateway.toml:26: agency.ftps.drop: ftps:// needs aioftp, {remedy}",
        f"gateway.toml:37: agency.s3.drop: s3:// needs obstore, {remedy}",
    ]
