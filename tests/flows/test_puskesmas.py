"""Puskesmas, files in and out: a child's immunisations from the latest good file, a timetable as a row file."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import testing
from demo.testing import Running
from tests.flows import flow as checks
from tests.flows import process
from tests.flows.asks import ALYA, CHILD, SEND_TIMETABLE
from tests.flows.flow import MOMENT, Flow, Like
from tests.flows.pilot import dropped_in, pilot
from tests.flows.process import Gateway


def _dose(jenis: str, tanggal: str, no_batch: str, berat_kg: float) -> dict[str, object]:
    common = {"nama_anak": "Alya Rahmawati", "posyandu": "Melati"}
    return {"jenis": jenis, "tanggal": tanggal, "no_batch": no_batch, "berat_kg": berat_kg, **common}


HISTORY = {
    "jumlah": 4,
    "data_per": MOMENT,
    "imunisasi": [
        _dose("HB0", "2025-03-15", "HB25A01", 3.1),
        _dose("BCG", "2025-04-15", "BC25C01", 4.0),
        _dose("POLIO1", "2025-05-15", "PL25B01", 5.0),
        _dose("DPT1", "2025-06-15", "DT25D01", 5.8),
    ],
}


@pytest.fixture
def beginner(tmp_path: Path) -> Iterator[tuple[Gateway, Running]]:
    """A gateway that has seen no complete file yet: the clerk has written half of one."""
    drops = tmp_path / "drops"
    with testing.running(drops) as clerk:
        clerk.switch("puskesmas", "half")
        folder = tmp_path / "gateway"
        folder.mkdir()
        with process.running(pilot(folder, clerk.ports, dropped_in(drops))) as gateway:
            yield gateway, clerk


def test_a_childs_immunisations_come_from_the_latest_file(flow: Flow) -> None:
    answer = flow.ask(CHILD)
    assert (answer.status_code, answer.json()) == (200, HISTORY)


def test_names_keep_their_accents_and_their_semicolons(flow: Flow) -> None:
    for nik, name in (("1405020705259104", "André Nasution"), ("1405026806259107", "Gita Puspita; Sari")):
        answer = flow.ask(CHILD, {"nik_anak": nik}).json()
        assert {dose["nama_anak"] for dose in answer["imunisasi"]} == {name}


def test_a_child_without_immunisations_has_none(flow: Flow) -> None:
    answer = flow.ask(CHILD, {"nik_anak": "1405029001189999"})
    assert (answer.status_code, answer.json()) == (200, {"jumlah": 0, "data_per": MOMENT, "imunisasi": []})


def test_a_timetable_becomes_one_whole_file(flow: Flow) -> None:
    folder = flow.gateway.folder / "var/drops/puskesmas-masuk"
    before = {*folder.iterdir()}
    answer = flow.ask(SEND_TIMETABLE)
    name = Like(r"jadwal_[0-9a-f-]{36}\.csv")
    assert (answer.status_code, answer.json()) == (200, {"berkas": name, "ditulis": MOMENT})
    (written,) = {*folder.iterdir()} - before
    assert written.name == answer.json()["berkas"]
    content = written.read_bytes().decode("cp1252")
    assert content.endswith("\r\n")
    header, row = csv.reader(content.splitlines(), delimiter=";")
    assert header == ["id_permintaan", "nik_anak", "nama_anak", "jenis_imunisasi", "tgl_jadwal", "posyandu"]
    identity = written.stem.removeprefix("jadwal_")
    assert row == [identity, ALYA, "Alya; Rahmawati", "CAMPAK", "15/12/2026", "Melati"]


def test_a_folder_that_is_not_there_is_503_and_nothing_was_written(flow: Flow) -> None:
    folder = flow.gateway.folder / "var/drops/puskesmas-masuk"
    away = folder.rename(folder.with_name("unmounted"))
    try:
        said = checks.problem(flow.ask(SEND_TIMETABLE), 503, "agency-unavailable")
    finally:
        away.rename(folder)
    assert said["maybe_done"] is False


BAD_FILES = {
    "wrong": "no_batch",
    "junk": "rounded by a spreadsheet",
    "half": "not completely written",
    "html": "a web page",
    "refuse": "holds a header and no row",
}


@pytest.mark.parametrize(("switch", "words"), BAD_FILES.items(), ids=BAD_FILES)
def test_a_bad_file_is_refused_with_the_reason_and_the_old_data_stays(flow: Flow, switch: str, words: str) -> None:
    before = len(flow.gateway.lines())
    flow.turn("puskesmas", switch)
    refusal = flow.gateway.event("file-refused", after=before)
    assert (refusal["level"], refusal["agency"], refusal["feed"]) == ("warning", "puskesmas", "imunisasi")
    assert words in f"{refusal['refused']} {refusal['first']}"
    assert flow.ask(CHILD).json() == HISTORY


def test_the_rows_of_a_bad_file_are_named_by_mapping_line_with_masked_values(flow: Flow) -> None:
    before = len(flow.gateway.lines())
    flow.turn("puskesmas", "junk")
    refusal = flow.gateway.event("file-refused", after=before)
    assert refusal["rejected"] > 0
    assert "mappings/puskesmas.toml:" in str(refusal["first"])
    assert "14050" not in str(refusal)


def test_no_complete_file_yet_is_503_until_there_is_one(beginner: tuple[Gateway, Running]) -> None:
    gateway, clerk = beginner
    answer = gateway.http.post(CHILD.path, json=CHILD.body)
    assert checks.problem(answer, 503, "no-data-yet")["maybe_done"] is False
    clerk.switch("puskesmas", "up")
    gateway.event("file-accepted")
    assert gateway.http.post(CHILD.path, json=CHILD.body).json() == HISTORY


def test_a_file_is_not_read_before_it_is_complete(beginner: tuple[Gateway, Running]) -> None:
    gateway, clerk = beginner
    clerk.switch("puskesmas", "slow", seconds=0.7)
    gateway.event("file-accepted")
    assert gateway.http.post(CHILD.path, json=CHILD.body).json() == HISTORY
    assert [line["event"] for line in gateway.lines() if line.get("feed")] == ["file-accepted"]


def test_a_folder_that_goes_away_is_told_once_in_the_gateways_log(
    beginner: tuple[Gateway, Running], tmp_path: Path
) -> None:
    gateway, _ = beginner
    drops = tmp_path / "drops"
    drops.rename(tmp_path / "elsewhere")
    lost = gateway.event("drop-unreachable")
    assert (lost["level"], lost["agency"]) == ("warning", "puskesmas")
    (tmp_path / "elsewhere").rename(drops)
    assert gateway.event("drop-reachable-again")["agency"] == "puskesmas"
    assert [line["event"] for line in gateway.lines()].count("drop-unreachable") == 1


def test_the_same_content_under_a_second_name_doubles_nothing(beginner: tuple[Gateway, Running]) -> None:
    gateway, clerk = beginner
    clerk.switch("puskesmas", "up")
    first = gateway.event("file-accepted")
    clerk.switch("puskesmas", "duplicate")
    second = gateway.event("file-duplicate", file=first["file"].replace(".csv", "_ulang.csv"))
    assert f"receipt {first['receipt']}; nothing was done" in second["what"]
    assert gateway.http.post(CHILD.path, json=CHILD.body).json() == HISTORY
