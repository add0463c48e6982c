"""The control listener of a running gateway: there with operators only, and not for clients' keys."""

import hashlib
import re
from pathlib import Path

import httpx
import pytest

from demo import ENVIRONMENT
from demo.testing import Running
from gateway.records import Refused
from tests.flows.command import gateway
from tests.flows.pilot import KEY, pilot
from tests.flows.process import Gateway, eventually, running
from tests.office import books

OPERATOR_KEY = "kunci-operator-alur-yang-panjang"
OPERATOR = f"""
[operator.sri]
keys = [{{ sha256 = "{hashlib.sha256(OPERATOR_KEY.encode()).hexdigest()}" }}]
"""
LISTENS = {'timezone = "Asia/Jakarta"\n': 'timezone = "Asia/Jakarta"\ncontrol  = "127.0.0.1:0"\n'}


@pytest.fixture(scope="module")
def config(agencies: Running, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = pilot(tmp_path_factory.mktemp("control"), agencies.ports, LISTENS)
    path.write_text(path.read_text("utf-8") + OPERATOR, "utf-8")
    return path


def address(running_one: Gateway) -> str:
    def look() -> str | None:
        found = re.search(r"control API for operators: (http://\S+)", running_one.err.read_text("utf-8"))
        return found[1] if found else None

    return eventually(look, "the control listener")


def test_operators_and_the_commands_work_on_the_same_lanes(config: Path) -> None:
    with running(config) as one, httpx.Client(base_url=address(one), headers={"x-api-key": OPERATOR_KEY}) as control:
        assert control.post("/lanes/dpmptsp/pause").json() == {"agency": "dpmptsp", "paused": True}
        listed = gateway("lane", "list", "--config", config).stdout
        line = next(line for line in listed.splitlines() if line.startswith("dpmptsp"))
        assert "\toperator by sri\toperator's pause by sri, since " in line
        assert gateway("lane", "resume", "dpmptsp", "--config", config).returncode == 0
        lanes = {lane["agency"]: lane["pauses"] for lane in control.get("/lanes").json()["lanes"]}
        assert lanes["dpmptsp"] == []
        assert one.event("operator-act", by="sri", act="pause")["agency"] == "dpmptsp"
        assert control.get("/lanes", headers={"x-api-key": KEY}).status_code == 401
        assert one.http.get("/lanes").status_code == 404
        assert one.stop() == 0


def test_without_operators_nobody_listens(agencies: Running, tmp_path: Path) -> None:
    with running(pilot(tmp_path, agencies.ports, LISTENS)) as one:
        assert "control API" not in one.err.read_text("utf-8")
        assert one.stop() == 0


async def test_a_lost_key_is_given_up_once_and_on_purpose(agencies: Running, tmp_path: Path) -> None:
    config = pilot(tmp_path, agencies.ports, LISTENS)
    async with books(tmp_path) as made:
        (message,) = await made.ended(Refused(text="berkas kurang"))
    (tmp_path / "var/ledger.key").unlink()
    refused = gateway("run", "--config", config)
    assert (refused.returncode, "--lost-key" in refused.stderr) == (1, True)
    with running(config, ENVIRONMENT, "--lost-key") as one:
        assert one.stop() == 0
    shown = gateway("messages", "show", message, "--config", config)
    assert (shown.returncode, "sealed with a lost key" in shown.stdout) == (0, True)
    assert gateway("messages", "replay", message, "--config", config).returncode == 1
