"""httpx over the agency's own connections, for hand-written adapters; its errors are httpx's and ours at once.

An adapter that catches nothing raises Unavailable, AgencyTimeout or InvalidAnswer with the right `maybe_done`; one that
catches httpx's errors finds the class it expects.
"""

import logging
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from adapters.body import read
from adapters.http import HttpAnswer, HttpClient
from gateway import AgencyTimeout, Answer, InvalidAnswer, Unavailable

DEFAULT_TIMEOUT = 10.0
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# What the client underneath writes itself.
_OWN = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "user-agent"})
# The body has been inflated and joined already.
_GONE = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class UnavailableBeforeSending(Unavailable, httpx.ConnectError):
    """Nothing was sent."""


class UnavailableAfterSending(Unavailable, httpx.ReadError):
    """The connection broke once the request was on its way."""


class TimeoutBeforeSending(AgencyTimeout, httpx.ConnectTimeout):
    """Nothing was sent in time."""


class TimeoutAfterSending(AgencyTimeout, httpx.ReadTimeout):
    """No answer in time."""


class UnreadableAnswer(InvalidAnswer, httpx.RemoteProtocolError):
    """What came back is not HTTP, or too large."""


def as_httpx(client: HttpClient) -> httpx.AsyncClient:
    """Return an httpx client on the agency's connections: no cookies, no redirects, no proxies of the environment.

    `timeout` (its longest part) bounds a whole exchange. A call is taken for a read, which may use an idle connection,
    by its method, or by `extensions={"safe": True}`.
    """
    # It logs every URL with its query at level INFO.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return httpx.AsyncClient(
        transport=_Transport(client),
        timeout=DEFAULT_TIMEOUT,
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
        trust_env=False,
    )


async def as_answer(response: httpx.Response, agency: str) -> Answer:
    """Return what an adapter hands back, read as `body.read` does; raises InvalidAnswer where httpx's `json` fails."""
    answer = HttpAnswer(status=response.status_code, headers=response.headers, body=response.content)
    return await read(answer, agency)


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, client: HttpClient) -> None:
        self._client = client

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        limits = [limit for limit in request.extensions.get("timeout", {}).values() if limit is not None]
        try:
            answer = await self._client.send(
                request.method,
                str(request.url),
                headers={name: value for name, value in request.headers.items() if name not in _OWN},
                body=body or None,
                timeout=max(limits, default=DEFAULT_TIMEOUT),
                safe=request.extensions.get("safe", request.method in SAFE),
            )
        except (Unavailable, AgencyTimeout, InvalidAnswer) as error:
            raise _as_both(error) from None
        headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in _GONE]
        return httpx.Response(answer.status, headers=headers, content=answer.body)


def _as_both(error: Unavailable | AgencyTimeout | InvalidAnswer) -> Exception:
    kind: type[Unavailable | AgencyTimeout | InvalidAnswer]
    match error:
        case InvalidAnswer():
            kind = UnreadableAnswer
        case AgencyTimeout():
            kind = TimeoutAfterSending if error.maybe_done else TimeoutBeforeSending
        case _:
            kind = UnavailableAfterSending if error.maybe_done else UnavailableBeforeSending
    return kind(str(error), maybe_done=error.maybe_done)
