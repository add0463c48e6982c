"""How long an app wants to wait for a recorded request (RFC 7240, `Prefer`); knows no operation."""

from collections.abc import Iterable, Iterator

from gateway.edge.asgi import Header

_LONGEST_NUMBER = 9


def wait(headers: Iterable[Header], *, longest: float) -> tuple[float, bytes] | None:
    """Return the seconds and the `Preference-Applied` that says so, or None when nothing was preferred.

    `respond-async` alone does not wait at all. What is unknown or unreadable is ignored, and of a preference given
    twice the first one counts, as the RFC has it.
    """
    asked: dict[str, str] = {}
    for name, value in _preferences(headers):
        asked.setdefault(name, value)
    seconds = _seconds(asked.get("wait", ""))
    if seconds is not None:
        seconds = min(seconds, int(longest))
        return float(seconds), b"wait=%d" % seconds
    return (0.0, b"respond-async") if "respond-async" in asked else None


def _preferences(headers: Iterable[Header]) -> Iterator[tuple[str, str]]:
    for field in (value for name, value in headers if name == b"prefer"):
        for preference in field.decode("latin-1").split(","):
            name, _, value = preference.partition(";")[0].partition("=")
            yield name.strip().lower(), value.strip().strip('"')


def _seconds(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()):
        return None
    return int(text[:_LONGEST_NUMBER])
