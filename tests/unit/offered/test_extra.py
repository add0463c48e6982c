"""Without asyncssh everything works but the gateway's own SFTP server, and who wants it is told what to install."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.dropping import site

WITHOUT = """
import sys
sys.modules["asyncssh"] = None  # as if it were not installed
from pathlib import Path
from gateway import app
for finding in app.check(Path(sys.argv[1]), {}):
    print(finding)
"""


@pytest.mark.parametrize("wanted", [True, False])
def test_without_the_extra_only_the_server_is_missing(tmp_path: Path, *, wanted: bool) -> None:
    place = site(tmp_path).configured('{ password = "a-long-password" }')
    if not wanted:
        text = place.config.read_text().replace('account    = { password = "a-long-password" }', "")
        section = text[text.index("[gateway.sftp]") : text.index("[client.klik]")]
        place.config.write_text(text.replace(section, ""))
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(place.config)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=tmp_path,
    )
    says = "gateway.sftp: the SFTP server needs asyncssh, which is not installed here"
    assert (says in done.stdout) == wanted
    assert ("install the extra: make .venv/drops" in done.stdout) == wanted
