"""Without polars everything works but the engine of that name, and who asks for it is told what to install."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway import app

WITHOUT = """
import sys
sys.modules["polars"] = None  # as if it were not installed
from pathlib import Path
from gateway import app
for finding in app.check(Path(sys.argv[1]), {}):
    print(finding)
"""
SECTION = """
[agency.dukcapil]
adapter = "csv"
drop    = "drop"
mapping = "dukcapil.toml"
[agency.dukcapil.feed.penduduk]
files  = "penduduk_*.csv"
{more}
"""
MAPPING = '[penduduk.row]\nnik = { from = "NIK", digits = 16 }\nkota = "KOTA"\n'


def config_of(folder: Path, more: str, mapping: str = MAPPING) -> Path:
    (folder / "drop").mkdir()
    (folder / "dukcapil.toml").write_text(mapping)
    config = folder / "gateway.toml"
    config.write_text(SECTION.format(more=more))
    return config


def checked(code: str, folder: Path, more: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, str(config_of(folder, more))],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=folder,
    )
    return done.stdout


def test_without_the_extra_its_engine_is_missing(tmp_path: Path) -> None:
    told = checked(WITHOUT, tmp_path, 'engine = "polars"')
    assert "polars is not installed here" in told
    assert "make .venv/csv-fast" in told


def test_without_the_extra_nothing_else_is_missing(tmp_path: Path) -> None:
    assert "polars" not in checked(WITHOUT, tmp_path, "")


def test_polars_is_not_loaded_where_no_feed_asks_for_it(tmp_path: Path) -> None:
    code = WITHOUT.replace('sys.modules["polars"] = None', "pass") + 'print("polars" in sys.modules)'
    assert checked(code, tmp_path, "").splitlines()[-1] == "False"


MORE = '[penduduk.row]\nnik = "NIK"\nlain = { each = "LAIN", from = "." }\n'
WIDE = "[penduduk.row]\n" + "".join(f'f{number} = "K{number}"\n' for number in range(257))


@pytest.mark.parametrize(
    ("more", "mapping", "why"),
    [
        ("", MORE, ""),
        ('engine = "polars"', MAPPING, ""),
        ('engine = "polars"', MORE, "[penduduk.row] wants more than the texts of its columns"),
        ('engine = "polars"', WIDE, "[penduduk.row] names more than 256 columns"),
        ('engine = "polars"\ndialect = { delimiter = ":" }', MAPPING, "its dialect has another separator"),
    ],
)
def test_check_says_where_polars_was_set_and_python_reads(tmp_path: Path, more: str, mapping: str, why: str) -> None:
    found = [finding for finding in app.check(config_of(tmp_path, more, mapping), {}) if "polars" in finding.what]
    assert [finding.warning for finding in found] == [True] * bool(why)
    assert all(f"feed penduduk: its rows are read by Python, not by polars: {why}" in one.what for one in found)
    assert all(finding.where == "gateway.toml:8" for finding in found)
