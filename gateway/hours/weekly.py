"""Service hours as people write them, "Sen-Kam 07:30-16:00; Jum 07:30-16:30"; knows weekdays, no dates."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

Ranges = tuple[tuple[int, int], ...]

DAY = 24 * 60
_SHORT = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "mon monday sen senin",
            "tue tuesday sel selasa",
            "wed wednesday rab rabu",
            "thu thursday kam kamis",
            "fri friday jum jumat jum'at",
            "sat saturday sab sabtu",
            "sun sunday min minggu ahad",
        )
    )
    for name in names.split()
}
_RANGE = re.compile(r"(\d{1,2})[:.](\d\d)\s*-\s*(\d{1,2})[:.](\d\d)")
_FORM = 'must be service hours such as "Mon-Thu 07:30-16:00; Fri 07:30-11:30,13:00-16:30"'


@dataclass(frozen=True, slots=True)
class Hours:
    """When an agency serves in an ordinary week.

    `week` holds the ranges of each day, Monday first, as minutes since midnight by the agency's own clock, the end not
    included; at least one day has hours.
    """

    week: tuple[Ranges, ...]

    def __post_init__(self) -> None:
        if len(self.week) != len(_SHORT) or not any(self.week):
            raise ValueError(_FORM)

    @classmethod
    def parse(cls, text: object) -> "Hours":
        """Read English or Indonesian service hours; raises ValueError saying everything that is to be written anew."""
        if not isinstance(text, str) or not text.strip(" ;"):
            raise ValueError(_FORM)
        week: list[list[tuple[int, int]]] = [[] for _ in _SHORT]
        findings: list[str] = []
        for entry in filter(None, (part.strip() for part in text.replace("\u2013", "-").split(";"))):
            try:
                days, ranges = _entry(entry)
            except ValueError as error:
                findings.append(str(error))
                continue
            for day in days:
                week[day] += ranges
        findings += _overlaps(week)
        if findings:
            raise ValueError("; ".join(dict.fromkeys(findings)))
        return cls(tuple(tuple(sorted(ranges)) for ranges in week))


def _entry(entry: str) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
    found = re.match(r"([^\d]+?)\s*(\d.*)", entry)
    if found is None:
        raise ValueError(f'"{entry}" {_FORM}')
    days = tuple(day for part in found[1].split(",") for day in _days(part.strip()))
    return days, [_range(part.strip(), days) for part in found[2].split(",")]


def _days(text: str) -> range:
    first, dash, last = (part.strip() for part in text.partition("-"))
    start = _weekday(first)
    end = _weekday(last) if dash else start
    if end < start:
        raise ValueError(f'"{text}" runs over the end of the week; write "{_wrapped(start, end)}"')
    return range(start, end + 1)


def _weekday(name: str) -> int:
    number = _WEEKDAYS.get(name.lower())
    if number is None:
        raise ValueError(f'"{name}" is not a day; write {", ".join(_SHORT)} or Sen, Sel, Rab, Kam, Jum, Sab, Min')
    return number


def _wrapped(start: int, end: int) -> str:
    def span(first: int, last: int) -> str:
        return _SHORT[first] if first == last else f"{_SHORT[first]}-{_SHORT[last]}"

    return f"{span(0, end)},{span(start, len(_SHORT) - 1)}"


def _range(text: str, days: Sequence[int]) -> tuple[int, int]:
    found = _RANGE.fullmatch(text)
    if found is None:
        raise ValueError(f'"{text}" is not a range of times; write it as "07:30-16:00"')
    start, end = _minutes(found[1], found[2]), _minutes(found[3], found[4])
    if start == end:
        raise ValueError(f'"{text}" is empty; a range must end after it starts (a whole day is "00:00-24:00")')
    if end == 0:
        raise ValueError(f'"{text}" ends at 00:00; write 24:00 for the end of the day')
    if end < start:
        raise ValueError(f'"{text}" runs over midnight; write it as two: "{_split(start, end, days)}"')
    return start, end


def _minutes(hours: str, minutes: str) -> int:
    total = int(hours) * 60 + int(minutes)
    if int(minutes) >= 60 or total > DAY:  # noqa: PLR2004 - minutes of an hour
        raise ValueError(f'"{hours}:{minutes}" is not a time; write 00:00 to 24:00')
    return total


def _split(start: int, end: int, days: Sequence[int]) -> str:
    before = ",".join(_SHORT[day] for day in days)
    after = ",".join(_SHORT[day] for day in sorted((day + 1) % len(_SHORT) for day in days))
    return f"{before} {_clock(start)}-24:00; {after} 00:00-{_clock(end)}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _overlaps(week: Sequence[Sequence[tuple[int, int]]]) -> Iterator[str]:
    for day, ranges in zip(_SHORT, week, strict=True):
        for (start, end), (later, until) in pairwise(sorted(ranges)):
            if later < end:
                both = f"{_clock(start)}-{_clock(end)} and {_clock(later)}-{_clock(until)}"
                yield f"{day}: {both} overlap; write each day's times once, apart from each other"
