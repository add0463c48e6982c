"""Folders through which files come and go: what is not there is a warning that names it."""

from pathlib import Path

from gateway.config.load import load
from gateway.trays import missing

CONFIG = """
[agency.rsud]
adapter = "csv"
drop    = "{drop}"
mapping = "rsud.toml"

[agency.rsud.out.jadwal]
folder = "masuk"
file   = "jadwal_{{id}}.csv"

[agency.apotek]
adapter = "csv"
drop    = "sftp://gateway@10.0.0.1/keluar"
mapping = "apotek.toml"
"""


def found(folder: Path, drop: str = "kotak") -> list[tuple[str, str]]:
    (folder / "gateway.toml").write_text(CONFIG.format(drop=drop), "utf-8")
    seen = [*missing(load(folder / "gateway.toml", {}))]
    assert all(one.warning and "make it, or mount it" in one.remedy for one in seen)
    return [(one.where, one.what.partition(",")[0]) for one in seen]


def test_a_folder_that_is_not_there_is_named_with_its_line(tmp_path: Path) -> None:
    assert found(tmp_path) == [
        ("gateway.toml:4", "agency.rsud.drop: kotak is not there"),
        ("gateway.toml:8", "agency.rsud.out.jadwal.folder: masuk is not there"),
    ]
    (tmp_path / "kotak").touch()
    (tmp_path / "masuk").mkdir()
    assert found(tmp_path) == [("gateway.toml:4", "agency.rsud.drop: kotak is no folder")]
    (tmp_path / "sini").mkdir()
    assert found(tmp_path, str(tmp_path / "sini")) == []


def test_a_folder_below_a_file_or_of_a_strange_name_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "masuk").mkdir()
    (tmp_path / "kotak").touch()
    assert [what for _, what in found(tmp_path, "kotak/dalam")] == ["agency.rsud.drop: kotak/dalam is not there"]
    assert [what for _, what in found(tmp_path, "x" * 300)] == [f"agency.rsud.drop: {'x' * 300} is not there"]
