"""SIMPEG of BKPSDM, the civil servants: SOAP 1.2 only, document/literal as .asmx does it, login in a header.

Modes of its own: `drift` (NamaLengkap is suddenly called NamaPegawai), `busy` (fault LayananSibuk),
`not-found`, `login-refused` (fault LoginGagal). Faults are HTTP 500 with a Detail of its own.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from lxml import etree

from demo.http import Document, Reply, Request
from demo.spoil import spoil
from demo.switch import Mode
from demo.xml import SOAP_12, XSD, XSI, SoapCall, read_call, twice

NAMESPACE = "http://simpeg.bkpsdm.example/"
DEFAULT = cast("Mapping[str, str]", {None: NAMESPACE})  # the stubs know no default namespace
LOGIN = {"Username": "gateway", "Password": "rahasia-simpeg"}
WRONG = {"MasaKerjaTahun": "lama", "TanggalLahir": "31/02/1978", "Aktif": "ya", "JumlahPegawai": "banyak"}
MISSING = ("Jabatan", "NamaUnit")

PEGAWAI: Mapping[str, Document] = {
    "197806152005011901": {
        "Nip": "197806152005011901",
        "NamaLengkap": "Drs. Zulkifli Harahap, M.Si.",
        "PangkatGol": "Pembina Tk. I / IV/b",
        "Jabatan": "Sekretaris Dinas",
        "KodeUnit": 10400,
        "UnitKerja": "DPMPTSP",
        "TanggalLahir": "1978-06-15",
        "TmtPangkat": "2022-04-01",
        "MasaKerjaTahun": 21,
        "GajiPokok": "4250600.00",
        "Aktif": "true",
        "DiperbaruiPada": "2026-11-20T14:05:09",
    },
    "199102282019032902": {
        "Nip": "199102282019032902",
        "NamaLengkap": "Dewi Anggraini, S.Kom.",
        "PangkatGol": "Penata Muda / III/a",
        "Jabatan": "Pranata Komputer Ahli Pertama",
        "KodeUnit": 10700,
        "UnitKerja": "Diskominfo",
        "TanggalLahir": "1991-02-28",
        "TmtPangkat": "2023-10-01",
        "MasaKerjaTahun": 7,
        "GajiPokok": "2903600.00",
        "Aktif": "true",
        "DiperbaruiPada": "2026-10-02T08:30:00",
    },
}
UNITS = (
    {"KodeUnit": 10400, "NamaUnit": "DPMPTSP", "JumlahPegawai": 48},
    {"KodeUnit": 10500, "NamaUnit": "Dinas Kesehatan", "JumlahPegawai": 612},
    {"KodeUnit": 10700, "NamaUnit": "Diskominfo", "JumlahPegawai": 39},
)


class Fault(Exception):
    """A SOAP 1.2 fault, named by the element in its Detail."""

    def __init__(self, name: str, text: str, *, ours: bool = False, **fields: str) -> None:
        super().__init__(text)
        self.name = name
        self.code = "Receiver" if ours else "Sender"
        self.fields = fields


class Simpeg:
    """Two civil servants and three units."""

    def __init__(self) -> None:
        self.modes: Mapping[str, Callable[[Mode], None] | None] = dict.fromkeys(
            ("drift", "busy", "not-found", "login-refused", "twice")
        )

    def operation(self, request: Request) -> str:
        """The name of the body's element."""
        return read_call(request.body).operation

    def answer(self, request: Request, operation: str, mode: str) -> Reply:
        """Do it."""
        call = read_call(request.body)
        if call.envelope != SOAP_12 or not request.headers.get("content-type", "").startswith("application/soap+xml"):
            return Reply(status=415, body=b"SOAP 1.2 only", content_type="text/plain")
        try:
            fields = _perform(call, mode)
        except Fault as fault:
            return _xml(_fault(fault), 500)
        if mode == "wrong":
            fields = spoil(fields, WRONG, MISSING)
        if mode == "drift":
            fields = _renamed(fields)
        response = _response(operation, fields)
        return _xml(twice(response) if mode == "twice" else response, 200)


def _perform(call: SoapCall, mode: str) -> Document:
    if mode == "login-refused" or call.header.get("AuthHeader") != LOGIN:
        raise Fault("LoginGagal", "Username atau Password salah", Pesan="Username atau Password salah")
    if mode == "busy":
        raise Fault("LayananSibuk", "Server was unable to process request", ours=True, Pesan="Basis data penuh")
    if mode == "refuse":
        raise Fault("PermintaanDitolak", "Permintaan ditolak", Pesan="Data pegawai sedang dikunci untuk penggajian")
    if call.operation == "UnitKerja":
        return {"UnitKerjaResult": len(UNITS), "DaftarUnit": {"Unit": [dict(unit) for unit in UNITS]}}
    if call.operation != "CariPegawai":
        raise Fault("PermintaanDitolak", "Operasi tidak dikenal", Pesan="Operasi tidak dikenal")
    nip = str(call.arguments.get("nip"))
    if mode == "not-found" or nip not in PEGAWAI:
        raise Fault("PegawaiTidakDitemukan", "Pegawai tidak ditemukan", Nip=nip, Pesan="Pegawai tidak ditemukan")
    return {"CariPegawaiResult": "true", "Pegawai": PEGAWAI[nip]}


def _renamed(fields: Document) -> Document:
    if "Pegawai" not in fields:
        return fields
    renamed = {"NamaPegawai" if name == "NamaLengkap" else name: value for name, value in fields["Pegawai"].items()}
    return {**fields, "Pegawai": renamed}


def _envelope() -> tuple[etree._Element, etree._Element]:
    envelope = etree.Element(f"{{{SOAP_12}}}Envelope", nsmap={"soap": SOAP_12, "xsi": XSI, "xsd": XSD})
    return envelope, etree.SubElement(envelope, f"{{{SOAP_12}}}Body")


def _response(operation: str, fields: Document) -> etree._Element:
    envelope, body = _envelope()
    response = etree.SubElement(body, f"{{{NAMESPACE}}}{operation}Response", nsmap=DEFAULT)
    _write(response, fields)
    return envelope


def _write(parent: etree._Element, fields: Document) -> None:
    for name, value in fields.items():
        for each in value if isinstance(value, list) else [value]:
            _write_one(parent, name, each)


def _write_one(parent: etree._Element, name: str, value: Any) -> None:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    if isinstance(value, Mapping):
        _write(element, value)
    else:
        element.text = str(value)


def _fault(fault: Fault) -> etree._Element:
    envelope, body = _envelope()
    element = etree.SubElement(body, f"{{{SOAP_12}}}Fault")
    code = etree.SubElement(element, f"{{{SOAP_12}}}Code")
    etree.SubElement(code, f"{{{SOAP_12}}}Value").text = f"soap:{fault.code}"
    reason = etree.SubElement(element, f"{{{SOAP_12}}}Reason")
    text = etree.SubElement(reason, f"{{{SOAP_12}}}Text")
    text.set("{http://www.w3.org/XML/1998/namespace}lang", "id")
    text.text = str(fault)
    detail = etree.SubElement(element, f"{{{SOAP_12}}}Detail")
    named = etree.SubElement(detail, f"{{{NAMESPACE}}}{fault.name}", nsmap=DEFAULT)
    _write(named, fault.fields)
    return envelope


def _xml(envelope: etree._Element, status: int) -> Reply:
    body = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
    return Reply(status=status, body=body, content_type="application/soap+xml; charset=utf-8")
