"""Public holidays and days off by decree ("cuti bersama") by country and year; knows no agency."""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

_SPAN = 10
"""Years that are listed together: starting a process costs half a second, a year more next to nothing."""


def check_country(country: str) -> None:
    """Raise ValueError unless this country's holidays are known. Blocks: the first call lists them (0.5 s)."""
    today = date.today().year  # noqa: DTZ011 - which decade to list first
    if _listed(country, today - today % _SPAN) is None:
        raise ValueError(f'no holidays are known for "{country}"; write a country\'s two capital letters, such as "ID"')


def holiday(country: str, day: date) -> str | None:
    """Return the holiday's name, in Indonesian where the country's list has it, or None on an ordinary day."""
    return (_listed(country, day.year - day.year % _SPAN) or {}).get(day)


@cache
def _listed(country: str, first: int) -> Mapping[date, str] | None:
    """List ten years by a process of its own: the package takes 42 MB that would otherwise stay."""
    # -P: this folder holds a calendar.py, which must not stand in for the standard one.
    script = str(Path(__file__).with_name("listing.py"))
    program = [sys.executable, "-P", script, country, str(first), str(first + _SPAN - 1)]
    listed = json.loads(subprocess.run(program, check=True, capture_output=True).stdout)  # noqa: S603 - our own file
    return None if listed is None else {date.fromisoformat(day): name for day, name in listed.items()}
