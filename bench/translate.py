"""Times one record of 12 fields through the compiled tables: reply, request, check; prints CPU microseconds."""

import argparse
import random
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from gateway.message import Context, Document, MessageId
from gateway.translate.compile import compile_operation
from gateway.translate.load import parse_mapping

MAPPING = """
[izin.reply]
nomor          = "NoPermohonan"
nama           = { from = ["NamaDepan", "NamaBelakang"], join = " " }
status         = { from = "KdStatus", codes = "status" }
jenis          = { from = "KdJenis", codes = "jenis" }
kelamin        = { from = "JK", codes = "kelamin" }
diajukan       = { from = "TglAju", date = "dd/mm/yyyy" }
selesai        = { from = "TglSelesai", date = "dd/mm/yyyy" }
biaya          = { from = "Retribusi", number = "1.234,56" }
keterangan     = { from = "Keterangan", default = "-" }
alamat.rt      = { from = "RT_RW", split = "/", part = 1 }
alamat.rw      = { from = "RT_RW", split = "/", part = 2 }
[izin.reply.berkas]
each = "Berkas.Item"
nama = "Nama"
ada  = { from = "Ada", bool = ["Y", "T"] }

[izin.request]
NoPermohonan   = "nomor"
Nama           = { from = ["nama_depan", "nama_belakang"], join = " " }
KdStatus       = { from = "status", codes = "status" }
KdJenis        = { from = "jenis", codes = "jenis" }
JK             = { from = "kelamin", codes = "kelamin" }
TglAju         = { from = "diajukan", date = "dd/mm/yyyy" }
TglSelesai     = { from = "selesai", date = "dd/mm/yyyy" }
Retribusi      = { from = "biaya", number = "1.234,56" }
Keterangan     = { from = "keterangan", default = "-" }
Alamat.RT      = "alamat.rt"
Alamat.RW      = "alamat.rw"
[izin.request.Berkas.Item]
each = "berkas"
Nama = "nama"
Ada  = { from = "ada", bool = ["Y", "T"] }

[codes.status]
"1" = "diajukan"
"2" = "diproses"
"3" = "selesai"
"9" = "ditolak"
[codes.jenis]
"01" = "imb"
"02" = "siup"
"03" = "reklame"
[codes.kelamin]
L = "laki-laki"
P = "perempuan"
"""


def records(count: int, chance: random.Random) -> list[Document]:
    """Return native replies whose dates fall within two years and whose amounts all differ."""
    first = date(2025, 1, 1)
    return [
        {
            "NoPermohonan": f"{number}/IMB/IV/2026",
            "NamaDepan": "Siti",
            "NamaBelakang": f"Aminah {number}",
            "KdStatus": chance.choice("1239"),
            "KdJenis": chance.choice(["01", "02", "03"]),
            "JK": chance.choice("LP"),
            "TglAju": (first + timedelta(days=chance.randrange(700))).strftime("%d/%m/%Y"),
            "TglSelesai": (first + timedelta(days=chance.randrange(700))).strftime("%d/%m/%Y"),
            "Retribusi": f"{chance.randrange(1, 999)}.{chance.randrange(1000):03d},{chance.randrange(100):02d}",
            "RT_RW": "001/002",
            "Berkas": {"Item": [{"Nama": f"berkas {item}", "Ada": chance.choice("YT")} for item in range(3)]},
        }
        for number in range(count)
    ]


def request(reply: Document) -> Document:
    """Return the canonical request that says what a canonical reply said."""
    first, last = reply["nama"].split(" ", 1)
    kept = {name: value for name, value in reply.items() if name not in {"nama", "keterangan"}}
    return {**kept, "nama_depan": first, "nama_belakang": last}


def microseconds(call: Callable[[Any], object], bodies: Sequence[Document], rounds: int = 15) -> float:
    """Return the median CPU time of one call over some rounds through all bodies."""
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        for body in bodies:
            call(body)
        taken.append((time.process_time() - started) / len(bodies) * 1e6)
    return statistics.median(taken)


def by_hand(record: Document) -> Document:
    """Return what a programmer would write without checks: the floor to compare with."""
    rt, rw = record["RT_RW"].split("/")
    return {
        "nomor": record["NoPermohonan"],
        "nama": record["NamaDepan"] + " " + record["NamaBelakang"],
        "status": _STATUS[record["KdStatus"]],
        "jenis": _JENIS[record["KdJenis"]],
        "kelamin": _KELAMIN[record["JK"]],
        "diajukan": datetime.strptime(record["TglAju"], "%d/%m/%Y").replace(tzinfo=UTC).date().isoformat(),
        "selesai": datetime.strptime(record["TglSelesai"], "%d/%m/%Y").replace(tzinfo=UTC).date().isoformat(),
        "biaya": Decimal(record["Retribusi"].replace(".", "").replace(",", ".")),
        "keterangan": record.get("Keterangan", "-"),
        "alamat": {"rt": rt, "rw": rw},
        "berkas": [{"nama": item["Nama"], "ada": item["Ada"] == "Y"} for item in record["Berkas"]["Item"]],
    }


_STATUS = {"1": "diajukan", "2": "diproses", "3": "selesai", "9": "ditolak"}
_JENIS = {"01": "imb", "02": "siup", "03": "reklame"}
_KELAMIN = {"L": "laki-laki", "P": "perempuan"}


def main() -> None:
    """Print one line per way."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--records", type=int, default=5000)
    count = arguments.parse_args().records
    mapping = parse_mapping(MAPPING, "bench.toml")
    started = time.process_time()
    compiled = compile_operation(mapping, "izin")
    print(f"compile, once per operation      {(time.process_time() - started) * 1e3:8.1f} ms")
    context = Context(id=MessageId("0"), client="bench", now=datetime.now(UTC))
    native = records(count, random.Random(7))
    repeating = native[:100] * (count // 100)
    translator = compiled.translator
    bodies = [request(translator.to_canonical(record)) for record in native]
    for body in bodies:
        if errors := compiled.request.check(body):
            raise SystemExit(f"the bench's own data does not fit: {errors}")
    for what, call, data in (
        ("reply -> canonical", translator.to_canonical, native),
        ("the same, values that repeat", translator.to_canonical, repeating),
        ("canonical -> request", lambda body: translator.to_native(body, context), bodies),
        ("check of the canonical request", compiled.request.check, bodies),
        ("by hand, no checks, strptime", by_hand, native),
    ):
        print(f"{what:32} {microseconds(call, data):8.2f} us")


if __name__ == "__main__":
    main()
