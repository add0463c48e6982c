"""The ids a request is followed by: X-Correlation-ID and W3C Trace Context; knows nothing else of the request."""

import os
import re
from collections.abc import Sequence

from gateway.edge.asgi import Header

# Ids are logged, so sixteen digits that could be a NIK are not taken for one.
_CORRELATION = re.compile(rb"(?!.*(?<!\d)\d{16}(?!\d))[A-Za-z0-9._-]{1,64}")
_VERSION, _TRACE, _SPAN = r"(?!00|ff)[0-9a-f]{2}", r"(?!0{32})[0-9a-f]{32}", r"(?!0{16})[0-9a-f]{16}"
# A later version may append fields, which a reader of version 00 leaves aside (Trace Context, section 4).
_TRACEPARENT = re.compile(f"(?:00-({_TRACE})-{_SPAN}-([0-9a-f]{{2}})|{_VERSION}-({_TRACE})-{_SPAN}-([0-9a-f]{{2}})-.*)")
# Trace Context, section 3.3.1; what is longer than 2 KB nobody need send on.
_NAME = r"[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}"
_MEMBER = re.compile(rf"(?:{_NAME})=[ -+\--<>-~]{{0,255}}[!-+\--<>-~]")
_MEMBERS, _STATE_LENGTH = 32, 2048


def follow(correlation: bytes | None, traceparent: bytes | None) -> tuple[str, str]:
    """Return the correlation id and the traceparent to send on, each made where what came is absent or not valid.

    The span is always a new one; without a correlation id of the client's, the trace's id serves as one.
    """
    fresh = os.urandom(24).hex()
    trace, flags = fresh[:32], "00"
    if traceparent is not None and (found := _TRACEPARENT.fullmatch(traceparent.decode("latin-1"))) is not None:
        trace, flags = found[1] or found[3], found[2] or found[4]
    name = trace
    if correlation is not None and _CORRELATION.fullmatch(correlation) is not None:
        name = correlation.decode()
    return name, f"00-{trace}-{fresh[32:]}-{'01' if int(flags, 16) & 1 else '00'}"


def caller(traceparent: bytes | None, ours: str) -> str:
    """Return the span that a traceparent came from, "" when it was not valid, so that ours began another trace."""
    if traceparent is None or traceparent[3:35] != ours[3:35].encode():
        return ""
    return traceparent[36:52].decode("ascii")


def state(headers: Sequence[Header]) -> str:
    """Return the tracestate to send on with a trace that is continued, "" when what came is none or not valid."""
    sent = ",".join(value.decode("latin-1") for name, value in headers if name == b"tracestate")
    members = [member.strip(" \t") for member in sent.split(",")]
    kept = [member for member in members if member]
    if len(kept) > _MEMBERS or len(sent) > _STATE_LENGTH or not all(map(_MEMBER.fullmatch, kept)):
        return ""
    return ",".join(kept)
