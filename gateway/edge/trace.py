"""The ids a request is followed by: X-Correlation-ID and W3C traceparent; knows nothing else of the request."""

import os
import re

# Ids are logged, so sixteen digits that could be a NIK are not taken for one.
_CORRELATION = re.compile(rb"(?!.*(?<!\d)\d{16}(?!\d))[A-Za-z0-9._-]{1,64}")
_VERSION, _TRACE, _SPAN = r"(?!00|ff)[0-9a-f]{2}", r"(?!0{32})[0-9a-f]{32}", r"(?!0{16})[0-9a-f]{16}"
# A later version may append fields, which a reader of version 00 leaves aside (Trace Context, section 4).
_TRACEPARENT = re.compile(f"(?:00-({_TRACE})-{_SPAN}-([0-9a-f]{{2}})|{_VERSION}-({_TRACE})-{_SPAN}-([0-9a-f]{{2}})-.*)")


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
