"""Every operation of the pilot as an app asks for it, with made-up people; what comes back is in the tests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SITI, RUDI, BUDI = "1405025205909001", "1405020902869004", "1405021708859002"
ANDRE, ALYA = "1405020311789003", "1405025503259101"
FAMILY_CARD = "1405022001159101"
NIP = "197806152005011901"
PHONE = "081200009001"


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request; `arrives` is what the agency calls it, `first` what must have been asked before."""

    operation: str
    agency: str
    arrives: str
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    safe: bool = True
    first: "Ask | None" = None

    def __str__(self) -> str:
        return self.operation if self.operation.startswith(self.agency) else f"{self.operation} to {self.agency}"

    def __hash__(self) -> int:
        return hash(str(self))


def read(operation: str, arrives: str, at: str, body: Mapping[str, Any] | None = None, first: Ask | None = None) -> Ask:
    """Return a read: a GET when it has no body, else a POST that is safe."""
    method = "GET" if body is None else "POST"
    agency = operation.partition("/")[0]
    return Ask(
        operation=operation, agency=agency, arrives=arrives, method=method, path=at, body=body, safe=True, first=first
    )


def write(operation: str, arrives: str, at: str, body: Mapping[str, Any], *, agency: str = "") -> Ask:
    """Return a write; a composite's needs to say at which `agency` it arrives."""
    return Ask(
        operation=operation,
        agency=agency or operation.partition("/")[0],
        arrives=arrives,
        method="POST",
        path=at,
        body=body,
        safe=False,
    )


def report(kategori: str) -> dict[str, Any]:
    """Return a citizen's report."""
    return {
        "kategori": kategori,
        "lokasi": "Jl. Akasia, depan pasar",
        "isi": "Sudah tiga minggu tidak ada yang datang",
        "pelapor": {"nama": "Siti Rahmawati", "kontak": PHONE},
    }


KINDS = read("dpmptsp/daftar-jenis-izin", "daftarJenisIzin", "/v1/izin/jenis")
REQUIREMENTS = read("dpmptsp/persyaratan-izin", "persyaratanIzin", "/v1/izin/persyaratan?jenis=IMB")
FILE_PERMIT = write(
    "dpmptsp/ajukan-izin",
    "ajukanPermohonan",
    "/v1/izin",
    {
        "jenis": "IMB",
        "jenis_permohonan": "baru",
        "pemohon": {"nik": SITI, "nama": "Siti Rahmawati", "alamat": "Jl. Akasia 12", "no_hp": PHONE},
        "keterangan": "Rumah tinggal, dua lantai & garasi <3 m>",
    },
)
PERMIT_STATUS = read("dpmptsp/status-izin", "statusPermohonan", "/v1/izin/status?nomor=161/IMB/IV/2021")
MY_PERMITS = read("dpmptsp/daftar-izin", "daftarIzin", "/v1/izin/cari", {"nik": SITI})
FIND_PERMIT = read("dpmptsp/cari-permohonan", "cariPermohonan", "/v1/izin/permohonan?ref=lama-88")

FACILITIES = read("dinkes/daftar-faskes", "faskes", "/v1/faskes")
TIMETABLE = read("dinkes/jadwal-poli", "jadwal", "/v1/faskes/jadwal?kode_poli=UMU&tanggal=2026-12-01")
TAKE_TICKET = write(
    "dinkes/ambil-antrean",
    "antrean/ambil",
    "/v1/antrean",
    {"nik": ANDRE, "no_hp": PHONE, "kode_poli": "UMU", "tanggal": "2026-12-01"},
)
QUEUE = read("dinkes/sisa-antrean", "antrean/sisa", "/v1/antrean/sisa?kode_booking=01122026UMU001")
CANCEL_TICKET = write("dinkes/batal-antrean", "antrean/batal", "/v1/antrean/batal", {"kode_booking": "01122026UMU001"})
MY_TICKETS = read("dinkes/antrean-saya", "antrean/saya", "/v1/antrean/cari", {"nik": SITI})
IMMUNISATIONS = read("dinkes/riwayat-imunisasi", "imunisasi", "/v1/faskes/imunisasi/cari", {"nik_anak": ALYA})

CHILD = read("puskesmas/riwayat-imunisasi", "", "/v1/imunisasi/cari", {"nik_anak": ALYA})
SEND_TIMETABLE = write(
    "puskesmas/kirim-jadwal",
    "",
    "/v1/imunisasi/jadwal",
    {
        "nik_anak": ALYA,
        "nama_anak": "Alya; Rahmawati",
        "jenis": "CAMPAK",
        "tanggal": "2026-12-15",
        "posyandu": "Melati",
    },
)

VERIFY = read(
    "disdukcapil/verifikasi-nik",
    "verifikasi_nik",
    "/v1/penduduk/verifikasi",
    {"nik": SITI, "nama": "Siti Rahmawati", "tanggal_lahir": "1990-05-13", "jenis_kelamin": "P"},
)
FAMILY = read("disdukcapil/cek-kk", "cek_kk", "/v1/penduduk/kk/cari", {"no_kk": FAMILY_CARD})

CUSTOMER = read("pln/info-pelanggan", "infoPelanggan", "/v1/pln/pelanggan/cari", {"id_pelanggan": "143205009001"})
BILL = read("pln/tagihan", "tagihan", "/v1/pln/tagihan/cari", {"id_pelanggan": "143205009001"})
REPORT_OUTAGE = write(
    "pln/lapor-gangguan",
    "laporGangguan",
    "/v1/pln/gangguan",
    {"id_pelanggan": "143205009001", "lokasi": "Jl. Akasia 12", "keterangan": "Padam", "no_hp": PHONE},
)
OUTAGE_STATUS = read(
    "pln/status-gangguan", "statusGangguan", "/v1/pln/gangguan/status?no_laporan=G1400000001", first=REPORT_OUTAGE
)

OFFICIAL = read("bkpsdm/cari-pegawai", "CariPegawai", "/v1/pegawai/cari", {"nip": NIP})
UNITS = read("bkpsdm/unit-kerja", "UnitKerja", "/v1/pegawai/unit")

REPORT_ROAD = write("gateway/aduan", "laporan", "/v1/aduan", report("jalan"), agency="dpupr")
REPORT_WASTE = write("gateway/aduan", "laporan", "/v1/aduan", report("sampah"), agency="diskominfo")
REPORT_STATUS = read(
    "diskominfo/status-aduan",
    "laporan/status",
    "/v1/aduan/status?nomor={number}",  # which the first one is told
    first=REPORT_WASTE,
)
SUMMARY = read("gateway/ringkasan-warga", "", "/v1/warga/ringkasan", {"nik": SITI})

SIPOLAN = (KINDS, REQUIREMENTS, FILE_PERMIT, PERMIT_STATUS, MY_PERMITS, FIND_PERMIT)
PELALAWAN_SEHAT = (FACILITIES, TIMETABLE, TAKE_TICKET, QUEUE, CANCEL_TICKET, MY_TICKETS, IMMUNISATIONS)
PUSKESMAS = (CHILD, SEND_TIMETABLE)
DUKCAPIL = (VERIFY, FAMILY)
PLN = (CUSTOMER, BILL, REPORT_OUTAGE, OUTAGE_STATUS)
SIMPEG = (OFFICIAL, UNITS)
DESKS = (REPORT_ROAD, REPORT_WASTE, REPORT_STATUS)
EVERY = (*SIPOLAN, *PELALAWAN_SEHAT, *PUSKESMAS, *DUKCAPIL, *PLN, *SIMPEG, *DESKS, SUMMARY)
