"""The feeds of a configuration by their full names, for commands; assembles nothing."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from gateway.config.load import Located
from gateway.config.locate import suggest
from gateway.errors import ConfigError, Finding


def feeds(located: Located) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every feed's full name and settings, acknowledgements of what was handed over too."""
    for name in located.config.agency:
        for feed, made in _tables(located, name, "feed"):
            yield f"{name}/{feed}", made
        for out, made in _tables(located, name, "out"):
            if isinstance(ack := made.get("ack"), dict):
                yield f"{name}/{out}", ack


def _tables(located: Located, agency: str, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    found = (located.config.agency[agency].model_extra or {}).get(key, {})
    yield from (
        ((name, made) for name, made in found.items() if isinstance(made, dict)) if isinstance(found, dict) else ()
    )


def zone_of(located: Located, feed: str) -> ZoneInfo:
    """Return the zone by which a feed's clerks read times: its agency's, else the gateway's."""
    agency = located.config.agency.get(feed.partition("/")[0])
    return ZoneInfo((agency and agency.timezone) or located.config.gateway.timezone)


def acknowledges(located: Located, feed: str) -> bool:
    """Tell whether a feed is an out's acknowledgements; no other feed of the agency is called like the out."""
    agency, _, name = feed.partition("/")
    return name in dict(_tables(located, agency, "out"))


def known(located: Located, feed: str) -> None:
    """Raise ConfigError where there is no such feed."""
    names = [name for name, _ in feeds(located)]
    if feed not in names:
        raise ConfigError(Finding(where="gateway feed", what=f'there is no feed "{feed}"', remedy=suggest(feed, names)))


def forwards_to(located: Located, feed: str) -> str | None:
    """Return the operation that a feed's rows are sent on to, None where they are kept."""
    made = dict(feeds(located)).get(feed, {})
    return str(made.get("to")) if made.get("mode") == "forward" else None
