"""The control API: operators' acts as JSON over HTTP on a listener of its own; every act itself is operate's."""

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from litestar import Litestar, Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Stream

from gateway import operate, shown
from gateway.awaited import Awaiting
from gateway.deadlines import Deadlines
from gateway.edge.asgi import App, Receive, Scope, Send
from gateway.edge.auth import Clients, key_of
from gateway.edge.problems import language, problem
from gateway.edge.site import as_problem, told
from gateway.edge.trace import follow
from gateway.edge.wanted import (
    Edited,
    Listed,
    Look,
    Nothing,
    Paused,
    ReplayMany,
    ReplayOne,
    Resolution,
    Resumed,
    Searched,
    from_body,
    from_query,
    message_id,
)
from gateway.errors import ConfigError, GatewayError, LedgerUnavailable, Unauthorized
from gateway.operate import Chosen, Operations
from gateway.ports import Archive, Clock, Lanes, Log

Asked = Request[Any, Any, Any]

_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
_UNPROCESSABLE = 422
_NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What operators act upon; `stop` ends long acts when the gateway stops, `reload` raises ConfigError."""

    archive: Archive
    deadlines: Deadlines
    lanes: Lanes
    awaiting: Awaiting
    operations: Operations
    agencies: Collection[str]
    clock: Clock
    log: Log
    stop: asyncio.Event
    reload: Callable[[], Awaitable[None]]


class Control:
    """The ASGI app: nothing on this listener is answered without an operator's key."""

    def __init__(self, office: Office, operators: Clients) -> None:
        self._operators = operators
        self._clock = office.clock
        site = Litestar(
            [*_messages(office), *_acts(office), *_replays(office), *_lanes(office), _reload(office)],
            openapi_config=None,
            logging_config=None,
            exception_handlers={Exception: _explained_by(office.log)},
        )
        self._app = cast("App", site)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find out who asks, then answer."""
        headers = dict(scope["headers"])
        correlation_id, _ = follow(headers.get(b"x-correlation-id"), headers.get(b"traceparent"))
        try:
            operator = self._operators.find(key_of(headers), self._clock.now()).name
        except Unauthorized as error:
            await _refuse(send, error, headers.get(b"accept-language"), correlation_id)
            return
        scope["state"] = {**scope.get("state", {}), "correlation_id": correlation_id, "operator": operator}
        await self._app(scope, receive, send)


def _messages(office: Office) -> Iterator[HTTPRouteHandler]:
    async def page(wanted: Listed, subject: str | None) -> Response[bytes]:
        now = office.clock.now()
        meant = wanted.meant(now, subject)
        found = await operate.search(office.archive, meant, limit=wanted.limit, cursor=wanted.cursor)
        return _json(shown.page(found, now))

    @get("/messages")
    async def listed(request: Asked) -> Response[bytes]:
        return await page(from_query(request.query_params.multi_items(), Listed), None)

    @post("/messages/search")
    async def searched(request: Asked) -> Response[bytes]:
        wanted = from_body(await request.body(), Searched)
        return await page(wanted, wanted.subject)

    @get("/messages/{message:str}")
    async def show(request: Asked, message: FromPath[str]) -> Response[bytes]:
        look = from_query(request.query_params.multi_items(), Look)
        record = await operate.show(
            office.archive, message_id(message), unmasked_by=_operator(request) if look.unmask else None
        )
        if look.unmask:
            _note(office, request, "unmask", message_id=message)
        waits = await office.awaiting.of(record)
        return _json(shown.record(record, office.clock.now(), waits=waits, unmasked=look.unmask))

    yield from (listed, searched, show)


def _acts(office: Office) -> Iterator[HTTPRouteHandler]:
    @post("/messages/{message:str}/resolve")
    async def resolve(request: Asked, message: FromPath[str]) -> Response[bytes]:
        said = from_body(await request.body(), Resolution)
        state = await operate.resolve(office.archive, message_id(message), said.verdict, by=_operator(request))
        _note(office, request, "resolve", message_id=message, outcome=said.outcome)
        return _json({"id": message, "state": state.value})

    @post("/messages/{message:str}/cancel")
    async def cancel(request: Asked, message: FromPath[str]) -> Response[bytes]:
        from_body(await request.body(), Nothing)
        state = await operate.cancel(office.archive, message_id(message), by=_operator(request))
        _note(office, request, "cancel", message_id=message, outcome=state.value)
        return _json({"id": message, "state": state.value})

    @post("/messages/{message:str}/answered")
    async def answered(request: Asked, message: FromPath[str]) -> Response[bytes]:
        from_body(await request.body(), Nothing)
        by = _operator(request)
        at = await operate.answered(office.archive, office.deadlines, message_id(message), by=by)
        _note(office, request, "answered", message_id=message)
        return _json({"id": message, "answered_at": at})

    @post("/messages/{message:str}/edit")
    async def edit(request: Asked, message: FromPath[str]) -> Response[bytes]:
        edited, by, one = from_body(await request.body(), Edited), _operator(request), message_id(message)
        state = await operate.edit(office.archive, office.operations, one, edited.body, by=by, confirm=edited.confirm)
        _note(office, request, "edit", message_id=message)
        return _json({"id": message, "state": state.value})

    @post("/messages/{message:str}/reread")
    async def reread(request: Asked, message: FromPath[str]) -> Response[bytes]:
        from_body(await request.body(), Nothing)
        by = _operator(request)
        end = await operate.reread(office.archive, office.operations, message_id(message), by=by)
        _note(office, request, "reread", message_id=message, outcome=end.state.value)
        return _json({"id": message, **shown.reread(end)})

    yield from (resolve, cancel, answered, edit, reread)


def _replays(office: Office) -> Iterator[HTTPRouteHandler]:
    @post("/messages/{message:str}/replay")
    async def one(request: Asked, message: FromPath[str]) -> Response[bytes]:
        asked = from_body(await request.body(), ReplayOne)
        chosen = await operate.chosen_by_id(office.archive, [message_id(message)], unknown=asked.unknown)
        going = operate.replay(office.archive, chosen, by=_operator(request), clock=office.clock, confirm=asked.confirm)
        far = [far async for far in going][-1]
        _note(office, request, "replay", message_id=message, replayed=far.done)
        return _json({"id": message, **shown.replayed(far)})

    @post("/messages/replay")
    async def many(request: Asked) -> Response[bytes] | Stream:
        asked = from_body(await request.body(), ReplayMany)
        wanted, rate = asked.wanted, asked.per_second
        if asked.ids:
            chosen = await operate.chosen_by_id(office.archive, asked.messages, unknown=asked.unknown)
        else:
            chosen = await operate.chosen_by_filter(office.archive, wanted, unknown=asked.unknown)
        if asked.dry_run:
            return _json(shown.chosen(chosen, office.clock.now()))
        chosen.check(asked.confirm)
        lines = _going(office, request, chosen, asked.confirm, rate)
        return Stream(lines, status_code=200, media_type="application/x-ndjson", headers=_NO_STORE)

    yield from (one, many)


async def _going(
    office: Office, request: Asked, chosen: Chosen, confirm: str, rate: float | None
) -> AsyncIterator[bytes]:
    """Replay, a line of JSON after each batch; who hangs up stops it."""
    far = operate.Replayed(done=0, skipped=0, total=len(chosen.ids))
    failed: dict[str, str] = {}
    try:
        going = operate.replay(
            office.archive,
            chosen,
            by=_operator(request),
            clock=office.clock,
            rate=rate,
            confirm=confirm,
            stop=office.stop,
        )
        async for far in going:
            yield _encode(shown.replayed(far)) + b"\n"
    except LedgerUnavailable as error:
        failed = {"error": error.code}
    finally:
        _note(office, request, "replay", replayed=far.done, total=far.total)
    stopped = far.done + far.skipped < far.total
    yield _encode({**shown.replayed(far), "ended": True, "stopped": stopped, **failed}) + b"\n"


def _lanes(office: Office) -> Iterator[HTTPRouteHandler]:
    @get("/lanes")
    async def listed() -> Response[bytes]:
        lanes = await operate.lanes(office.lanes, office.agencies)
        return _json({"lanes": [shown.lane(stats, waits=await office.awaiting.of_lane(stats)) for stats in lanes]})

    @post("/lanes/{agency:str}/pause")
    async def pause(request: Asked, agency: FromPath[str]) -> Response[bytes]:
        asked = from_body(await request.body(), Paused)
        by, now = _operator(request), office.clock.now()
        await operate.pause(
            office.lanes, office.agencies, agency, by=by, now=now, reason=asked.reason, until=asked.until
        )
        _note(office, request, "pause", agency=agency, until=asked.until)
        return _json({"agency": agency, "paused": True})

    @post("/lanes/{agency:str}/resume")
    async def resume(request: Asked, agency: FromPath[str]) -> Response[bytes]:
        asked = from_body(await request.body(), Resumed)
        by = _operator(request)
        ended, still = await operate.resume(office.lanes, office.agencies, agency, by=by, reason=asked.reason)
        _note(office, request, "resume", agency=agency)
        return _json({"agency": agency, "resumed": ended, "still_closed": [shown.pause(one) for one in still]})

    yield from (listed, pause, resume)


def _reload(office: Office) -> HTTPRouteHandler:
    @post("/reload")
    async def reload(request: Asked) -> Response[bytes]:
        from_body(await request.body(), Nothing)
        try:
            await office.reload()
        except ConfigError as error:
            _note(office, request, "reload", outcome="refused")
            return _json({"reloaded": False, "why": [str(finding) for finding in error.findings]}, _UNPROCESSABLE)
        _note(office, request, "reload", outcome="done")
        return _json({"reloaded": True})

    return reload


def _operator(request: Asked) -> str:
    return str(request.scope["state"]["operator"])


def _note(office: Office, request: Asked, act: str, **facts: object) -> None:
    """Write who did what into the log."""
    correlation_id = request.scope["state"]["correlation_id"]
    office.log("operator-act", level="info", by=_operator(request), act=act, correlation_id=correlation_id, **facts)


def _json(said: object, status: int = 200) -> Response[bytes]:
    return Response(_encode(said), status_code=status, media_type="application/json", headers=_NO_STORE)


def _explained_by(log: Log) -> Callable[[Asked, Exception], Response[bytes]]:
    def explain(request: Asked, error: Exception) -> Response[bytes]:
        try:
            return as_problem(request, told(error))
        except Exception as bug:  # noqa: BLE001 - told whole to the log, and as no more than its id to the operator
            trace = "".join(traceback.format_exception(bug))
            log("bug", level="error", correlation_id=request.scope["state"]["correlation_id"], traceback=trace)
            return as_problem(request, bug)

    return explain


async def _refuse(send: Send, error: GatewayError, accept: bytes | None, correlation_id: str) -> None:
    said = problem(error, language=language(accept), correlation_id=correlation_id)
    headers = [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store"), *said.headers]
    headers.append((b"content-length", b"%d" % len(said.body)))
    await send({"type": "http.response.start", "status": said.status, "headers": headers})
    await send({"type": "http.response.body", "body": said.body})
