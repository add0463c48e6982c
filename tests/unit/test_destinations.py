"""Where feeds forward their rows: what `gateway check` finds, and what a clerk is told of a row that does not fit."""

from pathlib import Path

import pytest

from gateway import app
from gateway.config.load import load
from gateway.errors import ConfigError, TranslationError
from gateway.metrics import Metrics
from gateway.registry import Feed
from gateway.verdict import reason_words

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

[agency.dpmptsp.operation.cari]
call    = "GET /cari"
safe    = true

[agency.loket]
adapter = "csv"
drop    = "drop"
mapping = "loket.toml"

[agency.loket.feed.surat]
files = "surat_*.csv"
mode  = "forward"
to    = "dpmptsp/lapor"
"""
LAPOR = """
[lapor.request]
nik     = { from = "pemohon.nik", digits = 16, mask = true }
nama    = { from = "pemohon.nama", max = 5 }
tanggal = { from = "tanggal", date = "dd-mm-yyyy" }
catatan = { from = "catatan", optional = true }

[cari.request]
nik = "nik"
"""
SURAT = """
[surat.row]
pemohon.nik  = "NIK_Pemohon"
pemohon.nama = "Nama"
tanggal      = { from = "Tgl", date = "dd/mm/yyyy" }
"""
GOOD = {"NIK_Pemohon": "1405029001180001", "Nama": "Siti", "Tgl": "02/03/2026"}


def feed(folder: Path, config: str = CONFIG, mapping: str = SURAT, lapor: str = LAPOR) -> Feed:
    for name, text in (("gateway.toml", config), ("loket.toml", mapping), ("dpmptsp.toml", lapor)):
        (folder / name).write_text(text, "utf-8")
    located = load(folder / "gateway.toml", {})
    made = app.assemble(located, clock=app.clock_of(located), metrics=Metrics())
    return made.registry.agencies["loket"].feeds["surat"]


def said(feed: Feed, **changes: str) -> list[str]:
    with pytest.raises(TranslationError) as raised:
        feed.read({**GOOD, **changes})
    return [reason_words(reason) for reason in raised.value.errors]


def test_a_row_is_read_as_the_operations_request(tmp_path: Path) -> None:
    made = feed(tmp_path)
    assert made.read(GOOD) == {"pemohon": {"nik": "1405029001180001", "nama": "Siti"}, "tanggal": "2026-03-02"}
    assert made.forward is not None
    assert (made.forward.to, made.forward.lane) == ("dpmptsp/lapor", "dpmptsp")


def test_what_does_not_fit_is_told_by_the_files_columns_all_of_it(tmp_path: Path) -> None:
    told = said(feed(tmp_path), NIK_Pemohon="14050290", Nama="Siti Rahmawati", Tgl="2026-03-02")
    assert [words.partition(" harus")[0].partition(" paling")[0].partition(" bukan")[0] for words in told] == [
        "Tgl",
        "NIK_Pemohon",
        "Nama",
    ]
    assert "harus tepat 16 digit" in told[1]
    assert "14050290" not in " ".join(told)
    assert said(feed(tmp_path), Nama="") == ["Nama wajib diisi"]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('to    = "dpmptsp/lapor"', 'to    = "dpmptsp/lapr"', "there is no operation"),
        ('to    = "dpmptsp/lapor"', 'to    = "dpmptsp/cari"', "is not store-and-forward"),
        ('deliver = "store-and-forward"\n', "", "is not store-and-forward"),
        ('pemohon.nama = "Nama"', 'pemohon.nma = "Nama"', '"pemohon.nma" of its row table is no field'),
        ('pemohon.nama = "Nama"', "", 'requires "pemohon.nama"'),
        ('to    = "dpmptsp/lapor"', 'to    = "dpmptsp/lapor"\nkey   = ["nik"]', "is no field of [surat.row]"),
        (
            "[agency.loket.feed.surat]",
            '[agency.loket.operation.cari-surat]\ncall = "surat"\n\n[agency.loket.feed.surat]',
            "feed surat forwards its rows",
        ),
    ],
)
def test_what_would_have_every_row_rejected_is_found_beforehand(tmp_path: Path, old: str, new: str, what: str) -> None:
    with pytest.raises(ConfigError) as raised:
        feed(tmp_path, CONFIG.replace(old, new), SURAT.replace(old, new))
    assert [what in str(finding) for finding in raised.value.findings].count(True) == 1


def test_an_agency_that_can_not_be_built_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        feed(tmp_path, CONFIG.replace('adapter = "rest"', 'adapter = "rast"'))
    assert len(raised.value.findings) == 1


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("max = 5", "max = 6", False),
        ('date = "dd-mm-yyyy"', 'date = "dd/mm/yyyy"', False),
        ("[cari.request]\nnik", "[cari.request]\nnomor", True),
        ('"Nama"', '"NAMA"', False),
    ],
)
def test_a_file_is_read_anew_when_what_judges_its_rows_has_changed(
    tmp_path: Path, old: str, new: str, same: bool
) -> None:
    before = feed(tmp_path).keeping.mapping
    after = feed(tmp_path, mapping=SURAT.replace(old, new), lapor=LAPOR.replace(old, new)).keeping.mapping
    assert (before == after) is same
