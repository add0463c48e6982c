"""The head of a request: where it goes and what stands before its body; writes nothing and knows no answers."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from urllib.parse import unquote_to_bytes, urlsplit

from gateway import FieldError, TranslationError

# Everything printable in ASCII; what stands behind "#" is never sent.
_URL = re.compile(r"(https?://[!\"$-.0->@-~]+)((?:[/?][!\"$-~]*)?)(?:#.*)?", re.ASCII | re.IGNORECASE | re.DOTALL)
# RFC 9110 section 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
# RFC 9110 section 5.5: a field value holds no control character but the tab.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
# Where one message ends and what may follow it is decided here, or an agency could read two requests in one.
_FRAMING = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_DEFAULTS = ("Host", "User-Agent", "Accept-Encoding", "Authorization")


class _Name(Enum):
    PLAIN = 1
    DEFAULT = 2
    REFUSED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A server to connect to; `defaults` are the headers that a request has when it brings none of that name."""

    host: str
    port: int
    tls: bool
    defaults: tuple[tuple[str, str], ...]
    prepared: str


def split(url: str) -> tuple[Origin, str]:
    """Return where the URL leads and what is asked for there; raises TranslationError when HTTP can't hold it."""
    found = _URL.fullmatch(url)
    try:
        if found is None:
            raise ValueError  # noqa: TRY301 -- one answer to every kind of bad URL
        origin = origin_of(found[1])
    except ValueError:
        # Not saying which: a path may hold personal data.
        raise TranslationError(
            "request", [FieldError(pointer="", rule="encoding", params={"encoding": "URL"})]
        ) from None
    target = found[2]
    return origin, target if target.startswith("/") else f"/{target}"


@lru_cache(maxsize=256)
def origin_of(text: str) -> Origin:
    """Return the server that "https://host:port" names; raises ValueError."""
    parts = urlsplit(text)
    host, tls = parts.hostname, parts.scheme == "https"
    if not host:
        raise ValueError("no host")
    usual = 443 if tls else 80
    port = usual if parts.port is None else parts.port
    name = f"[{host}]" if ":" in host else host
    defaults = [
        ("Host", name if port == usual else f"{name}:{port}"),
        ("User-Agent", "opd-gateway"),
        ("Accept-Encoding", "gzip, deflate"),
    ]
    if parts.username is not None:
        user, password = unquote_to_bytes(parts.username), unquote_to_bytes(parts.password or "")
        defaults.append(("Authorization", f"Basic {b64encode(user + b':' + password).decode()}"))
    return Origin(host=host, port=port, tls=tls, defaults=tuple(defaults), prepared=_lines(defaults))


def head(  # noqa: PLR0913 -- the parts of one head
    method: str, origin: Origin, target: str, headers: Mapping[str, str], *, length: int | None, close: bool
) -> bytes:
    """Return the head, its end included; raises TranslationError naming what HTTP can't hold."""
    if not _is_token(method):
        raise _unfit("", rule="control-character")
    kinds = [_kind(name) for name in headers]
    values = "".join(headers.values())
    if _Name.REFUSED in kinds or not (values.isascii() and values.isprintable()):
        _check(headers)
    given = origin.prepared if _Name.DEFAULT not in kinds else _without(origin, headers)
    text = f"{method} {target} HTTP/1.1\r\n{given}" + "".join([f"{name}: {headers[name]}\r\n" for name in headers])
    if length is not None or method in _WITH_BODY:
        text += f"Content-Length: {length or 0}\r\n"
    return (text + ("Connection: close\r\n\r\n" if close else "\r\n")).encode("latin-1")


def _lines(headers: list[tuple[str, str]]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers])


def _without(origin: Origin, headers: Mapping[str, str]) -> str:
    given = {name.lower() for name in headers}
    return _lines([(name, value) for name, value in origin.defaults if name.lower() not in given])


@lru_cache(maxsize=512)
def _kind(name: str) -> _Name:
    if not _is_token(name) or name.lower() in _FRAMING:
        return _Name.REFUSED
    return _Name.DEFAULT if name.title() in _DEFAULTS else _Name.PLAIN


@lru_cache(maxsize=512)
def _is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def _check(headers: Mapping[str, str]) -> None:
    """Raise for what is wrong; much that isn't printable ASCII is right."""
    for name, value in headers.items():
        if not _is_token(name):
            raise _unfit("", rule="control-character")
        if _kind(name) is _Name.REFUSED:
            raise _unfit(name, rule="native", expected="no header that the gateway writes itself")
        if _CONTROL.search(value):
            raise _unfit(name, rule="control-character")
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            raise _unfit(name, rule="encoding", encoding="ISO-8859-1") from None


def _unfit(pointer: str, *, rule: str, **params: str) -> TranslationError:
    return TranslationError("request", [FieldError(pointer=pointer, rule=rule, params=params)])
