"""The folder of a pinned WSDL: written whole, recorded, renewed; what is the operator's stays."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from adapters.soap.collect import Taken
from adapters.soap.pins import Record, read_record, record_of, write
from gateway import ConfigError

NOW = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)


def taken(name: str, content: bytes = b"<x/>", origin: str = "") -> Taken:
    return Taken(name=name, origin=origin or f"http://h/{name}", content=content, said=content, root=etree.XML(content))


def pin(folder: Path, *files: Taken) -> Record:
    record = record_of("http://h/a?wsdl", NOW, files)
    write(folder, files, record, agency="dpmptsp")
    return record


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = pin(tmp_path, taken("a.wsdl", origin='http://h/"a"?wsdl'), taken("b.xsd"))

    assert read_record(tmp_path) == record
    assert record.names == {'http://h/"a"?wsdl': "a.wsdl", "http://h/b.xsd": "b.xsd"}
    assert record.edited(tmp_path) == []


def test_renewing_deletes_what_was_pinned_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "override.toml").write_text("")
    (tmp_path / "catatan.txt").write_text("ours")
    pin(tmp_path, taken("a.wsdl"), taken("b.xsd"))

    pin(tmp_path, taken("a.wsdl", b"<y/>"), taken("c.xsd"), taken("own.xsd", origin="override.toml"))

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.wsdl", "c.xsd", "catatan.txt", "override.toml", "pinned.toml",
    ]  # fmt: skip
    assert (tmp_path / "a.wsdl").read_bytes() == b"<y/>"


def test_a_file_changed_by_hand_is_noticed(tmp_path: Path) -> None:
    record = pin(tmp_path, taken("a.wsdl"), taken("b.xsd"))
    (tmp_path / "a.wsdl").write_text("<x>edited</x>")
    (tmp_path / "b.xsd").unlink()

    assert record.edited(tmp_path) == ["a.wsdl", "b.xsd"]


def test_a_folder_without_a_record_has_none(tmp_path: Path) -> None:
    assert read_record(tmp_path) is None


def test_a_broken_record_is_told(tmp_path: Path) -> None:
    (tmp_path / "pinned.toml").write_text("source = 1")

    with pytest.raises(ConfigError, match="can't be understood"):
        read_record(tmp_path)


def test_a_record_can_not_make_another_file_go(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    pin(folder, taken("a.wsdl"))
    (tmp_path / "precious.txt").write_text("stays")
    text = (folder / "pinned.toml").read_text().replace('"a.wsdl"', '"../precious.txt"')
    (folder / "pinned.toml").write_text(text)

    with pytest.raises(ConfigError, match=r"precious\.txt is no file's name"):
        pin(folder, taken("b.wsdl"))

    assert (tmp_path / "precious.txt").exists()
