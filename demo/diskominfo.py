"""Diskominfo's complaints: citizens' reports over REST with HTTP basic authentication.

Mode of its own: `login-refused` (401).
"""

import base64
from collections.abc import Callable, Mapping

from demo.http import Reply, Request, json_reply
from demo.reports import ReportDesk
from demo.switch import Mode

USER, PASSWORD = "gateway", "rahasia-aduan"
CREDENTIALS = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
CATEGORIES = frozenset({"JALAN", "JEMBATAN", "DRAINASE", "SAMPAH", "LAMPU", "LAINNYA"})


class Diskominfo:
    """Takes in any report, and tells how far it is."""

    def __init__(self) -> None:
        self.modes: Mapping[str, Callable[[Mode], None] | None] = {"login-refused": None}
        self._desk = ReportDesk("Diskominfo", "ADUAN/XI", CATEGORIES)

    def operation(self, request: Request) -> str:
        """Either laporan (a new one) or laporan/status."""
        first = request.path.strip("/").partition("/")[0]
        return f"{first}/status" if request.method == "GET" else first

    def answer(self, request: Request, operation: str, mode: str) -> Reply:
        """Do it, for who has the password."""
        if mode == "login-refused" or request.headers.get("authorization") != CREDENTIALS:
            return json_reply({"pesan": "Tidak berhak"}, 401, {"www-authenticate": 'Basic realm="aduan"'})
        if operation == "laporan" and request.method == "POST":
            return self._desk.receive(request, mode)
        if operation == "laporan/status":
            return self._desk.tell(request.path.removeprefix("/laporan/"), mode)
        return json_reply({"pesan": "Tidak dikenal"}, 404)
