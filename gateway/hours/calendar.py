"""An agency's opening times on the real calendar, and deadlines in working days; asks nobody for the time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice, pairwise, takewhile
from typing import Literal

from gateway.hours.holiday import check_country, holiday
from gateway.hours.weekly import DAY, Hours, Ranges

Reason = Literal["hours", "holiday", "closed", "maintenance"]
Opening = tuple[datetime, datetime]

_ONE_DAY = timedelta(days=1)
_LONGEST = timedelta(days=366)
_DAYS_KEPT = 1000
_WHOLE_DAY: Ranges = ((0, DAY),)
_OFFICE_DAYS = Hours.parse("Mon-Fri 00:00-24:00")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedDays:
    """Days on which an agency serves nobody, both ends included, beside the holidays."""

    first: date
    last: date
    name: str = ""

    def __post_init__(self) -> None:
        _check_days(self.first, self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialHours:
    """Hours that replace the weekly ones on these days, both ends included, such as those of Ramadan.

    Holidays among the days stay closed unless `on_holidays`.
    """

    first: date
    last: date
    hours: Hours
    on_holidays: bool = False

    def __post_init__(self) -> None:
        _check_days(self.first, self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """A planned time, from `start` up to `until`, in which the agency's system can't be reached."""

    start: datetime
    until: datetime
    reason: str = ""

    def __post_init__(self) -> None:
        if not timedelta(0) < _utc(self.until) - _utc(self.start) <= _LONGEST:
            raise ValueError(
                f"maintenance from {self.start} until {self.until}: must end after it starts, within a year; "
                "to switch an agency off for good, pause its lane"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Why an agency does not serve `at` a moment, and from when it does; `name` is the reason as people know it."""

    reason: Reason
    name: str
    at: datetime
    until: datetime

    @property
    def seconds(self) -> float:
        """How long it stays closed."""
        return (_utc(self.until) - _utc(self.at)).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerDates:
    """By when people must have an answer, and from when on that is near."""

    near: datetime
    by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """When one agency serves. Every time given must be aware; every time returned is in `zone` (reckon on in UTC).

    Without `weekly` it always serves, holidays too, but for `closed`, `special` and `maintenance`. `holidays` is a
    country's code, or None. Raises ValueError saying what to write when the parts contradict each other.
    """

    zone: tzinfo
    weekly: Hours | None = None
    holidays: str | None = None
    closed: Sequence[ClosedDays] = ()
    special: Sequence[SpecialHours] = ()
    maintenance: Sequence[Maintenance] = ()
    _kept: dict[date, tuple[Opening, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.holidays is not None:
            check_country(self.holidays)
        for one, other in pairwise(sorted(self.special, key=lambda special: special.first)):
            if other.first <= one.last:
                raise ValueError(
                    f"special hours from {one.first} to {one.last} and from {other.first} to {other.last} overlap; "
                    "end one before the other begins"
                )

    @property
    def always_open(self) -> bool:
        """Whether the agency serves at any time: nothing that is said here closes it."""
        return self.weekly is None and not (self.closed or self.special or self.maintenance)

    def is_open(self, at: datetime) -> bool:
        """Tell whether the agency serves at this moment."""
        moment = _utc(at)
        return any(start <= moment < end for start, end in self._openings(self._day(at)))

    def why_closed(self, at: datetime) -> Closed | None:
        """Tell why the agency does not serve at this moment, or None when it does."""
        if self.is_open(at):
            return None
        until, moment = self.next_open(at), _utc(at)
        _, reason, name = self._plan(self._day(at), self.weekly)
        window = next(
            (window for window in self.maintenance if _utc(window.start) <= moment < _utc(window.until)), None
        )
        if window is not None:
            reason, name = "maintenance", window.reason
        return Closed(reason=reason, name=name, at=at.astimezone(self.zone), until=until)

    def next_open(self, at: datetime) -> datetime:
        """Return the first moment from `at` on at which the agency serves; `at` itself when it does."""
        start, _ = next(self._openings_from(at))
        return start.astimezone(self.zone)

    def open_seconds(self, start: datetime, end: datetime) -> float:
        """Return how much of the time between two moments the agency serves; 0 when they are the wrong way round."""
        last = _utc(end)
        openings = takewhile(lambda opening: opening[0] < last, self._openings_from(start))
        return sum((min(until, last) - since for since, until in openings), timedelta(0)).total_seconds()

    def after_open_seconds(self, at: datetime, seconds: float) -> datetime:
        """Return the moment by which the agency will have served for so many seconds since `at`."""
        left = timedelta(seconds=seconds)
        for start, end in self._openings_from(at):
            if end - start >= left:
                return (start + left).astimezone(self.zone)
            left -= end - start
        raise AssertionError  # openings never end

    def add_working_days(self, at: datetime, days: int) -> datetime:
        """Return the end of the hours of the n-th working day after the day of `at`; `days` is at least 1.

        A working day has hours and is no holiday; where the agency has no weekly hours it is Monday to Friday, to its
        midnight. Maintenance does not move a deadline.
        """
        if days < 1:
            raise ValueError("a deadline needs at least 1 working day")
        return next(islice(self._ends_of_working_days(self._day(at)), days - 1, None)).astimezone(self.zone)

    def answer_dates(self, at: datetime, days: int) -> AnswerDates:
        """Return the end of the n-th working day after `at`, and since when that is the only one left: "near".

        A deadline of one working day is near from the start.
        """
        near = self.add_working_days(at, days - 1) if days > 1 else at.astimezone(self.zone)
        return AnswerDates(near=near, by=self.add_working_days(at, days))

    def working_days_between(self, start: datetime, end: datetime) -> int:
        """Count the working days after the day of `start` whose hours are over by `end`; 0 when `end` is earlier.

        So it is n exactly when the deadline of n working days after `start` is reached, and that of n + 1 is not.
        """
        last = _utc(end)
        return sum(1 for _ in takewhile(lambda over: over <= last, self._ends_of_working_days(self._day(start))))

    def _day(self, at: datetime) -> date:
        return _utc(at).astimezone(self.zone).date()

    def _plan(self, day: date, weekly: Hours | None) -> tuple[Ranges, Reason, str]:
        for days in self.closed:
            if days.first <= day <= days.last:
                return (), "closed", days.name
        special = next((special for special in self.special if special.first <= day <= special.last), None)
        hours = weekly if special is None else special.hours
        if hours is None:
            return _WHOLE_DAY, "hours", ""
        if self.holidays is not None and not (special is not None and special.on_holidays):
            name = holiday(self.holidays, day)
            if name is not None:
                return (), "holiday", name
        return hours.week[day.weekday()], "hours", ""

    def _openings_from(self, at: datetime) -> Iterator[Opening]:
        """Yield what is open from a moment on, in UTC, forever: weekly hours come round, closures end within a year."""
        moment, day = _utc(at), self._day(at)
        while True:
            for start, end in self._openings(day):
                if end > moment:
                    yield max(start, moment), end
            day += _ONE_DAY

    def _openings(self, day: date) -> tuple[Opening, ...]:
        kept = self._kept.get(day)
        if kept is None:
            if len(self._kept) >= _DAYS_KEPT:
                self._kept.clear()
            kept = self._kept[day] = tuple(self._opened(day))
        return kept

    def _opened(self, day: date) -> Iterator[Opening]:
        ranges, _, _ = self._plan(day, self.weekly)
        over = datetime.min.replace(tzinfo=UTC)
        for first, last in ranges:
            # Times that a change of the clocks skips are moved (PEP 495); ranges must not overlap for that.
            start, end = max(self._moment(day, first), over), self._moment(day, last)
            if start < end:
                over = end
                yield from self._without_maintenance(start, end)

    def _without_maintenance(self, start: datetime, end: datetime) -> Iterator[Opening]:
        for window in sorted(self.maintenance, key=lambda window: _utc(window.start)):
            since, until = _utc(window.start), _utc(window.until)
            if until <= start or end <= since:
                continue
            if start < since:
                yield start, since
            start = until
        if start < end:
            yield start, end

    def _ends_of_working_days(self, after: date) -> Iterator[datetime]:
        day = after
        while True:
            day += _ONE_DAY
            ranges, _, _ = self._plan(day, self.weekly or _OFFICE_DAYS)
            if ranges:
                yield self._moment(day, ranges[-1][1])

    def _moment(self, day: date, minutes: int) -> datetime:
        return (datetime.combine(day, time.min, self.zone) + timedelta(minutes=minutes)).astimezone(UTC)


def _utc(at: datetime) -> datetime:
    """Return a moment in UTC: two times of one zone subtract and compare by their clocks, wrong when those change."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC)


def _check_days(first: date, last: date) -> None:
    if not timedelta(0) <= last - first < _LONGEST:
        raise ValueError(
            f"days from {first} to {last}: the last must not be before the first, nor a year after it; "
            "to switch an agency off for good, pause its lane"
        )
