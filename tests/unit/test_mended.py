"""What a row that comes back mended says of the records it was."""

import pytest

from gateway.mended import SHEET, handed_back_as, is_lost, is_whole, records_mended, reference_mended, shown_line

A, B = "r-0123456789ab", "r-ba9876543210"


@pytest.mark.parametrize(
    ("of", "line", "records"),
    [
        (A, "5", (f"{A}:5",)),
        (f"{B} {A}:5", "2", (f"{B}:2", f"{A}:5")),
        (f"  {B}\t{A}:5 ", "2", (f"{B}:2", f"{A}:5")),
        (f"{B} {A}:5 =1+1 {A} r-x:5 {A}:x", "2", (f"{B}:2", f"{A}:5")),
        (A, "", ()),
        (f"{B} {A}:5", "", (f"{A}:5",)),
        ("", "5", ()),
    ],
)
def test_a_row_names_the_records_that_it_was_the_newest_first(of: str, line: str, records: tuple[str, ...]) -> None:
    assert records_mended(of, line) == records
    assert reference_mended(of) == (of.split() or [""])[0]


def test_what_is_handed_back_again_names_all_it_was() -> None:
    again = handed_back_as(B, records_mended(A, "5"))
    assert (again, records_mended(again, "2")) == (f"{B} {A}:5", (f"{B}:2", f"{A}:5"))


@pytest.mark.parametrize(
    ("line", "shown"), [(5, "5"), (SHEET, str(SHEET)), (SHEET + 1, "1 (rejected 2)"), (2 * SHEET + 7, "7 (rejected 3)")]
)
def test_a_line_of_a_further_sheet_says_in_which_it_is_and_is_no_other_s(line: int, shown: str) -> None:
    assert shown_line(line) == shown
    assert records_mended(A, shown) == (f"{A}:{line}",)


def test_a_row_of_which_nobody_can_tell_what_it_was_says_so_and_whom_it_mends() -> None:
    lost = handed_back_as(B, (), lost=True)
    assert is_lost(lost)
    assert (reference_mended(lost), records_mended(lost, "2")) == (B, (f"{B}:2",))
    assert not is_lost(handed_back_as(B, (f"{A}:5",)))


@pytest.mark.parametrize(
    ("of", "line", "whole"),
    [
        (A, "5", True),
        (f"{B} {A}:5", "2 (rejected 2)", True),
        (f"{A}x", "5", False),
        (A, "", False),
        ("", "5", False),
        (A, "5;6", False),
    ],
)
def test_columns_are_whole_only_as_they_were_handed_back(of: str, line: str, whole: bool) -> None:
    assert is_whole(of, line) is whole
