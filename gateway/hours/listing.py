"""Prints a country's days off as JSON. Run in a process of its own, with which the package's 42 MB go again."""

import json
import sys

CATEGORIES = ("public", "government")


def listing(country: str, first: int, last: int) -> dict[str, str] | None:
    """Return the name of each day off of these years by ISO date, None for a country that isn't known."""
    import holidays  # noqa: PLC0415 - only the process that lists them needs it

    if country not in holidays.list_supported_countries(include_aliases=False):
        return None
    known = holidays.country_holidays(country)
    found = holidays.country_holidays(
        country,
        years=range(first, last + 1),
        categories=[category for category in CATEGORIES if category in known.supported_categories],
        # Without a language the package takes the process's locale.
        language="id" if "id" in known.supported_languages else known.default_language,
    )
    return {day.isoformat(): name for day, name in found.items()}


if __name__ == "__main__":
    json.dump(listing(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])), sys.stdout)
