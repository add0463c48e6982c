"""What gateway.toml and the mapping make of a feed: how its rows are kept, found and known to be of this mapping."""

from pathlib import Path

import pytest

from gateway import app
from gateway.config.load import load
from gateway.errors import ConfigError
from gateway.metrics import Metrics
from gateway.registry import Feed

CONFIG = """
[gateway]
listen = "127.0.0.1:0"

[agency.rsud]
adapter = "csv"
drop    = "drop"
mapping = "rsud.toml"

[agency.rsud.feed.stok]
files = "stok_*.csv"
mode  = "upsert"
key   = ["kode"]
newer = "diubah"
max_reject = "row-wise"

[agency.rsud.operation.cari]
expose = "POST /v1/obat/cari"
safe   = true
call   = "stok"
"""
MAPPING = """
[stok.row]
kode   = "kode"
nama   = "nama"
diubah = { from = "diubah", date = "dd/mm/yyyy" }
jenis  = { from = "jenis", codes = "jenis" }

[cari.request]
jenis = "jenis"
nama.starts = { from = "awal", optional = true }
after = { from = "setelah", optional = true }

[cari.reply]
banyak = "count"

[codes.jenis]
"1" = "tablet"
"""


def plan(folder: Path, config: str = CONFIG, mapping: str = MAPPING) -> Feed:
    (folder / "gateway.toml").write_text(config, "utf-8")
    (folder / "rsud.toml").write_text(mapping, "utf-8")
    located = load(folder / "gateway.toml", {})
    made = app.assemble(located, clock=app.clock_of(located), metrics=Metrics())
    return made.registry.agencies["rsud"].feeds["stok"]


def test_rows_are_found_by_what_operations_ask_together_and_one_by_one(tmp_path: Path) -> None:
    feed = plan(tmp_path)
    assert feed.keeping.indexes == (("jenis", "nama"), ("nama",))
    assert (feed.keeping.mode, feed.keeping.key, feed.keeping.newer) == ("upsert", ("kode",), "diubah")
    assert feed.max_reject == 1.0


def test_what_is_asked_by_its_beginning_is_last_in_an_index_on_all(tmp_path: Path) -> None:
    begun = 'nama.starts = { from = "awal", optional = true }\n'
    asked = MAPPING.replace(begun, "").replace("[cari.request]\n", f"[cari.request]\n{begun}")
    assert plan(tmp_path, mapping=asked).keeping.indexes == (("jenis", "nama"), ("nama",))


def test_a_share_of_rejects_may_be_a_number_or_a_word(tmp_path: Path) -> None:
    for written, share in (('"all-or-nothing"', 0.0), ("0.02", 0.02)):
        assert plan(tmp_path, CONFIG.replace('"row-wise"', written)).max_reject == share


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("[stok.row]", "# moved down\n\n[stok.row]", True),
        ('banyak = "count"', 'jumlah = "count"', True),
        ('kode   = "kode"', 'kode   = "KODE"', False),
        ('"1" = "tablet"', '"1" = "sirup"', False),
        ('jenis = "jenis"\nnama', 'jenis = "jenis"\nkode = { from = "kode", optional = true }\nnama', False),
    ],
)
def test_rule_11_21_a_mapping_is_another_when_its_rows_or_what_finds_them_may_differ(
    tmp_path: Path, old: str, new: str, *, same: bool
) -> None:
    assert old in MAPPING
    changed = plan(tmp_path, mapping=MAPPING.replace(old, new, 1)).keeping.mapping
    assert (changed == plan(tmp_path).keeping.mapping) is same


@pytest.mark.parametrize(
    "rule", ['"diubah"', '{ from = "diubah", max = 10 }', '{ from = "diubah", bool = ["1", "0"] }']
)
def test_what_tells_the_newer_row_must_be_a_date_or_a_number(tmp_path: Path, rule: str) -> None:
    mapping = MAPPING.replace('{ from = "diubah", date = "dd/mm/yyyy" }', rule)
    with pytest.raises(ConfigError, match=r"gateway\.toml:\d+: rsud\.feed\.stok\.newer: .*10/1/2026.*date = "):
        plan(tmp_path, mapping=mapping)


@pytest.mark.parametrize(
    "rule", ['date = "iso"', 'date = "yyyymmdd"', "integer = true", 'number = "1.234,56"', "digits = 8"]
)
def test_whatever_has_an_order_may_tell_the_newer_row(tmp_path: Path, rule: str) -> None:
    mapping = MAPPING.replace('date = "dd/mm/yyyy"', rule)
    assert plan(tmp_path, mapping=mapping).keeping.newer == "diubah"


@pytest.mark.parametrize(("old", "new"), [('key   = ["kode"]', 'key = ["kod"]'), ('"diubah"', '"diubahh"')])
def test_a_field_that_is_none_is_told_with_the_nearest(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(ConfigError, match=r"is no field of \[stok.row\] \(did you mean"):
        plan(tmp_path, CONFIG.replace(old, new, 1))
