"""The control port: the switches of all agencies, also of those that are down."""

from collections.abc import Mapping
from typing import Protocol

from demo.agency import CONTROL, Place, arrivals, guard
from demo.http import Receive, Reply, Request, Scope, Send, json_reply, read_request, send_reply


class Resettable(Place, Protocol):
    """A place that can go back to its first day."""

    async def reset(self) -> None:
        """Forget what happened."""
        ...


class ControlApp:
    """`POST /__demo/{agency}/{mode}`, `GET /__demo/{agency}/arrivals`; `POST /__demo/up|reset` for all."""

    def __init__(self, agencies: Mapping[str, Resettable]) -> None:
        self._agencies = agencies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = await read_request(scope, receive)
        await send_reply(send, guard(request) or await self._answer(request))

    async def _answer(self, request: Request) -> Reply:
        name, _, mode = request.path.removeprefix(CONTROL).partition("/")
        if not mode and name in ("up", "reset") and request.method == "POST":
            return await self._all(request, name)
        if name not in self._agencies:
            return json_reply({"error": f"no agency {name!r}", "agencies": [*self._agencies]}, 404)
        agency = self._agencies[name]
        if mode == "arrivals" and request.method == "GET":
            return arrivals(agency.switch)
        reply = await agency.flip(request, mode)
        agency.drop()
        return reply

    async def _all(self, request: Request, name: str) -> Reply:
        for agency in self._agencies.values():
            if name == "up":
                await agency.flip(request, "up")
            else:
                await agency.reset()
        return json_reply({"agency": "*", "mode": name})
