"""What `gateway check` says loudly of drops elsewhere: passwords in clear, and keys for all to read."""

from pathlib import Path

import asyncssh
import pytest

from gateway import app
from tests.authority import Authority

TOML = """
[agency.rsud]
adapter = "csv"
mapping = "rsud.toml"
drop    = "ftp://rsud@127.0.0.1/keluar"
drop_login = { password = "x" }
[agency.rsud.feed.stok]
files = "stok_*.csv"
[agency.rsud.out.pesanan]
folder = "sftp://rsud@127.0.0.1/masuk"
file   = "pesanan_{id}.csv"
login  = { key = "kunci", host_key = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }
[agency.rsud.out.surat]
folder = "ftps://rsud@127.0.0.1/masuk"
file   = "surat_{id}.csv"
login  = { password = "x", ca = "Otoritas-Uji.pem" }
"""


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o644, True)])
def test_what_endangers_a_drop_s_login_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, *, warned: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rsud.toml").write_text('[stok.row]\nkode = "kode"\n')
    Authority(tmp_path)
    asyncssh.generate_private_key("ssh-ed25519").write_private_key("kunci")
    Path("kunci").chmod(mode)
    Path("gateway.toml").write_text(TOML)
    found = [(one.where, one.warning, one.what) for one in app.check(Path("gateway.toml"), {})]
    assert found[0] == (
        "gateway.toml:5",
        True,
        "agency.rsud.drop: whoever is in between can read the password and every file",
    )
    readable = "agency.rsud.out.pesanan.login.key: others than its owner can read the private key in kunci (mode 644)"
    assert found[1:] == ([("gateway.toml:12", True, readable)] if warned else [])
