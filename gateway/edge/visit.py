"""One HTTP request while it is inside: what was read of it and what will be said about it; decides nothing."""

from asyncio import Task
from datetime import datetime

from gateway.edge.asgi import WHOLE, Header, Receive, Scope, Whole
from gateway.edge.auth import Client
from gateway.edge.current import Bound
from gateway.edge.trace import caller, follow, state
from gateway.errors import FieldError, HeadersTooLarge, InvalidRequest, UriTooLong
from gateway.message import Effort
from gateway.trail import Step

HEADER_LIMIT = 32 << 10
"""Bytes of a header block."""

ADDRESS_LIMIT = 8 << 10
"""Bytes of path and query."""

_LINE = 4  # ": " and CRLF


class Visit:
    """A request's facts, gathered on its way; `began` once a handler has it, `gone` once its client has hung up.

    `whole` sends its answer in one write, where the server can do that.
    `recorded` is the ledger's id of it, `applied` the preference that was honoured (RFC 7240), `span` what is told of
    it when it is traced.
    """

    __slots__ = (
        "age",
        "applied",
        "began",
        "body",
        "bound",
        "client",
        "code",
        "correlation_id",
        "effort",
        "error",
        "gone",
        "headers",
        "method",
        "now",
        "receive",
        "recorded",
        "request_bytes",
        "scope",
        "span",
        "started",
        "status",
        "task",
        "traceparent",
        "tracestate",
        "whole",
    )

    def __init__(self, scope: Scope, receive: Receive, *, started: float, now: datetime) -> None:
        self.scope = scope
        self.receive = receive
        # Taken out, since it leads back to the scope: the collector would have to find the two.
        self.whole: Whole | None = scope.pop(WHOLE, None)
        self.method: str = scope["method"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.started = started
        self.now = now
        self.correlation_id, self.traceparent = follow(
            self.headers.get(b"x-correlation-id"), self.headers.get(b"traceparent")
        )
        self.tracestate = ""
        if b"tracestate" in self.headers and caller(self.headers.get(b"traceparent"), self.traceparent):
            self.tracestate = state(scope["headers"])
        self.span: Step | None = None
        self.client: Client | None = None
        self.bound: Bound | None = None
        self.request_bytes = 0
        self.status = 0
        self.code = ""
        self.age: float | None = None
        self.applied: bytes | None = None
        self.recorded: str | None = None
        self.error: Exception | None = None
        self.body = b""
        self.effort = Effort()
        self.task: Task[object] | None = None
        self.began = False
        self.gone = False

    def check_sizes(self) -> None:
        """Raise HeadersTooLarge, UriTooLong, or InvalidRequest when HTTP/1.1 comes without exactly one Host.

        httptools checks none of these.
        """
        pairs, size, hosts = self.scope["headers"], 0, 0
        for name, value in pairs:
            size += len(name) + len(value) + _LINE
            if name == b"host":
                hosts += 1
        if size > HEADER_LIMIT:
            raise HeadersTooLarge
        if len(self.scope["raw_path"]) + len(self.scope["query_string"]) > ADDRESS_LIMIT:
            raise UriTooLong
        if hosts != 1 and self.scope["http_version"] == "1.1":
            raise InvalidRequest("host", errors=[FieldError(pointer="", rule="host")], malformed=True)

    def cancel(self) -> None:
        """End the visit's handler wherever it waits."""
        if self.task is not None:
            self.task.cancel()

    @property
    def cancelled(self) -> bool:
        """Whether the task itself was cancelled, and not only something that it waited for."""
        return self.task is not None and self.task.cancelling() > 0

    def ids(self) -> tuple[Header, Header]:
        """Return the headers by which the client and we can speak of this request."""
        return (
            (b"x-correlation-id", self.correlation_id.encode()),
            (b"traceparent", self.traceparent.encode()),
        )
