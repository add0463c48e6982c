"""When a feed's next file is due, by what its section says of how often one comes and by the agency's calendar."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from gateway.config.units import Every
from gateway.hours import Calendar

Due = Callable[[datetime], datetime]
"""Returns by when the next file must come, after the moment at which one came."""


def due_of(settings: Mapping[str, Any], calendar: Calendar | None) -> Due | None:
    """Return how a feed's next file is reckoned; None where nobody said how often one comes.

    By working days it is due at the end of the hours of the n-th working day after the day on which one came.
    """
    text = settings.get("every")
    if text is None or calendar is None:
        return None
    every = Every.parse(text)
    if every.working_days:
        return partial(_after_working_days, calendar, every.working_days)
    return partial(_after, timedelta(seconds=every.seconds))


def _after_working_days(calendar: Calendar, days: int, came: datetime) -> datetime:
    return calendar.add_working_days(came, days)


def _after(time: timedelta, came: datetime) -> datetime:
    return came + time
