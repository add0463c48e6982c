"""Feeds whose patterns meet in one drop: told exactly, as fnmatch takes them."""

from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.load import load
from gateway.overlap import meeting, overlapping

CONFIG = """
[gateway]
listen = "127.0.0.1:0"
"""
AGENCY = """
[agency.{name}]
adapter = "csv"
drop    = "{drop}"
mapping = "m.toml"
"""
FEED = '[agency.{name}.feed.{feed}]\nfiles = "{files}"\n'


@pytest.mark.parametrize(
    ("first", "second", "both", "only_first", "only_second"),
    [
        ("stok_*.csv", "stok_*.csv", "stok_.csv", False, False),
        ("stok_*.csv", "stok_obat_*.csv", "stok_obat_.csv", True, False),
        ("stok_obat_*.csv", "stok_*.csv", "stok_obat_.csv", False, True),
        ("stok_*.csv", "*_rsud.csv", "stok_rsud.csv", True, True),
        ("stok_*.csv", "stok_*.xlsx", None, True, True),
        ("stok_[0-9]*.csv", "stok_[a-z]*.csv", None, True, True),
        ("stok_[0-5]*.csv", "stok_[!0-4]*.csv", "stok_5.csv", True, True),
        ("stok_??.csv", "stok_?.csv", None, True, True),
        ("*", "imunisasi_2026????.csv", "imunisasi_20260000.csv", True, False),
        ("a[.csv", "a*.csv", "a[.csv", False, True),
        ("a[]-]b", "a]b", "a]b", True, False),
    ],
)
def test_patterns_are_compared_by_all_names_that_fit_them(
    first: str, second: str, both: str | None, *, only_first: bool, only_second: bool
) -> None:
    met = meeting(first, second)
    assert (met.both is None, met.only_first, met.only_second) == (both is None, only_first, only_second)
    if met.both is not None:
        assert fnmatchcase(met.both, first)
        assert fnmatchcase(met.both, second)


PATTERNS = st.text("ab*?[]!-", max_size=6)


@given(first=PATTERNS, second=PATTERNS, names=st.lists(st.text("abc[]!-", max_size=6), max_size=20))
def test_no_name_contradicts_what_is_said_of_two_patterns(first: str, second: str, names: list[str]) -> None:
    met = meeting(first, second)
    if met.both is not None:
        assert fnmatchcase(met.both, first)
        assert fnmatchcase(met.both, second)
    for name in names:
        fits = (fnmatchcase(name, first), fnmatchcase(name, second))
        assert met.both is not None or fits != (True, True)
        assert met.only_first or fits != (True, False)
        assert met.only_second or fits != (False, True)


def found(folder: Path, text: str) -> list[tuple[bool, str]]:
    (folder / "gateway.toml").write_text(CONFIG + text, "utf-8")
    return [(finding.warning, finding.what) for finding in overlapping(load(folder / "gateway.toml", {}))]


def feeds(*patterns: str, name: str = "rsud", drop: str = "drops/rsud") -> str:
    made = (FEED.format(name=name, feed=f"f{number}", files=files) for number, files in enumerate(patterns))
    return AGENCY.format(name=name, drop=drop) + "".join(made)


def test_a_feed_that_never_gets_a_file_must_be_changed(tmp_path: Path) -> None:
    for wider, narrower in (("stok_*.csv", "Stok_*.CSV"), ("stok_*.csv", "stok_obat_*.csv")):
        ((warning, what),) = found(tmp_path, feeds(wider, narrower))
        assert not warning
        assert what.startswith("agency.rsud.feed.f1.files: no file is ever its own")


def test_the_narrower_first_is_how_to_say_which_is_which_and_what_only_meets_is_to_be_considered(
    tmp_path: Path,
) -> None:
    assert found(tmp_path, feeds("stok_obat_*.csv", "stok_*.csv")) == []
    assert found(tmp_path, feeds("stok_*.csv", "resep_*.csv")) == []
    ((warning, what),) = found(tmp_path, feeds("stok_*.csv", "*_rsud.csv"))
    assert warning
    assert 'a file called "stok_rsud.csv" fits f0 as well' in what


def test_two_agencies_in_one_folder_must_not_take_each_others_files(tmp_path: Path) -> None:
    ours, theirs = feeds("*.csv", drop="drops/x"), feeds("stok_*.csv", name="dinkes", drop="./drops//x/")
    ((warning, what),) = found(tmp_path, ours + theirs)
    assert not warning
    assert "agency.dinkes.feed.f0.files" in what
    assert "fits rsud/f0 as well" in what
    assert found(tmp_path, ours + feeds("stok_*.csv", name="dinkes", drop="drops/y")) == []
