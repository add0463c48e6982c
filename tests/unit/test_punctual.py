"""By when a feed's next file must come: by the agency's calendar, or by the clock."""

from datetime import datetime

import pytest

from gateway.hours import Calendar, ClosedDays, Hours
from gateway.punctual import due_of
from tests.fakes import JAKARTA

OFFICE = Hours.parse("Mon-Thu 07:30-16:00; Fri 07:30-16:30")
LEAVE = ClosedDays(first=datetime(2026, 3, 4, tzinfo=JAKARTA).date(), last=datetime(2026, 3, 4, tzinfo=JAKARTA).date())
WEEKLY = Calendar(zone=JAKARTA, weekly=OFFICE, holidays="ID", closed=(LEAVE,))
ALWAYS = Calendar(zone=JAKARTA)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=JAKARTA)


@pytest.mark.parametrize(
    ("every", "calendar", "came", "due"),
    [
        # In the first week of March 2026 no day is a holiday; Wednesday the 4th the agency is closed.
        ("1 working day", WEEKLY, "03-02T15:00", "03-03T16:00"),
        ("1 working day", WEEKLY, "03-03T15:00", "03-05T16:00"),
        ("1 working day", WEEKLY, "03-06T23:00", "03-09T16:00"),
        ("1 working day", WEEKLY, "03-07T10:00", "03-09T16:00"),
        ("2 working days", WEEKLY, "03-02T15:00", "03-05T16:00"),
        # Nyepi, Eid and the days off around it.
        ("1 working day", WEEKLY, "03-17T15:00", "03-25T16:00"),
        ("1 working day", ALWAYS, "03-06T23:00", "03-10T00:00"),
        ("1 day", WEEKLY, "03-06T23:00", "03-07T23:00"),
        ("6h", WEEKLY, "03-06T23:00", "03-07T05:00"),
    ],
)
def test_the_next_file_is_due(every: str, calendar: Calendar, came: str, due: str) -> None:
    reckon = due_of({"every": every}, calendar)
    assert reckon is not None
    assert reckon(at(came)) == at(due)


def test_where_nobody_said_how_often_files_come_none_is_due() -> None:
    assert due_of({"files": "stok_*.csv"}, ALWAYS) is None
