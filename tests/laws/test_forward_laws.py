"""Rows that are sent on: each is put once, however its file is cut, comes again, or has others between."""

from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.forward_rows import PackedForward, decided

ROW = st.tuples(st.sampled_from("ab"), st.sampled_from("12"))
FILES = st.lists(st.lists(ROW, max_size=6), min_size=1, max_size=3)
TAKEN = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.booleans()), min_size=1, max_size=6)
"""Which file is taken in, in portions of what length, and whether it is cut off after the first."""


@dataclass(frozen=True)
class Content:
    """What `decided` reads of a message, and which one it is."""

    body_hash: bytes
    place: bytes
    key: bytes


def packed(file: int, rows: list[tuple[str, str]], *, keyed: bool) -> list[PackedForward]:
    return [
        PackedForward(
            packed=cast("Any", Content(value.encode(), f"{file}:{number}".encode(), key.encode())),
            place=f"{file}:{number}".encode(),
            record=None,
            mends=(),
            key=key.encode() if keyed else None,
        )
        for number, (key, value) in enumerate(rows)
    ]


def put(files: list[list[tuple[str, str]]], taken: list[tuple[int, int, bool]], *, keyed: bool) -> list[Content]:
    known: dict[bytes, bytes] = {}
    found: list[Content] = []
    for file, length, cut in taken:
        rows = packed(file % len(files), files[file % len(files)], keyed=keyed)
        for first in range(0, len(rows), length):
            said = decided(rows[first : first + length], known)
            known |= said.marks
            found += cast("list[Content]", said.fresh)
            if cut:
                break
    return found


@given(files=FILES, taken=TAKEN)
def test_without_a_key_every_record_of_a_file_that_was_taken_whole_is_put_once(
    files: list[list[tuple[str, str]]], taken: list[tuple[int, int, bool]]
) -> None:
    found = [one.place for one in put(files, taken, keyed=False)]
    assert len(found) == len(set(found))
    for file in {file % len(files) for file, _, cut in taken if not cut}:
        mine = [place for place in found if place.startswith(b"%d:" % file)]
        assert mine == [f"{file}:{number}".encode() for number in range(len(files[file]))]


@given(files=FILES, taken=TAKEN)
def test_with_a_key_no_content_is_put_twice_running_and_the_last_that_came_was_put(
    files: list[list[tuple[str, str]]], taken: list[tuple[int, int, bool]]
) -> None:
    found = put(files, taken, keyed=True)
    assert len({one.place for one in found}) == len(found)
    last = {}
    for key, group in groupby(sorted(found, key=lambda one: one.key), key=lambda one: one.key):
        ours = [one.body_hash for one in group]
        assert all(one != other for one, other in pairwise(ours))
        last[key] = ours[-1]
    expected: dict[bytes, bytes] = {}
    seen: set[tuple[int, int]] = set()
    for file, length, cut in taken:
        rows = files[file % len(files)]
        for number, (key, value) in enumerate(rows[:length] if cut else rows):
            if (file % len(files), number) not in seen:
                seen.add((file % len(files), number))
                expected[key.encode()] = value.encode()
    assert last == expected
