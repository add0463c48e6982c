"""SIPOLAN of DPMPTSP, the permits: SOAP 1.1 rpc/encoded in nuSOAP's manner, the login in every call's body.

Modes of its own: `busy` (fault Server.Busy), `duplicate` (ajukanPermohonan files and answers 03),
`not-found` (kode 02), `login-refused` (fault Client), `decide` (whatever was filed before this call is issued).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lxml import etree

from demo.clock import now
from demo.http import Document, Reply, Request
from demo.spoil import spoil
from demo.switch import Mode
from demo.xml import SOAP_11, XSD, XSI, SoapCall, read_call, twice

NAMESPACE = "urn:sipolan"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
LOGIN = ("gateway", "rahasia-sipolan")
WSDL = Path(__file__).with_name("sipolan.wsdl")
WRITTEN = "http://127.0.0.1:8181/sipolan"
DESCRIBED = "wsdl"
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")

# The name of the complex type that nuSOAP writes for a struct or for a list's items.
TYPES = {
    "pemohon": "Pemohon",
    "riwayat": "Proses",
    "daftar": "JenisIzin",
    "persyaratan": "Persyaratan",
    "izin": "Izin",
}
EMPTY: Mapping[str, Document] = {
    "daftarJenisIzin": {"jumlah": None, "daftar": []},
    "persyaratanIzin": {"persyaratan": []},
    "ajukanPermohonan": {"no_permohonan": None, "tgl_pengajuan": None},
    "statusPermohonan": {
        **dict.fromkeys(("no_permohonan", "jenis_izin_id", "jenis_izin", "jenis_permohonan", "pemohon")),
        **dict.fromkeys(("tgl_pengajuan", "tgl_selesai", "kode_status", "status_bayar", "retribusi")),
        "keterangan": None,
        "riwayat": [],
    },
    "daftarIzin": {"jumlah": None, "izin": []},
    "cariPermohonan": {"no_permohonan": None, "kode_status": None, "tgl_pengajuan": None},
}
# All of it still fits the WSDL, sla_hari apart: nuSOAP calls nearly everything a string.
WRONG = {
    "no_permohonan": None,
    "retribusi": "Rp abc",
    "tarif": "Rp abc",
    "tgl_pengajuan": "31-02-2026",
    "mulai_berlaku": "00-13-2026",
    "sla_hari": "lama",
    "wajib": "mungkin",
}

JENIS_IZIN = (
    ("IMB", "Izin Mendirikan Bangunan", 14, "1.250.000,50", "1"),
    ("SIUP", "Surat Izin Usaha Perdagangan", 7, "0,00", "1"),
    ("REKLAME", "Izin Pemasangan Reklame", 5, "350.000,00", "1"),
    ("HO", "Izin Gangguan (dicabut)", 14, "500.000,00", "0"),
)
PERSYARATAN: Mapping[str, tuple[tuple[str, str, str, str | None], ...]] = {
    "IMB": (
        ("11", "Fotokopi KTP pemohon", "1", None),
        ("12", "Sertifikat tanah", "1", "Dilegalisir notaris"),
        ("13", "Gambar rencana bangunan", "1", None),
        ("14", "Persetujuan tetangga", "0", "Hanya untuk bangunan berdempetan"),
    ),
    "SIUP": (("21", "Fotokopi KTP penanggung jawab", "1", None), ("22", "NPWP badan usaha", "1", None)),
    "REKLAME": (("31", "Foto lokasi", "1", None), ("32", "Desain reklame", "1", None)),
}
IZIN: Mapping[str, tuple[tuple[str, str, str, str, str | None, str], ...]] = {
    "1405025205909001": (
        ("503/IMB/2021/0161", "161/IMB/IV/2021", "Izin Mendirikan Bangunan", "28-04-2021", None, "1"),
        (
            "503/REKLAME/2023/0044",
            "44/REKLAME/II/2023",
            "Izin Pemasangan Reklame",
            "10-02-2023",
            "09-02-2024",
            "0",
        ),
    ),
    "1405020311789003": (
        ("503/SIUP/2025/0207", "207/SIUP/VI/2025", "Surat Izin Usaha Perdagangan", "17-06-2025", None, "1"),
    ),
}
DECIDED = ("3", "9")  # issued, refused
DEBTOR = "1405021708859002"  # may not file: he owes a fee


def _first_applications() -> dict[str, Document]:
    return {
        "161/IMB/IV/2021": {
            "ref": "lama-161",
            "no_permohonan": "161/IMB/IV/2021",
            "jenis_izin_id": "IMB",
            "jenis_izin": "Izin Mendirikan Bangunan",
            "jenis_permohonan": "baru",
            "pemohon": {
                "no_identitas": "1405025205909001",
                "nama": "Siti Rahmawati",
                "alamat": "Jl. Akasia 12",
            },
            "tgl_pengajuan": "05-04-2021",
            "tgl_selesai": "28-04-2021",
            "kode_status": "3",
            "status_bayar": "1",
            "retribusi": "1.250.000,50",
            "keterangan": None,
            "riwayat": [
                _step("Pendaftaran", "1", "Selesai", "05-04-2021"),
                _step("Pemeriksaan lapangan", "4", "Selesai", "16-04-2021"),
                _step("Penetapan", "7", "Selesai", "28-04-2021"),
            ],
        },
        "88/SIUP/XI/2026": {
            "ref": "lama-88",
            "no_permohonan": "88/SIUP/XI/2026",
            "jenis_izin_id": "SIUP",
            "jenis_izin": "Surat Izin Usaha Perdagangan",
            "jenis_permohonan": "perpanjangan",
            "pemohon": {
                "no_identitas": "1405020311789003",
                "nama": "André Siahaan",
                "alamat": "Jl. Lintas Timur 8",
            },
            "tgl_pengajuan": "16-11-2026",
            "tgl_selesai": None,
            "kode_status": "2",
            "status_bayar": "0",
            "retribusi": "0,00",
            "keterangan": "Menunggu NPWP",
            "riwayat": [
                _step("Pendaftaran", "1", "Selesai", "16-11-2026"),
                _step("Verifikasi", "2", "Proses", ""),
            ],
        },
    }


def _step(name: str, kind: str, status: str, finished: str | None) -> Document:
    return {"nama_proses": name, "jenis_proses_id": kind, "status": status, "tgl_selesai": finished}


class Fault(Exception):
    """What nuSOAP answers as a SOAP fault; its faultcode has no prefix."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Sipolan:
    """The permit applications, by number."""

    def __init__(self) -> None:
        self.modes: Mapping[str, Callable[[Mode], None] | None] = dict.fromkeys(
            ("busy", "duplicate", "not-found", "login-refused", "twice", "decide")
        )
        self._applications = _first_applications()

    def operation(self, request: Request) -> str:
        """The name of the body's element, or `wsdl` where that is asked for."""
        return DESCRIBED if _asks_for_wsdl(request) else read_call(request.body).operation

    def answer(self, request: Request, operation: str, mode: str) -> Reply:
        """Do it; every failure that nuSOAP knows is a fault under HTTP 500."""
        if _asks_for_wsdl(request):
            return _wsdl(request)
        try:
            fields = self._perform(read_call(request.body), mode)
        except Fault as fault:
            return _xml(_fault(fault), 500)
        if mode == "wrong":
            fields = spoil(fields, WRONG)
        response = _response(operation, fields)
        return _xml(twice(response) if mode == "twice" else response, 200)

    def _perform(self, call: SoapCall, mode: str) -> Document:
        given = call.arguments
        perform: Callable[[Document, str], Document] | None = {
            "daftarJenisIzin": self._kinds,
            "persyaratanIzin": self._requirements,
            "ajukanPermohonan": self._file,
            "statusPermohonan": self._status,
            "daftarIzin": self._permits,
            "cariPermohonan": self._find,
        }.get(call.operation)
        if call.envelope != SOAP_11 or perform is None:
            raise Fault("Client", f"Operasi '{call.operation}' tidak dikenal")
        if mode == "login-refused" or (given.get("kode_akses"), given.get("kata_sandi")) != LOGIN:
            raise Fault("Client", "Kode akses atau kata sandi salah")
        if mode == "busy":
            raise Fault("Server.Busy", "Server sedang sibuk, silakan coba beberapa saat lagi")
        if mode == "decide":
            self._decide()
        empty = EMPTY[call.operation]
        if mode == "not-found":
            return {"kode": "02", "pesan": "Data tidak ditemukan", **empty}
        if mode == "refuse":
            return {"kode": "05", "pesan": "Permohonan ditolak: layanan ditutup sementara", **empty}
        kode, pesan, fields = _with_verdict(perform(given, mode))
        return {"kode": kode, "pesan": pesan, **empty, **{k: v for k, v in fields.items() if k in empty}}

    def _kinds(self, _given: Document, _mode: str) -> Document:
        names = ("jenis_izin_id", "nama", "sla_hari", "tarif", "aktif")
        return {
            "jumlah": len(JENIS_IZIN),
            "daftar": [dict(zip(names, row, strict=True)) for row in JENIS_IZIN],
        }

    def _requirements(self, given: Document, _mode: str) -> Document:
        rows = PERSYARATAN.get(given.get("jenis_izin_id") or "")
        if rows is None:
            return {"kode": "02"}
        names = ("persyaratan_id", "nama", "wajib", "keterangan")
        return {"persyaratan": [dict(zip(names, row, strict=True)) for row in rows]}

    def _file(self, given: Document, mode: str) -> Document:
        kinds = {row[0]: row for row in JENIS_IZIN if row[4] == "1"}
        kind, applicant, ref = given.get("jenis_izin_id"), given.get("pemohon") or {}, given.get("ref")
        if kind not in kinds:
            return {"kode": "05", "pesan": "Jenis izin tidak tersedia"}
        if applicant.get("no_identitas") == DEBTOR:
            return {"kode": "05", "pesan": "Pemohon masih memiliki tunggakan retribusi"}
        if (known := self._by_ref(ref)) is not None:
            return {**known, "kode": "03", "pesan": "Permohonan ganda"}
        filed = now()
        number = f"{900 + len(self._applications)}/{kind}/{ROMAN[filed.month - 1]}/{filed.year}"
        date = filed.strftime("%d-%m-%Y")
        self._applications[number] = {
            "ref": ref,
            "no_permohonan": number,
            "jenis_izin_id": kind,
            "jenis_izin": kinds[kind][1],
            "jenis_permohonan": given.get("jenis_permohonan"),
            "pemohon": {name: applicant.get(name) for name in ("no_identitas", "nama", "alamat")},
            "tgl_pengajuan": date,
            "tgl_selesai": None,
            "kode_status": "1",
            "status_bayar": "0",
            "retribusi": kinds[kind][3],
            "keterangan": given.get("keterangan"),
            "riwayat": [
                _step("Pendaftaran", "1", "Selesai", date),
                _step("Verifikasi", "2", "Menunggu", None),
            ],
        }
        verdict = {"kode": "03", "pesan": "Permohonan ganda"} if mode == "duplicate" else {}
        return {**self._applications[number], **verdict}

    def _status(self, given: Document, _mode: str) -> Document:
        return self._applications.get(given.get("no_permohonan") or "", {"kode": "02"})

    def _permits(self, given: Document, _mode: str) -> Document:
        rows = IZIN.get(given.get("no_identitas") or "")
        if rows is None:
            return {"kode": "02"}
        names = ("no_izin", "no_permohonan", "jenis_izin", "mulai_berlaku", "akhir_berlaku", "berlaku")
        return {"jumlah": len(rows), "izin": [dict(zip(names, row, strict=True)) for row in rows]}

    def _find(self, given: Document, _mode: str) -> Document:
        return self._by_ref(given.get("ref")) or {"kode": "02"}

    def _decide(self) -> None:
        for number, each in self._applications.items():
            if each["kode_status"] not in DECIDED:
                issued = {"kode_status": "3", "tgl_selesai": now().strftime("%d-%m-%Y")}
                self._applications[number] = {**each, **issued}

    def _by_ref(self, ref: str | None) -> Document | None:
        return next((each for each in self._applications.values() if ref and each["ref"] == ref), None)


def _asks_for_wsdl(request: Request) -> bool:
    return request.method == "GET" and "wsdl" in map(str.lower, request.query)


def _wsdl(request: Request) -> Reply:
    """The WSDL, which names the address that it was asked for at, as nuSOAP does."""
    here = f"http://{request.headers['host']}{request.path}"
    body = WSDL.read_bytes().replace(WRITTEN.encode(), here.encode("latin-1"))
    return Reply(body=body, content_type="text/xml; charset=ISO-8859-1")


def _with_verdict(fields: Document) -> tuple[str, str, Document]:
    kode = fields.get("kode", "00")
    pesan = {"00": "Sukses", "02": "Data tidak ditemukan"}.get(kode) or fields["pesan"]
    return kode, pesan, fields


def _envelope() -> tuple[etree._Element, etree._Element]:
    spaces = {"SOAP-ENV": SOAP_11, "xsd": XSD, "xsi": XSI, "SOAP-ENC": ENCODING, "tns": NAMESPACE}
    envelope = etree.Element(f"{{{SOAP_11}}}Envelope", nsmap=spaces)
    envelope.set(f"{{{SOAP_11}}}encodingStyle", ENCODING)
    envelope.text = "\n  "
    return envelope, etree.SubElement(envelope, f"{{{SOAP_11}}}Body")


def _response(operation: str, fields: Document) -> etree._Element:
    envelope, body = _envelope()
    response = etree.SubElement(body, f"{{{NAMESPACE}}}{operation}Response", nsmap={"ns1": NAMESPACE})
    for name, value in fields.items():
        _write(response, name, value, TYPES.get(name, ""))
    return envelope


def _write(parent: etree._Element, name: str, value: Any, kind: str) -> None:
    element = etree.SubElement(parent, name)
    match value:
        case None:
            element.set(f"{{{XSI}}}nil", "true")
            element.set(f"{{{XSI}}}type", f"tns:{kind}" if kind else "xsd:string")
        case list():
            element.set(f"{{{XSI}}}type", "SOAP-ENC:Array")
            element.set(f"{{{ENCODING}}}arrayType", f"tns:{kind}[{len(value)}]")
            for item in value:
                _write(element, "item", item, kind)
        case Mapping():
            element.set(f"{{{XSI}}}type", f"tns:{kind}")
            for field, inner in value.items():
                _write(element, field, inner, TYPES.get(field, ""))
        case _:
            element.set(f"{{{XSI}}}type", "xsd:int" if isinstance(value, int) else "xsd:string")
            element.text = str(value)


def _fault(fault: Fault) -> etree._Element:
    envelope, body = _envelope()
    element = etree.SubElement(body, f"{{{SOAP_11}}}Fault")
    for name, text in (
        ("faultcode", fault.code),
        ("faultactor", ""),
        ("faultstring", str(fault)),
        ("detail", ""),
    ):
        child = etree.SubElement(element, name)
        child.set(f"{{{XSI}}}type", "xsd:string")
        child.text = text
    return envelope


def _xml(envelope: etree._Element, status: int) -> Reply:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?>' + etree.tostring(envelope, encoding="unicode")
    body = text.encode("iso-8859-1", "xmlcharrefreplace")
    return Reply(status=status, body=body, content_type="text/xml; charset=ISO-8859-1")
