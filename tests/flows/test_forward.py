"""A clerk's file becomes applications at SIPOLAN, by SOAP: each row arrives once, however long SIPOLAN is away."""

import json
from pathlib import Path
from typing import Any

from demo.testing import Running
from tests.flows import command, process
from tests.flows.pilot import pilot
from tests.flows.process import Gateway, eventually
from tests.flows.test_store_and_forward import ANY_HOUR, NO_HOLIDAYS

FEED = """
[agency.kecamatan]
title   = "Kecamatan Bunut (berkas izin)"
adapter = "csv"
drop    = "{drop}"
every   = "50ms"
mapping = "mappings/kecamatan.toml"

[agency.kecamatan.feed.izin]
files      = "izin_*.csv"
ready      = "rename"
mode       = "forward"
to         = "dpmptsp/ajukan-izin"
max_reject = "row-wise"
"""
MAPPING = """
[izin.row]
jenis            = "jenis"
jenis_permohonan = { from = "permohonan", codes = "permohonan" }
pemohon.nik      = "nik"
pemohon.nama     = "nama"
pemohon.alamat   = "alamat"
keterangan       = { from = "catatan", optional = true }

[codes.permohonan]
B = "baru"
P = "perpanjangan"
"""
HEADER = "jenis;permohonan;nik;nama;alamat;catatan"


def rows(count: int, first: int = 1) -> str:
    lines = [
        f"IMB;B;14050252059{number:05};Warga {number};Jl. Akasia {number};" for number in range(first, first + count)
    ]
    return "\n".join([HEADER, *lines, ""])


def drop(folder: Path, name: str, text: str) -> None:
    unfinished = folder / f".{name}.tmp"
    unfinished.write_text(text, "utf-8")
    unfinished.rename(folder / name)


def show(config: Path, receipt: int) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(
        command.gateway("feed", "show", str(receipt), "--json", "--config", config).stdout
    )
    return told


def arrived(agencies: Running) -> int:
    return [each.operation for each in agencies.arrivals("dpmptsp")].count("ajukanPermohonan")


def taken(gateway: Gateway, receipt: int) -> dict[str, Any]:
    return eventually(
        lambda: next((each for each in gateway.lines() if each.get("receipt") == receipt), None), f"receipt {receipt}"
    )


def test_rows_that_were_dropped_while_sipolan_is_off_arrive_once_each_when_it_is_back(
    agencies: Running, tmp_path: Path
) -> None:
    agencies.reset()
    folder = tmp_path / "drop"
    folder.mkdir()
    config = pilot(tmp_path, agencies.ports, {**ANY_HOUR, **NO_HOLIDAYS}, stored=True)
    config.write_text(config.read_text("utf-8") + FEED.format(drop=folder), "utf-8")
    (tmp_path / "mappings/kecamatan.toml").write_text(MAPPING, "utf-8")
    agencies.switch("dpmptsp", "down")
    with process.running(config) as gateway:
        drop(folder, "izin_1.csv", rows(20) + "IMB;X;1405025205900001;Warga;Jl. 1;\nIMB;B;14050;Warga;Jl. 1;\n")
        told = taken(gateway, 1)
        assert (told["event"], told["accepted"], told["rejected"]) == ("file-accepted", 20, 2)
        assert "1405025205900001" not in json.dumps(told)
        gateway.event("lane-waiting", agency="dpmptsp")
        paper = folder / "rejected/izin_1.csv.rejected.csv"
        eventually(lambda: paper.exists() or None, "the rows that are handed back")
    back = paper.read_text("utf-8-sig")
    assert "permohonan kode tidak dikenal" in back
    assert "nik harus tepat 16 digit angka" in back
    assert sum(show(config, 1)["messages"].values()) == 20
    with process.running(config) as gateway:
        agencies.switch("dpmptsp", "up")
        eventually(lambda: arrived(agencies) >= 20 or None, "all arrived", 90.0)
        eventually(lambda: show(config, 1)["messages"] == {"delivered": 20} or None, "all delivered", 90.0)
        drop(folder, "izin_2.csv", rows(3, first=100))
        drop(folder, "izin_3.csv", rows(3, first=100))
        assert taken(gateway, 3)["event"] == "file-duplicate"
        eventually(lambda: arrived(agencies) >= 23 or None, "the second file", 90.0)
        eventually(lambda: show(config, 2)["messages"] == {"delivered": 3} or None, "its end", 90.0)
    assert arrived(agencies) == 23
    agencies.reset()
