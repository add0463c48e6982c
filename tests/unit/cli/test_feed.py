"""`gateway feed` as it is typed, on files that a gateway has taken in."""

import gzip
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.sheets import xlsx, zipped
from tests.unit.cli.conftest import Office

CONFIG = """
[gateway]
listen = "127.0.0.1:0"

[agency.rsud]
adapter = "csv"
drop    = "drop"
mapping = "rsud.toml"

[agency.rsud.feed.stok]
files = "stok_*.csv"
ready = "rename"
key   = ["kode"]
max_reject = 0.4

[agency.rsud.operation.cari-obat]
expose = "GET /v1/obat"
call   = "stok"
"""
MAPPING = """
[stok.row]
kode   = { from = "kode", digits = 4 }
nama   = "nama"
jumlah = { from = "stok", integer = true }

[cari-obat.request]
kode = { from = "kode", optional = true }

[cari-obat.reply]
banyak = "count"

[cari-obat.reply.obat]
each = "rows"
nama = "nama"
"""
FOUR = "kode;nama;stok\n" + "".join(f"000{number};Obat;{number}\n" for number in range(4))


@pytest.fixture
def rsud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drop").mkdir()
    (tmp_path / "gateway.toml").write_text(CONFIG, "utf-8")
    (tmp_path / "rsud.toml").write_text(MAPPING, "utf-8")
    return Office(tmp_path)


def take(office: Office, **files: str) -> None:
    """Drop files and take them in, as a running gateway does."""
    for name, content in files.items():
        (office.folder / "drop" / f"{name}.csv").write_text(content, "utf-8")
    office.take_in("rsud")


def obat(office: Office) -> list[str]:
    result = office.gateway("try", "rsud/cari-obat")
    assert result.exit_code == 0, result.output
    return [line.strip() for line in result.stdout.splitlines() if '"banyak":' in line]


def test_feeds_are_listed_with_what_they_answer_from(rsud: Office) -> None:
    listed = rsud.gateway("feed", "list")
    assert listed.stderr.split("\t")[:4] == ["feed", "receipt", "rows", "data of"]
    assert listed.stdout.split("\t")[:2] == ["rsud/stok", "-"]
    take(rsud, stok_1=FOUR)
    assert rsud.gateway("feed", "list").stdout.split("\t")[:3] == ["rsud/stok", "1", "4"]
    (told,) = rsud.json("feed", "list")
    assert (told["live"]["file"], told["previous"], told["newest"]["state"]) == ("stok_1.csv", None, "accepted")
    take(rsud, stok_2="kode;nama\n")
    assert "stok_2.csv: refused, the header differs: " in rsud.gateway("feed", "list").stdout


def test_a_feed_whose_next_file_is_late_is_listed_so(rsud: Office) -> None:
    settings = (rsud.folder / "gateway.toml").read_text("utf-8")
    assert rsud.gateway("feed", "list").stdout.rstrip("\n").split("\t")[-1] == "-"
    for every, late in (("1 day", False), ("1ms", True)):
        text = settings.replace("max_reject", f'every = "{every}"\nmax_reject')
        (rsud.folder / "gateway.toml").write_text(text, "utf-8")
        told = rsud.gateway("feed", "list").stdout.split("\t")[-1]
        assert told.startswith("LATE since ") is late
    (listed,) = rsud.json("feed", "list")
    assert listed["due"] is not None


def test_a_receipt_is_shown_with_the_first_rows_that_were_rejected(rsud: Office) -> None:
    take(rsud, stok_1=FOUR + "1,4E+03;Obat;x\n")
    told = rsud.json("feed", "show", "1")
    assert (told["accepted"], told["rejected"], told["place"].rpartition("/")[2]) == (4, 1, "stok_1.csv")
    assert [reason["rule"] for reason in told["rejects"][0]["reasons"]] == ["rounded-number", "integer"]
    assert "record 5: " in rsud.gateway("feed", "show", "1").stdout
    said = "stok_1.csv: 4 rows taken, 1 rejected, 0 unchanged; from 0 to 4 rows"
    assert said in rsud.gateway("feed", "show", "rsud/stok").stdout


@pytest.mark.parametrize("what", ["7", "rsud/stuk"])
def test_what_is_not_there_is_said(rsud: Office, what: str) -> None:
    if what == "7":
        result = rsud.gateway("feed", "show", what)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("there is no receipt 7; ")
    else:
        with pytest.raises(Exception, match=r"did you mean .rsud/stok"):
            rsud.gateway("feed", "show", what)


def test_a_feed_of_which_nothing_came_yet_is_told_so(rsud: Office) -> None:
    shown = rsud.gateway("feed", "show", "rsud/stok")
    assert (shown.exit_code, "no file has been taken in yet" in shown.stderr) == (0, True)


def test_a_file_is_checked_without_being_taken(rsud: Office) -> None:
    path = rsud.folder / "stok_9.csv"
    path.write_text(FOUR, "utf-8")
    good = rsud.gateway("feed", "check", str(path))
    assert good.exit_code == 0
    assert "stok_9.csv would be taken by rsud/stok: 4 rows, 0 rejected" in good.stdout
    path.write_text(FOUR + "0001;Lain;1\nx;Obat;1\n", "utf-8")
    told = rsud.gateway("feed", "check", str(path), "--json")
    assert told.exit_code == 1
    assert '"rejected": 2' in told.stdout
    assert '"double-key": 1' in told.stdout
    path.write_text("kode;namma;stok\n", "utf-8")
    bad = rsud.gateway("feed", "check", str(path))
    assert (bad.exit_code, "namma -> nama" in bad.stdout) == (1, True)
    other = path.rename(rsud.folder / "lain.csv")
    with pytest.raises(Exception, match="no feed by its name"):
        rsud.gateway("feed", "check", str(other))
    assert rsud.gateway("feed", "check", str(other), "--feed", "rsud/stok").exit_code == 1
    assert not (rsud.folder / "var").exists(), "looking makes nothing"


def test_going_back_and_forth(rsud: Office) -> None:
    take(rsud, stok_1=FOUR)
    assert rsud.gateway("feed", "rollback", "rsud/stok").exit_code == 1
    take(rsud, stok_2=FOUR + "0009;Obat;9\n")
    assert obat(rsud) == ['"banyak": 5,']
    back = rsud.gateway("feed", "rollback", "rsud/stok", "--by", "budi")
    assert back.stdout == "rsud/stok answers from stok_1.csv again, receipt 1\n"
    assert obat(rsud) == ['"banyak": 4,']
    assert "rolled back to stok_1.csv by budi" in rsud.gateway("feed", "list").stdout
    assert rsud.json("feed", "rollback", "rsud/stok")["live"]["receipt"] == 2
    assert "rolled back" not in rsud.gateway("feed", "list").stdout, "it was undone"
    assert obat(rsud) == ['"banyak": 5,']


def test_a_file_that_shrank_is_tried_again_once_a_person_says_so(rsud: Office) -> None:
    take(rsud, stok_1=FOUR)
    take(rsud, stok_2="kode;nama;stok\n0001;Obat;1\n")
    assert "gateway feed retry 2 --shrink" in rsud.gateway("feed", "show", "2").stdout
    hinted = rsud.gateway("feed", "retry", "2", "--by", "budi")
    assert (hinted.exit_code, "gateway feed retry 2 --shrink" in hinted.stderr) == (0, True)
    assert rsud.gateway("feed", "retry", "2", "--shrink", "--by", "budi").exit_code == 0
    take(rsud)
    told = rsud.json("feed", "show", "3")
    assert (told["state"], told["confirmed_by"]) == ("accepted", "budi")
    assert rsud.gateway("feed", "retry", "99").exit_code == 1


def test_a_file_that_was_taken_is_not_tried_again_once_another_is_live(rsud: Office) -> None:
    take(rsud, stok_1=FOUR)
    take(rsud, stok_2=FOUR + "0005;Perban;9\n")
    refused = rsud.gateway("feed", "retry", "1")
    assert (refused.exit_code, "another is live by now" in refused.output) == (1, True)
    assert rsud.gateway("feed", "retry", "2").exit_code == 0


def test_an_old_file_replaces_newer_data_only_when_a_person_says_so(rsud: Office) -> None:
    day = datetime(2026, 11, 23, 8, 15, tzinfo=UTC).timestamp()
    bad = FOUR.replace("Obat;3", "Obat;x").replace("Obat;2", "Obat;y")
    for number, content in enumerate((bad, FOUR)):
        path = rsud.folder / f"drop/stok_{number + 1}.csv"
        path.write_text(content, "utf-8")
        os.utime(path, (day + number * 86400, day + number * 86400))
        take(rsud)
    config = (rsud.folder / "gateway.toml").read_text("utf-8")
    (rsud.folder / "gateway.toml").write_text(config.replace("0.4", '"row-wise"'), "utf-8")

    warned = rsud.gateway("feed", "retry", "1")

    assert (warned.exit_code, warned.stdout) == (1, "")
    assert "receipt 1 has data of 2026-11-23 15:15 WIB, and would replace newer data" in warned.stderr
    assert "stok_2.csv, receipt 2, of 2026-11-24 15:15 WIB; do it with --yes" in warned.stderr
    take(rsud)
    assert rsud.json("feed", "list")[0]["live"]["receipt"] == 2
    assert rsud.gateway("feed", "retry", "1", "--yes").exit_code == 0
    take(rsud)
    assert obat(rsud) == ['"banyak": 2,']


def test_a_try_answers_from_the_ledger_or_from_a_file_in_the_drop(rsud: Office) -> None:
    (rsud.folder / "drop/stok_1.csv").write_text(FOUR, "utf-8")
    assert obat(rsud) == ['"banyak": 4,']
    assert (rsud.folder / "drop/stok_1.csv").exists()
    take(rsud)
    answered = rsud.gateway("try", "rsud/cari-obat", "-d", '{"kode": "0003"}')
    assert "answered from stok_1.csv, receipt 1" in answered.stderr
    assert '"banyak": 1,' in answered.stdout
    mapping = (rsud.folder / "rsud.toml").read_text("utf-8")
    (rsud.folder / "rsud.toml").write_text(mapping.replace('nama   = "nama"', 'nama   = "kode"'), "utf-8")
    assert '"nama": "0003"' in rsud.gateway("try", "rsud/cari-obat", "-d", '{"kode": "0003"}').stdout


def test_a_file_is_checked_beside_the_live_data(rsud: Office) -> None:
    path = rsud.folder / "stok_9.csv"
    path.write_text("kode;nama;stok\n0001;Obat;1\n", "utf-8")
    alone = rsud.gateway("feed", "check", str(path))
    assert (alone.exit_code, "there is no ledger yet" in alone.stderr) == (0, True)
    take(rsud, stok_1=FOUR)

    beside = rsud.gateway("feed", "check", str(path))

    assert beside.exit_code == 1
    assert "would be refused by rsud/stok: shrank from 4 rows to 1" in beside.stdout
    assert "judged beside the live data: stok_1.csv, receipt 1, 4 rows" in beside.stderr
    assert rsud.gateway("feed", "check", str(path), "--offline").exit_code == 0
    told = rsud.gateway("feed", "check", str(path), "--json")
    assert json.loads(told.stdout)["live"] == {"receipt": 1, "file": "stok_1.csv", "rows": 4}


def test_a_receipt_is_told_as_people_write_it(rsud: Office) -> None:
    take(rsud, stok_1=FOUR + "1,4E+03;Obat;x\n")

    told = dict(line.strip().split("  ", 1) for line in rsud.gateway("feed", "show", "1").stdout.splitlines()[:-2])

    assert told["rejected for"] == "integer 1, rounded-number 1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", told["ended"])
    assert "4 baris diterima" in told["the clerk reads"]


def test_why_a_file_is_not_tried_again_is_said_on_standard_error(rsud: Office) -> None:
    take(rsud, stok_1=FOUR)
    none = rsud.gateway("feed", "retry", "99")
    assert (none.exit_code, none.stdout, none.stderr) == (1, "", rsud.gateway("feed", "show", "99").stderr)
    back = rsud.gateway("feed", "rollback", "rsud/stok")
    assert (back.exit_code, back.stdout) == (1, "")
    assert "no snapshot before the live one" in back.stderr


def test_rows_that_were_mended_are_checked_as_what_is_added_to_the_live_data(rsud: Office) -> None:
    config = (rsud.folder / "gateway.toml").read_text("utf-8")
    (rsud.folder / "gateway.toml").write_text(config.replace("0.4", '"row-wise"'), "utf-8")
    take(rsud, stok_1=FOUR + "0007;Obat;x\n0008;Obat;x\n")
    (handed,) = (rsud.folder / "drop/rejected").glob("*.rejected.csv")
    (rsud.folder / "gateway.toml").write_text(config.replace("0.4", '"all-or-nothing"'), "utf-8")
    path = rsud.folder / handed.name
    path.write_text(handed.read_text("utf-8-sig").replace('"x"', '"7"', 1), "utf-8")

    mended = rsud.gateway("feed", "check", str(path), "--feed", "rsud/stok")

    assert "would be taken by rsud/stok: 1 row, 1 rejected" in mended.stdout
    assert "it mends rows that were handed back: its rows would be added to the live data" in mended.stdout
    told = json.loads(rsud.gateway("feed", "check", str(path), "--feed", "rsud/stok", "--json").stdout)
    assert (told["taken"], told["mends"]) == (True, rsud.json("feed", "show", "1")["reference"])
    (rsud.folder / "drop" / path.name).write_text(path.read_text("utf-8"), "utf-8")
    rsud.take_in("rsud")
    assert obat(rsud) == ['"banyak": 5,'], "and so it is"
    again = rsud.gateway("feed", "check", str(path), "--feed", "rsud/stok")
    assert (again.exit_code, again.stdout) == (
        0,
        "stok_1.csv.rejected.csv would be put aside by rsud/stok: its content is the live data already, receipt 2\n",
    )
    take(rsud, stok_2=FOUR)
    late = rsud.gateway("feed", "check", str(path), "--feed", "rsud/stok")
    assert "would be refused by rsud/stok: mends rows of a file that another has replaced" in late.stdout


def test_a_file_whose_last_line_has_no_end_is_said_to_wait_in_vain(rsud: Office) -> None:
    path = rsud.folder / "stok_1.csv"
    path.write_text(FOUR.rstrip("\n"), "utf-8")
    assert "would be taken" in rsud.gateway("feed", "check", str(path)).stdout, "its name tells that it is whole"
    config = (rsud.folder / "gateway.toml").read_text("utf-8")
    (rsud.folder / "gateway.toml").write_text(config.replace('"rename"', '"stable"'), "utf-8")
    told = rsud.gateway("feed", "check", str(path))
    assert (told.exit_code, told.stdout.count("\n")) == (1, 1)
    assert "would be refused by rsud/stok: the file may be not completely written: its last line has no" in told.stdout
    assert 'ready = "rename" or "marker"' in told.stdout
    path.write_text("", "utf-8")
    assert "the file is empty" in rsud.gateway("feed", "check", str(path)).stdout, "which is why it is refused"


def test_no_trailer_is_asked_of_rows_that_were_mended(rsud: Office) -> None:
    config = (rsud.folder / "gateway.toml").read_text("utf-8")
    (rsud.folder / "gateway.toml").write_text(config.replace("ready =", 'trailer = "TOTAL"\nready ='), "utf-8")
    take(rsud, stok_1=FOUR + "0007;Obat;x\nTOTAL;;5\n")
    (handed,) = (rsud.folder / "drop/rejected").glob("*.rejected.csv")
    path = rsud.folder / handed.name
    path.write_text(handed.read_text("utf-8-sig").replace('"x"', '"7"'), "utf-8")
    assert "would be taken by rsud/stok: 1 row, 0 rejected" in rsud.gateway("feed", "check", str(path)).stdout


@pytest.mark.parametrize("name", ["stok_1.csv", "stok_1.csv.gz", "stok_1.zip", "stok_1.xlsx"])
def test_it_is_told_how_far_a_check_is_whatever_the_file_is_packed_in(
    rsud: Office, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("gateway.cli.feed_check.LARGE", 1000)
    monkeypatch.setattr("gateway.cli.bar.EVERY", 1000)
    rows = [["kode", "nama", "stok"], *([f"{number:04}", "Obat", "1"] for number in range(2500))]
    plain = "".join(";".join(row) + "\n" for row in rows).encode()
    kinds = {"csv": plain, "gz": gzip.compress(plain), "zip": zipped({"stok.csv": plain}), "xlsx": xlsx(rows)}
    file = rsud.folder / name
    file.write_bytes(kinds[name.rpartition(".")[2]])
    told = rsud.gateway("feed", "check", str(file), "--feed", "rsud/stok", "--offline")
    assert "2500 rows, 0 rejected" in told.stdout
    steps = [line for line in told.stderr.splitlines() if line.startswith(f"{name}: ")]
    if name.endswith("xlsx"):
        assert steps == [f"{name}: 1000", f"{name}: 2000"]
    else:
        assert steps[-1] == f"{name}: 2500 of 2500"
    quiet = rsud.gateway("feed", "check", str(file), "--feed", "rsud/stok", "--offline", "--json")
    assert name not in quiet.stderr


def test_a_file_is_known_by_its_name_as_the_drop_knows_it(rsud: Office) -> None:
    config = (rsud.folder / "gateway.toml").read_text("utf-8")
    (rsud.folder / "gateway.toml").write_text(config.replace("stok_*.csv", "stok_*.xlsx"), "utf-8")
    handed = rsud.folder / "stok_1.xlsx.rejected.csv"
    handed.write_text(FOUR, "utf-8")
    assert "would be taken by rsud/stok" in rsud.gateway("feed", "check", str(handed)).stdout
    making = handed.rename(rsud.folder / "~$stok_1.xlsx")
    with pytest.raises(Exception, match="no feed by its name"):
        rsud.gateway("feed", "check", str(making))
