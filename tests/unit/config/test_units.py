"""How often files come, as people write it."""

import pytest

from gateway.config.units import Every

DAY = 86400.0


@pytest.mark.parametrize(
    ("text", "every"),
    [
        ("1 working day", Every(working_days=1)),
        ("2 working days", Every(working_days=2)),
        ("3 hari kerja", Every(working_days=3)),
        ("1 day", Every(seconds=DAY)),
        ("7 days", Every(seconds=7 * DAY)),
        ("2 hari", Every(seconds=2 * DAY)),
        ("1d", Every(seconds=DAY)),
        ("6h", Every(seconds=6 * 3600.0)),
        ("30 min", Every(seconds=1800.0)),
    ],
)
def test_how_often_a_file_comes_is_written_as_people_say_it(text: str, every: Every) -> None:
    assert Every.parse(text) == every


@pytest.mark.parametrize("text", ["0 days", "daily", "1 week", "", "0 working days", 5, None])
def test_what_is_no_time_says_what_to_write(text: object) -> None:
    with pytest.raises(ValueError, match='"1 working day", "2 hari kerja", "1 day", "6h" or "30 min"'):
        Every.parse(text)
