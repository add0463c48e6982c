"""JSON bodies as documents and back, every digit kept; knows no agency's codes."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from adapters.http import LARGE, HttpAnswer, HttpClient, trace_headers
from gateway import Answer, Call, Document, FieldError, InvalidAnswer, TranslationError

JSON = "application/json"
NO_CONTENT = frozenset({204, 205})
# A number beyond this is no amount, date or count; turned into an integer it would fill the memory.
MOST_DIGITS = 400


def encode(document: Document) -> bytes:
    """Return the document as JSON, decimals as numbers; raises TranslationError (side "request")."""
    try:
        return _ENCODER.encode(document)
    except (TypeError, ValueError, RecursionError) as error:
        raise TranslationError(
            "request", [FieldError(pointer="", rule="native", params={"expected": "JSON"})]
        ) from error


async def read(answer: HttpAnswer, agency: str) -> Answer:
    """Return what an agency answered; the status is passed on, for the channel to judge.

    A list becomes `{"items": [...]}`. A status of 400 or more may come without a readable document; below, an
    unreadable one raises InvalidAnswer, and so does a redirect, which is never followed.
    """
    large = len(answer.body) > LARGE
    return await asyncio.to_thread(read_now, answer, agency) if large else read_now(answer, agency)


def read_now(answer: HttpAnswer, agency: str) -> Answer:
    """Read it as `read` does, on this thread; what can't be read is kept with the answer, or with the error."""
    try:
        document = _document(answer, agency)
    except InvalidAnswer as error:
        error.answer = answer.unread()
        raise
    if document is None and answer.body:
        return replace(answer.unread(), headers=_retry_after(answer))
    return Answer(document=document, http_status=answer.status, headers=_retry_after(answer), size=len(answer.body))


async def post_json(
    http: HttpClient, url: str, call: Call, /, *, body: bytes, headers: Mapping[str, str] | None = None
) -> Answer:
    """Post a call's body, already encoded (so that it can be signed), and read the JSON that comes back."""
    answer = await http.send(
        "POST",
        url,
        headers={"Content-Type": JSON, "Accept": JSON, **trace_headers(call), **(headers or {})},
        body=body,
        timeout=call.timeout,
        safe=call.safe,
    )
    return await read(answer, http.agency)


def _retry_after(answer: HttpAnswer) -> Mapping[str, str]:
    seconds = answer.headers.get("Retry-After")
    return {} if seconds is None else {"retry-after": seconds}


def _document(answer: HttpAnswer, agency: str) -> Document | None:
    status, body = answer.status, answer.body
    if 300 <= status < 400:  # noqa: PLR2004 -- RFC 9110 section 15.4
        raise InvalidAnswer(f"{agency}: answers with a redirect ({status}); check `url`", maybe_done=True)
    if status in NO_CONTENT and not body:
        return {}
    try:
        value = _DECODER.decode(body)
    except (ValueError, RecursionError) as error:
        if status >= 400:  # noqa: PLR2004 -- RFC 9110 section 15.5
            return None
        raise InvalidAnswer(f"{agency}: its answer is {_looks_like(body)}, not JSON", maybe_done=True) from error
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {"items": value}
    if status >= 400:  # noqa: PLR2004 -- as above
        return None
    raise InvalidAnswer(f"{agency}: its answer is a lone {type(value).__name__}, not a JSON object", maybe_done=True)


def _looks_like(body: bytes) -> str:
    start = body[:200].lstrip().lower()
    if not start:
        return "empty"
    if start.startswith(b"<"):
        return "a page or XML"
    return "cut short or damaged" if start[:1] in b"{[" else "something else"


def _number(text: str) -> Decimal:
    value = Decimal(text)
    if abs(value.adjusted()) > MOST_DIGITS:
        raise ValueError("a number without measure")
    return value


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value).__name__)


_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain)
_DECODER = msgspec.json.Decoder(float_hook=_number)
