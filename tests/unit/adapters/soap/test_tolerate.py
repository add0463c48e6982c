"""Each tolerance: without it a typed error, with it the right value and a count; it lets nothing else in."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.soap.decode import decode
from adapters.soap.planning import Plans
from adapters.soap.tolerate import TOLERANCES, Charset, Leniency, Tolerance, known
from gateway import Fault, InvalidAnswer

M = 'xmlns:m="http://dpmptsp.example.go.id/izin"'
FIELDS = {
    "nomor": "503/1",
    "nik": "1405029001180001",
    "nama": "Siti",
    "jenis": "IMB",
    "status": "ok",
    "luas": "72",
    "lantai": "2",
    "retribusi": "1250000.50",
    "tanggal": "2026-03-14",
    "diubah": "2026-03-14T09:26:53+07:00",
    "aktif": "true",
}
XSI = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def answer(head: str = "", extra: str = "", xsi: str = XSI, **changed: str | None) -> bytes:
    fields = {**FIELDS, **changed}
    elements = "".join(
        value if value.startswith("<") else f"<m:{name}>{value}</m:{name}>"
        for name, value in fields.items()
        if value is not None
    )
    return (
        f'{head}<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
        f'xmlns:xsd="http://www.w3.org/2001/XMLSchema"{xsi}><s:Body>'
        f"<m:AjukanIzinResponse {M}>{elements}{extra}</m:AjukanIzinResponse></s:Body></s:Envelope>"
    ).encode()


ABSENT = object()
PHP = "<br />\n<b>Warning</b>: Undefined variable $x in <b>/var/www/sipolan.php</b> on line 12<br />\n"
RIWAYAT = "<m:riwayat><m:nik>1405029001180001</m:nik><m:nama>A</m:nama></m:riwayat>"
CASES: list[tuple[Tolerance, bytes, str, Any]] = [
    ("leading-junk", answer(PHP), "nomor", "503/1"),
    ("leading-junk", answer('\n\n<?xml version="1.0" encoding="utf-8"?>', nama="Siti é"), "nama", "Siti é"),
    ("leading-junk", answer(f'{PHP}<?xml version="1.0"?>'), "nama", "Siti"),
    ("undeclared-xsi", answer(xsi="", nama='<m:nama xsi:nil="true"/>'), "nama", None),
    ("missing-required", answer(luas=None), "luas", ABSENT),
    ("missing-required", answer(extra=RIWAYAT.replace("<m:nama>A</m:nama>", "")), "riwayat", [{"nik": FIELDS["nik"]}]),
    ("unknown-fields", answer(extra="<m:baru>1</m:baru>"), "baru", ABSENT),
    ("unknown-fields", answer(nama='<m:nama sumber="kk">Siti</m:nama>'), "nama", "Siti"),
    ("any-order", answer(nomor=None, extra="<m:nomor>503/1</m:nomor>"), "nomor", "503/1"),
    ("any-order", answer(extra=f"{RIWAYAT}<m:alamat>Jl. Akasia</m:alamat>{RIWAYAT}"), "alamat", "Jl. Akasia"),
    ("any-namespace", answer(nama="<nama>Siti</nama>"), "nama", "Siti"),
    ("any-namespace", answer(extra=RIWAYAT.replace("m:nik", "nik")), "riwayat", [{"nik": FIELDS["nik"], "nama": "A"}]),
    ("any-namespace", answer().replace(M.encode(), b'xmlns:m="http://dpmptsp.example.go.id/"'), "luas", 72),
    ("undeclared-null", answer(jenis='<m:jenis xsi:nil="true"/>'), "jenis", None),
    ("empty-values", answer(luas="<m:luas/>"), "luas", None),
    ("empty-values", answer(tanggal=" "), "tanggal", None),
    ("blank-in-datetime", answer(diubah="2026-03-14 09:26:53+07:00"), "diubah", "2026-03-14T09:26:53+07:00"),
    ("naive-utc", answer(diubah="2026-03-14T02:26:53"), "diubah", "2026-03-14T02:26:53Z"),
    ("zero-dates", answer(tanggal="0000-00-00"), "tanggal", None),
    ("zero-dates", answer(diubah="0000-00-00 00:00:00"), "diubah", None),
    ("guessed-types", answer(nama='<m:nama xsi:type="xsd:int">007</m:nama>'), "nama", "007"),
    ("beyond-facets", answer(status="lain"), "status", "lain"),
    ("beyond-facets", answer(extra=RIWAYAT.replace("0001<", "<")), "riwayat", [{"nik": "140502900118", "nama": "A"}]),
]
NAMES = [f"{number}-{name}" for number, (name, *_) in enumerate(CASES)]


def read(izin: Plans, content: bytes, *named: Tolerance, charset: Charset | None = None) -> tuple[Any, set[str]]:
    plan = izin.operations["AjukanIzin"].reply
    assert plan is not None
    leniency = Leniency(named=frozenset(named), charset=charset)
    document = decode(plan, content, leniency=leniency)
    assert not isinstance(document, Fault)
    return document, leniency.used


def test_every_tolerance_has_a_case() -> None:
    assert {name for name, *_ in CASES} == set(TOLERANCES)


@pytest.mark.parametrize(("name", "content", "field", "value"), CASES, ids=NAMES)
def test_a_tolerance_lets_in_the_right_value_and_is_counted(
    izin: Plans, name: Tolerance, content: bytes, field: str, value: Any
) -> None:
    document, used = read(izin, content, name)

    assert document.get(field, ABSENT) == value
    assert used == {name}


@pytest.mark.parametrize(("name", "content", "field", "value"), CASES, ids=NAMES)
def test_without_it_all_others_together_let_nothing_in(
    izin: Plans, name: Tolerance, content: bytes, field: str, value: Any
) -> None:
    with pytest.raises(InvalidAnswer) as caught:
        read(izin, content)
    assert f'"{name}"' in str(caught.value)
    with pytest.raises(InvalidAnswer):
        read(izin, content, *(other for other in TOLERANCES if other != name))


def test_an_answer_that_deviates_in_nothing_counts_nothing(izin: Plans) -> None:
    document, used = read(izin, answer('<?xml version="1.0"?>'), *TOLERANCES)

    assert document["nama"] == "Siti"
    assert used == set()


def test_several_deviations_are_each_counted(izin: Plans) -> None:
    content = answer(PHP, xsi="", nama='<m:nama xsi:nil="true"/>', diubah="2026-03-14 02:26:53", luas=None)

    document, used = read(izin, content, *TOLERANCES)

    assert (document["nama"], document["diubah"], "luas" in document) == (None, "2026-03-14T02:26:53Z", False)
    assert used == {"leading-junk", "undeclared-xsi", "blank-in-datetime", "naive-utc", "missing-required"}


@pytest.mark.parametrize(
    "content",
    [
        answer()[:-3],
        answer() + b"<br />Warning",
        answer(nama="<m:nama>ad<b/>min</m:nama>"),
        answer(luas="abc"),
        answer(luas="99999999999"),
        answer(aktif="ya"),
        answer(tanggal="2026-02-30"),
        answer(diubah="2026-03-14 25:00:00"),
        answer(nama='<m:nama xsi:type="xsd:base64Binary">U2l0aQ==</m:nama>'),
        answer(nama='<m:nama xsi:nil="true">Siti</m:nama>'),
        answer(extra="<m:nama>Lagi</m:nama>"),
        answer(extra="<nama>Lagi</nama>"),
        answer(extra="teks liar"),
        answer(nama="<y:nama>x</y:nama>"),
        answer("<!DOCTYPE s:Envelope>"),
        answer('<!-- x --><!DOCTYPE s:Envelope [<!ENTITY a "b">]>', nama="&a;"),
        answer(f"<s:Envelope/>{PHP}") + answer(),
        answer().replace(b"<s:Body>", b"<s:Body/><s:Body>"),
        answer(nama="S\udcffti".encode("utf-8", "surrogateescape").decode("latin-1")).replace(b"\xc3\xbf", b"\xff"),
    ],
)
def test_nothing_lets_in_what_could_mean_something_else(izin: Plans, content: bytes) -> None:
    with pytest.raises(InvalidAnswer):
        read(izin, content, *TOLERANCES)


def declared(encoding: str) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>'


@pytest.mark.parametrize(
    ("content", "charset", "counted"),
    [
        (answer(nama="Café").replace("é".encode(), b"\xe9"), "windows-1252", True),
        (answer(declared("utf-8"), nama="Café").replace("é".encode(), b"\xe9"), "windows-1252", True),
        (answer(declared("utf-8"), nama="Café"), "windows-1252", False),
        (answer(nama="Café"), "windows-1252", False),
        (answer(declared("iso-8859-1"), nama="Café"), "utf-8", True),
        (answer(declared("iso-8859-1"), nama="Café").replace("é".encode(), b"\xe9"), "utf-8", False),
        (answer(declared("iso-8859-1"), nama="Café").replace("é".encode(), b"\xe9"), None, False),
        (answer(declared("windows-1252"), nama="Café").replace("é".encode(), b"\xe9"), "windows-1252", False),
        (answer(declared("utf-16"), nama="Café").decode().encode("utf-16"), "windows-1252", False),
        (b"\xef\xbb\xbf" + answer(declared("iso-8859-1"), nama="Café"), "windows-1252", False),
    ],
)
def test_text_is_read_by_what_it_is_in_whatever_it_says(
    izin: Plans, content: bytes, charset: Charset | None, *, counted: bool
) -> None:
    document, used = read(izin, content, charset=charset)

    assert document["nama"] == "Café"
    assert used == ({"charset"} if counted else set())


def test_without_a_charset_a_lie_about_it_is_an_error_that_says_what_to_set(izin: Plans) -> None:
    with pytest.raises(InvalidAnswer, match="charset"):
        read(izin, answer(nama="Café").replace("é".encode(), b"\xe9"), *TOLERANCES)


def test_a_naive_moment_is_utc_only_where_that_is_said(izin: Plans) -> None:
    plan = izin.operations["AjukanIzin"].reply
    assert plan is not None
    leniency = Leniency(named=frozenset({"naive-utc"}))

    document = decode(plan, answer(diubah="2026-03-14T02:26:53"), zone=ZoneInfo("Asia/Jakarta"), leniency=leniency)

    assert not isinstance(document, Fault)
    assert document["diubah"] == "2026-03-14T02:26:53Z"


def test_a_name_that_is_no_tolerance_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r'"leading-jank" is no tolerance; did you mean "leading-junk"\?'):
        known(["leading-jank"])
    with pytest.raises(ValueError, match="there are: leading-junk, "):
        known(["xyzzy"])
