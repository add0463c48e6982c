"""The ids a request is followed by."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.trace import follow

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
MADE = re.compile("00-([0-9a-f]{32})-([0-9a-f]{16})-0[01]")


@pytest.mark.parametrize(
    ("sent", "flags"),
    [
        (f"00-{TRACE}-{SPAN}-01", "01"),
        (f"00-{TRACE}-{SPAN}-00", "00"),
        (f"00-{TRACE}-{SPAN}-ff", "01"),
        (f"01-{TRACE}-{SPAN}-01-more", "01"),
    ],
)
def test_a_valid_trace_is_kept_under_a_new_span(sent, flags):
    correlation_id, made = follow(None, sent.encode())
    found = MADE.fullmatch(made)
    assert found
    assert found[1] == TRACE == correlation_id
    assert found[2] != SPAN
    assert made.endswith(flags)


@pytest.mark.parametrize(
    "sent",
    [
        "",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_an_invalid_trace_is_replaced(sent):
    _, made = follow(None, sent.encode())
    assert MADE.fullmatch(made)
    assert TRACE not in made


@given(st.binary(max_size=80))
def test_only_a_harmless_correlation_id_is_taken(sent):
    taken, _ = follow(sent, None)
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", taken)
    if re.fullmatch(rb"[A-Za-z0-9._-]{1,64}", sent) and not re.search(rb"\d{16}", sent):
        assert taken == sent.decode()


@pytest.mark.parametrize("sent", [b"1405020101809001", b"loket-1405020101809001.x"])
def test_a_nik_is_no_correlation_id(sent):
    assert b"1405020101809001" not in follow(sent, None)[0].encode()


def test_a_long_number_is_a_correlation_id():
    assert follow(b"20261124041845123456", None)[0] == "20261124041845123456"
