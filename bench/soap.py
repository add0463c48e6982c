"""CPU of the SOAP codec, without HTTP: the pilot's own WSDL, and twelve fields beside zeep; prints microseconds.

With GATEWAY_CORPUS it says, too, how many messages of the public WSDLs there are compiled, and why the others are not.
"""

import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
from lxml import etree
from zeep.helpers import serialize_object

from adapters.soap.decode import decode
from adapters.soap.encode import encode
from adapters.soap.envelope import open_envelope
from adapters.soap.plan import MessagePlan
from adapters.soap.planning import Plans, read_plans
from adapters.soap.wsdl import load
from gateway import ConfigError

HERE = Path(__file__).parent
WSDL = HERE / "codec.wsdl"
SECONDS, ROUNDS = 0.02, 7
RECORD = {
    "nomor": "1405029001180001",
    "nama": "Siti Aminah",
    "alamat": "Jl. Maharaja Indra No. 12 & 14",
    "kecamatan": "Pangkalan Kerinci",
    "jenis": "Izin Mendirikan Bangunan",
    "status": "baru",
    "luas": 250,
    "lantai": 2,
    "retribusi": 1250000.5,
    "tanggal": "2026-03-14",
    "diubah": "2026-03-14T09:26:53+07:00",
    "aktif": True,
}
LONGEST = 10 * 2**20

_json = msgspec.json.Encoder(decimal_format="number")
_document = msgspec.json.Decoder(float_hook=Decimal)

Part = tuple[str, Callable[[], object]]


def parts(plans: Plans) -> Iterator[Part]:
    """Yield what is measured of the pilot's agency, by name."""
    status, file = plans.operations["statusPermohonan"], plans.operations["ajukanPermohonan"]
    answer, short = ((HERE / "answers" / name).read_bytes() for name in ("status.xml", "ajukan.xml"))
    asked = {"kode_akses": "gateway", "kata_sandi": "of-the-bench", "no_permohonan": "161/IMB/IV/2021"}
    reply, short_reply = _reply(status.reply), _reply(file.reply)
    yield "encode a call of 3 fields", lambda: encode(status.request, asked)
    yield "parse an answer of 33 elements", lambda: open_envelope(answer, reply.soap, encoded=reply.encoded)
    yield "decode it, parsing included", lambda: decode(reply, answer)
    yield "decode an answer of 4 fields", lambda: decode(short_reply, short)


class Both:
    """Our codec and zeep's, doing the same: JSON to an envelope, an answer to JSON."""

    def __init__(self, operation: str, records: int | None) -> None:
        plan = read_plans(WSDL).operations[operation]
        self.request, self.reply = plan.request, _reply(plan.reply)
        self.sent = json.dumps(RECORD).encode()
        given = {"permohonan": [RECORD] * records} if records is not None else RECORD
        self.answer = encode(self.reply, _document.decode(json.dumps(given)))
        # What has a comment in it is never known by its markup.
        self.strange, self.unknown = self.answer + b"<!-- -->", replace(self.reply)
        self._operation: Any = load(WSDL).port.binding.get(operation)

    def write(self) -> bytes:
        """JSON to envelope, ours."""
        return encode(self.request, _document.decode(self.sent))

    def read(self) -> bytes:
        """Answer to JSON, ours."""
        return _json.encode(decode(self.reply, self.answer))

    def parse(self) -> bytes:
        """Answer to JSON, ours, where no answer before looked like it."""
        return _json.encode(decode(self.unknown, self.strange))

    def zeep_writes(self) -> bytes:
        """JSON to envelope, zeep's."""
        return etree.tostring(self._operation.create(**_document.decode(self.sent)).content)

    def zeep_reads(self) -> bytes:
        """Answer to JSON, zeep's."""
        value = self._operation.output.deserialize(etree.fromstring(self.answer))
        return _json.encode(serialize_object(value, dict))


def _reply(plan: MessagePlan | None) -> MessagePlan:
    assert plan is not None
    return plan


def in_turns(*calls: Callable[[], object]) -> list[float]:
    """Return the CPU of one call of each, the median of rounds in which they take turns."""
    times = [_often(call) for call in calls]
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for call, often, found in zip(calls, times, taken, strict=True):
            found.append(_timed(call, often) / often)
    return [median(found) * 1e6 for found in taken]


def _often(call: Callable[[], object]) -> int:
    call()
    return max(1, int(SECONDS / max(_timed(call, 3) / 3, 1e-7)))


def _timed(call: Callable[[], object], often: int) -> float:
    started = time.process_time()
    for _ in range(often):
        call()
    return time.process_time() - started


def beside_zeep() -> Iterator[str]:
    """Yield a line for each way."""
    one, many = Both("ajukan", None), Both("daftar", 100)
    for name, ours, theirs in (
        ("12 fields, JSON to envelope", one.write, one.zeep_writes),
        ("12 fields, answer to JSON", one.read, one.zeep_reads),
        ("12 fields, answer of a new form to JSON", one.parse, one.zeep_reads),
        ("12 fields, both", lambda: (one.write(), one.read()), lambda: (one.zeep_writes(), one.zeep_reads())),
        ("100 x 12, answer to JSON", many.read, many.zeep_reads),
        ("100 x 12, answer of a new form to JSON", many.parse, many.zeep_reads),
    ):
        mine, zeeps = in_turns(ours, theirs)
        yield f"{name:42}{mine:9.1f}   zeep {zeeps:9.1f}   1/{zeeps / mine:.1f}"


def linear() -> Iterator[str]:
    """Yield what a record costs in ever longer answers."""
    records = 100
    while True:
        both = Both("daftar", records)
        (mine,) = in_turns(both.read)
        yield f"{records:7} records, {len(both.answer) / 2**20:5.1f} MB{'':19}{mine / records:9.2f} for each"
        if len(both.answer) * 10 > LONGEST * 3:
            return
        records *= 4


def compiled(corpus: Path) -> Iterator[str]:
    """Yield how many messages of the public WSDLs are compiled, and why the others are not."""
    reasons: Counter[str] = Counter()
    files = sorted((corpus / "wsdl").rglob("*.wsdl"))
    for path in files:
        try:
            plans = read_plans(path)
        except ConfigError:
            reasons["in a WSDL that can't be loaded (files, not messages)"] += 1
            continue
        for operation in plans.operations.values():
            for plan in (operation.request, operation.reply):
                reasons["compiled" if plan and not plan.odd else plan.odd if plan else ""] += 1
        for found in plans.refused.values():
            reasons[re.sub(r"operation '[^']*' |:.*|'[^']*'", "", found.what).strip()] += 2
    reasons.pop("", None)
    for reason, count in reasons.most_common():
        yield f"{count:6} {reason}"


def main() -> None:
    """Print one line per part."""
    plans = read_plans(HERE.parent / "wsdl/dpmptsp/sipolan.wsdl")
    for name, call in parts(plans):
        print(f"{name:42}{in_turns(call)[0]:9.2f}")
    for line in (*beside_zeep(), *linear()):
        print(line)
    if folder := os.environ.get("GATEWAY_CORPUS"):
        print("messages of public WSDLs:", *compiled(Path(folder)), sep="\n")


if __name__ == "__main__":
    main()
