"""What an agency's stand-in is, and the ASGI app around it that plays the modes common to all."""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from typing import Protocol

from demo.http import Receive, Reply, Request, Scope, Send, json_reply, read_request, send_reply
from demo.switch import Mode, Switch

LOGIN = "login"  # the operation name of a call that only fetches a token: no mode touches it
CONTROL = "/__demo/"
GUARD = "x-demo"  # no web page can send this header without the browser asking first

PHP_ERROR = Reply(
    content_type="text/html",
    body=b"<br />\n<b>Fatal error</b>:  Maximum execution time of 30 seconds exceeded in "
    b"<b>/var/www/html/ws/koneksi.php</b> on line <b>27</b><br />\n",
)
PHP_NOTICE = (
    b"\xef\xbb\xbf<br />\n<b>Notice</b>:  Undefined index: id_user in "
    b"<b>/var/www/html/ws/fungsi.php</b> on line <b>41</b><br />\n"
)


class Agency(Protocol):
    """A stand-in's business: it knows nothing of sockets; `modes` are its own, with what is done at once."""

    modes: Mapping[str, Callable[[Mode], None] | None]

    def operation(self, request: Request) -> str:
        """Which operation a request asks for."""
        ...

    def answer(self, request: Request, operation: str, mode: str) -> Reply:
        """Do the work and answer in `mode`; may trip over a body that isn't as expected."""
        ...


class Place(Protocol):
    """Where an agency listens; what its app may ask of it."""

    agency: Agency
    switch: Switch

    async def flip(self, request: Request, mode: str) -> Reply:
        """Turn the switch."""
        ...

    def drop(self) -> None:
        """Break every connection of a place that is down."""
        ...

    def hang_up(self, client: tuple[str, int] | None) -> None:
        """Close one caller's connection."""
        ...


class AgencyApp:
    """The ASGI app of one place: its switches, and its agency under the mode that holds."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = await read_request(scope, receive)
        if request.path.startswith(CONTROL):
            await send_reply(send, await self._control(request))
            self._place.drop()
            return
        agency, switch = self._place.agency, self._place.switch
        try:
            operation = agency.operation(request)
            mode = Mode() if operation == LOGIN else switch.take()
            switch.arrived(operation, request.method, request.target)
            reply = PHP_ERROR if mode.name == "html" else agency.answer(request, operation, mode.name)
        except (ValueError, TypeError, LookupError, AttributeError):
            # What an old script trips over when a call is not as it expects.
            await send_reply(send, Reply(status=400, body=b"Bad Request", content_type="text/plain"))
            return
        await self._deliver(request, reply, mode, receive, send)

    async def _control(self, request: Request) -> Reply:
        if (refusal := guard(request)) is not None:
            return refusal
        name = request.path.removeprefix(CONTROL)
        if name == "arrivals" and request.method == "GET":
            return arrivals(self._place.switch)
        return await self._place.flip(request, name)

    async def _deliver(self, request: Request, reply: Reply, mode: Mode, receive: Receive, send: Send) -> None:
        match mode.name:
            case "slow":
                await _until_gone(receive, mode.seconds)
                await send_reply(send, reply)
            case "accepted-then-silent":
                await _until_gone(receive, None)
            case "junk":
                await send_reply(send, dataclasses.replace(reply, body=PHP_NOTICE + reply.body))
            case "half":
                await send_reply(send, reply, whole=False)
                self._place.hang_up(request.client)
                await _until_gone(receive, None)
            case _:
                await send_reply(send, reply)


def guard(request: Request) -> Reply | None:
    """The refusal that a control request without the header gets."""
    if request.headers.get(GUARD) == "switch":
        return None
    return json_reply({"error": "send the header X-Demo: switch"}, 403)


def arrivals(switch: Switch) -> Reply:
    """What has arrived, as JSON."""
    return json_reply([dataclasses.asdict(arrival) for arrival in switch.arrivals])


async def _until_gone(receive: Receive, seconds: float | None) -> None:
    try:
        async with asyncio.timeout(seconds):
            await receive()
    except TimeoutError:
        return
