"""Inflating: every coding in pieces of every size, and nothing beyond what was asked for."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.inflate import Unreadable, coding

TEXT = bytes(range(256)) * 5


def raw(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


WAYS = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "x-gzip": ("X-GZip", gzip.compress(TEXT)),
    "members": ("gzip", gzip.compress(TEXT[:7]) + gzip.compress(b"") + gzip.compress(TEXT[7:])),
    "padded": ("gzip", gzip.compress(TEXT) + bytes(9)),
    "deflate": ("deflate", zlib.compress(TEXT)),
    "raw": ("deflate", raw(TEXT)),
}


@pytest.mark.parametrize("way", WAYS)
@given(data=st.data())
def test_pieces_of_any_size_make_the_whole(way: str, data: st.DataObject) -> None:
    name, packed = WAYS[way]
    step = data.draw(st.integers(1, len(packed)))
    packing = coding(name)
    assert packing
    found = b"".join(packing.feed(packed[at : at + step], len(TEXT)) for at in range(0, len(packed), step))
    assert found == TEXT
    assert packing.done


@pytest.mark.parametrize("way", ["gzip", "members", "deflate", "raw"])
def test_a_stream_cut_short_is_not_done(way: str) -> None:
    name, packed = WAYS[way]
    packing = coding(name)
    assert packing
    packing.feed(packed[:-1], len(TEXT))
    assert not packing.done


@pytest.mark.parametrize("way", WAYS)
def test_no_more_than_one_byte_over_the_room_is_inflated(way: str) -> None:
    name, packed = WAYS[way]
    packing = coding(name)
    assert packing
    assert packing.feed(packed, 100) == TEXT[:101]


@pytest.mark.parametrize("name", ["gzip", "deflate"])
@given(junk=st.binary(min_size=1, max_size=64))
def test_junk_behind_a_stream_is_refused(name: str, junk: bytes) -> None:
    packed = WAYS[name][1]
    if name == "gzip" and not junk.strip(b"\0"):
        return
    packing = coding(name)
    assert packing
    try:
        packing.feed(packed + junk, len(TEXT) + 100)
    except Unreadable:
        return
    assert not packing.done


@pytest.mark.parametrize("name", ["br", "zstd", "gzip, gzip", "compress"])
def test_a_coding_nobody_asked_for_is_refused(name: str) -> None:
    with pytest.raises(Unreadable):
        coding(name)


@pytest.mark.parametrize("name", ["", " identity ", "UTF-8", "none"])
def test_what_names_no_coding_is_plain(name: str) -> None:
    assert coding(name) is None
