"""What is code and not configuration: documents and health, by Litestar; knows no agency."""

from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.status_codes import HTTP_404_NOT_FOUND, HTTP_405_METHOD_NOT_ALLOWED, HTTP_500_INTERNAL_SERVER_ERROR

from gateway.edge.auth import key_of
from gateway.edge.current import Current, Routes
from gateway.edge.docs import page, policy
from gateway.edge.health import Standing, nothing_recorded, probes
from gateway.edge.openapi import document
from gateway.edge.problems import language, problem
from gateway.errors import GatewayError, InvalidRequest, Unauthorized, UnknownOperation
from gateway.message import OperationId
from gateway.ports import Clock

Readers = Literal["public", "clients", "off"]
Asked = Request[Any, Any, Any]

_encode = msgspec.json.Encoder(decimal_format="number").encode
_DATED: Mapping[str, str] = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}


def site(  # noqa: PLR0913 -- composed once, by app
    current: Current,
    clock: Clock,
    *,
    name: str,
    version: str,
    docs: Readers = "public",
    states: Callable[[], Mapping[str, object]] = dict,
    ledger: Standing = nothing_recorded,
    more: tuple[HTTPRouteHandler, ...] = (),
) -> Litestar:
    """Return the Litestar app; `states` and `ledger` are told at /readyz, `more` are further handlers."""
    documents = [] if docs == "off" else _documents(Documents(current, name, version), current, clock, docs)
    return Litestar(
        [*probes(current, states, ledger), *documents, *more],
        openapi_config=None,
        logging_config=None,
        exception_handlers={Exception: _explain},
    )


class Documents:
    """The OpenAPI document and the page, made once for each set of rights and dropped at a reload."""

    def __init__(self, current: Current, name: str, version: str) -> None:
        self._current = current
        self._name, self._version = name, version
        self._of: Routes | None = None
        self._made: dict[frozenset[OperationId] | None, tuple[bytes, bytes]] = {}

    def for_rights(self, allowed: frozenset[OperationId] | None) -> tuple[bytes, bytes]:
        """Return (openapi.json, page) of the operations that `allowed` holds, of all when it is None."""
        routes = self._current.routes
        if routes is not self._of:
            self._of, self._made = routes, {}
        made = self._made.get(allowed)
        if made is None:
            shown = [o for o in routes.operations if allowed is None or o.id in allowed]
            api = document(shown, self._name, self._version, own=routes.own)
            made = self._made[allowed] = (_encode(api), page(api))
        return made


def _documents(documents: Documents, current: Current, clock: Clock, readers: Readers) -> list[HTTPRouteHandler]:
    def rights(request: Asked) -> frozenset[OperationId] | None:
        if readers == "public":
            return None
        return current.routes.clients.find(_key(request), clock.now()).allowed

    @get("/openapi.json")
    async def openapi(request: Asked) -> Response[bytes]:
        return Response(documents.for_rights(rights(request))[0], media_type="application/json", headers=_DATED)

    @get("/docs")
    async def docs(request: Asked) -> Response[bytes]:
        headers = {**_DATED, "content-security-policy": policy(), "referrer-policy": "no-referrer"}
        text = documents.for_rights(rights(request))[1]
        return Response(text, media_type="text/html", headers=headers)

    return [openapi, docs]


def _key(request: Asked) -> bytes | None:
    """Return the key; a browser that opens a page can only send it as the password of Basic authentication."""
    headers = dict(request.scope["headers"])
    basic = headers.get(b"authorization", b"")
    if basic[:6].lower() != b"basic ":
        return key_of(headers)
    try:
        return b64decode(basic[6:], validate=True).partition(b":")[2]
    except ValueError:
        return None


def _explain(request: Asked, error: Exception) -> Response[bytes]:
    ours = told(error)
    answer = as_problem(request, ours)
    if isinstance(ours, Unauthorized):
        answer.headers["www-authenticate"] = 'Basic realm="docs", Bearer'
    return answer


def as_problem(request: Asked, error: Exception) -> Response[bytes]:
    """Return the answer to an error."""
    said = problem(
        error,
        language=language(dict(request.scope["headers"]).get(b"accept-language")),
        correlation_id=str(request.scope.get("state", {}).get("correlation_id", "")),
    )
    return Response(
        said.body,
        status_code=said.status,
        media_type="application/problem+json",
        headers={"cache-control": "no-store", **{name.decode(): value.decode() for name, value in said.headers}},
    )


def told(error: Exception) -> GatewayError:
    """Translate Litestar's errors into ours; a bug goes up, to be logged and answered at the edge."""
    if isinstance(error, GatewayError):
        return error
    if not isinstance(error, HTTPException) or error.status_code >= HTTP_500_INTERNAL_SERVER_ERROR:
        raise error
    if error.status_code == HTTP_405_METHOD_NOT_ALLOWED:
        return UnknownOperation(allow=[(error.headers or {}).get("Allow", "GET")])
    if error.status_code == HTTP_404_NOT_FOUND:
        return UnknownOperation()
    return InvalidRequest(str(error.status_code), malformed=True)
