"""Reads and writes dates, times and moments in their formats; canonical is ISO 8601, moments with their offset."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from gateway.translate.convert import Bad, Form, Pair, Plain, Seen, Step, Words, need_text, read_integer, refuse_type

_TOKENS = {"yyyy": "year", "mm": "month", "dd": "day", "HH": "hour", "MM": "minute", "SS": "second"}
_TOKEN = re.compile("|".join(_TOKENS))
_LITERAL = re.compile(r"[-/.,:T ]*")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_XSD_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})")
_XSD_TIME = re.compile(r"([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?")
_SHOWN = {"date": "yyyy-mm-dd", "time": "HH:MM", "datetime": "yyyy-mm-ddTHH:MM:SS+07:00"}
_SHAPES = (
    {"year", "month", "day"},
    {"year", "month", "day", "hour", "minute"},
    {"year", "month", "day", "hour", "minute", "second"},
    {"hour", "minute"},
    {"hour", "minute", "second"},
)
_CACHED = 8192
"""Dates repeat: in a day's traffic nearly every one has been seen before."""
_SEEN = 1 << 15
"""As many days as a life of 90 years has."""

NAMED = ("iso", "epoch-s", "epoch-ms")

Text = Callable[[str], str]


def problem(form: str) -> str:
    """Return what is wrong with a date format, "" if nothing is."""
    if form in NAMED:
        return ""
    names = [_TOKENS[found] for found in _TOKEN.findall(form)]
    if len(set(names)) != len(names):
        return "a part appears twice"
    if set(names) not in _SHAPES:
        return "write yyyy mm dd, HH MM SS (capital letters for the time), or iso, epoch-s, epoch-ms"
    rest = _TOKEN.sub("", form)
    return "" if _LITERAL.fullmatch(rest) else f'"{rest}" is neither a part nor a separator'


@cache
def dates(form: str, zone: ZoneInfo, *, text: bool) -> Pair:
    """Return the converter of a date format; `text` when their epoch numbers are digits in a text."""
    if form == "iso":
        return _pair("datetime", "iso", lambda value: _moment(value, zone), _cached(_canonical_moment))
    if form in NAMED:
        return _epoch(1000 if form == "epoch-ms" else 1, form, zone, text=text)
    found = set(_TOKEN.findall(form))
    kind = "date" if "HH" not in found else "datetime" if "yyyy" in found else "time"
    plain = _plain_day(form) if kind == "date" else None
    return _pair(kind, form, _reader(form, kind, zone), _cached(_writer(form, kind, zone)), plain)


@cache
def typed(kind: str, zone: ZoneInfo) -> Pair:
    """Return the converter of a native field that is a date, datetime or time by the agency's own contract."""
    if kind == "datetime":
        return dates("iso", zone, text=True)
    if kind == "date":
        return _pair(kind, _SHOWN[kind], _xsd_date, _cached(_plain_date))
    return _pair(kind, _SHOWN[kind], _xsd_time, _cached(_to_xsd_time))


def moment_part(part: slice, zone: ZoneInfo) -> Step:
    """Return the step from a moment in ISO 8601 to its date or time in a zone."""
    return Step(run=lambda moment: datetime.fromisoformat(moment).astimezone(zone).isoformat()[part])


@cache
def canonical(kind: str) -> Callable[[object], object]:
    """Return the check that a value is a canonical date, time or moment; raises Bad."""
    return _checked(
        _cached({"date": _plain_date, "time": _plain_time, "datetime": _canonical_moment}[kind]), _SHOWN[kind]
    )


@cache
def is_canonical(kind: str) -> Callable[[str], bool]:
    """Return the quick form of that check, for text; it remembers what it has seen."""
    check = canonical(kind)

    def test(text: str) -> bool:
        try:
            check(text)
        except Bad:
            return False
        return True

    return lru_cache(maxsize=_CACHED)(test)


def _pair(kind: str, form: str, read: Text, write: Text, plain: Plain | None = None) -> Pair:
    zero = _TOKEN.sub(lambda found: "0" * len(found.group()), form)
    reads = _checked(read, form)
    return Pair(
        read=Step(run=reads, quick=Seen(reads, _SEEN), plain=plain, day=form if kind == "date" else None),
        write=Step(run=_checked(write, _SHOWN[kind])),
        form=Form(kind=kind),
        exact=kind == "date",
        blanks=frozenset({zero}) if kind != "time" and form not in NAMED else frozenset(),
    )


def _cached(function: Text) -> Text:
    return lru_cache(maxsize=_CACHED)(function)


def _checked(function: Text, form: str) -> Callable[[object], str]:
    def run(value: object) -> str:
        if value.__class__ is not str:
            need_text(value)
        try:
            return function(value)  # type: ignore[arg-type]  # its class was compared just now
        except (ValueError, OverflowError) as error:
            raise Bad("date", value, date=form) from error

    return run


def _reader(form: str, kind: str, zone: ZoneInfo) -> Text:
    match = re.compile(_expression(form)).fullmatch
    if kind == "date":
        return _day_reader(form)

    def read(value: str) -> str:
        found = match(value)
        if found is None:
            raise ValueError(form)
        parts = {name: int(digits) for name, digits in found.groupdict().items()}
        clock = time(parts["hour"], parts["minute"], parts.get("second", 0))
        if kind == "time":
            return clock.isoformat("seconds" if "second" in parts else "minutes")
        return _spell(datetime.combine(date(parts["year"], parts["month"], parts["day"]), clock, zone))

    return read


def _day_reader(form: str) -> Text:
    match = re.compile(_expression(form)).fullmatch
    year, month, day = (slice(at := form.index(token), at + len(token)) for token in ("yyyy", "mm", "dd"))

    def read(value: str) -> str:
        if match(value) is None:
            raise ValueError(form)
        iso = f"{value[year]}-{value[month]}-{value[day]}"
        date.fromisoformat(iso)
        return iso

    return read


def _plain_day(form: str) -> Plain:
    """Return what days of a format look like, without the leap days, and how they are put together as JSON."""
    pieces = re.split("(yyyy|mm|dd)", form)

    def shape(**tokens: str) -> str:
        return "".join(tokens.get(piece) or re.escape(piece) for piece in pieces)

    never = (
        shape(dd="(?:29|30)", mm="02", yyyy="[0-9]{4}"),
        shape(dd="31", mm="(?:0[2469]|11)", yyyy="[0-9]{4}"),
    )
    usual = shape(dd="(?:0[1-9]|[12][0-9]|3[01])", mm="(?:0[1-9]|1[0-2])", yyyy="(?!0000)[0-9]{4}")
    return Plain(f"(?!{'|'.join(never)}){usual}", "".join(pieces[::2]), ('"', *_put_together(form), '"'))


def _put_together(form: str) -> tuple[str | Words, ...]:
    """Return how a day's digits come into their order: of month and day there are few, so those are looked up."""
    if form == "yyyy-mm-dd":
        return (Words("{v}", ()),)
    year, month, day = (form.index(token) for token in ("yyyy", "mm", "dd"))
    first, end = min(month, day), max(month, day) + 2
    if first < year < end:
        return _cut(year, 4), "-", _cut(month, 2), "-", _cut(day, 2)
    days = [(f"{month:02}", f"{day:02}") for month in range(1, 13) for day in range(1, 32)]
    known = {form[first:end].replace("mm", mm).replace("dd", dd): f"-{mm}-{dd}" for mm, dd in days}
    return _cut(year, 4), Words("{0}[{v}[{1}:{2}]]", (known, first, end))


def _cut(first: int, length: int) -> Words:
    return Words("{v}[{0}:{1}]", (first, first + length))


def _expression(form: str) -> str:
    literals = _TOKEN.split(form)
    groups = [f"(?P<{_TOKENS[token]}>[0-9]{{{len(token)}}})" for token in _TOKEN.findall(form)]
    return re.escape(literals[0]) + "".join(
        group + re.escape(literal) for group, literal in zip(groups, literals[1:], strict=True)
    )


def _writer(form: str, kind: str, zone: ZoneInfo) -> Text:
    def write(value: str) -> str:
        moment: date | time
        if kind == "date":
            moment = date.fromisoformat(_plain_date(value))
        elif kind == "time":
            moment = time.fromisoformat(_plain_time(value))
        else:
            moment = datetime.fromisoformat(_canonical_moment(value)).astimezone(zone)
        return _TOKEN.sub(lambda token: _digits(moment, token.group()), form)

    return write


def _digits(moment: date | time, token: str) -> str:
    return f"{getattr(moment, _TOKENS[token]):0{len(token)}d}"


def _plain_date(value: str) -> str:
    if _DATE.fullmatch(value) is None:
        raise ValueError(value)
    return date.fromisoformat(value).isoformat()


def _xsd_date(value: str) -> str:
    """Read a date that may bear a zone, as Java's stacks write it; the day is what was meant."""
    found = _XSD_DATE.fullmatch(value)
    return _plain_date(found[1] if found else value)


def _xsd_time(value: str) -> str:
    """Read a time that may bear a fraction and a zone, as .NET writes it."""
    found = _XSD_TIME.fullmatch(value)
    return _plain_time(found[1] if found else value)


def _to_xsd_time(value: str) -> str:
    """Write a time with its seconds, which xsd:time demands."""
    return time.fromisoformat(_plain_time(value)).isoformat("seconds")


def _plain_time(value: str) -> str:
    if _TIME.fullmatch(value) is None:
        raise ValueError(value)
    time.fromisoformat(value)
    return value


def _canonical_moment(value: str) -> str:
    found = _MOMENT.fullmatch(value)
    if found is None or found.group(2) is None:
        raise ValueError(value)
    datetime.fromisoformat(value).astimezone(UTC)
    return value


def _moment(value: str, zone: ZoneInfo) -> str:
    if _MOMENT.fullmatch(value) is None:
        raise ValueError(value)
    moment = datetime.fromisoformat(value)
    return _spell((moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(zone))


def _spell(moment: datetime, precision: str = "auto") -> str:
    """Return a moment in ISO 8601; local mean times of long ago get whole minutes (RFC 3339 knows no other offset)."""
    offset = moment.utcoffset() or timedelta()
    if offset.seconds % 60:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=offset // timedelta(minutes=1))))
    return moment.isoformat(timespec=precision)


def _epoch(per_second: int, form: str, zone: ZoneInfo, *, text: bool) -> Pair:
    def read(value: object) -> str:
        if value is None or isinstance(value, bool):
            raise refuse_type(value, "integer")
        number = read_integer(value)
        try:
            moment = datetime.fromtimestamp(number // per_second, zone)
        except (ValueError, OverflowError, OSError) as error:
            raise Bad("date", value, date=form) from error
        if number % per_second:
            return _spell(moment.replace(microsecond=number % per_second * 1000), "milliseconds")
        return _spell(moment, "seconds")

    def write(value: object) -> int | str:
        try:
            moment = datetime.fromisoformat(_canonical_moment(need_text(value)))
        except (ValueError, OverflowError) as error:
            raise Bad("date", value, date=_SHOWN["datetime"]) from error
        number = int(moment.timestamp()) if per_second == 1 else round(moment.timestamp() * 1000)
        return str(number) if text else number

    return Pair(read=Step(run=read), write=Step(run=write), form=Form(kind="datetime"), exact=False)
