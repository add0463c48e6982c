"""Public holidays and days off by decree ("cuti bersama") by country and year; knows no agency."""

from collections.abc import Mapping
from datetime import date
from functools import cache

_CATEGORIES = ("public", "government")


def check_country(country: str) -> None:
    """Raise ValueError unless this country's holidays are known; the first call loads the package (0.4 s, 42 MB)."""
    import holidays  # noqa: PLC0415 - slow to import, and not needed where no agency has hours

    if country not in holidays.list_supported_countries(include_aliases=False):
        raise ValueError(f'no holidays are known for "{country}"; write a country\'s two capital letters, such as "ID"')


def holiday(country: str, day: date) -> str | None:
    """Return the holiday's name, in Indonesian where the country's list has it, or None on an ordinary day."""
    return _of_year(country, day.year).get(day)


@cache
def _of_year(country: str, year: int) -> Mapping[date, str]:
    import holidays  # noqa: PLC0415 - slow to import, and not needed where no agency has hours

    known = holidays.country_holidays(country)
    return dict(
        holidays.country_holidays(
            country,
            years=year,
            categories=[category for category in _CATEGORIES if category in known.supported_categories],
            # Without a language the package takes the process's locale.
            language="id" if "id" in known.supported_languages else known.default_language,
        )
    )
