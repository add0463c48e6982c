"""The ids a request is followed by."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.trace import caller, follow, state

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


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (["a=1"], "a=1"),
        (["a=1", "b=2"], "a=1,b=2"),
        (["a=1 , ,b@c= x y"], "a=1,b@c= x y"),
        (["0x@v=1"], "0x@v=1"),
        ([], ""),
        (["A=1"], ""),
        (["a"], ""),
        (["a=1,b=é"], ""),
        (["a=1\x00"], ""),
        ([",".join(f"k{n}=1" for n in range(32))], ",".join(f"k{n}=1" for n in range(32))),
        ([",".join(f"k{n}=1" for n in range(33))], ""),
        ([f"a={'x' * 257}"], ""),
    ],
)
def test_a_tracestate_is_sent_on_whole_or_not_at_all(sent, kept):
    headers = [(b"host", b"x"), *((b"tracestate", each.encode("latin-1")) for each in sent)]
    assert state(headers) == kept


@given(st.binary(max_size=80))
def test_any_other_tracestate_is_harmless(sent):
    kept = state([(b"tracestate", sent)])
    assert all(" " <= each <= "~" for each in kept)


def test_the_caller_is_known_only_where_its_trace_goes_on():
    sent = f"00-{TRACE}-{SPAN}-01".encode()
    assert caller(sent, follow(None, sent)[1]) == SPAN
    assert caller(b"nonsense", follow(None, b"nonsense")[1]) == ""
    assert caller(None, follow(None, None)[1]) == ""
