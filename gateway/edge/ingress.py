"""The outermost ASGI object: every request enters here and leaves with an answer, whatever happens inside."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from math import ceil

import msgspec

from gateway.edge import accept
from gateway.edge.accesslog import Line, LineLog, explain, level_of, milliseconds
from gateway.edge.asgi import App, Event, Header, Receive, Scope, Send
from gateway.edge.auth import key_of
from gateway.edge.body import ClientGone
from gateway.edge.cors import Cors
from gateway.edge.current import Current, Stopping
from gateway.edge.hangup import Hangup
from gateway.edge.problems import Problem, language, location, place_of, problem
from gateway.edge.protocol import plain
from gateway.edge.requests import Shown
from gateway.edge.spans import RequestSpans
from gateway.edge.visit import Visit
from gateway.errors import GatewayError, RateLimited, UnknownOperation
from gateway.message import Document, Reply
from gateway.ports import Clock
from gateway.recorder import Accepted
from gateway.records import Record
from gateway.wording import Language

Show = Callable[[Record, Language], Awaitable[tuple[Document, float | None]]]
"""Tells of a recorded request: its resource, and the seconds until it is worth looking again."""

_encode = msgspec.json.Encoder(decimal_format="number").encode

_NO_STORE: Header = (b"cache-control", b"no-store")
_NO_SNIFF: Header = (b"x-content-type-options", b"nosniff")
_OK: tuple[Header, ...] = ((b"content-type", b"application/json"), _NO_STORE, _NO_SNIFF)
_PROBLEM: tuple[Header, ...] = ((b"content-type", b"application/problem+json"), _NO_STORE, _NO_SNIFF)
_RECORDED = (Accepted, Shown)
_CLIENT_GONE = 499  # nginx's number for it; nobody receives it, the log and the figures show it
_NO_METHOD = "?"
_PROBES = frozenset({b"/livez", b"/readyz"})
_OK_STATUS, _ACCEPTED, _NO_CONTENT, _BAD = 200, 202, 204, 400


class Edge:
    """Serves `/v1` from the current routes, and hands everything else to the site (documents, health).

    `show` tells of recorded requests; without it there is no ledger and nothing is recorded. Without `spans` nothing
    is traced.
    `stop` refuses new requests, `give_up` answers those still under way.
    """

    def __init__(  # noqa: PLR0913 -- composed once, by serve
        self,
        current: Current,
        site: App,
        *,
        clock: Clock,
        log: LineLog,
        origins: Iterable[str] = (),
        show: Show | None = None,
        spans: RequestSpans | None = None,
    ) -> None:
        self._current = current
        self._site = site
        self._clock = clock
        self._log = log
        self._show = show
        self._spans = spans
        self._cors = Cors(origins)
        self._inside: set[Visit] = set()
        self._given_up = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; lifespan goes to the site."""
        if scope["type"] != "http":
            await self._site(scope, receive, send)
            return
        visit = Visit(scope, receive, started=self._clock.monotonic(), now=self._clock.now())
        path: bytes = scope["raw_path"]
        if path.startswith(b"/v1/") or path == b"/v1":
            await self._ask(visit, send)
        else:
            await self._browse(visit, send)

    def start(self) -> None:
        """Say that requests are served from now on."""
        self._current.phase = "serving"

    def leave(self) -> None:
        """Say that requests had better go elsewhere; those that come are served."""
        self._current.phase = "leaving"

    def stop(self) -> None:
        """Refuse new requests from now on."""
        self._current.phase = "stopping"

    def give_up(self) -> None:
        """End the requests still under way: each is answered 503 at once, a write with `maybe_done`."""
        self._given_up = True
        for visit in self._inside:
            visit.cancel()

    @property
    def under_way(self) -> int:
        """How many requests are being answered."""
        return len(self._inside)

    def refused(self, error: GatewayError, headers: Mapping[bytes, bytes]) -> tuple[Problem, str]:
        """Return the answer to what never became a request, logged and counted as one."""
        said, correlation_id = plain(error, headers)
        elsewhere = self._current.routes.elsewhere
        elsewhere.done(_NO_METHOD, "", said.status, said.code, 0.0, 0.0, 0, len(said.body))
        self._log.request(
            Line(
                time=self._clock.now(),
                level=level_of(said.status),
                correlation_id=correlation_id,
                method=_NO_METHOD,
                outcome=said.code,
                status=said.status,
                ms=0.0,
                error=explain(error),
            )
        )
        return said, correlation_id

    async def _ask(self, visit: Visit, send: Send) -> None:
        visit.task = asyncio.current_task()
        if self._spans is not None:
            self._spans.begin(visit)
        self._inside.add(visit)
        try:
            headers = await self._answer(visit)
        finally:
            self._inside.discard(visit)
        if not visit.gone:
            await _send(visit, headers, send)
        self._account(visit)

    async def _answer(self, visit: Visit) -> Sequence[Header]:
        try:
            visit.check_sizes()
            if visit.method == "OPTIONS":
                return self._options(visit)
            return await self._reply(visit, await self._serve(visit))
        except ClientGone:
            return self._leave(visit)
        except asyncio.CancelledError as error:
            return self._interrupted(visit, error)
        except Exception as error:  # noqa: BLE001 -- the last resort: no request ends without an answer
            return self._refuse(visit, error)

    def _interrupted(self, visit: Visit, error: asyncio.CancelledError) -> Sequence[Header]:
        if visit.gone:
            return self._leave(visit)
        if self._given_up:
            return self._refuse(visit, Stopping(began=visit.began))
        if visit.cancelled:
            raise error
        return self._refuse(visit, RuntimeError(f"something inside was cancelled: {error!r}"))

    async def _serve(self, visit: Visit) -> Reply:
        if self._current.phase == "stopping":
            raise Stopping
        routes = self._current.routes
        visit.client = client = routes.clients.find(key_of(visit.headers), visit.now)
        hit = accept.find(routes.table, client, visit.method, visit.scope["raw_path"])
        visit.bound = hit.value
        if client.bucket is not None and (wait := client.bucket.take(visit.started)) > 0:
            raise RateLimited(retry_after=wait)
        message = await accept.message(visit, client, hit, self._clock)
        visit.effort, visit.began = message.effort, True
        operation = hit.value.operation
        if not operation.safe:
            return await operation.handler(message)
        hangup = Hangup(visit)
        try:
            return await operation.handler(message)
        finally:
            hangup.stop()

    async def _reply(self, visit: Visit, reply: Reply) -> Sequence[Header]:
        visit.status, visit.code = _OK_STATUS, reply.outcome
        about: list[Header] = []
        if isinstance(reply, _RECORDED):
            about += await self._resource(visit, reply)
        else:
            visit.body = _encode(reply.body)
        if reply.age is not None:
            visit.age, visit.code = reply.age, "stale"
            about.append((b"age", b"%d" % reply.age))
        if (recorded := reply.recorded) is not None:
            visit.recorded = recorded
            about.append(location(recorded))
        if visit.applied is not None:
            about.append((b"preference-applied", visit.applied))
        return self._shared(visit, [*_OK, (b"content-length", b"%d" % len(visit.body)), *visit.ids(), *about])

    async def _resource(self, visit: Visit, reply: Accepted | Shown) -> Sequence[Header]:
        """Tell how a recorded request stands: to whoever just sent it, with 202, or to whoever looks it up."""
        if self._show is None:
            raise RuntimeError("a record came from a gateway without a ledger")
        speaking = language(visit.headers.get(b"accept-language"))
        document, again = await self._show(reply.record, speaking)
        visit.body = _encode(document)
        if isinstance(reply, Shown):
            return ((b"content-language", speaking.encode()),)
        visit.status, visit.code = _ACCEPTED, "accepted"
        after = () if again is None else ((b"retry-after", b"%d" % max(1, ceil(again))),)
        return ((b"content-language", speaking.encode()), *after)

    def _options(self, visit: Visit) -> Sequence[Header]:
        visit.status, visit.code = _NO_CONTENT, "ok"
        if (preflight := self._cors.preflight(visit.headers)) is not None:
            return preflight
        routes = self._current.routes
        visit.client = routes.clients.find(key_of(visit.headers), visit.now)
        allow = accept.methods(routes.table, visit.client, visit.scope["raw_path"])
        if not allow:
            raise UnknownOperation
        return self._shared(visit, [(b"allow", ", ".join(allow).encode()), *visit.ids()])

    def _refuse(self, visit: Visit, error: Exception) -> Sequence[Header]:
        visit.error = error
        visit.recorded = error.recorded if isinstance(error, GatewayError) else None
        if not isinstance(error, GatewayError):
            trace = "".join(traceback.format_exception(error))
            self._log("bug", level="error", correlation_id=visit.correlation_id, traceback=trace)
        said = problem(
            error,
            language=language(visit.headers.get(b"accept-language")),
            correlation_id=visit.correlation_id,
            operation=visit.bound.operation if visit.bound else None,
        )
        visit.status, visit.code, visit.body = said.status, said.code, said.body
        length = (b"content-length", b"%d" % len(said.body))
        applied = () if visit.applied is None else ((b"preference-applied", visit.applied),)
        return self._shared(visit, [*_PROBLEM, length, *visit.ids(), *said.headers, *applied])

    def _shared(self, visit: Visit, headers: list[Header]) -> list[Header]:
        if (origin := visit.headers.get(b"origin")) is not None:
            headers += self._cors.headers(origin)
        return headers

    def _leave(self, visit: Visit) -> Sequence[Header]:
        visit.gone = True
        visit.status, visit.code = _CLIENT_GONE, "client-gone"
        return ()

    def _account(self, visit: Visit) -> None:
        bound, client = visit.bound, visit.client
        seconds = self._clock.monotonic() - visit.started
        observation = bound.observation if bound else self._current.routes.elsewhere
        observation.done(
            visit.method,
            client.name if client else "",
            visit.status,
            visit.code,
            seconds,
            visit.effort.seconds,
            visit.request_bytes,
            len(visit.body),
            visit.traceparent,
        )
        self._write(visit, seconds)
        if self._spans is not None:
            self._spans.end(visit)

    def _write(self, visit: Visit, seconds: float) -> None:
        asked = visit.bound.operation if visit.bound is not None else None
        operation: str | None = None
        agency: str | None = None
        if asked is not None:
            operation, agency = asked.id, asked.agency
        if visit.error is not None and (place := place_of(visit.error, asked)) is not None:
            operation, agency = place.operation, place.agency
        self._log.request(
            Line(
                time=visit.now,
                level=level_of(visit.status),
                correlation_id=visit.correlation_id,
                trace_id=visit.traceparent[3:35],
                client=visit.client.name if visit.client else None,
                method=visit.method,
                operation=operation,
                agency=agency,
                outcome=visit.code,
                status=visit.status,
                ms=milliseconds(seconds),
                agency_ms=milliseconds(visit.effort.seconds) if visit.effort.attempts else None,
                attempts=visit.effort.attempts,
                age=visit.age,
                recorded=visit.recorded,
                error=explain(visit.error) if visit.error else None,
            )
        )

    async def _browse(self, visit: Visit, send: Send) -> None:
        """Let the site answer, with our ids on its answer; a HEAD is its GET, of which the server sends no body."""

        async def labelled(event: Event) -> None:
            if event["type"] == "http.response.start":
                visit.status = event["status"]
                event["headers"] = [*event["headers"], *visit.ids()]
            await send(event)

        scope = visit.scope
        scope["state"] = {**scope.get("state", {}), "correlation_id": visit.correlation_id}
        try:
            visit.check_sizes()
            inner = {**scope, "method": "GET"} if visit.method == "HEAD" else scope
            await self._site(inner, visit.receive, labelled)
        except Exception as error:
            if visit.status:
                raise
            headers = self._refuse(visit, error)
            await _send(visit, headers, send)
        if visit.status != _OK_STATUS or scope["raw_path"] not in _PROBES:
            visit.code = visit.code or ("ok" if visit.status < _BAD else "not-served")
            self._write(visit, self._clock.monotonic() - visit.started)


async def _send(visit: Visit, headers: Sequence[Header], send: Send) -> None:
    if visit.whole is not None and visit.whole(visit.status, headers, visit.body):
        return
    await send({"type": "http.response.start", "status": visit.status, "headers": headers})
    await send({"type": "http.response.body", "body": visit.body})
