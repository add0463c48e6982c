"""What is judged quickly is judged exactly as by the lexical types."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.soap import quick
from adapters.soap.lexical import TYPES, with_zone

NAMES = sorted(TYPES)
NEAR = st.sampled_from(
    [
        "2026-03-14T09:26:53+07:00",
        "2026-03-14T09:26:53Z",
        "2026-03-14T09:26:53",
        "2026-03-14T24:00:00+07:00",
        "2026-03-14 09:26:53+07:00",
        "2026-03-14T092653.12+07:00",
        "2026-03-14T09:26:53.12345",
        "2026-03-14T09:26:53+15:00",
        "2026-W11-6T09:26:53+07:00",
        "2026-03-14",
        "20260314",
        "2026-W11-6",
        "2026-02-30",
        "1250000.50",
        ".5",
        "5.",
        ".",
        "1e5",
        "+7",
        "-7",
        "007",
        "٣",
        "²",
        "1_000",
        "99999999999999999999",
        "4294967296",
        "true",
        "1",
        "TRUE",
        " 7 ",
        "",
    ]
)
TEXTS = NEAR | st.text(alphabet="0123456789-+:.TZ ٣e_") | st.builds(lambda a, b: a[:-1] + b, NEAR, st.text(max_size=2))


def outcome(read: Any, text: str) -> Any:
    try:
        return read(text)
    except ValueError:
        return ValueError


@pytest.mark.parametrize("name", NAMES)
@given(text=TEXTS)
def test_a_text_is_read_as_its_lexical_reads_it(name: str, text: str) -> None:
    def slow(text: str) -> Any:
        value = TYPES[name].read(text)
        return with_zone(str(value), None) if name == "dateTime" else value

    mine, theirs = outcome(quick.reader(name), text), outcome(slow, text)

    assert (mine, str(mine), type(mine)) == (theirs, str(theirs), type(theirs))
