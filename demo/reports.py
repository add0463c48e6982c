"""The desk where a citizen's report comes in; DPUPR's and Diskominfo's web services are made alike."""

from demo.clock import now
from demo.http import Document, Reply, Request, json_reply
from demo.spoil import spoil

WRONG = {"diterima": "tadi pagi", "kode_status": "?"}
MISSING = ("nomor",)
SHORTEST = 10


class ReportDesk:
    """Reports by number, as one agency keeps them."""

    def __init__(self, agency: str, mark: str, categories: frozenset[str]) -> None:
        self._agency, self._mark, self._categories = agency, mark, categories
        self._reports: dict[str, Document] = {}

    def receive(self, request: Request, mode: str) -> Reply:
        """Take a report in: 201 with its number, or 422 with the agency's reason."""
        report = request.json()
        if mode == "refuse":
            return _no("ditolak", "Loket pengaduan ditutup sementara", 422)
        if report.get("kategori") not in self._categories:
            return _no("ditolak", f"Kategori bukan urusan {self._agency}", 422)
        if len(report.get("isi") or "") < SHORTEST:
            return _no("ditolak", "Isi laporan terlalu singkat", 422)
        if not (report.get("pelapor") or {}).get("nama"):
            return _no("ditolak", "Nama pelapor wajib diisi", 422)
        return self._reply(self._file(report), mode, 201)

    def tell(self, number: str, mode: str) -> Reply:
        """How far a report is: 200, or 404."""
        if mode == "refuse":
            return _no("ditolak", "Loket pengaduan ditutup sementara", 422)
        if number not in self._reports:
            return _no("tidak-ditemukan", "Laporan tidak ditemukan", 404)
        return self._reply({**self._reports[number], "kode_status": "1", "tanggapan": None}, mode, 200)

    def _file(self, report: Document) -> Document:
        received = now()
        number = f"{len(self._reports) + 1:03d}/{self._mark}/{received.year}"
        told = {"nomor": number, "instansi": self._agency, "diterima": received.isoformat()}
        self._reports[number] = {**told, "kategori": report["kategori"]}
        return told

    def _reply(self, fields: Document, mode: str, status: int) -> Reply:
        return json_reply(spoil(fields, WRONG, MISSING) if mode == "wrong" else fields, status)


def _no(code: str, text: str, status: int) -> Reply:
    return json_reply({"galat": code, "pesan": text}, status)
