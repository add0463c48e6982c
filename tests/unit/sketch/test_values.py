"""What all values of a column have in common."""

import pytest

from gateway.sketch.values import born, date_form, flags, number_form, short_date, whole


@pytest.mark.parametrize(
    ("values", "form", "others"),
    [
        (["05/04/2021", "31/12/2021"], "dd/mm/yyyy", ()),
        (["05-04-2021", "12-31-2021"], "mm-dd-yyyy", ()),
        (["2021-04-05", "2021-12-31"], "yyyy-mm-dd", ()),
        (["20210405", "20211231"], "yyyymmdd", ()),
        (["05.04.2021"], "dd.mm.yyyy", ("mm.dd.yyyy",)),
        (["2021-04-05 10:15:00", "2021-04-30 00:00:00"], "yyyy-mm-dd HH:MM:SS", ()),
        (["2021-04-05T10:15:00+07:00"], "iso", ()),
        (["08:30", "16:00"], "HH:MM", ()),
    ],
)
def test_dates_are_recognised_by_the_form_that_fits_all_of_them(
    values: list[str], form: str, others: tuple[str, ...]
) -> None:
    found = date_form(values)

    assert found is not None
    assert (found.form, found.others) == (form, others)


def test_one_mistake_among_many_dates_is_told_and_many_make_them_none() -> None:
    dates = [f"{day:02}/04/2021" for day in range(1, 31)]

    found = date_form([*dates, "belum"])

    assert found is not None
    assert (found.form, found.misfits) == ("dd/mm/yyyy", (30,))
    assert date_form([*dates, *["belum"] * 9]) is None
    assert date_form(["0405", "SITI"]) is None


def test_dates_without_all_digits_are_known_to_be_unreadable() -> None:
    assert date_form(["5/4/2021", "10/11/2021"]) is None
    assert short_date(["5/4/21", "10/11/2021"])
    assert not short_date(["5/4/21", "besok"])


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["1.250.000,50", "4,5"], "1.234,56"),
        (["1,250,000.50"], "1,234.56"),
        (["1250,5", "3,2"], "1234,56"),
        (["1250.5"], "1234.56"),
        (["1.250", "12.000", "5"], "1.234"),
        (["Rp1.250.000", "Rp500"], "Rp1.234"),
        (["Rp 1.250,00"], "Rp 1.234,56"),
        (["0.412345", "102.123456"], "1234.567891"),
        (["1250", "3"], None),
        (["3,x"], None),
    ],
)
def test_numbers_are_recognised_by_their_signs(values: list[str], form: str | None) -> None:
    found = number_form(values)

    assert (found and found.form) == form


def test_a_number_that_may_be_two_is_said_to_be() -> None:
    found = number_form(["1.250"])

    assert found is not None
    assert "1234.567" in found.others


def test_whole_numbers_have_no_zero_before_them() -> None:
    assert whole(["0", "12", "-3"])
    assert not whole(["012"])
    assert not whole(["12345678901234567"])


@pytest.mark.parametrize(
    ("values", "pair"),
    [
        (["Y", "T", "T"], ("Y", "T")),
        (["ya", "tidak"], ("ya", "tidak")),
        (["Ya", "Tidak"], ("Ya", "Tidak")),
        (["1", "0"], ("1", "0")),
        (["Y"], None),
        (["Y", "T", "?"], None),
    ],
)
def test_yes_and_no_are_recognised_when_both_were_seen(values: list[str], pair: tuple[str, str] | None) -> None:
    assert flags(values) == pair


def test_a_nik_has_a_date_of_birth_and_a_womans_day_has_forty_more() -> None:
    assert born("1405025205909001", 6)
    assert born("1405021205909001", 6)
    assert not born("1405023513909001", 6)
