"""`gateway feed` about the files in which an agency acknowledges what it was handed."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Office

CONFIG = """
[gateway]
listen = "127.0.0.1:0"

[agency.rsud]
adapter = "csv"
drop    = "drop"
mapping = "rsud.toml"

[agency.rsud.out.pesanan]
folder    = "keluar"
file      = "pesanan_{id}.csv"
id_column = "request_id"

[agency.rsud.out.pesanan.ack]
files     = "ack_*.csv"
ready     = "rename"
delivered = ["OK"]
refused   = ["GAGAL"]

[agency.rsud.operation.pesan]
call    = "pesanan"
deliver = "store-and-forward"
"""
MAPPING = """
[pesan.request]
kode = "kode"
"""
ACK = "request_id;status\n0190aaaa-0000-7000-8000-000000000001;OK\n0190aaaa-0000-7000-8000-000000000002;GAGAL\n"


@pytest.fixture
def rsud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "drop").mkdir()
    (tmp_path / "keluar").mkdir()
    for name, text in (("gateway.toml", CONFIG), ("rsud.toml", MAPPING)):
        (tmp_path / name).write_text(text, "utf-8")
    return Office(tmp_path)


def test_acknowledgements_are_listed_and_shown_and_not_taken_back(rsud: Office) -> None:
    assert rsud.gateway("feed", "list").stdout.split("\t")[:2] == ["rsud/pesanan", "-"]
    (rsud.folder / "drop/ack_1.csv").write_text(ACK, "utf-8")
    rsud.take_in("rsud")
    assert "ack_1.csv: 0 answers recorded, 2 rows rejected" in rsud.gateway("feed", "show", "rsud/pesanan").stdout
    shown = rsud.gateway("feed", "show", "1").stdout
    assert "  record 1: there is no request of this id\n" in shown
    assert "0 jawaban dicatat, 2 baris ditolak (nomor tidak dikenal: 2)." in shown
    back = rsud.gateway("feed", "rollback", "rsud/pesanan")
    assert (back.exit_code, "what was settled can't be taken back" in back.output) == (1, True)


def test_an_acknowledgement_is_checked_as_its_rows_would_be_read(rsud: Office) -> None:
    path = rsud.folder / "ack_9.csv"
    path.write_text(ACK, "utf-8")
    good = rsud.gateway("feed", "check", str(path))
    assert good.exit_code == 0
    assert "ack_9.csv would be taken by rsud/pesanan: 2 rows, 0 rejected" in good.stdout
    assert "whether each id is of a request that waits for it is seen when the file is taken in" in good.stderr
    path.write_text(ACK + ";OK\n0190aaaa-0000-7000-8000-000000000003;ENTAH\n", "utf-8")
    bad = rsud.gateway("feed", "check", str(path), "--json")
    assert (bad.exit_code, json.loads(bad.stdout)["rejected_by_rule"]) == (1, {"required": 1, "codes": 1})


def test_an_acknowledgement_of_what_no_operation_hands_over_is_told_so(rsud: Office) -> None:
    config = (rsud.folder / "gateway.toml").read_text("utf-8")
    (rsud.folder / "gateway.toml").write_text(config.partition("[agency.rsud.operation")[0], "utf-8")
    (rsud.folder / "rsud.toml").write_text("", "utf-8")
    path = rsud.folder / "ack_9.csv"
    path.write_text(ACK, "utf-8")
    with pytest.raises(Exception, match="no operation hands anything over there"):
        rsud.gateway("feed", "check", str(path), "--feed", "rsud/pesanan")
