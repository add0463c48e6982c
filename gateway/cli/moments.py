"""Points in time as people type them: 2h, 16:00, 2026-11-24, 2026-11-24T07:30; knows no command."""

import re
from datetime import datetime, time, timedelta

import click

from gateway.config.units import seconds

_FIRST, _LAST = 1970, 2999
_LONGEST = 50 * 365 * 86400.0
"""Seconds; before the first message, and after the last."""
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def moment(text: str, now: datetime, option: str, *, ahead: bool = False) -> datetime:
    """Return the time meant, in the zone of `now`; a duration counts back from now, or ahead of it.

    A time of day is today's; with `ahead`, tomorrow's when it is past. Raises click.BadParameter.
    """
    if found := _CLOCK.fullmatch(text.strip()):
        at = datetime.combine(now.date(), time(int(found[1]), int(found[2])), now.tzinfo)
        return at + timedelta(days=1) if ahead and at <= now else at
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError:
        away = duration(text, option, 'must be such as "2h", "16:00", "2026-11-24" or "2026-11-24T07:30"')
        return now + away if ahead else now - away
    if not _FIRST <= given.year <= _LAST:
        raise click.BadParameter(f"must be between {_FIRST} and {_LAST}", param_hint=option)
    return given if given.tzinfo else given.replace(tzinfo=now.tzinfo)


def duration(text: str, option: str, otherwise: str = 'must be a duration such as "30m", "2h" or "1d"') -> timedelta:
    """Return a duration; raises click.BadParameter."""
    try:
        away = seconds(text)
    except ValueError:
        raise click.BadParameter(otherwise, param_hint=option) from None
    return timedelta(seconds=min(away, _LONGEST))
