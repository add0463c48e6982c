"""Points in time as people type them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click
import pytest

from gateway.cli.moments import moment

JAKARTA = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=JAKARTA)


@pytest.mark.parametrize(
    ("text", "back", "ahead"),
    [
        ("2h", NOW - timedelta(hours=2), NOW + timedelta(hours=2)),
        ("16:00", NOW.replace(hour=16), NOW.replace(hour=16)),
        ("7:30", NOW.replace(hour=7, minute=30), NOW.replace(day=25, hour=7, minute=30)),
        ("2026-11-23", NOW.replace(day=23, hour=0), NOW.replace(day=23, hour=0)),
        ("2026-11-23T08:00", NOW.replace(day=23, hour=8), NOW.replace(day=23, hour=8)),
        ("2026-11-23T01:00:00+00:00", NOW.replace(day=23, hour=8), NOW.replace(day=23, hour=8)),
    ],
)
def test_a_moment_is_in_the_gateways_zone_and_counts_the_way_that_is_meant(text, back, ahead):
    assert moment(text, NOW, "--since") == back
    assert moment(text, NOW, "--until", ahead=True) == ahead


@pytest.mark.parametrize("text", ["", "25:00", "besok", "2", "-2h", "2026-13-01", "0001-01-01", "9999-12-31"])
def test_what_is_no_moment_is_usage(text):
    with pytest.raises(click.BadParameter):
        moment(text, NOW, "--since")


def test_longer_ago_than_there_is_time_is_as_long_ago_as_can_be():
    assert moment("999999999d", NOW, "--since").year == 1976
