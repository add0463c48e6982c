"""Opening times on the real calendar, in Indonesia and where the clocks change."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.hours import Calendar, ClosedDays, Hours, Maintenance, SpecialHours

JAKARTA, BERLIN = ZoneInfo("Asia/Jakarta"), ZoneInfo("Europe/Berlin")
OFFICE = Hours.parse("Mon-Thu 07:30-16:00; Fri 07:30-11:30,13:00-16:30")
NIGHT_AND_DAY = Hours.parse("Mon-Sun 00:00-24:00")
DPMPTSP = Calendar(zone=JAKARTA, weekly=OFFICE, holidays="ID")


def wib(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=JAKARTA)


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        ("2026-11-24 07:29:59.999999", "2026-11-24 07:30"),
        ("2026-11-24 07:30", "2026-11-24 07:30"),
        ("2026-11-24 15:59:59", "2026-11-24 15:59:59"),
        ("2026-11-24 16:00", "2026-11-25 07:30"),
        ("2026-11-27 11:30", "2026-11-27 13:00"),
        ("2026-11-27 16:30", "2026-11-30 07:30"),
        ("2026-11-28 12:00", "2026-11-30 07:30"),
    ],
)
def test_the_start_of_a_range_is_open_and_its_end_is_not(at: str, opening: str) -> None:
    assert DPMPTSP.next_open(wib(at)) == wib(opening)
    assert DPMPTSP.is_open(wib(at)) is (at == opening)


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    assert DPMPTSP.is_open(datetime(2026, 11, 24, 0, 30, tzinfo=UTC))
    assert not DPMPTSP.is_open(datetime(2026, 11, 24, 9, 0, tzinfo=UTC))
    assert DPMPTSP.next_open(datetime(2026, 11, 24, 9, 0, tzinfo=UTC)).isoformat() == "2026-11-25T07:30:00+07:00"


def test_what_says_nothing_that_closes_is_always_open() -> None:
    assert Calendar(zone=JAKARTA, holidays="ID").always_open
    one_day = date(2026, 12, 1)
    assert not DPMPTSP.always_open
    assert not Calendar(zone=JAKARTA, closed=[ClosedDays(first=one_day, last=one_day)]).always_open
    assert not Calendar(zone=JAKARTA, special=[SpecialHours(first=one_day, last=one_day, hours=OFFICE)]).always_open
    window = Maintenance(start=wib("2026-12-01 20:00"), until=wib("2026-12-01 22:00"))
    assert not Calendar(zone=JAKARTA, maintenance=[window]).always_open


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 11, 24, 9, 0)  # noqa: DTZ001 - the mistake itself
    for ask in (DPMPTSP.is_open, DPMPTSP.next_open, DPMPTSP.why_closed):
        with pytest.raises(ValueError, match="has no time zone"):
            ask(naive)
    with pytest.raises(ValueError, match="has no time zone"):
        DPMPTSP.add_working_days(naive, 1)
    with pytest.raises(ValueError, match="has no time zone"):
        DPMPTSP.open_seconds(naive, wib("2026-11-24 09:00"))


def test_the_days_that_are_kept_do_not_grow_without_end() -> None:
    calendar = Calendar(zone=JAKARTA)
    calendar.open_seconds(wib("2026-01-01 00:00"), wib("2036-01-01 00:00"))
    assert 0 < len(calendar._kept) <= 1000


def test_every_day_off_of_2026_is_closed_joint_leave_too() -> None:
    """17 public holidays and 8 days of cuti bersama; four of the public ones are at a weekend anyway."""
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    off = {day: DPMPTSP.why_closed(datetime(day.year, day.month, day.day, 9, 0, tzinfo=JAKARTA)) for day in days}
    names = {day.isoformat(): closed.name for day, closed in off.items() if closed and closed.reason == "holiday"}
    assert len(names) == 25
    assert [day for day, name in names.items() if name.startswith("Cuti Bersama")] == [
        "2026-02-16",
        "2026-03-18",
        "2026-03-20",
        "2026-03-23",
        "2026-03-24",
        "2026-05-15",
        "2026-05-28",
        "2026-12-24",
    ]
    assert names["2026-03-19"] == "Hari Suci Nyepi"
    assert sum(closed is None for closed in off.values()) == 261 - 21


def test_nyepi_and_idul_fitri_close_a_whole_week() -> None:
    closed = DPMPTSP.why_closed(wib("2026-03-18 09:00"))
    assert closed is not None
    assert (closed.reason, closed.name) == ("holiday", "Cuti Bersama Hari Suci Nyepi")
    assert closed.until == wib("2026-03-25 07:30")
    assert closed.seconds == timedelta(days=6, hours=22, minutes=30).total_seconds()


def test_the_year_ends_on_time() -> None:
    """1 January 2027 is a Friday and a holiday, the day before is an ordinary Thursday."""
    assert DPMPTSP.is_open(wib("2026-12-31 15:59"))
    assert DPMPTSP.next_open(wib("2026-12-31 16:00")) == wib("2027-01-04 07:30")
    assert DPMPTSP.open_seconds(wib("2026-12-31 00:00"), wib("2027-01-04 08:30")) == 8.5 * 3600 + 3600


def test_nobody_keeps_holidays_unless_told_to() -> None:
    assert Calendar(zone=JAKARTA, weekly=OFFICE).is_open(wib("2026-12-25 09:00"))
    germany = Calendar(zone=BERLIN, weekly=OFFICE, holidays="DE")
    closed = germany.why_closed(datetime(2026, 10, 3, 9, 0, tzinfo=BERLIN))
    assert closed is not None
    assert closed.name == "Tag der Deutschen Einheit"


def test_an_unknown_country_is_refused_with_what_to_write() -> None:
    with pytest.raises(ValueError, match=r'no holidays are known for "Indonesia"; write .*"ID"'):
        Calendar(zone=JAKARTA, holidays="Indonesia")


def test_extra_closed_days_have_their_name_and_come_before_holidays() -> None:
    books = ClosedDays(first=date(2026, 12, 24), last=date(2026, 12, 31), name="Tutup buku")
    calendar = Calendar(zone=JAKARTA, weekly=OFFICE, holidays="ID", closed=(books,))
    closed = calendar.why_closed(wib("2026-12-25 09:00"))
    assert closed is not None
    assert (closed.reason, closed.name, closed.until) == ("closed", "Tutup buku", wib("2027-01-04 07:30"))
    assert calendar.is_open(wib("2026-12-23 15:59"))


def test_ramadan_hours_replace_the_weekly_ones_but_open_no_holiday() -> None:
    ramadan = Hours.parse("Mon-Thu 08:00-15:00; Fri 08:00-15:30")
    special = SpecialHours(first=date(2026, 2, 18), last=date(2026, 3, 19), hours=ramadan)
    calendar = Calendar(zone=JAKARTA, weekly=OFFICE, holidays="ID", special=(special,))
    assert calendar.next_open(wib("2026-02-18 07:30")) == wib("2026-02-18 08:00")
    assert calendar.next_open(wib("2026-02-20 15:30")) == wib("2026-02-23 08:00")
    assert calendar.next_open(wib("2026-03-17 15:00")) == wib("2026-03-25 07:30")
    assert calendar.is_open(wib("2026-02-13 07:30"))


def test_special_hours_may_hold_on_holidays_too() -> None:
    duty = SpecialHours(
        first=date(2026, 12, 24), last=date(2026, 12, 24), hours=Hours.parse("Thu 08:00-12:00"), on_holidays=True
    )
    calendar = Calendar(zone=JAKARTA, weekly=OFFICE, holidays="ID", special=(duty,))
    assert calendar.next_open(wib("2026-12-24 00:00")) == wib("2026-12-24 08:00")
    assert calendar.next_open(wib("2026-12-24 12:00")) == wib("2026-12-28 07:30")


def test_special_hours_that_overlap_are_refused() -> None:
    def days(first: int, last: int) -> SpecialHours:
        return SpecialHours(first=date(2026, 3, first), last=date(2026, 3, last), hours=OFFICE)

    Calendar(zone=JAKARTA, special=(days(6, 9), days(1, 5)))
    with pytest.raises(ValueError, match="from 2026-03-01 to 2026-03-05 and from 2026-03-05 to 2026-03-09 overlap"):
        Calendar(zone=JAKARTA, special=(days(5, 9), days(1, 5)))


def test_maintenance_closes_and_outranks_the_hours() -> None:
    night = Maintenance(start=wib("2026-12-01 15:00"), until=wib("2026-12-02 09:00"), reason="migrasi server")
    calendar = Calendar(zone=JAKARTA, weekly=OFFICE, holidays="ID", maintenance=(night,))
    for at in ("2026-12-01 15:00", "2026-12-01 22:00", "2026-12-02 08:59"):
        closed = calendar.why_closed(wib(at))
        assert closed is not None
        assert (closed.reason, closed.name, closed.until) == ("maintenance", "migrasi server", wib("2026-12-02 09:00"))
    assert calendar.is_open(wib("2026-12-01 14:59"))
    assert calendar.is_open(wib("2026-12-02 09:00"))
    assert calendar.open_seconds(wib("2026-12-01 00:00"), wib("2026-12-03 00:00")) == (7.5 + 7) * 3600


def test_maintenance_that_ends_at_night_opens_in_the_morning() -> None:
    evening = Maintenance(start=wib("2026-12-01 15:00"), until=wib("2026-12-01 20:00"))
    calendar = Calendar(zone=JAKARTA, weekly=OFFICE, maintenance=(evening,))
    assert calendar.next_open(wib("2026-12-01 15:30")) == wib("2026-12-02 07:30")
    closed = calendar.why_closed(wib("2026-12-01 21:00"))
    assert closed is not None
    assert closed.reason == "hours"


def test_windows_of_maintenance_may_nest_and_touch() -> None:
    def window(start: str, until: str) -> Maintenance:
        return Maintenance(start=wib(f"2026-12-01 {start}"), until=wib(f"2026-12-01 {until}"))

    windows = (window("11:00", "12:00"), window("08:00", "10:00"), window("10:00", "11:00"), window("08:30", "09:00"))
    calendar = Calendar(zone=JAKARTA, weekly=OFFICE, maintenance=windows)
    assert calendar.next_open(wib("2026-12-01 08:00")) == wib("2026-12-01 12:00")
    assert calendar.open_seconds(wib("2026-12-01 00:00"), wib("2026-12-02 00:00")) == 4.5 * 3600


def test_an_agency_without_hours_serves_always_but_in_maintenance_and_on_days_it_closed() -> None:
    window = Maintenance(start=wib("2026-12-01 23:30"), until=wib("2026-12-02 00:30"))
    day = ClosedDays(first=date(2026, 12, 5), last=date(2026, 12, 5), name="Padam")
    calendar = Calendar(zone=JAKARTA, holidays="ID", maintenance=(window,), closed=(day,))
    assert calendar.is_open(wib("2026-12-25 03:00"))
    assert calendar.next_open(wib("2026-12-01 23:45")) == wib("2026-12-02 00:30")
    assert calendar.next_open(wib("2026-12-05 10:00")) == wib("2026-12-06 00:00")
    assert calendar.open_seconds(wib("2026-12-01 00:00"), wib("2026-12-08 00:00")) == (6 * 24 - 1) * 3600


def test_days_may_last_a_year() -> None:
    ClosedDays(first=date(2026, 1, 1), last=date(2027, 1, 1))


@pytest.mark.parametrize("last", [date(2025, 12, 31), date(2027, 1, 2)])
def test_days_that_end_before_they_start_or_never_are_refused(last: date) -> None:
    with pytest.raises(ValueError, match=f"days from 2026-01-01 to {last}.*pause its lane"):
        ClosedDays(first=date(2026, 1, 1), last=last)
    with pytest.raises(ValueError, match="pause its lane"):
        SpecialHours(first=date(2026, 1, 1), last=last, hours=OFFICE)


@pytest.mark.parametrize("until", ["2026-12-01 08:00", "2026-12-01 07:00", "2028-01-01 00:00"])
def test_maintenance_that_ends_before_it_starts_or_never_is_refused(until: str) -> None:
    with pytest.raises(ValueError, match="must end after it starts"):
        Maintenance(start=wib("2026-12-01 08:00"), until=wib(until))


def test_the_moment_after_so_much_open_time_skips_what_is_closed() -> None:
    assert DPMPTSP.after_open_seconds(wib("2026-11-27 16:00"), 3600) == wib("2026-11-30 08:00")
    assert DPMPTSP.after_open_seconds(wib("2026-11-27 16:00"), 1800) == wib("2026-11-27 16:30")
    assert DPMPTSP.after_open_seconds(wib("2026-11-28 16:00"), 0) == wib("2026-11-30 07:30")
    assert Calendar(zone=JAKARTA).after_open_seconds(wib("2026-11-28 16:00"), 72 * 3600) == wib("2026-12-01 16:00")


@pytest.mark.parametrize(
    ("accepted", "days", "due"),
    [
        ("2026-11-24 09:00", 3, "2026-11-27 16:30"),
        ("2026-11-24 20:00", 3, "2026-11-27 16:30"),
        ("2026-11-27 09:00", 1, "2026-11-30 16:00"),
        ("2026-11-28 09:00", 1, "2026-11-30 16:00"),
        ("2026-12-23 10:00", 3, "2026-12-30 16:00"),
        ("2026-03-17 10:00", 1, "2026-03-25 16:00"),
        ("2026-12-31 10:00", 2, "2027-01-06 16:00"),
    ],
)
def test_a_deadline_counts_working_days_after_the_day_of_acceptance(accepted: str, days: int, due: str) -> None:
    """Isra Mikraj is on 5 January 2027, so two working days after new year's eve are the 4th and the 6th."""
    assert DPMPTSP.add_working_days(wib(accepted), days) == wib(due)
    assert DPMPTSP.working_days_between(wib(accepted), wib(due)) == days
    assert DPMPTSP.working_days_between(wib(accepted), wib(due) - timedelta(seconds=1)) == days - 1


@pytest.mark.parametrize(
    ("accepted", "days", "near", "by"),
    [
        ("2026-11-24 09:00", 3, "2026-11-26 16:00", "2026-11-27 16:30"),
        ("2026-11-26 09:00", 2, "2026-11-27 16:30", "2026-11-30 16:00"),
        ("2026-11-24 09:00", 1, "2026-11-24 09:00", "2026-11-25 16:00"),
        ("2026-11-28 09:00", 1, "2026-11-28 09:00", "2026-11-30 16:00"),
        ("2026-12-23 10:00", 2, "2026-12-28 16:00", "2026-12-29 16:00"),
    ],
)
def test_rule_11_17_a_date_is_near_once_one_working_day_is_left(accepted: str, days: int, near: str, by: str) -> None:
    """On Friday evening what is due on Monday is near, and over a weekend it stays so."""
    dates = DPMPTSP.answer_dates(wib(accepted), days)
    assert (dates.near, dates.by) == (wib(near), wib(by))


def test_the_day_of_acceptance_is_the_agencys_day() -> None:
    """20:00 UTC on Monday is Tuesday morning in Jakarta."""
    assert DPMPTSP.add_working_days(datetime(2026, 11, 23, 20, 0, tzinfo=UTC), 1) == wib("2026-11-25 16:00")


def test_without_hours_a_working_day_is_monday_to_friday_without_holidays() -> None:
    always = Calendar(zone=JAKARTA, holidays="ID")
    assert always.add_working_days(wib("2026-11-27 10:00"), 1) == wib("2026-12-01 00:00")
    assert always.add_working_days(wib("2026-12-23 10:00"), 1) == wib("2026-12-29 00:00")


def test_maintenance_moves_no_deadline_and_a_closed_day_does() -> None:
    window = Maintenance(start=wib("2026-11-25 00:00"), until=wib("2026-11-26 00:00"))
    day = ClosedDays(first=date(2026, 11, 25), last=date(2026, 11, 25))
    at, due = wib("2026-11-24 09:00"), wib("2026-11-25 16:00")
    assert Calendar(zone=JAKARTA, weekly=OFFICE, maintenance=(window,)).add_working_days(at, 1) == due
    assert Calendar(zone=JAKARTA, weekly=OFFICE, closed=(day,)).add_working_days(at, 1) == due + timedelta(days=1)


def test_a_deadline_of_no_days_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 working day"):
        DPMPTSP.add_working_days(wib("2026-11-24 09:00"), 0)


def test_nothing_lies_between_moments_the_wrong_way_round() -> None:
    later, earlier = wib("2026-11-27 09:00"), wib("2026-11-24 09:00")
    assert DPMPTSP.open_seconds(later, earlier) == 0
    assert DPMPTSP.working_days_between(later, earlier) == 0


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 28), 24), (date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_when_the_clocks_change_is_an_hour_shorter_or_longer(day: date, hours: int) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=BERLIN)
    end = start + timedelta(days=1)  # by the clock on the wall
    for weekly in (None, NIGHT_AND_DAY):
        assert Calendar(zone=BERLIN, weekly=weekly).open_seconds(start, end) == hours * 3600


def test_hours_are_by_the_clock_on_the_wall_in_summer_and_winter() -> None:
    calendar = Calendar(zone=BERLIN, weekly=OFFICE)
    friday, monday = datetime(2026, 3, 27, 16, 30, tzinfo=BERLIN), datetime(2026, 3, 30, 7, 30, tzinfo=BERLIN)
    closed = calendar.why_closed(friday)
    assert closed is not None
    assert (closed.until, closed.until.isoformat()) == (monday, "2026-03-30T07:30:00+02:00")
    assert closed.seconds == (63 - 1) * 3600


def test_times_that_the_clock_skips_are_no_hours_and_overlap_nothing() -> None:
    calendar = Calendar(zone=BERLIN, weekly=Hours.parse("Sun 00:00-02:15,02:15-02:45,03:00-04:00"))
    start = datetime(2026, 3, 29, tzinfo=BERLIN)
    assert calendar.open_seconds(start, start + timedelta(days=1)) == 3 * 3600
    skipped = Calendar(zone=BERLIN, weekly=Hours.parse("Sun 02:30-03:00"))
    assert skipped.next_open(start) == datetime(2026, 4, 5, 2, 30, tzinfo=BERLIN)


def test_times_that_come_twice_are_open_the_first_time() -> None:
    calendar = Calendar(zone=BERLIN, weekly=Hours.parse("Sun 02:00-02:30"))
    first = datetime(2026, 10, 25, 2, 15, tzinfo=BERLIN)
    assert calendar.is_open(first)
    assert not calendar.is_open(first.replace(fold=1))
