"""Today and now in Pelalawan (WIB, no daylight saving)."""

from datetime import datetime, timedelta, timezone

WIB = timezone(timedelta(hours=7), "WIB")


def now() -> datetime:
    """The time in Pelalawan, to the second."""
    return datetime.now(WIB).replace(microsecond=0)
