"""Names as agencies write them, and what is recognised in them."""

import pytest

from gateway.sketch.names import canonical, distinct, identifier, made_up, personal, slug


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("noPermohonan", "no_permohonan"),
        ("NO_PERMOHONAN", "no_permohonan"),
        ("No-Permohonan", "no_permohonan"),
        ("getHTTPStatus", "get_http_status"),
        ("arg0", "arg0"),
        ("alamat2", "alamat2"),
        ("noKTP", "nik"),
        ("fotoKTP", "foto_ktp"),
        ("NIKPemohon", "nik_pemohon"),
        ("#text", "nilai"),
        ("@mataUang", "mata_uang"),
        ("from", "dari"),
        ("optional", "optional_"),
        ("___", "nilai"),
    ],
)
def test_a_name_becomes_snake_case(theirs: str, ours: str) -> None:
    assert canonical(theirs) == ours


@pytest.mark.parametrize(
    ("name", "digits", "pattern"),
    [
        ("NIK", 16, None),
        ("nik_anak", 16, None),
        ("no_kk", 16, None),
        ("NoKK", 16, None),
        ("nomorNib", 13, None),
        ("NIP", 18, None),
        ("nop", 18, None),
        ("NPWP", None, r"\d{15,16}"),
    ],
)
def test_an_identifier_is_recognised_with_what_it_must_look_like(
    name: str, digits: int | None, pattern: str | None
) -> None:
    known = identifier(name)

    assert known is not None
    assert (known.digits, known.pattern) == (digits, pattern)


@pytest.mark.parametrize("name", ["status_nik", "fotoKTP", "nik_valid", "nama", "keterangan", "teknik", "kkp", "no"])
def test_what_only_resembles_an_identifier_is_none(name: str) -> None:
    assert identifier(name) is None


@pytest.mark.parametrize(
    ("name", "inside", "is_personal"),
    [
        ("nik", (), True),
        ("nib", (), False),
        ("nama", (), False),
        ("nama", ("pemohon",), True),
        ("nama", ("DataPegawai",), True),
        ("namaPemohon", (), True),
        ("nama_izin", (), False),
        ("alamat_domisili", (), True),
        ("tglLahir", (), True),
        ("tgl_pengajuan", (), False),
        ("noHp", (), True),
    ],
)
def test_personal_data_is_recognised_by_name_and_place(
    name: str, inside: tuple[str, ...], *, is_personal: bool
) -> None:
    assert personal(name, inside) is is_personal


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("statusPermohonan", "status-permohonan"), ("GetToken", "get-token"), ("agency", "op-agency"), ("2Go", "op-2-go")],
)
def test_an_operation_gets_a_name_that_the_configuration_takes(theirs: str, ours: str) -> None:
    assert slug(theirs) == ours


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert distinct("nik", ["nik", "nik_2"], "_") == "nik_3"


def test_made_up_people_are_from_the_made_up_district() -> None:
    nik = made_up("NIK")

    assert nik is not None
    assert nik.startswith("140502")
    assert made_up("keterangan") is None
