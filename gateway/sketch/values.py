"""What all values of a column have in common: a form of dates, of numbers, of yes and no; knows no names, no TOML."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from zoneinfo import ZoneInfo

from gateway.translate.convert import Bad
from gateway.translate.dates import dates
from gateway.translate.numbers import numbers

ENOUGH = 0.95
"""The share of values that must fit a form; the rest are said to be mistakes."""
ROUNDED = re.compile(r"[0-9]([.,][0-9]+)?[Ee]\+?[0-9]+")
"""A long number as Excel shows it: its last digits are lost."""
_UTC = ZoneInfo("UTC")
_YEARS = range(1900, 2101)
_DAYS = ("dd{0}mm{0}yyyy", "yyyy{0}mm{0}dd", "mm{0}dd{0}yyyy")
_CLOCKS = ("", " HH:MM", " HH:MM:SS", " HH.MM", " HH.MM.SS", "THH:MM:SS")
_TIMES = ("HH:MM", "HH:MM:SS", "HH.MM", "HH.MM.SS")
_SHORT = re.compile(r"[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ]([0-9]{2}|[0-9]{4})( .*)?")
_FLAGS = ("Y/T", "Y/N", "YA/TIDAK", "YES/NO", "TRUE/FALSE", "T/F", "1/0", "ADA/TIDAK ADA", "SUDAH/BELUM")
_AMOUNT = re.compile(r"(?P<sign>-?)(?P<before>(?:Rp\.? ?)?)(?P<digits>[0-9][0-9.,']*)")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,14}")
_MOST_DECIMALS = 6
_WOMAN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitting:
    """The form that fits, which others do as well, and the positions of values that it does not fit."""

    form: str
    others: tuple[str, ...] = ()
    misfits: tuple[int, ...] = ()


def date_form(values: Sequence[str]) -> Fitting | None:
    """Return how dates, times or moments are written: the form that fits the most, those with the day first before."""
    found = _best(values, _date_forms(values), _read_date)
    return (
        found if found is not None else _best(values, _TIMES if ":" in values[0] or "." in values[0] else (), _reader)
    )


def short_date(values: Sequence[str]) -> bool:
    """Tell whether values are dates that can't be read: days of one digit, years of two."""
    return all(_SHORT.fullmatch(value) for value in values)


def number_form(values: Sequence[str]) -> Fitting | None:
    """Return how numbers that are not all plain whole ones are written, as `number` takes it."""
    if not any(sign in value for value in values for sign in (".", ",", "Rp")):
        return None
    return _best(values, _number_forms(values), _read_number)


def whole(values: Sequence[str]) -> bool:
    """Tell whether all values are whole numbers without a zero before them."""
    return all(_WHOLE.fullmatch(value) for value in values)


def flags(values: Sequence[str]) -> tuple[str, str] | None:
    """Return their word for yes and for no, where there is nothing else and both were seen."""
    seen = set(values)
    for pair in _FLAGS:
        yes, no = pair.split("/")
        for fold in (str, str.lower, str.capitalize):
            if seen == {fold(yes), fold(no)}:
                return fold(yes), fold(no)
    return None


def born(digits: str, begin: int) -> bool:
    """Tell whether six digits of a NIK or a KK can be a date, ddmmyy; a woman's day of birth has 40 added."""
    day, month, year = (int(digits[begin + at : begin + at + 2]) for at in (0, 2, 4))
    day -= _WOMAN if day > _WOMAN else 0
    return _is_date(2000 + year, month, day) or _is_date(1900 + year, month, day)


def fits(values: Sequence[str], test: Callable[[str], object]) -> tuple[int, ...] | None:
    """Return the positions of the few values that fail a test, None where they are more than a few."""
    bad = tuple(at for at, value in enumerate(values) if not test(value))
    return bad if len(bad) <= len(values) * (1 - ENOUGH) else None


def _best(
    values: Sequence[str], forms: Sequence[str], read: Callable[[str], Callable[[str], object]]
) -> Fitting | None:
    tried: Mapping[str, tuple[int, ...]] = {
        form: bad for form in dict.fromkeys(forms) if (bad := fits(values, read(form))) is not None
    }
    if not tried:
        return None
    fewest = min(map(len, tried.values()))
    best, *others = [form for form, bad in tried.items() if len(bad) == fewest]
    return Fitting(form=best, others=tuple(others), misfits=tried[best])


def _date_forms(values: Sequence[str]) -> list[str]:
    signs = [sign for sign in ("-", "/", ".", " ") if any(sign in value for value in values)] or [""]
    made = [day.format(sign) + clock for sign, day, clock in product(signs, _DAYS, _CLOCKS)]
    width = max(map(len, values))
    return [form for form in made if len(form) <= width] + ["iso"] * any("T" in value for value in values)


def _read_date(form: str) -> Callable[[str], object]:
    read, at = _reader(form), form.find("yyyy")

    def test(value: str) -> bool:
        return read(value) and int(value[max(at, 0) : max(at, 0) + 4]) in _YEARS

    return test


def _reader(form: str) -> Callable[[str], bool]:
    step = dates(form, _UTC, text=True).read

    def test(value: str) -> bool:
        try:
            return step is not None and bool(step.run(value))
        except Bad:
            return False

    return test


def _number_forms(values: Sequence[str]) -> list[str]:
    found = [match for value in values if (match := _AMOUNT.fullmatch(value))]
    prefixes = dict.fromkeys(match["before"] for match in found)
    return [before + form for before in prefixes for form in _spelt([match["digits"] for match in found])]


def _spelt(texts: Sequence[str]) -> Iterator[str]:
    """Yield forms in the order of how usual they are here: a point before three digits is one of thousands."""
    thousands = [sign for sign in ".," if any(sign in text for text in texts)]
    if "." in thousands and not any(text.startswith("0") for text in texts):
        yield "1.234"
    for point, group in ((",", "."), (".", ",")):
        decimals = max((len(text.rpartition(point)[2]) for text in texts if point in text), default=0)
        if 0 < decimals <= _MOST_DECIMALS:
            after = "567891"[:decimals] if decimals > len("56") else "56"
            forms = (f"1{group}234{point}{after}", f"1234{point}{after}")
            # Coordinates and measures have many decimals, and no signs between thousands.
            yield from forms if after == "56" else reversed(forms)
    yield from (f"1{sign}234" for sign in thousands)


def _read_number(form: str) -> Callable[[str], object]:
    step = numbers(form, number=False).read

    def test(value: str) -> bool:
        try:
            return step is not None and step.run(value) is not None
        except Bad:
            return False

    return test


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True
