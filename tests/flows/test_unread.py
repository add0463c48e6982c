"""Rule 11.3 through a real gateway: what an agency answered is kept though no adapter could read it."""

import json
from pathlib import Path
from typing import Any

import pytest

from demo.testing import Running
from tests.flows import process
from tests.flows.asks import FILE_PERMIT, REPORT_OUTAGE, REPORT_ROAD, SITI, Ask
from tests.flows.command import gateway
from tests.flows.pilot import pilot
from tests.flows.process import eventually

ANY_HOUR = {
    'hours   = "Mon-Thu 07:30-16:00; Fri 07:30-16:30"': 'hours   = "Mon-Sun 00:00-24:00"',
    'timezone = "Asia/Jakarta"\n\n[defaults]': 'timezone = "Asia/Jakarta"\nholidays = "none"\n\n[defaults]',
}
PAGE = "dpupr: its answer is a page or XML, not JSON"
LOOK = "its adapter can't read a kept answer again: look at it (messages show ID --unmask), then resolve it"
HARMLESS = '(where that is known to be harmless: tolerate = ["leading-junk"])'
SCENES = {
    "soap-page": (FILE_PERMIT, "html", "dpmptsp: ajukanPermohonan: the answer is an HTML page"),
    "soap-junk": (FILE_PERMIT, "junk", f"dpmptsp: ajukanPermohonan: the answer is an HTML page {HARMLESS}"),
    "rest-page": (REPORT_ROAD, "html", PAGE),
    "own-page": (REPORT_OUTAGE, "html", LOOK),
}


@pytest.fixture(params=[True, False], ids=["stored", "direct"])
def stored(request: pytest.FixtureRequest, agencies: Running) -> Any:
    agencies.reset()
    yield request.param
    agencies.reset()


@pytest.mark.parametrize("scene", SCENES)
def test_what_no_adapter_could_read_is_kept_shown_and_read_again(
    scene: str, stored: bool, agencies: Running, tmp_path: Path
) -> None:
    ask, switch, why = SCENES[scene]
    config = pilot(tmp_path, agencies.ports, ANY_HOUR if stored else None, stored=stored)
    agencies.switch(ask.agency, switch)
    with process.running(config) as one:
        one.http.request(ask.method, ask.path, json=ask.body, headers={"idempotency-key": scene})
        (message,) = eventually(lambda: _unknown(config), "the message is unknown")
        masked = _show(config, message)
        assert masked["native_answer"]["answer"]["unread"]["text"].startswith("*** (")
        assert SITI not in json.dumps(masked)
        body = _show(config, message, "--unmask")["native_answer"]
        assert body["http_status"] == 200
        assert "/var/www/html/ws/" in body["answer"]["unread"]["text"]
        again = gateway("messages", "reread", message, "--config", config)
    assert (again.returncode, again.stdout.strip()) == (1, f"{message} is unknown: {why}")
    assert _arrived(agencies, ask) == 1


def _unknown(config: Path) -> list[str] | None:
    told = gateway("messages", "list", "--state", "unknown", "--json", "--config", config)
    assert told.returncode == 0, told.stderr
    return [row["id"] for row in json.loads(told.stdout)["messages"]] or None


def _show(config: Path, message: str, *more: str) -> dict[str, Any]:
    told = gateway("messages", "show", message, "--json", *more, "--config", config)
    assert told.returncode == 0, told.stderr
    shown: dict[str, Any] = json.loads(told.stdout)
    return shown


def _arrived(agencies: Running, ask: Ask) -> int:
    return [each.operation for each in agencies.arrivals(ask.agency)].count(ask.arrives)
