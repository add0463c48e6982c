"""The words people read, in Indonesian and English, by code and rule; knows no HTTP and no agency."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from gateway.errors import FieldError
from gateway.filewords import FILES

Language = Literal["id", "en"]

RULES: Mapping[str, tuple[str, str]] = {
    "required": ("wajib diisi", "is required"),
    "unknown": ("tidak dikenal", "is not a known field"),
    "request-unknown": ("tidak ada permintaan dengan nomor ini", "there is no request of this id"),
    "request-cancelled": ("permintaan ini sudah dibatalkan", "this request was cancelled before"),
    "request-not-handed-over": ("permintaan ini belum diserahkan", "this request was not handed over yet"),
    "request-contradicts": (
        "berlawanan dengan jawaban sebelumnya; yang pertama berlaku",
        "contradicts what was said before; the first word counts",
    ),
    "type": ("harus berupa {expected}", "must be {expected}"),
    "null": ("tidak boleh null", "must not be null"),
    "digits": ("harus tepat {digits} digit angka", "must be exactly {digits} digits"),
    "digits-around": (
        "ada spasi atau tanda petik di sekitar {digits} digit angkanya; hapus",
        "has blanks or quotation marks around its {digits} digits; take them away",
    ),
    "pattern": ("tidak sesuai pola {pattern}", "does not match {pattern}"),
    "max": ("paling banyak {max} karakter", "must be at most {max} characters"),
    "const": ("harus bernilai {const}", "must be {const}"),
    "enum": ("harus salah satu dari: {allowed}", "must be one of: {allowed}"),
    "codes": ("kode tidak dikenal; yang dikenal: {allowed}", "is an unknown code; known: {allowed}"),
    "date": ("bukan tanggal yang sah; tulis dengan bentuk {date}", "is not a valid date ({date})"),
    "number-group": (
        'bukan angka yang sah; ribuan harus dipisah dengan "{sign}": tulis dengan bentuk {number}',
        'is not a valid number: thousands must be separated by "{sign}" ({number})',
    ),
    "number": ("bukan angka yang sah; tulis dengan bentuk {number}", "is not a valid number ({number})"),
    "integer": ("bukan bilangan bulat", "is not a whole number"),
    "bool": ("harus salah satu dari: {allowed}", "must be one of: {allowed}"),
    "json": ("bukan JSON di dalam teks", "is not JSON inside a text"),
    "split": ('tidak punya bagian ke-{part} menurut "{split}"', 'has no part {part} by "{split}"'),
    "each": ("harus berupa daftar", "must be a list"),
    "using": ("tidak dapat diolah", "can't be converted"),
    "control-character": ("mengandung karakter kendali", "contains a control character"),
    "native": (
        "tidak diterima sistem instansi: {expected}",
        "is not accepted by the agency's system: {expected}",
    ),
    "malformed": ("isi bukan JSON (UTF-8) yang sah", "the body is not valid JSON in UTF-8"),
    "empty": ("isi kosong", "the body is empty"),
    "gzip": ("isi bukan gzip yang utuh", "the body is not complete gzip data"),
    "late": ("isi tidak lengkap diterima tepat waktu", "the body did not arrive in time"),
    "http": ("bukan permintaan HTTP yang sah", "is not a valid HTTP request"),
    "host": ("harus ada tepat satu header Host", "there must be exactly one Host header"),
    "address": ("alamat bukan UTF-8 yang sah", "the path or query is not valid UTF-8"),
    "page-gone": (
        "halaman ini tidak ada lagi, karena datanya sudah diganti; mulai lagi dari halaman pertama, tanpa isian ini",
        "is of data that has been replaced since; begin again with the first page, without this field",
    ),
    "in-path": ("sudah ada pada alamat", "is given by the path already"),
    "idempotency-key": (
        "header Idempotency-Key harus satu, 1 sampai 255 karakter ASCII tanpa spasi",
        "there must be one Idempotency-Key header, of 1 to 255 visible ASCII characters",
    ),
    "encoding": ("berisi huruf di luar {encoding}", "is not {encoding}"),
    **FILES,
}

EXPECTED: Mapping[str, str] = {
    "text": "teks",
    "printable text": "teks yang dapat dicetak",
    "object": "objek",
    "list": "daftar",
    "number": "angka",
    "number {form}": "angka {form}",
    "integer": "bilangan bulat",
    "whole number": "bilangan bulat",
    "true or false": "true atau false",
    "one value": "satu nilai",
    "text or a number": "teks atau angka",
    "a zip or Excel file": "berkas zip atau Excel",
    "a gzip file": "berkas gzip",
    "a web page or XML": "halaman web atau XML",
    "a PDF": "PDF",
    "a value that can be converted": "nilai yang dapat diolah",
    "something else than . or ..": "selain . dan ..",
    "no header that the gateway writes itself": "bukan header yang ditulis gateway sendiri",
    "an element name": "nama elemen",
    "a media type": "jenis media",
    "only one of: {names}": "hanya salah satu dari: {names}",
    "one of: {names}": "salah satu dari: {names}",
    "{name}, one of: {names}": "{name}, salah satu dari: {names}",
    "an attribute's name, and text": "nama atribut, dan teks",
    "text or elements, not both": "teks atau elemen, tidak keduanya",
    "one element, as XML": "satu elemen, sebagai XML",
    "XML without a DOCTYPE": "XML tanpa DOCTYPE",
    "values without blanks in them": "nilai tanpa spasi di dalamnya",
    "fewer levels": "tingkat yang lebih sedikit",
    "nothing: its type is not written here": "kosong: jenisnya tidak ditulis di sini",
    "only what the WSDL declares": "hanya yang dinyatakan WSDL",
    "what its WSDL says": "sesuai WSDL-nya",
    "at least {count}": "paling sedikit {count}",
    "at most {count}": "paling banyak {count}",
    "at least {count} characters": "paling sedikit {count} karakter",
    "more than {count}": "lebih dari {count}",
    "less than {count}": "kurang dari {count}",
    "at most {count} digits": "paling banyak {count} digit",
    "at most {count} digits after the point": "paling banyak {count} digit di belakang koma",
    "at least {count} bytes": "paling sedikit {count} bita",
    "at most {count} bytes": "paling banyak {count} bita",
    "at least {count} values": "paling sedikit {count} nilai",
    "at most {count} values": "paling banyak {count} nilai",
}
"""What a value should have been, as a rule's `expected` says it, in Indonesian; what isn't listed is no language."""

PROBLEMS: Mapping[str, tuple[str, str, str, str]] = {
    "invalid-request": (
        "Permintaan tidak sah",
        "Perbaiki isian yang disebut, lalu kirim lagi.",
        "Invalid request",
        "Correct the fields listed and send it again.",
    ),
    "unauthorized": (
        "Kunci tidak sah",
        "Sertakan kunci yang sah pada header Authorization: Bearer atau X-API-Key.",
        "Unauthorized",
        "Send a valid key as Authorization: Bearer or X-API-Key.",
    ),
    "unknown-operation": (
        "Layanan tidak ditemukan",
        "Alamat atau metode ini tidak ada, atau kunci Anda tidak berhak. Lihat /docs.",
        "Unknown operation",
        "There is no such path or method, or your key has no right to it. See /docs.",
    ),
    "too-large": (
        "Isi terlalu besar",
        "Isi permintaan melebihi batas {limit}.",
        "Too large",
        "The body is over the limit of {limit}.",
    ),
    "uri-too-long": (
        "Alamat terlalu panjang",
        "Alamat melebihi batas 8 KB.",
        "URI too long",
        "The path and query are over the limit of 8 KB.",
    ),
    "headers-too-large": (
        "Header terlalu besar",
        "Header melebihi batas 32 KB.",
        "Headers too large",
        "The header block is over the limit of 32 KB.",
    ),
    "unsupported-media": (
        "Jenis isi tidak didukung",
        "Kirim isi sebagai application/json (UTF-8), boleh dengan Content-Encoding: gzip.",
        "Unsupported media type",
        "Send the body as application/json (UTF-8), with Content-Encoding: gzip if you like.",
    ),
    "in-progress": (
        "Sedang atau sudah diproses",
        "Permintaan ini sedang atau sudah diproses; lihat keadaannya di alamat pada Location.",
        "In progress or done",
        "This request is being processed or has been; see how it stands at the address in Location.",
    ),
    "gone": (
        "Sudah tidak disimpan",
        "Permintaan ini sudah melewati masa simpan; isi dan jawabannya tidak disimpan lagi.",
        "Kept no more",
        "This request is past its time of retention; neither it nor its answer is kept any more.",
    ),
    "unknown-message": (
        "Pesan tidak ada",
        "Tidak ada pesan dengan id ini yang boleh Anda lihat.",
        "Unknown message",
        "There is no message of this id that you may see.",
    ),
    "wrong-state": (
        "Keadaan pesan tidak cocok",
        "Tindakan ini tidak dapat dilakukan pada pesan dalam keadaan sekarang; tidak ada yang diubah.",
        "Wrong state",
        "This can't be done to the message in its present state; nothing was changed.",
    ),
    "idempotency-mismatch": (
        "Idempotency-Key dipakai untuk isi lain",
        "Kunci ini sudah dipakai dengan isi yang berbeda; pakai kunci baru untuk permintaan baru.",
        "Idempotency-Key used for another body",
        "This key came with another body before; use a new key for a new request.",
    ),
    "rate-limited": (
        "Terlalu sering",
        "Permintaan melebihi jatah; ulangi setelah waktu pada Retry-After.",
        "Rate limited",
        "Too many requests; try again after the time in Retry-After.",
    ),
    "overloaded": (
        "Antrean penuh",
        "Terlalu banyak permintaan menunggu; belum ada yang dikirim. Ulangi setelah waktu pada Retry-After.",
        "Overloaded",
        "Too many requests are waiting; nothing was sent. Try again after the time in Retry-After.",
    ),
    "stopping": (
        "Gateway sedang berhenti",
        "Gateway sedang dihentikan; ulangi sebentar lagi.",
        "Stopping",
        "The gateway is shutting down; try again shortly.",
    ),
    "not-found": (
        "Data tidak ditemukan",
        "{agency} tidak menemukan data yang diminta.",
        "Not found",
        "{agency} has no such record.",
    ),
    "refused": (
        "Ditolak instansi",
        "{agency} menolak permintaan ini.",
        "Refused by the agency",
        "{agency} refused this request.",
    ),
    "agency-unavailable": (
        "Sistem instansi tidak dapat dihubungi",
        "{agency} sedang tidak dapat dihubungi. {done}",
        "Agency unavailable",
        "{agency} can't be reached at the moment. {done}",
    ),
    "no-data-yet": (
        "Data belum ada",
        "Belum ada berkas dari {agency} yang diterima. Ulangi sebentar lagi.",
        "No data yet",
        "No file of {agency} has been taken in yet. Try again shortly.",
    ),
    "parts-unavailable": (
        "Tidak satu pun bagian tersedia",
        "Semua instansi yang diminta datanya sedang tidak dapat menjawab. Ulangi nanti.",
        "No part available",
        "None of the agencies asked can answer at the moment. Try again later.",
    ),
    "breaker-open": (
        "Sistem instansi sedang bermasalah",
        "{agency} baru saja berkali-kali gagal; permintaan ini tidak dikirim. Ulangi nanti.",
        "Agency failing",
        "{agency} failed repeatedly just now; this request was not sent. Try again later.",
    ),
    "agency-closed": (
        "Di luar jam layanan",
        "{agency} sedang di luar jam layanan dan tidak dapat dihubungi. {done}",
        "Agency closed",
        "{agency} is outside its service hours and can't be reached. {done}",
    ),
    "agency-timeout": (
        "Instansi tidak menjawab",
        "{agency} tidak menjawab tepat waktu. {done}",
        "Agency timeout",
        "{agency} did not answer in time. {done}",
    ),
    "outcome-unknown": (
        "Hasil belum diketahui",
        "Belum diketahui apakah {agency} sudah memprosesnya. Jangan kirim ulang tanpa memeriksa.",
        "Outcome unknown",
        "It is not known whether {agency} has processed this. Check before sending it again.",
    ),
    "agency-invalid-answer": (
        "Jawaban instansi tidak sesuai",
        "{agency} menjawab di luar kesepakatan. {done}",
        "Invalid answer from the agency",
        "{agency} answered in a way that was not agreed. {done}",
    ),
    "agency-login": (
        "Gateway ditolak instansi",
        "{agency} tidak menerima kredensial gateway; hubungi operator gateway.",
        "Agency login failed",
        "{agency} does not accept the gateway's credentials; tell the gateway's operator.",
    ),
    "ledger-unavailable": (
        "Gateway tidak dapat mencatat permintaan",
        "Tidak ada yang dikirim; ulangi sebentar lagi, dengan Idempotency-Key yang sama bila ada.",
        "The gateway can't record the request",
        "Nothing was sent; try again shortly, with the same Idempotency-Key if there is one.",
    ),
    "internal": (
        "Kesalahan gateway",
        "Terjadi kesalahan pada gateway; sebutkan correlation_id ini kepada operator.",
        "Internal error",
        "The gateway has a bug; quote this correlation_id to its operator.",
    ),
}

_DONE: Mapping[bool | None, tuple[str, str]] = {
    None: (
        "Aman diulangi.",
        "It is safe to send it again.",
    ),
    False: (
        "Permintaan belum diproses; aman diulangi.",
        "The request was not processed; it is safe to send it again.",
    ),
    True: (
        "Permintaan mungkin sudah diproses; periksa dahulu sebelum mengulang.",
        "The request may have been processed; check before sending it again.",
    ),
}

_DOUBTFUL: Mapping[str, tuple[str, str]] = {
    "ledger-unavailable": (
        "Permintaan mungkin sudah tercatat atau diproses; ulangi hanya dengan Idempotency-Key yang sama.",
        "The request may have been recorded, or processed; send it again only with the same Idempotency-Key.",
    ),
}
"""The details of problems that say something else where it may have been done."""


class _Params(dict[str, str]):
    """Parameters of which a hand-written adapter may have left some out; an error text is no place to fail."""

    def __missing__(self, key: str) -> str:
        return "?"


def say(error: FieldError, language: Language) -> str:
    """Return a field error as a sentence part without the field's name: `harus tepat 16 digit angka`."""
    error = replace(error, params=_in(language, error.params))
    texts = RULES.get(error.rule, (error.rule, error.rule))
    return texts[language == "en"].format_map(_Params(error.params))


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its English noun: `1 row`, `2 rows`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _in(language: Language, params: Mapping[str, str]) -> Mapping[str, str]:
    """Return the params with `expected` in the reader's language, its own params filled in."""
    english = params.get("expected", "")
    if english not in EXPECTED:
        return params
    words = english if language == "en" else EXPECTED[english]
    return {**params, "expected": words.format_map(_Params(params))}


def title_and_detail(
    code: str, language: Language, *, agency: str = "", maybe_done: bool | None = False, limit: str = ""
) -> tuple[str, str]:
    """Return a problem's title and detail; `agency` is its title as people know it, `maybe_done` None for a read."""
    texts = PROBLEMS.get(code, PROBLEMS["internal"])
    title, detail = texts[2:] if language == "en" else texts[:2]
    if maybe_done and code in _DOUBTFUL:
        detail = _DOUBTFUL[code][language == "en"]
    done = _DONE[maybe_done][language == "en"]
    return title, detail.format(agency=agency, done=done, limit=limit)
