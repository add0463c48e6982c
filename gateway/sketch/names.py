"""What a native name is called here, and what Indonesian systems mean by it; knows no contract and no TOML."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.sketch.text import these

_WORDS = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z]?[a-z]+[0-9]*|[0-9]+|[^\W\d_A-Za-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An identifier that is recognised: what its text must be, whether it is personal, a made-up example."""

    name: str = ""
    digits: int | None = None
    pattern: str | None = None
    personal: bool = True
    title: str = ""
    example: str = ""


_NIK = Known(digits=16, title="NIK", example="1405025205909001")
_KK = Known(digits=16, title="Nomor kartu keluarga", example="1405022001159101")
_IDENTIFIERS: Mapping[str, Known] = {
    "nik": _NIK,
    "ktp": Known(name="nik", digits=16, title="NIK", example="1405025205909001"),
    "identitas": Known(title="Nomor identitas", example="1405025205909001"),
    "kk": _KK,
    "nip": Known(digits=18, title="NIP", example="197806152005011901"),
    "nib": Known(digits=13, personal=False, title="Nomor induk berusaha", example="9120001234567"),
    "npwp": Known(pattern=r"\d{15,16}", title="NPWP", example="1405025205909001"),
    "npwpd": Known(title="NPWPD", example="P100010001401"),
    "nop": Known(digits=18, title="Nomor objek pajak", example="140502000100190010"),
    "nisn": Known(digits=10, title="NISN", example="0099001234"),
    "nuptk": Known(digits=16, title="NUPTK", example="9901758659300013"),
}
"""By the word in a name that gives it away."""

_PERSONAL: Mapping[str, str] = {
    "nama_lengkap": "Siti Rahmawati",
    "nama_lgkp": "Siti Rahmawati",
    "nama_ibu": "Aminah",
    "nama_ayah": "Zulkifli",
    "alamat": "Jl. Akasia 12",
    "tempat_lahir": "Pangkalan Kerinci",
    "tmpt_lahir": "Pangkalan Kerinci",
    "tmpt_lhr": "Pangkalan Kerinci",
    "tgl_lahir": "12-05-1990",
    "tgl_lhr": "12-05-1990",
    "tanggal_lahir": "12-05-1990",
    "tgllahir": "12-05-1990",
    "no_hp": "081200009001",
    "nohp": "081200009001",
    "hp": "081200009001",
    "no_telp": "081200009001",
    "no_telepon": "081200009001",
    "nomor_telepon": "081200009001",
    "telepon": "081200009001",
    "telp": "081200009001",
    "email": "siti.rahmawati@opd.example",
    "surel": "siti.rahmawati@opd.example",
    "no_rekening": "0000000901",
    "gaji_pokok": "",
}
_NUMBER = these("no nomor nmr num")
_ABOUT = these("cek flag foto hasil jenis kode nama scan status tanggal tgl tipe valid validasi verifikasi")
"""Beside an identifier's word, these make it something else: `nik_valid`."""
_PERSONS = these(
    "anak anggota istri nasabah orang orangtua pasien pegawai pelapor pelanggan pemilik pemohon pendaftar penduduk "
    "peserta siswa suami warga wajib"
)
_USERS = these("username user_name user userid user_id usr uid login kode_akses pengguna id_pengguna nama_pengguna")
_PASSWORDS = these("password passwd pass pwd kata_sandi katasandi sandi kode_sandi")
_DATES = these("tgl tanggal date tgllahir waktu")
_RENAMED = {"from": "dari", "date": "tanggal", "title": "judul", "number": "nomor", "max": "batas"}
_RESERVED = these(
    "about bool codes const default digits each example from date integer join json mask max null number optional part "
    "pattern split title using when"
)


def canonical(name: str) -> str:
    """Return a native name in snake_case: `noPermohonan`, `NO_PERMOHONAN` and `No-Permohonan` are one."""
    known = identifier(name)
    snake = known.name if known and known.name else "_".join(words(name.lstrip("@#"))) or "nilai"
    if name == "#text":
        return "nilai"
    return _RENAMED.get(snake, f"{snake}_") if snake in _RESERVED else snake


def words(name: str) -> list[str]:
    """Return the words of a name, in small letters."""
    return [word.lower() for word in _WORDS.findall(name.replace("_", " "))]


def slug(name: str) -> str:
    """Return an operation's name as gateway.toml takes it: `statusPermohonan` is `status-permohonan`."""
    plain = re.sub(r"[^a-z0-9-]+", "-", "-".join(words(name))).strip("-")
    return plain if re.match(r"[a-z]", plain) and plain not in {"agency", "codes"} else f"op-{plain}".rstrip("-")


def distinct(name: str, taken: Iterable[str], separator: str) -> str:
    """Return a name that is not taken: itself, or with the first number that is free."""
    known = set(taken)
    number = 2
    found = name
    while found in known:
        found = f"{name}{separator}{number}"
        number += 1
    return found


def identifier(name: str) -> Known | None:
    """Return what is known of an identifier by its name, None if it is none."""
    found = words(name)
    numbered = found[1:] if found[:1] and found[0] in _NUMBER else found
    if not numbered or _ABOUT & set(numbered):
        return None
    first = numbered[0] if numbered[0] in _IDENTIFIERS else numbered[0].removeprefix("nomor").removeprefix("no")
    known = _IDENTIFIERS.get(first)
    return None if known and known.name and len(numbered) > 1 else known


def personal(name: str, inside: Iterable[str] = ()) -> bool:
    """Tell whether a name, in objects of these names, is that of personal data."""
    snake = "_".join(words(name))
    known = identifier(name)
    if known is not None:
        return known.personal
    if snake in _PERSONAL or any(snake.startswith(f"{known}_") for known in ("alamat", "nama_ibu", "nama_ayah")):
        return True
    named = words(name)
    around = {word for one in (*inside, *named[1:]) for word in words(one)}
    return named[:1] == ["nama"] and bool(around & _PERSONS)


def made_up(name: str) -> str | None:
    """Return a made-up text for a field, None where its name says nothing."""
    known = identifier(name)
    if known is not None:
        return known.example
    snake = "_".join(words(name))
    if said := _PERSONAL.get(snake):
        return said
    if words(name)[:1] == ["nama"]:
        return "Siti Rahmawati"
    return "24-11-2026" if dated(name) else None


def dated(name: str) -> bool:
    """Tell whether a name is that of a date."""
    return bool(_DATES & set(words(name)))


def is_user(name: str) -> bool:
    """Tell whether a name is that of a login's user."""
    return "_".join(words(name)) in _USERS


def is_password(name: str) -> bool:
    """Tell whether a name is that of a password."""
    return "_".join(words(name)) in _PASSWORDS
