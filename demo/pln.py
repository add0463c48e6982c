"""PLN, the electricity partner: every call is a signed `POST /pln/<operation>`; the verdict is in `rc`.

Modes of its own: `busy` (429, Retry-After 2), `unavailable` (503), `gangguan` (rc 68), `not-found` (rc 14),
`login-refused` (401).
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping

from demo.clock import now
from demo.http import Document, Reply, Request, json_reply
from demo.spoil import spoil
from demo.switch import Mode

SECRET = b"rahasia-pln"
WRONG = {"tagihan": "Rp abc", "tarif_daya": "R1", "diterima": "kemarin", "status_lunas": "mungkin"}
MISSING = ("nama", "no_laporan")
CUSTOMERS: Mapping[str, Document] = {
    "143205009001": {"no_meter": "14320500901", "nama": "SITI RAHMAWATI", "tarif_daya": "R1/1300 VA"},
    "143205009002": {"no_meter": "14320500902", "nama": "BUDI HARTONO", "tarif_daya": "R1M/900 VA"},
    "143205009003": {"no_meter": "14320500903", "nama": "CV SUMBER SAWIT", "tarif_daya": "B2/6600 VA"},
}
BILLS: Mapping[str, Document] = {
    "143205009001": {"periode": "202611", "tagihan": 287450, "status_lunas": "0"},
    "143205009002": {"periode": "202611", "tagihan": 96120, "status_lunas": "1"},
    "143205009003": {"periode": "202611", "tagihan": 4118700, "status_lunas": "0"},
}


class Refusal(Exception):
    """The partner's own no: its `rc` and its text."""

    def __init__(self, rc: str, text: str) -> None:
        super().__init__(text)
        self.rc = rc


class Pln:
    """Three customers, and the outages they reported."""

    def __init__(self) -> None:
        self.modes: Mapping[str, Callable[[Mode], None] | None] = dict.fromkeys(
            ("busy", "unavailable", "gangguan", "not-found", "login-refused")
        )
        self._reports: dict[str, Document] = {}

    def operation(self, request: Request) -> str:
        """The last part of the path."""
        return request.path.rpartition("/")[2]

    def answer(self, request: Request, operation: str, mode: str) -> Reply:
        """Do it, if the body's signature is right."""
        expected = hmac.new(SECRET, request.body, hashlib.sha256).hexdigest()
        if mode == "login-refused" or not hmac.compare_digest(expected, request.headers.get("x-signature", "")):
            return json_reply({"rc": "97", "pesan": "Tanda tangan tidak sah"}, 401)
        if mode == "busy":
            return json_reply({"rc": "29", "pesan": "Terlalu banyak permintaan"}, 429, {"retry-after": "2"})
        if mode == "unavailable":
            return json_reply({"rc": "68", "pesan": "Pemeliharaan sistem"}, 503)
        try:
            data = self._perform(operation, request.json(), mode)
        except Refusal as refusal:
            return json_reply({"rc": refusal.rc, "pesan": str(refusal)})
        return json_reply(
            {"rc": "00", "pesan": "SUKSES", "data": spoil(data, WRONG, MISSING) if mode == "wrong" else data}
        )

    def _perform(self, operation: str, given: Document, mode: str) -> Document:
        perform: Callable[[Document], Document] | None = {
            "infoPelanggan": lambda given: _known(CUSTOMERS, given),
            "tagihan": lambda given: _known(BILLS, given),
            "laporGangguan": self._report,
            "statusGangguan": self._status,
        }.get(operation)
        refusals = {
            "refuse": ("30", "Permintaan tidak dapat diproses"),
            "gangguan": ("68", "Sistem sedang gangguan"),
            "not-found": ("14", "ID pelanggan tidak ditemukan"),
        }
        if mode in refusals:
            raise Refusal(*refusals[mode])
        if perform is None:
            raise Refusal("30", "Layanan tidak dikenal")
        return perform(given)

    def _report(self, given: Document) -> Document:
        _known(CUSTOMERS, given)
        known = next((each for each in self._reports.values() if each["ref"] == given.get("ref")), None)
        if known is not None and given.get("ref"):
            return _public(known)
        number = f"G14{len(self._reports) + 1:08d}"
        received = int(now().timestamp())
        self._reports[number] = {
            "no_laporan": number,
            "ref": given.get("ref"),
            "diterima": received,
            "kode_status": "1",
            "petugas": None,
            "perkiraan_selesai": received + 4 * 3600,
        }
        return _public(self._reports[number])

    def _status(self, given: Document) -> Document:
        report = self._reports.get(given.get("no_laporan", ""))
        if report is None:
            raise Refusal("14", "Nomor laporan tidak ditemukan")
        return _public(report)


def _known(table: Mapping[str, Document], given: Document) -> Document:
    number = str(given.get("id_pelanggan"))
    if number not in table:
        raise Refusal("14", "ID pelanggan tidak ditemukan")
    return {"id_pelanggan": number, **table[number]}


def _public(report: Document) -> Document:
    return {name: value for name, value in report.items() if name != "ref"}
