"""DPUPR, public works: citizens' reports over REST with an API key.

Mode of its own: `login-refused` (401).
"""

from collections.abc import Callable, Mapping

from demo.http import Reply, Request, json_reply
from demo.reports import ReportDesk
from demo.switch import Mode

KEY = "rahasia-dpupr"
CATEGORIES = frozenset({"JALAN", "JEMBATAN", "DRAINASE"})


class Dpupr:
    """Takes in reports on roads, bridges and drains."""

    def __init__(self) -> None:
        self.modes: Mapping[str, Callable[[Mode], None] | None] = {"login-refused": None}
        self._desk = ReportDesk("DPUPR", "PUPR", CATEGORIES)

    def operation(self, request: Request) -> str:
        """There is one: laporan."""
        return request.path.strip("/").partition("/")[0]

    def answer(self, request: Request, operation: str, mode: str) -> Reply:
        """Do it, for the holder of the key."""
        if mode == "login-refused" or request.headers.get("x-api-key") != KEY:
            return json_reply({"pesan": "Kunci API tidak dikenal"}, 401)
        if request.method != "POST" or request.path != "/laporan":
            return json_reply({"pesan": f"Tidak ada {operation}"}, 404)
        return self._desk.receive(request, mode)
