"""By when a feed's next file must come, as `gateway feed list` tells it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from gateway.cli.desk import Desk
from gateway.errors import ConfigError
from gateway.opening import calendar
from gateway.punctual import due_of


async def next_due(desk: Desk, feed: str, settings: Mapping[str, Any]) -> datetime | None:
    """Return when a feed's next file is due; None where nobody said how often one comes."""
    with suppress(ConfigError, ValueError):  # `check` tells of it; what the ledger says is worth telling all the same
        when = await asyncio.to_thread(calendar, feed.partition("/")[0], desk.located)
        if due := due_of(settings, when):
            return due(await desk.ledger.last_came(feed))
    return None


def told_due(due: datetime | None, now: datetime) -> str:
    """Return it in words."""
    if due is None:
        return "-"
    return f"{due:%d %b %H:%M}" if due >= now else f"LATE since {due:%d %b %H:%M}"
