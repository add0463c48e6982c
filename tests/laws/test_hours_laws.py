"""Laws of the calendar: open time adds up, the next opening is the first, deadlines land on working days."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from gateway.hours import Calendar, ClosedDays, Hours, Maintenance, SpecialHours
from gateway.hours.weekly import Ranges

JAKARTA = ZoneInfo("Asia/Jakarta")
# Berlin changes at night, Santiago at midnight, Lord Howe by half an hour.
ZONES = tuple(map(ZoneInfo, ("Asia/Jakarta", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe")))
ANY_ZONE = st.sampled_from(ZONES)
SHORT = ("Sen", "Sel", "Rab", "Kam", "Jum", "Sab", "Min")
FIRST, LAST = date(2026, 1, 1), date(2027, 6, 30)


def text_of(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def ranges() -> st.SearchStrategy[Ranges]:
    bounds = st.lists(st.integers(0, 96).map(lambda quarter: quarter * 15), max_size=6, unique=True).map(sorted)
    return bounds.map(lambda times: tuple(zip(times[::2], times[1::2], strict=False)))


def hours() -> st.SearchStrategy[Hours]:
    return st.tuples(*[ranges()] * 7).filter(any).map(Hours)


def days_from(first: date, length: int) -> tuple[date, date]:
    return first, first + timedelta(days=length)


SPANS = st.builds(days_from, st.dates(FIRST, LAST), st.integers(0, 40))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 30), timezones=st.just(UTC))  # noqa: DTZ001 - given a zone
WINDOWS = st.builds(
    lambda start, minutes: Maintenance(start=start, until=start + timedelta(minutes=minutes)),
    MOMENTS,
    st.integers(1, 5000),
)


@st.composite
def calendars(draw: st.DrawFn, zones: st.SearchStrategy[ZoneInfo] = ANY_ZONE) -> Calendar:
    special = draw(st.none() | SPANS)
    return Calendar(
        zone=draw(zones),
        weekly=draw(st.none() | hours()),
        holidays=draw(st.sampled_from((None, "ID"))),
        closed=tuple(ClosedDays(first=first, last=last) for first, last in draw(st.lists(SPANS, max_size=3))),
        special=()
        if special is None
        else (SpecialHours(first=special[0], last=special[1], hours=draw(hours()), on_holidays=draw(st.booleans())),),
        maintenance=tuple(draw(st.lists(WINDOWS, max_size=4))),
    )


def near_changes() -> st.SearchStrategy[datetime]:
    """Any moment, and more than chance would have of those around the changes of the clocks."""
    changes = (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC))
    more = (datetime(2026, 9, 6, 4, tzinfo=UTC), datetime(2026, 4, 4, 15, tzinfo=UTC))
    around = st.builds(
        lambda change, minutes: change + timedelta(minutes=minutes),
        st.sampled_from((*changes, *more)),
        st.integers(-600, 600),
    )
    return MOMENTS | around


@given(week=hours())
def test_hours_written_out_read_the_same(week: Hours) -> None:
    entries = [
        f"{day} " + ",".join(f"{text_of(start)}-{text_of(end)}" for start, end in times)
        for day, times in zip(SHORT, week.week, strict=True)
        if times
    ]
    assert Hours.parse("; ".join(entries)) == week


@given(calendar=calendars(), moments=st.tuples(near_changes(), near_changes(), near_changes()).map(sorted))
def test_open_time_adds_up(calendar: Calendar, moments: list[datetime]) -> None:
    first, between, last = moments
    whole = calendar.open_seconds(first, last)
    parts = calendar.open_seconds(first, between) + calendar.open_seconds(between, last)
    assert round(whole * 1e6) == round(parts * 1e6)
    assert 0 <= whole <= (last - first).total_seconds()


@given(calendar=calendars(), at=near_changes())
def test_the_next_opening_is_open_and_nothing_before_it_is(calendar: Calendar, at: datetime) -> None:
    found = calendar.next_open(at)
    assert found.tzinfo is calendar.zone
    opening = found.astimezone(UTC)  # hours that come twice compare and add up in UTC only
    assert opening >= at
    assert calendar.is_open(opening)
    assert calendar.open_seconds(at, opening) == 0
    assert calendar.open_seconds(opening, opening + timedelta(seconds=1)) > 0
    assert (opening == at) is calendar.is_open(at)
    closed = calendar.why_closed(at)
    assert (closed is None) is calendar.is_open(at)
    assert closed is None or closed.until.astimezone(UTC) == opening


@given(calendar=calendars(), at=near_changes(), seconds=st.integers(0, 14 * 86_400))
def test_the_moment_after_so_much_open_time_has_just_that_much_before_it(
    calendar: Calendar, at: datetime, seconds: int
) -> None:
    moment = calendar.after_open_seconds(at, seconds).astimezone(UTC)
    assert calendar.open_seconds(at, moment) == seconds
    assert seconds == 0 or calendar.open_seconds(at, moment - timedelta(seconds=1)) < seconds


@given(calendar=calendars(st.just(JAKARTA)), at=MOMENTS)
def test_open_is_what_the_clock_on_the_wall_says(calendar: Calendar, at: datetime) -> None:
    """Where clocks never change, the rules can be read off one by one."""
    local = at.astimezone(JAKARTA)
    day, minute = local.date(), local.hour * 60 + local.minute
    special = [entry for entry in calendar.special if entry.first <= day <= entry.last]
    week = special[0].hours if special else calendar.weekly
    free = calendar.holidays is not None and is_holiday(day) and not (special and special[0].on_holidays)
    expected = week is None or (not free and any(start <= minute < end for start, end in week.week[day.weekday()]))
    expected &= not any(span.first <= day <= span.last for span in calendar.closed)
    expected &= not any(window.start <= at < window.until for window in calendar.maintenance)
    assert calendar.is_open(at) is expected


def is_holiday(day: date) -> bool:
    closed = Calendar(zone=JAKARTA, weekly=Hours.parse("Mon-Sun 00:00-24:00"), holidays="ID").why_closed(
        datetime(day.year, day.month, day.day, 12, tzinfo=JAKARTA)
    )
    return closed is not None


@given(calendar=calendars(), at=near_changes(), days=st.integers(1, 15))
def test_deadlines_land_on_working_days_one_after_the_other(calendar: Calendar, at: datetime, days: int) -> None:
    dues = [calendar.add_working_days(at, count).astimezone(UTC) for count in range(1, days + 1)]
    assert all(one < other for one, other in pairwise(dues))
    last = dues[-1] - timedelta(minutes=1)
    due_day = last.astimezone(calendar.zone).date()
    assert due_day > at.astimezone(calendar.zone).date()
    assert calendar.working_days_between(at, dues[-1]) == days
    assert calendar.working_days_between(at, last) == days - 1
    unmaintained = Calendar(
        zone=calendar.zone,
        weekly=calendar.weekly,
        holidays=calendar.holidays,
        closed=calendar.closed,
        special=calendar.special,
    )
    assert unmaintained.open_seconds(last - timedelta(hours=2), dues[-1]) > 0
    assert not any(span.first <= due_day <= span.last for span in calendar.closed)
