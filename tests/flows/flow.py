"""One request's way through a real gateway to a stand-in and back, and what must hold of every agency alike."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from demo.testing import Running
from tests.flows.asks import MY_TICKETS, Ask
from tests.flows.pilot import ROOT
from tests.flows.process import Gateway

ATTEMPTS = 2
_PLACE = re.compile(r"(mappings/\w+\.toml):(\d+): ")


class Like(str):
    """A text that is known by its form only, such as the time at which something was done."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.fullmatch(str(self), other) is not None

    __hash__ = str.__hash__


MOMENT = Like(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+07:00")
TODAY = Like(r"20\d\d-\d\d-\d\d")


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What one ask gets while its agency's switch stands so; `says` is the agency's own text, where it passes."""

    ask: Ask
    switch: str
    status: int
    type: str
    says: str | None = None
    body: Mapping[str, Any] | None = None
    retry_after: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        changed = f" for {dict(self.body)}" if self.body else ""
        return f"{self.ask}{changed} while {self.switch or 'up'}: {self.status} {self.type}"


class Flow:
    """A gateway and the agencies behind it, as on the first day."""

    def __init__(self, gateway: Gateway, agencies: Running) -> None:
        self.gateway = gateway
        self.agencies = agencies
        agencies.reset()
        # A reset forgets all tokens; with a fresh one, what arrives is what a test has sent.
        assert self.ask(MY_TICKETS).status_code == 200
        self._seen: dict[str, int] = {}
        self.mark()

    def ask(self, ask: Ask, body: Mapping[str, Any] | None = None, **headers: str) -> httpx.Response:
        """Ask, after what must have been asked before."""
        path = ask.path
        if ask.first is not None:
            told = self.ask(ask.first).json()
            path = path.replace("{number}", quote(told.get("nomor", ""), safe="/"))
            self.mark()
        return self.gateway.http.request(ask.method, path, json=body or ask.body, headers=headers)

    def turn(self, agency: str, switch: str, **settings: Any) -> None:
        """Turn an agency's switch."""
        self.agencies.switch(agency, switch, **settings)

    def prepared(self, ask: Ask, switch: str, body: Mapping[str, Any] | None = None, **settings: Any) -> httpx.Response:
        """Ask what must be asked before while all is well, turn the switch, then ask."""
        path = ask.path
        if ask.first is not None:
            told = self.ask(ask.first).json()
            path = path.replace("{number}", quote(told.get("nomor", ""), safe="/"))
        self.mark()
        if switch:
            self.turn(ask.agency, switch, **settings)
        return self.gateway.http.request(ask.method, path, json=body or ask.body)

    def mark(self) -> None:
        """Count arrivals from here on."""
        self._seen = {name: len(self.agencies.arrivals(name)) for name in self.agencies.ports}

    def arrived(self, agency: str) -> list[str]:
        """What has arrived since the mark, logins too."""
        return [each.operation for each in self.agencies.arrivals(agency)[self._seen[agency] :]]


def problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """Return an error's members, having checked those that all errors have."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    said: dict[str, Any] = answer.json()
    assert (said["type"], said["status"]) == (kind, status)
    assert said["correlation_id"] == answer.headers["x-correlation-id"]
    assert "127.0.0.1" not in answer.text
    assert "Traceback" not in answer.text
    return said


def plays(flow: Flow, scene: Scene) -> dict[str, Any]:
    """Check one scripted error; a refusal reaches the agency once, what it can't serve now at most `ATTEMPTS` times."""
    answer = flow.prepared(scene.ask, scene.switch, scene.body, **scene.settings)
    said = problem(answer, scene.status, scene.type)
    assert said.get("agency_message") == scene.says
    assert answer.headers.get("retry-after") == scene.retry_after
    assert said.get("maybe_done") is (scene.status == 502 and scene.type != "agency-login" and not scene.ask.safe)
    arrived = [each for each in flow.arrived(scene.ask.agency) if each != "login"]
    assert set(arrived) == {scene.ask.arrives}
    most = ATTEMPTS if scene.status == 503 or scene.type == "agency-login" else 1
    assert 1 <= len(arrived) <= most
    return said


def is_down(flow: Flow, ask: Ask) -> None:
    """Check that a refused connection is told as such, to be tried again, with nothing done."""
    answer = flow.prepared(ask, "down")
    said = problem(answer, 503, "agency-unavailable")
    assert said["maybe_done"] is False
    assert int(answer.headers["retry-after"]) >= 1
    assert flow.arrived(ask.agency) == []
    assert flow.gateway.line(answer)["outcome"] == "agency-unavailable"


def keeps_silent(flow: Flow, ask: Ask, switch: str = "slow") -> None:
    """Check that no answer in time is 504; a write has arrived once and may have been done."""
    said = problem(flow.prepared(ask, switch), 504, "agency-timeout")
    assert said["maybe_done"] is not ask.safe
    assert set(flow.arrived(ask.agency)) == {ask.arrives}
    assert len(flow.arrived(ask.agency)) <= (ATTEMPTS if ask.safe else 1)


def is_broken(flow: Flow, ask: Ask, switch: str, *words: str) -> None:
    """Check that what was not agreed is 502; the log has each of `words`, in its text or in a mapping line it names."""
    answer = flow.prepared(ask, switch)
    said = problem(answer, 502, "agency-invalid-answer")
    assert said["maybe_done"] is not ask.safe
    assert flow.arrived(ask.agency) == [ask.arrives]
    line = flow.gateway.line(answer)
    assert (line["level"], line["status"]) == ("error", 502)
    known = line["error"] + " ".join(_mapping_lines(line["error"]))
    assert set(said) == {"type", "title", "status", "detail", "correlation_id", "agency", "operation", "maybe_done"}
    assert [word for word in words if word not in known] == [], line["error"]


def breaks_off(flow: Flow, ask: Ask) -> None:
    """Check that an answer cut short by a closed connection is 503, and that only a read is tried again."""
    answer = flow.prepared(ask, "half")
    said = problem(answer, 503, "agency-unavailable")
    assert said["maybe_done"] is not ask.safe
    assert ("retry-after" in answer.headers) is ask.safe
    assert set(flow.arrived(ask.agency)) == {ask.arrives}
    assert len(flow.arrived(ask.agency)) <= (ATTEMPTS if ask.safe else 1)
    assert "before its answer was complete" in flow.gateway.line(answer)["error"]


def _mapping_lines(text: str) -> list[str]:
    return [(ROOT / file).read_text("utf-8").splitlines()[int(line) - 1] for file, line in _PLACE.findall(text)]
