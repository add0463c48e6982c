"""What a row that comes back mended says of the records it was."""

import pytest

from gateway.mended import handed_back_as, records_mended, reference_mended

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
