"""Pelalawan Sehat of Dinkes: REST with an x-token; always HTTP 200, the verdict is in `metadata.code`.

Modes of its own: `expire` (forgets all tokens, at once), `login-refused`, `quota` (Kuota Antrean Penuh),
`duplicate` (the ticket is taken and answered as 208).
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from demo.agency import LOGIN
from demo.clock import WIB
from demo.http import Document, Reply, Request, json_reply
from demo.spoil import spoil
from demo.switch import Mode

USER, PASSWORD = "gateway", "rahasia-dinkes"
QUOTA = 30
WRONG = {
    "angkaantrean": "dua belas",
    "estimasidilayani": "besok pagi",
    "kuotajkn": "penuh",
    "sisaantrean": None,
    "latitude": "selatan",
    "tanggal_imunisasi": "31/02/2026",
}
MISSING = ("kodebooking", "namafaskes", "namadokter", "namavaksin")

FASKES = (
    ("P1405020101", "Puskesmas Pangkalan Kerinci I", "puskesmas", "Jl. Hang Tuah 3", "0761950101", 1),
    ("P1405020102", "Puskesmas Pangkalan Kerinci II", "puskesmas", "Jl. Koridor RAPP 17", "0761950102", 1),
    ("R1405020001", "RSUD Selasih", "rumah-sakit", "Jl. Lingkar", "0761950001", 1),
    ("P1405040101", "Puskesmas Bunut", "puskesmas", "Jl. Datuk Engku 1", "", 0),
)
POLI = {"UMU": "Poli Umum", "ANA": "Poli Anak", "GIG": "Poli Gigi"}
JADWAL = (
    ("UMU", 301, "dr. Ratna Dewi", "08:00-12:00", 20, QUOTA),
    ("ANA", 302, "dr. Hendra Saputra, Sp.A", "08:00-14:00", 15, QUOTA),
    ("GIG", 303, "drg. Maya Lestari", "09:00-12:00", 0, 0),
)
IMUNISASI: Mapping[str, tuple[tuple[str, str, str, str], ...]] = {
    "1405025503259101": (
        ("HB0", "Hepatitis B 0", "2025-03-15", "RSUD Selasih"),
        ("BCG", "BCG", "2025-04-16", "Puskesmas Pangkalan Kerinci I"),
        ("DPT1", "DPT-HB-HIB 1", "2025-05-18", "Puskesmas Pangkalan Kerinci I"),
    ),
}


class Refusal(Exception):
    """A business refusal: its metadata code and its text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class PelalawanSehat:
    """The queue tickets by booking code, and the tokens that are valid."""

    def __init__(self) -> None:
        self.modes: Mapping[str, Callable[[Mode], None] | None] = {
            "expire": lambda _: self._tokens.clear(),
            "login-refused": None,
            "quota": None,
            "duplicate": None,
        }
        self._tokens: set[str] = set()
        self._locked = False
        self._tickets: dict[str, Document] = {}
        self._take(
            {
                "nik": "1405025205909001",
                "nohp": "081200009001",
                "kodepoli": "UMU",
                "tanggalperiksa": "2026-12-01",
            }
        )

    def operation(self, request: Request) -> str:
        """The path below /api, without the booking code in it."""
        path = request.path.removeprefix("/api/").rstrip("/")
        if path == "auth":
            return LOGIN
        return "antrean/sisa" if path.startswith("antrean/") and path.endswith("/sisa") else path

    def answer(self, request: Request, operation: str, mode: str) -> Reply:
        """Do it; the verdict goes into the metadata."""
        try:
            response, code = self._perform(request, operation, mode)
        except Refusal as refusal:
            return json_reply({"metadata": {"message": str(refusal), "code": refusal.code}})
        if mode == "wrong":
            response = spoil(response, WRONG, MISSING)
        message = "Antrean sudah pernah diambil" if code == 208 else "Ok"  # noqa: PLR2004 - BPJS's own code
        return json_reply({"response": response, "metadata": {"message": message, "code": code}})

    def _perform(self, request: Request, operation: str, mode: str) -> tuple[Document, int]:
        if operation == LOGIN:
            return self._login(request)
        token = request.headers.get("x-token", "")
        if token not in self._tokens or mode == "login-refused":
            self._tokens.discard(token)
            raise Refusal(401, "Token Expired")
        perform: Callable[[Document], tuple[Document, int]] | None = {
            "faskes": self._facilities,
            "jadwal": self._schedule,
            "antrean/ambil": self._take,
            "antrean/sisa": self._left,
            "antrean/batal": self._cancel,
            "antrean/saya": self._mine,
            "imunisasi": self._immunisations,
        }.get(operation)
        if perform is None:
            raise Refusal(404, "Layanan tidak dikenal")
        if mode in ("refuse", "quota"):
            raise Refusal(201, "Kuota Antrean Penuh" if mode == "quota" else "Pendaftaran ke Poli ini tidak tersedia")
        given = {**request.query, **request.json(), **_from_path(request.path)}
        response, code = perform(given)
        return response, 208 if mode == "duplicate" else code

    def _login(self, request: Request) -> tuple[Document, int]:
        if (request.headers.get("x-username"), request.headers.get("x-password")) != (USER, PASSWORD):
            raise Refusal(201, "Username atau Password Tidak Sesuai")
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        return {"token": token}, 200

    def _facilities(self, _given: Document) -> tuple[Document, int]:
        names = ("kodefaskes", "namafaskes", "jenis", "alamat", "telepon", "buka")
        return {"list": [dict(zip(names, row, strict=True)) for row in FASKES]}, 200

    def _schedule(self, given: Document) -> tuple[Document, int]:
        poli, date = given.get("kodepoli", ""), given.get("tanggal", "")
        if poli not in POLI:
            raise Refusal(201, "Poli Tidak Ditemukan")
        rows = [
            {
                "kodepoli": poli,
                "namapoli": POLI[poli],
                "tanggal": date,
                "kodedokter": doctor,
                "namadokter": name,
                "jampraktek": hours,
                "kuotajkn": jkn,
                "kuotanonjkn": others,
            }
            for code, doctor, name, hours, jkn, others in JADWAL
            if code == poli
        ]
        return {"list": rows}, 200

    def _take(self, given: Document) -> tuple[Document, int]:
        poli, date, nik = given.get("kodepoli", ""), given.get("tanggalperiksa", ""), given.get("nik", "")
        slot = next((row for row in JADWAL if row[0] == poli), None)
        if slot is None:
            raise Refusal(201, "Pendaftaran ke Poli ini tidak tersedia")
        if given.get("nomorkartu") and len(given["nomorkartu"]) != 13:  # noqa: PLR2004 - a JKN card's length
            raise Refusal(201, "Nomor Kartu harus 13 digit")
        same_day = [
            each for each in self._tickets.values() if (each["kodepoli"], each["tanggalperiksa"]) == (poli, date)
        ]
        for ticket in same_day:
            if ticket["nik"] == nik and ticket["status"] == 1:
                return ticket, 208
        if len(same_day) >= slot[5]:
            raise Refusal(201, "Kuota Antrean Penuh")
        ticket = _ticket(poli, date, nik, slot, len(same_day) + 1)
        self._tickets[ticket["kodebooking"]] = ticket
        return ticket, 200

    def _left(self, given: Document) -> tuple[Document, int]:
        ticket = self._ticket(given)
        before = ticket["angkaantrean"] - 1
        return {
            "kodebooking": ticket["kodebooking"],
            "nomorantrean": ticket["nomorantrean"],
            "namapoli": ticket["namapoli"],
            "sisaantrean": before,
            "antreanpanggil": f"{ticket['nomorantrean'][0]}-1",
            "waktutunggu": before * 600,
        }, 200

    def _cancel(self, given: Document) -> tuple[Document, int]:
        ticket = self._ticket(given)
        self._tickets[ticket["kodebooking"]] = {**ticket, "status": 0}
        return {"kodebooking": ticket["kodebooking"], "status": 0}, 200

    def _mine(self, given: Document) -> tuple[Document, int]:
        return {"list": [each for each in self._tickets.values() if each["nik"] == given.get("nik")]}, 200

    def _immunisations(self, given: Document) -> tuple[Document, int]:
        names = ("kodevaksin", "namavaksin", "tanggal_imunisasi", "namafaskes")
        rows = IMUNISASI.get(given.get("nik", ""), ())
        return {"nik": given.get("nik"), "list": [dict(zip(names, row, strict=True)) for row in rows]}, 200

    def _ticket(self, given: Document) -> Document:
        ticket = self._tickets.get(given.get("kodebooking", ""))
        if ticket is None or ticket["status"] == 0:
            raise Refusal(201, "Antrean Tidak Ditemukan atau Sudah Dibatalkan")
        return ticket


def _ticket(poli: str, date: str, nik: str, slot: tuple[str, int, str, str, int, int], number: int) -> Document:
    try:
        day = datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=WIB)
    except ValueError:
        raise Refusal(201, "Format Tanggal Tidak Sesuai, format yang benar adalah yyyy-mm-dd") from None
    opening, _ = slot[3].split("-")
    served = day + timedelta(hours=int(opening[:2]), minutes=10 * (number - 1))
    return {
        "kodebooking": f"{day:%d%m%Y}{poli}{number:03d}",
        "nomorantrean": f"{poli[0]}-{number}",
        "angkaantrean": number,
        "nik": nik,
        "kodepoli": poli,
        "namapoli": POLI[poli],
        "namadokter": slot[2],
        "tanggalperiksa": date,
        "estimasidilayani": int(served.timestamp() * 1000),
        "kuotajkn": slot[4],
        "kuotanonjkn": slot[5],
        "sisakuotanonjkn": slot[5] - number,
        "keterangan": "Peserta harap datang 30 menit lebih awal",
        "status": 1,
    }


def _from_path(path: str) -> Document:
    inner = path.removeprefix("/api/antrean/")
    return {"kodebooking": inner.removesuffix("/sisa")} if inner.endswith("/sisa") else {}
