"""An app goes through a list page by page while the next files come in: it misses no row and has none twice."""

import hashlib
from pathlib import Path
from typing import Any

from tests.flows import process
from tests.flows.process import KEY, Gateway
from tests.flows.test_forward import drop

CONFIG = """
[gateway]
listen  = "127.0.0.1:0"
metrics = "127.0.0.1:0"
ledger  = "sqlite:{folder}/ledger.db"

[client.klik]
keys  = [{{ sha256 = "{key}" }}]
allow = ["rsud/*"]

[agency.rsud]
adapter = "csv"
drop    = "{folder}/drop"
every   = "50ms"
limit   = 2
mapping = "rsud.toml"

[agency.rsud.feed.stok]
files = "stok_*.csv"
ready = "rename"
key   = ["kode"]

[agency.rsud.operation.cari-obat]
expose = "GET /v1/obat"
call   = "stok"
safe   = true
"""
MAPPING = """
[stok.row]
kode = "kode"
nama = "nama"

[cari-obat.request]
nama.starts = { from = "awal", optional = true }
after       = { from = "setelah", optional = true }

[cari-obat.reply]
berikutnya = { from = "further", optional = true }

[cari-obat.reply.obat]
each = "rows"
nama = "nama"
"""


def asked(gateway: Gateway, **fields: str) -> tuple[list[str], str]:
    body: dict[str, Any] = gateway.http.get("/v1/obat", params=fields).raise_for_status().json()
    return [one["nama"] for one in body["obat"]], body.get("berikutnya", "")


def test_pages_go_on_in_the_data_they_began_in_and_say_so_once_it_is_gone(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    key = hashlib.sha256(KEY.encode()).hexdigest()
    (tmp_path / "gateway.toml").write_text(CONFIG.format(folder=tmp_path, key=key), "utf-8")
    (tmp_path / "rsud.toml").write_text(MAPPING, "utf-8")
    names = ["Parasetamol", "Amoksisilin", "Povidon", "Papaverin"]
    stock = "kode;nama\n" + "".join(f"{number};{name}\n" for number, name in enumerate(names))
    with process.running(tmp_path / "gateway.toml", {}) as gateway:
        drop(tmp_path / "drop", "stok_1.csv", stock)
        gateway.event("file-accepted", file="stok_1.csv")
        first, further = asked(gateway, awal="P")
        assert first == ["Papaverin", "Parasetamol"]
        drop(tmp_path / "drop", "stok_2.csv", f"{stock}4;Pa\n5;Paa\n")
        gateway.event("file-accepted", file="stok_2.csv")
        assert asked(gateway, awal="P", setelah=further) == (["Povidon"], "")
        assert asked(gateway, awal="P")[0] == ["Pa", "Paa"]
        drop(tmp_path / "drop", "stok_3.csv", f"{stock}6;Piridoksin\n")
        gateway.event("file-accepted", file="stok_3.csv")
        gone = gateway.http.get("/v1/obat", params={"awal": "P", "setelah": further})
        assert gone.status_code == 422
        (error,) = gone.json()["errors"]
        assert (error["pointer"], error["rule"]) == ("/setelah", "page-gone")
        assert "mulai lagi" in error["message"]
