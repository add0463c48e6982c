"""`gateway feed` and `gateway messages` about a feed whose rows are sent on."""

import json
import re
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Office
from tests.unit.cli.test_feed import take

CONFIG = """
[gateway]
listen = "127.0.0.1:0"

[agency.dpmptsp]
adapter = "rest"
url     = "http://127.0.0.1:9/api"
mapping = "dpmptsp.toml"

[agency.dpmptsp.operation.lapor]
call    = "POST /lapor"
deliver = "store-and-forward"

[agency.rsud]
adapter = "csv"
drop    = "drop"
mapping = "rsud.toml"

[agency.rsud.feed.stok]
files = "stok_*.csv"
ready = "rename"
mode  = "forward"
to    = "dpmptsp/lapor"
key   = ["kode"]
max_reject = 0.4
"""
LAPOR = """
[lapor.request]
kode = "kode"
nama = { from = "nama", max = 5 }
"""
MAPPING = """
[stok.row]
kode = { from = "kode", digits = 4 }
nama = "nama"
"""
THREE = "kode;nama\n0001;Obat\n0002;Obat\n0003;Obat\n"


@pytest.fixture
def rsud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drop").mkdir()
    for name, text in (("gateway.toml", CONFIG), ("rsud.toml", MAPPING), ("dpmptsp.toml", LAPOR)):
        (tmp_path / name).write_text(text, "utf-8")
    return Office(tmp_path)


def test_a_receipt_says_how_its_messages_stand_and_a_message_which_record_it_was(rsud: Office) -> None:
    take(rsud, stok_1=THREE + "0004;Perban\n")
    told = rsud.json("feed", "show", "1")
    assert (told["mode"], told["accepted"], told["rejected"]) == ("forward", 3, 1)
    assert told["messages"] == {"pending": 3}
    assert told["rejects"][0]["reasons"][0]["field"] == "nama"
    assert "messages  3 pending" in rsud.gateway("feed", "show", "1").stdout
    messages = rsud.json("messages", "list", "--receipt", "1")["messages"]
    assert [(one["receipt"], one["record"], one["client"]) for one in messages] == [
        (1, number, "rsud/stok") for number in (3, 2, 1)
    ]
    assert rsud.json("messages", "list", "--receipt", "2")["messages"] == []
    shown = rsud.gateway("messages", "show", messages[0]["id"]).stdout
    assert "record 3 of the file of receipt 1" in shown
    assert rsud.gateway("messages", "cancel", messages[0]["id"], "--by", "budi").exit_code == 0
    assert rsud.json("feed", "show", "1")["messages"] == {"cancelled": 1, "pending": 2}
    take(rsud, stok_2=THREE + "0004;Perban\n")
    told = rsud.gateway("feed", "show", "rsud/stok").stdout
    assert "stok_1.csv: 3 rows sent on, 1 rejected, 0 sent before" in told
    assert "stok_2.csv: has the same content as what was sent on by receipt 1; nothing was done" in told
    assert " before, " not in rsud.gateway("feed", "show", "1").stdout
    assert rsud.gateway("feed", "list").stdout.split("\t")[:3] == ["rsud/stok", "1", "3"]


def test_what_was_sent_is_not_taken_back_and_not_sent_again(rsud: Office) -> None:
    take(rsud, stok_1=THREE)
    take(rsud, stok_2=THREE + "0005;Kasa\n")
    back = rsud.gateway("feed", "rollback", "rsud/stok")
    assert (back.exit_code, "what was sent can't be taken back" in back.output) == (1, True)
    assert rsud.gateway("feed", "retry", "1").exit_code == 0
    take(rsud)
    told = rsud.json("feed", "show", "3")
    assert (told["state"], told["accepted"], told["unchanged"], told["messages"]) == ("accepted", 0, 3, {})
    assert len(rsud.json("messages", "list")["messages"]) == 4


def test_a_file_is_checked_as_it_would_be_sent(rsud: Office) -> None:
    path = rsud.folder / "stok_9.csv"
    path.write_text(THREE + "0001;Obat\n0001;Kasa\n0002;Perban\n", "utf-8")
    told = rsud.gateway("feed", "check", str(path), "--json")
    assert told.exit_code == 1
    assert '"accepted": 4' in told.stdout
    assert '"unchanged": 1' in told.stdout
    assert '"max": 1' in told.stdout


def checked(rsud: Office, name: str, content: str, *options: str) -> tuple[int, str, str]:
    path = rsud.folder / name
    path.write_text(content, "utf-8")
    told = rsud.gateway("feed", "check", str(path), *options)
    return told.exit_code, told.stdout, told.stderr


def test_a_file_is_checked_beside_what_was_sent_before(rsud: Office) -> None:
    take(rsud, stok_1=THREE)
    more = THREE + "0001;Kasa\n0004;Obat\n0004;Obat\n"
    code, out, err = checked(rsud, "stok_2.csv", more)
    assert (code, err.strip()) == (0, "judged beside what was sent before")
    assert "would be taken by rsud/stok: 2 messages to dpmptsp/lapor, 0 rejected, 4 sent already, 0 skipped" in out
    code, out, err = checked(rsud, "stok_2.csv", more, "--offline")
    assert (code, err.strip()) == (0, "judged by itself, not beside what was sent before: as you asked")
    assert "5 messages to dpmptsp/lapor, 0 rejected, 1 repeated" in out
    _, out, _ = checked(rsud, "stok_3.csv", THREE)
    assert out == "stok_3.csv would be put aside by rsud/stok: its content was sent already, receipt 1\n"
    told = json.loads(checked(rsud, "stok_2.csv", more, "--json")[1])
    assert (told["accepted"], told["unchanged"], told["to"], told["beside_ledger"], told["duplicate_of"]) == (
        2, 4, "dpmptsp/lapor", True, None,
    )  # fmt: skip
    take(rsud, stok_2=more)
    assert len(rsud.json("messages", "list")["messages"]) == 5


def test_without_a_ledger_a_file_is_checked_by_itself_and_that_is_said(rsud: Office) -> None:
    code, out, err = checked(rsud, "stok_1.csv", THREE)
    assert (code, err.strip()) == (0, "judged by itself, not beside what was sent before: there is no ledger yet")
    assert "3 messages to dpmptsp/lapor, 0 rejected, 0 repeated" in out
    assert not (rsud.folder / "var").exists()


def test_mended_rows_are_checked_as_what_of_them_would_be_sent(rsud: Office) -> None:
    config = (rsud.folder / "gateway.toml").read_text("utf-8")
    (rsud.folder / "gateway.toml").write_text(config.replace('key   = ["kode"]\n', ""), "utf-8")
    take(rsud, stok_1=THREE + "0004;Perban\n5;Kasa\n")
    handed = (rsud.folder / "drop/rejected/stok_1.csv.rejected.csv").read_text("utf-8-sig")
    once = handed.replace('"Perban"', '"Verb"')
    code, out, _ = checked(rsud, "stok_2.csv", once)
    assert code == 1
    assert "1 message to dpmptsp/lapor, 1 rejected, 0 sent already" in out
    assert "it mends rows that were handed back: its rows would be sent to dpmptsp/lapor" in out
    take(rsud, stok_2=once)
    again = once.replace('"5";"Kasa"', '"0005";"Kasa"')
    assert "1 message to dpmptsp/lapor, 0 rejected, 1 sent already" in checked(rsud, "stok_3.csv", again)[1]
    strange = re.sub("r-[0-9a-f]{12}", "r-000000000000", again)
    code, out, _ = checked(rsud, "stok_3.csv", strange)
    assert code == 1
    assert "would be refused by rsud/stok: the file that these rows mend was refused whole, or never was" in out
    take(rsud, stok_3=again)
    assert len(rsud.json("messages", "list")["messages"]) == 5
