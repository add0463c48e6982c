from collections.abc import Callable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.soap.decode import decode
from adapters.soap.planning import Plans
from gateway import Fault, InvalidAnswer

WIB = ZoneInfo("Asia/Jakarta")
FIELDS = {
    "nomor": "503/1",
    "nik": "1405029001180001",
    "nama": "Siti",
    "alamat": "Jl. Akasia 12",
    "jenis": "IMB",
    "status": "ok",
    "luas": "72",
    "lantai": "2",
    "retribusi": "1250000.50",
    "tanggal": "2026-03-14",
    "diubah": "2026-03-14T09:26:53+07:00",
    "aktif": "true",
}
XMLNS = (
    'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:enc="http://schemas.xmlsoap.org/soap/encoding/"'
)
Read = Callable[..., Any]


def envelope(content: str) -> bytes:
    return f"<s:Envelope {XMLNS}><s:Body>{content}</s:Body></s:Envelope>".encode()


@pytest.fixture
def read(izin: Plans) -> Read:
    """Return a function that decodes an answer whose fields (or raw elements) are changed."""

    def run(extra: str = "", **changed: str | None) -> Any:
        fields = {**FIELDS, **changed}
        elements = "".join(
            value if value.startswith("<") else f"<m:{name}>{value}</m:{name}>"
            for name, value in fields.items()
            if value is not None
        )
        payload = f'<m:AjukanIzinResponse xmlns:m="http://dpmptsp.example.go.id/izin">{elements}{extra}'
        plan = izin.operations["AjukanIzin"].reply
        assert plan is not None
        return decode(plan, envelope(f"{payload}</m:AjukanIzinResponse>"))

    return run


@pytest.fixture
def wrong(read: Read) -> Callable[..., list[tuple[str, str]]]:
    def run(extra: str = "", **changed: str | None) -> list[tuple[str, str]]:
        with pytest.raises(InvalidAnswer) as caught:
            read(extra, **changed)
        assert caught.value.maybe_done
        return [(error.pointer, error.rule) for error in caught.value.errors]

    return run


Wrong = Callable[..., list[tuple[str, str]]]


def test_values_have_their_types(read: Read) -> None:
    document = read()

    assert document == {
        **FIELDS,
        "luas": 72,
        "lantai": 2,
        "retribusi": Decimal("1250000.50"),
        "aktif": True,
        "riwayat": [],
    }
    assert str(document["retribusi"]) == "1250000.50"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("luas", "abc"),
        ("luas", "12.0"),
        ("luas", ""),
        ("luas", "99999999999"),
        ("aktif", "True"),
        ("aktif", "TRUE"),
        ("aktif", "ya"),
        ("tanggal", "0000-00-00"),
        ("tanggal", "14/03/2026"),
        ("tanggal", "2026-02-30"),
        ("diubah", "2026-03-14 09:26:53"),
        ("diubah", "2026-03-14T09:26:53"),
        ("retribusi", "1,5"),
        ("retribusi", "1e20"),
        ("nama", "<m:nama>admin<evil/>@pelalawan</m:nama>"),
        ("nama", '<m:nama xsi:nil="true">isi</m:nama>'),
        ("nama", '<m:nama xsi:type="xsd:int">7</m:nama>'),
        ("nama", '<m:nama xsi:type="m:Pemohon">7</m:nama>'),
        ("nama", '<m:nama xsi:type="q:Apa">7</m:nama>'),
        ("nama", '<m:nama xsi:nil="ya"/>'),
        ("jenis", '<m:jenis xsi:nil="true"/>'),
        ("nama", '<m:nama id="1">Siti</m:nama>'),
        ("nama", '<m:nama href="#1"/>'),
    ],
)
def test_what_zeep_would_lose_silently_is_an_error(wrong: Wrong, field: str, text: str) -> None:
    pointers = [pointer.partition(".")[0] for pointer, _ in wrong(**{field: text})]

    assert set(pointers) == {field}


def test_a_value_outside_its_enumeration_is_an_error(wrong: Wrong) -> None:
    assert wrong(status="lain") == [("status", "enum")]


def test_missing_null_and_empty_are_three_states(read: Read) -> None:
    assert "alamat" not in read(alamat=None)
    assert read(alamat="")["alamat"] == ""
    assert read(nama='<m:nama xsi:nil="1"/>')["nama"] is None
    assert read(nama='<m:nama xsi:nil="false">Siti</m:nama>')["nama"] == "Siti"


def test_nothing_is_nothing_of_whatever_type_it_is_said_to_be(read: Read) -> None:
    assert read(nama='<m:nama xsi:nil="true" xsi:type="xsd:int"/>')["nama"] is None


def test_text_is_whole_whatever_splits_it(read: Read) -> None:
    assert read(nama="<m:nama>ad<?x y?>min<!-- c -->@<![CDATA[<pelalawan>]]></m:nama>")["nama"] == "admin@<pelalawan>"
    assert read(nama="  Siti \n")["nama"] == "  Siti \n"


def test_a_list_is_a_list_however_many_there_are(read: Read) -> None:
    one = "<m:riwayat><m:nik>1405029001180001</m:nik><m:nama>A</m:nama></m:riwayat>"

    assert read(one)["riwayat"] == [{"nik": "1405029001180001", "nama": "A"}]
    assert len(read(one * 3)["riwayat"]) == 3


@pytest.mark.parametrize(
    ("extra", "error"),
    [
        ("<m:nama>Lagi</m:nama>", ("nama", "native")),
        ("<m:lain>x</m:lain>", ("lain", "unknown")),
        ("<nama>x</nama>", ("nama", "native")),
        ("teks liar", ("", "native")),
        ("<m:riwayat><m:nama>A</m:nama></m:riwayat>", ("riwayat.nik", "required")),
        (
            '<m:riwayat kelas="x"><m:nik>1405029001180001</m:nik><m:nama>A</m:nama></m:riwayat>',
            ("riwayat.@kelas", "unknown"),
        ),
    ],
)
def test_what_was_not_agreed_is_an_error(wrong: Wrong, extra: str, error: tuple[str, str]) -> None:
    assert wrong(extra) == [error]


def test_every_error_is_reported_at_once_and_masked(read: Read) -> None:
    with pytest.raises(InvalidAnswer) as caught:
        read(nomor=None, luas="1405029001180001", aktif="ya")

    assert {error.pointer for error in caught.value.errors} == {"nomor", "luas", "aktif"}
    assert "9001180" not in str([caught.value, *caught.value.errors])


def test_a_naive_date_time_gets_the_agencys_zone_when_it_has_one(izin: Plans) -> None:
    fields = "".join(f"<m:{name}>{value}</m:{name}>" for name, value in FIELDS.items())
    plan = izin.operations["AjukanIzin"].reply
    assert plan is not None
    payload = f'<m:AjukanIzinResponse xmlns:m="http://dpmptsp.example.go.id/izin">{fields}</m:AjukanIzinResponse>'

    document = decode(plan, envelope(payload.replace("+07:00", "")), zone=WIB)

    assert not isinstance(document, Fault)
    assert document["diubah"] == "2026-03-14T09:26:53+07:00"


def decoded(plans: Plans, operation: str, content: str) -> Any:
    plan = plans.operations[operation].reply
    assert plan is not None
    return decode(plan, envelope(content))


TAHAP = '<nama_proses xsi:type="xsd:string">A</nama_proses><tgl_selesai xsi:nil="true"/><urut>1</urut>'
KEPALA = '<no_permohonan xsi:type="xsd:string">1</no_permohonan><kode_status>1</kode_status><retribusi>0</retribusi>'


REFERRING = '<t:simpanRiwayatResponse xmlns:t="urn:sipolan"><return href="#a"/></t:simpanRiwayatResponse>'


def test_an_encoded_answer_in_nusoaps_manner_is_read(sipolan: Plans) -> None:
    document = decoded(
        sipolan,
        "statusPermohonan",
        f'<t:statusPermohonanResponse xmlns:t="urn:sipolan"><return xsi:type="t:Permohonan">{KEPALA}'
        f'<riwayat xsi:type="enc:Array" enc:arrayType="t:Tahap[1]"><item xsi:type="t:Tahap">{TAHAP}</item></riwayat>'
        "</return></t:statusPermohonanResponse>",
    )

    assert document["return"]["riwayat"] == {"item": [{"nama_proses": "A", "tgl_selesai": None, "urut": 1}]}


def test_references_to_other_elements_of_the_body_are_followed(sipolan: Plans) -> None:
    document = decoded(
        sipolan,
        "statusPermohonan",
        '<t:statusPermohonanResponse xmlns:t="urn:sipolan"><return href="#a"/></t:statusPermohonanResponse>'
        f'<multiRef id="a" enc:root="0" xmlns:t="urn:sipolan" xsi:type="t:Permohonan">{KEPALA}'
        '<riwayat enc:arrayType="t:Tahap[2]" xsi:type="enc:Array"><x href="#b"/><x href="#b"/></riwayat></multiRef>'
        f'<multiRef id="b" xmlns:t="urn:sipolan" xsi:type="t:Tahap">{TAHAP}</multiRef>',
    )

    assert [item["urut"] for item in document["return"]["riwayat"]["item"]] == [1, 1]


@pytest.mark.parametrize(
    "content",
    [
        '<t:simpanRiwayatResponse xmlns:t="urn:sipolan"><return href="#tidakada"/></t:simpanRiwayatResponse>',
        f'{REFERRING}<multiRef id="a" href="#a"/>',
        '<t:simpanRiwayatResponse xmlns:t="urn:sipolan"><return>1</return></t:simpanRiwayatResponse><lagi/>',
        f'{REFERRING}<m id="a">1</m><m id="a">2</m>',
        '<t:lainResponse xmlns:t="urn:sipolan"><return>1</return></t:lainResponse>',
        "",
    ],
)
def test_a_reference_or_payload_that_is_not_one_is_an_error(sipolan: Plans, content: str) -> None:
    with pytest.raises(InvalidAnswer):
        decoded(sipolan, "simpanRiwayat", content)


def test_references_can_not_multiply_an_answer(sipolan: Plans) -> None:
    many = '<x href="#b"/>' * 30_000
    with pytest.raises(InvalidAnswer) as caught:
        decoded(
            sipolan,
            "statusPermohonan",
            '<t:statusPermohonanResponse xmlns:t="urn:sipolan"><return href="#a"/></t:statusPermohonanResponse>'
            f'<m id="a" xmlns:t="urn:sipolan">{KEPALA}<riwayat>{many}</riwayat></m>'
            f'<m id="b" xmlns:t="urn:sipolan">{TAHAP}</m>',
        )

    assert any(error.params.get("expected") == "fewer references" for error in caught.value.errors)
