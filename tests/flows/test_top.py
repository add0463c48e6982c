"""`gateway top` beside a gateway that runs."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from urllib.parse import urlsplit

from tests.flows.asks import MY_TICKETS
from tests.flows.command import gateway
from tests.flows.flow import Flow
from tests.flows.pilot import ROOT


def test_top_tells_of_a_running_gateway_from_its_figures_alone(flow: Flow) -> None:
    flow.ask(MY_TICKETS)
    done = gateway("top", "--at", urlsplit(flow.gateway.metrics_url).netloc, "--every", "1", "--json", environment={})
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["seconds"] >= 1
    assert told["ledger"] == "ok"
    by_name = {one["agency"]: one for one in told["agencies"]}
    assert set(by_name) == set(flow.agencies.ports)
    assert (by_name["dinkes"]["state"], by_name["dinkes"]["breaker"]) == ("ok", "closed")
    assert by_name["dinkes"]["per_second"] is not None


def test_on_a_terminal_it_is_live_until_q_is_pressed(flow: Flow) -> None:
    ours, its = pty.openpty()
    where = urlsplit(flow.gateway.metrics_url).netloc
    command = [sys.executable, "-m", "gateway", "top", "--at", where, "--every", "1"]
    top = subprocess.Popen(command, cwd=ROOT, stdin=its, stdout=its, stderr=its, env={**os.environ, "TERM": "xterm"})
    os.close(its)
    try:
        shown = read_until(ours, b"dinkes", b"calls/s", b"gateway at " + where.encode(), b"q quits")
        assert b"\x1b[?1049h" in shown, "on a screen of its own, so that the shell's is as before afterwards"
        os.write(ours, b"q")
        assert b"\x1b[?1049l" in read_until(ours, b"\x1b[?1049l")
        assert top.wait(10) == 0
    finally:
        top.kill()
        top.wait()
        os.close(ours)


def read_until(terminal: int, *words: bytes) -> bytes:
    shown, until = b"", time.monotonic() + 20
    while not all(word in shown for word in words):
        assert select.select([terminal], [], [], max(0.0, until - time.monotonic()))[0], shown
        shown += os.read(terminal, 65536)
    return shown
