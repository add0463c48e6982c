"""Disdukcapil's population data: REST with the credentials in the body; a failure is HTTP 200 with `RESPON`.

Modes of its own: `not-found` (Data Tidak Ditemukan), `login-refused`. `refuse` is the used-up daily quota.
"""

from collections.abc import Callable, Mapping, Sequence

from demo.http import Document, Reply, Request, json_reply
from demo.spoil import spoil
from demo.switch import Mode

USER, PASSWORD = "gateway", "rahasia-dukcapil"
QUOTA_USED = "Kuota Akses Hari ini telah Habis"
NOT_FOUND = "Data Tidak Ditemukan"
LOGIN_REFUSED = "User ID atau Password Salah"
# On success too there is a RESPON, beside the data.
FOUND = "Data Ditemukan"
COMPARED = ("NAMA_LGKP", "TMPT_LHR", "TGL_LHR", "JENIS_KLMIN")
WRONG = {"NAMA_LGKP": 100, "TGL_LHR": "2026"}
MISSING = ("STAT_HBKEL", "TMPT_LHR")

KK = "1405022001159101"
PEOPLE: Mapping[str, Document] = {
    row[0]: dict(zip(("NIK", "NO_KK", *COMPARED, "STAT_HBKEL"), row, strict=True))
    for row in (
        ("1405020902869004", KK, "RUDI HIDAYAT", "PEKANBARU", "09-02-1986", "Laki-laki", "KEPALA KELUARGA"),
        ("1405025205909001", KK, "SITI RAHMAWATI", "PANGKALAN KERINCI", "12-05-1990", "Perempuan", "ISTRI"),
        ("1405025503259101", KK, "ALYA RAHMAWATI", "PANGKALAN KERINCI", "15-03-2025", "Perempuan", "ANAK"),
        (
            "1405021708859002",
            "1405021003129102",
            "BUDI HARTONO",
            "BUNUT",
            "17-08-1985",
            "Laki-laki",
            "KEPALA KELUARGA",
        ),
    )
}


class Dukcapil:
    """Knows four people; it never tells a field that was only to be compared."""

    def __init__(self) -> None:
        self.modes: Mapping[str, Callable[[Mode], None] | None] = {"not-found": None, "login-refused": None}

    def operation(self, request: Request) -> str:
        """The last part of the path: verifikasi_nik or cek_kk."""
        return request.path.rpartition("/")[2]

    def answer(self, request: Request, operation: str, mode: str) -> Reply:
        """Do it; the verdict is in the first entry of `content`."""
        perform = {"verifikasi_nik": _verify, "cek_kk": _family}.get(operation)
        if perform is None or request.method != "POST":
            return json_reply({"error": "Not Found"}, 404)
        given = request.json()
        if mode == "login-refused" or (given.get("user_id"), given.get("password")) != (USER, PASSWORD):
            return _content([{"RESPON": LOGIN_REFUSED}])
        if mode == "refuse":
            return _content([{"RESPON": QUOTA_USED}])
        entries = [] if mode == "not-found" else perform(given)
        if not entries:
            return _content([{"RESPON": NOT_FOUND}])
        content = [{**entry, "RESPON": FOUND} for entry in entries]
        return _content(spoil(content, WRONG, MISSING) if mode == "wrong" else content)


def _verify(given: Document) -> list[Document]:
    person = PEOPLE.get(str(given.get("NIK")))
    if person is None:
        return []
    return [
        {
            "NIK": person["NIK"],
            **{name: _verdict(person[name], given[name]) for name in COMPARED if name in given},
        }
    ]


def _verdict(known: str, said: object) -> str:
    return "Sesuai (100)" if str(said).upper() == known.upper() else "Tidak Sesuai"


def _family(given: Document) -> list[Document]:
    names = ("NIK", "NO_KK", "NAMA_LGKP", "TGL_LHR", "JENIS_KLMIN", "STAT_HBKEL")
    return [
        {name: person[name] for name in names}
        for person in PEOPLE.values()
        if person["NO_KK"] == str(given.get("NO_KK"))
    ]


def _content(entries: Sequence[Document]) -> Reply:
    page = {
        "content": entries,
        "lastPage": True,
        "numberOfElements": len(entries),
        "firstPage": True,
        "number": 0,
    }
    return json_reply(page)
