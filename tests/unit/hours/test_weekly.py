"""Service hours as people write them."""

import pytest

from gateway.hours import Hours

MORNING, WHOLE = (7 * 60 + 30, 16 * 60), (0, 24 * 60)


def test_english_and_indonesian_days_read_the_same() -> None:
    english = Hours.parse("Mon-Thu 07:30-16:00; Fri 07:30-11:30,13:00-16:30")
    assert english == Hours.parse("Sen-Kam 07.30-16.00; Jum'at 7:30-11:30, 13:00 - 16:30;")
    assert english.week[0] == (MORNING,)
    assert english.week[4] == ((450, 690), (780, 990))
    assert english.week[5:] == ((), ())


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Senin-Minggu 00:00-24:00", {0, 1, 2, 3, 4, 5, 6}),
        ("monday, WEDNESDAY, Jumat 00:00-24:00", {0, 2, 4}),
        ("Sel-Rab,Sab 00:00-24:00", {1, 2, 5}),
        ("Min 00:00-24:00; Ahad 00:00-24:00", None),
        ("Tue\u2013Thu 00:00\u201324:00", {1, 2, 3}),
    ],
)
def test_days_are_names_lists_and_spans(text: str, days: set[int] | None) -> None:
    if days is None:
        with pytest.raises(ValueError, match="overlap"):
            Hours.parse(text)
    else:
        assert {day for day, ranges in enumerate(Hours.parse(text).week) if ranges == (WHOLE,)} == days


def test_a_day_may_be_named_twice_when_its_times_are_apart() -> None:
    hours = Hours.parse("Mon-Fri 13:00-16:00; Mon 08:00-12:00; Mon 16:00-17:00")
    assert hours.week[0] == ((480, 720), (780, 960), (960, 1020))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must be service hours such as"),
        (" ; ", "must be service hours such as"),
        (8, "must be service hours such as"),
        ("07:30-16:00", '"07:30-16:00" must be service hours such as "Mon-Thu'),
        ("Mon-Fri", '"Mon-Fri" must be service hours such as "Mon-Thu'),
        ("Mon-Fry 07:30-16:00", '"Fry" is not a day; write Mon, Tue,'),
        ("Mon, 07:30-16:00", '"" is not a day'),
        ("Mon 07:30", '"07:30" is not a range of times; write it as "07:30-16:00"'),
        ("Mon 07:30-16:00,", '"" is not a range of times'),
        ("Mon 07:60-16:00", '"07:60" is not a time; write 00:00 to 24:00'),
        ("Mon 07:30-24:01", '"24:01" is not a time'),
        ("Mon 08:00-08:00", "is empty"),
        ("Mon 08:00-00:00", "write 24:00 for the end of the day"),
        ("Fri-Mon 08:00-12:00", '"Fri-Mon" runs over the end of the week; write "Mon,Fri-Sun"'),
        ("Sun-Thu 08:00-12:00", 'write "Mon-Thu,Sun"'),
        ("Mon-Fri 07:30-16:00; Fri 07:30-11:30", "Fri: 07:30-11:30 and 07:30-16:00 overlap"),
    ],
)
def test_a_finding_says_what_to_write(text: object, says: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is compared below
        Hours.parse(text)
    assert says in str(error.value)


def test_hours_over_midnight_are_refused_with_the_two_ranges_to_write() -> None:
    with pytest.raises(ValueError, match="over midnight") as error:
        Hours.parse("Fri,Sun 22:00-06:30")
    remedy = "Fri,Sun 22:00-24:00; Mon,Sat 00:00-06:30"
    assert f'"{remedy}"' in str(error.value)
    assert Hours.parse(remedy).week[4:] == (((1320, 1440),), ((0, 390),), ((1320, 1440),))


def test_every_finding_is_told_at_once() -> None:
    with pytest.raises(ValueError, match=r'"Mo" is not a day.*; "25:00" is not a time.*; Fri: .* overlap'):
        Hours.parse("Mo 08:00-09:00; Tue 08:00-25:00; Fri 08:00-10:00,09:00-11:00")
