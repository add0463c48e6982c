from decimal import Decimal

import pytest

from gateway.translate.convert import Bad, Pair
from gateway.translate.numbers import numbers, problem


def read(pair: Pair, value: object) -> object:
    assert pair.read is not None
    return pair.read.run(value)


def write(pair: Pair, value: object) -> object:
    assert pair.write is not None
    return pair.write.run(value)


BOTH_WAYS = [
    ("1.234,56", "1.250.000,50", "1250000.50"),
    ("1.234,56", "-0,05", "-0.05"),
    ("1,234.56", "1,250,000.50", "1250000.50"),
    ("1234.56", "1250000.50", "1250000.50"),
    ("1234,56", "12,30", "12.30"),
    ("1.234", "1.250.000", "1250000"),
    ("1234", "007", "7"),
    ("Rp1.234,56", "Rp25.000,00", "25000.00"),
    ("Rp. 1.234", "Rp. 25.000", "25000"),
    ("Rp1.234", "-Rp25.000", "-25000"),
    ("1234,5", "4,1", "4.1"),
]


@pytest.mark.parametrize(("form", "theirs", "ours"), BOTH_WAYS)
def test_a_number_is_read_and_written(form: str, theirs: str, ours: str) -> None:
    pair = numbers(form, number=False)
    found = read(pair, theirs)
    assert isinstance(found, Decimal)
    assert found == Decimal(ours)
    assert write(pair, found) == (theirs.lstrip("0") if theirs == "007" else theirs)


def test_digits_after_the_point_are_kept_and_may_be_left_out() -> None:
    pair = numbers("1.234,56", number=False)
    assert str(read(pair, "25.000,00")) == "25000.00"
    assert str(read(pair, "25.000")) == "25000"


@pytest.mark.parametrize(
    ("form", "theirs"),
    [
        ("1.234,56", "Rp 25.000"),
        ("1.234,56", "1,234.56"),
        ("1.234,56", "12.50"),
        ("1.234,56", "1.2500,00"),
        ("1.234,56", ""),
        ("1.234,56", " 1"),
        ("1.234,56", "\u0661"),
        ("1234", "1" * 41),
        ("1234.56", "1e5"),
        ("1234.56", "NaN"),
    ],
)
def test_text_in_another_format_is_refused(form: str, theirs: str) -> None:
    with pytest.raises(Bad) as refused:
        read(numbers(form, number=False), theirs)
    assert (refused.value.rule, refused.value.params) == ("number", {"number": form})


@pytest.mark.parametrize(
    ("form", "theirs", "rule", "params"),
    [
        ("1.234,56", "100000", "number-group", {"number": "1.234,56", "sign": "."}),
        ("1.234,56", "1250000,50", "number-group", {"number": "1.234,56", "sign": "."}),
        ("Rp1,234", "-Rp1000", "number-group", {"number": "Rp1,234", "sign": ","}),
        ("1.234,56", "1,005", "decimals", {"most": "2"}),
        ("1.234,5", "1.250,00", "decimals", {"most": "1"}),
        ("1234,5", "12,50", "decimals", {"most": "1"}),
        ("1.234,56", "1250000,505", "number", {"number": "1.234,56"}),
        ("1.234", "1.234,5", "number", {"number": "1.234"}),
    ],
)
def test_what_is_nearly_of_a_form_is_told_what_it_lacks(
    form: str, theirs: str, rule: str, params: dict[str, str]
) -> None:
    with pytest.raises(Bad) as refused:
        read(numbers(form, number=False), theirs)
    assert (refused.value.rule, refused.value.params) == (rule, params)


def test_a_json_number_is_fine_and_other_kinds_are_not() -> None:
    pair = numbers("1.234,56", number=False)
    assert read(pair, 5) == 5
    assert read(pair, Decimal("5.5")) == Decimal("5.5")
    for wrong in (True, 5.5, None, [], Decimal("NaN"), Decimal("1e400")):
        with pytest.raises(Bad):
            read(pair, wrong)


@pytest.mark.parametrize("ours", [Decimal("0.005"), Decimal("1e500"), Decimal("Infinity"), "5", True, None, 0.5])
def test_nothing_is_rounded_on_the_way_out(ours: object) -> None:
    with pytest.raises(Bad):
        write(numbers("1.234,56", number=False), ours)


def test_long_numbers_keep_every_digit() -> None:
    pair = numbers("1.234,56", number=False)
    text = "9.876.543.210.987.654.321.098.765.432.109.876,54"
    assert write(pair, read(pair, text)) == text
    assert write(pair, -(10**36)) == "-1" + ".000" * 12 + ",00"


def test_a_native_number_is_written_as_a_number() -> None:
    assert write(numbers("1.234,56", number=True), Decimal("1.005")) == Decimal("1.005")


def test_formats_are_judged_when_they_are_loaded() -> None:
    assert problem("1.234,56") == ""
    assert problem("#.###") != ""
    assert problem("1.234.56") != ""
