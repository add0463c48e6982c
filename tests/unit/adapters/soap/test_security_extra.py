"""Without xmlsec everything works but signatures, and who asks for those is told what to install."""

import subprocess
import sys
from pathlib import Path
from shutil import copy

import pytest

WITHOUT = """
import sys
sys.modules["xmlsec"] = None  # as if it were not installed
from pathlib import Path
from gateway import app
for finding in app.check(Path(sys.argv[1]), {}):
    print(finding)
"""
SECTION = """
[agency.arsip]
adapter = "soap"
wsdl    = "arsip.wsdl"
mapping = "arsip.toml"
[agency.arsip.security]
user      = "gateway"
password  = ""
timestamp = "5m"
{more}
[agency.arsip.operation.simpan]
expose = "POST /v1/simpan"
call   = "Simpan"
"""
MAPPING = '[simpan.request]\njudul = "judul"\n[simpan.reply]\njudul = "judul"\n'


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", ""),
        ('sign = { certificate = "a.pem" }', "signatures need xmlsec, which is not installed here"),
        ('verify = { certificate = "a.pem" }', "install the extra: make .venv/soap-security"),
    ],
)
def test_without_the_extra_only_signatures_are_missing(tmp_path: Path, wsdls: Path, more: str, told: str) -> None:
    copy(wsdls / "arsip.wsdl", tmp_path)
    (tmp_path / "arsip.toml").write_text(MAPPING)
    config = tmp_path / "gateway.toml"
    config.write_text(SECTION.format(more=more))
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(config)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=tmp_path,
    )
    assert told in done.stdout
    assert bool(told) == ("security" in done.stdout)
