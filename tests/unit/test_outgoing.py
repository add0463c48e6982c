"""What gateway.toml makes of files that go out together and are acknowledged."""

from pathlib import Path

import pytest

from gateway import app
from gateway.config.load import load
from gateway.errors import ConfigError
from gateway.message import OperationId
from gateway.metrics import Metrics
from gateway.registry import Agency

KIRIM = OperationId("rsud/kirim")
CONFIG = """
[gateway]
listen = "127.0.0.1:0"

[agency.rsud]
adapter = "csv"
drop    = "drop"
mapping = "rsud.toml"

[agency.rsud.out.jadwal]
folder = "masuk"
file   = "jadwal_{batch}.csv"
batch  = { rows = 50, every = "15m" }
ack    = { files = "ack_*.csv", delivered = ["OK"], refused = ["GAGAL"] }
ack_timeout = "2h"

[agency.rsud.operation.kirim]
expose  = "POST /v1/jadwal"
call    = "jadwal"
deliver = "store-and-forward"
"""
MAPPING = """
[kirim.request]
nik = "nik"

[kirim.reply]
berkas = "file"
"""


def agency(folder: Path, config: str = CONFIG) -> Agency:
    (folder / "gateway.toml").write_text(config, "utf-8")
    (folder / "rsud.toml").write_text(MAPPING, "utf-8")
    located = load(folder / "gateway.toml", {})
    return app.assemble(located, clock=app.clock_of(located), metrics=Metrics()).registry.agencies["rsud"]


def test_requests_that_go_out_together_wait_for_each_other_and_for_the_agencys_word(tmp_path: Path) -> None:
    made = agency(tmp_path)
    operation = made.operations[KIRIM]
    assert operation.together is not None
    assert (operation.together.batching.rows, operation.together.batching.every) == (50, 900.0)
    assert operation.within == 7200.0
    assert made.queue is not None
    assert made.queue.patience == 900.0


def test_what_the_agency_says_of_an_out_is_a_feed_of_that_name(tmp_path: Path) -> None:
    made = agency(tmp_path)
    assert list(made.feeds) == ["jadwal"]
    assert made.feeds["jadwal"].acknowledges == {KIRIM}
    assert made.source is not None


def test_without_batch_and_ack_a_request_is_a_file_and_taking_it_is_all(tmp_path: Path) -> None:
    lines = [line for line in CONFIG.splitlines() if not line.startswith(("batch", "ack"))]
    made = agency(tmp_path, "\n".join(lines).replace("{batch}", "{id}"))
    operation = made.operations[KIRIM]
    assert (operation.together, operation.within, made.feeds, made.source) == (None, None, {}, None)


@pytest.mark.parametrize("gone", ["batch", "ack "])
def test_nobody_can_wait_for_an_answer_that_comes_in_a_file(tmp_path: Path, gone: str) -> None:
    lines = [line for line in CONFIG.splitlines() if not line.startswith(("deliver", gone))]
    config = "\n".join(lines)
    with pytest.raises(ConfigError) as raised:
        agency(tmp_path, config.replace("{batch}", "{id}") if gone == "batch" else config)
    (finding,) = raised.value.findings
    assert "rsud/kirim: jadwal" in finding.what
    assert "nobody can wait for its answer" in finding.what
    assert finding.remedy == 'write deliver = "store-and-forward"'
    assert "gateway.toml:" in finding.where


def test_acknowledgements_need_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no folder in which to find them"):
        agency(tmp_path, CONFIG.replace('drop    = "drop"\n', ""))
