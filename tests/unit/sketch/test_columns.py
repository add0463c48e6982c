"""What each column of a file seems to hold."""

import pytest

from gateway.sketch.columns import Column, columns

NIK = ["1405025205909001", "1405021205909002", "1405022012919003"]


def only(name: str, *cells: str) -> Column:
    (found,) = columns([name], [[cell] for cell in cells])
    return found


@pytest.mark.parametrize(
    ("name", "cells", "kind", "keys", "personal"),
    [
        ("NIK", NIK, "identifier", {"digits": 16}, True),
        ("No. KK", ["1405022001159101"], "identifier", {"digits": 16}, True),
        ("Nomor Induk", NIK, "identifier", {"digits": 16}, True),
        ("NIP", ["197806152005011901"], "identifier", {"digits": 18}, True),
        ("pegawai", ["197806152005011901"], "identifier", {"digits": 18}, True),
        ("NIB", ["9120001234567"], "identifier", {"digits": 13}, False),
        ("NPWP", ["140502520590900"], "identifier", {"pattern": r"\d{15,16}"}, True),
        ("NPWP", ["01.234.567.8-901.000"], "identifier", {"pattern": r"\d{2}\.\d{3}\.\d{3}\.\d-\d{3}\.\d{3}"}, True),
        ("Kontak", ["081200009001", "+62 812-0000-9002"], "text", {}, True),
        ("Alamat Surel", ["siti@opd.example"], "text", {}, True),
        ("Kode Kecamatan", ["140502", "140503"], "code", {"digits": 6}, False),
        ("kd_desa", ["14.05.02.2001"], "code", {"pattern": r"\d{2}(\.\d{2}){0,2}(\.\d{4})?"}, False),
        ("Tgl. Lahir", ["15/03/2025", "31/12/2024"], "date", {"date": "dd/mm/yyyy"}, True),
        ("periode", ["20261101", "20261130"], "date", {"date": "yyyymmdd"}, False),
        ("Retribusi", ["1.250.000,00"], "number", {"number": "1.234,56"}, False),
        ("stok", ["12", "0"], "number", {"integer": True}, False),
        ("jumlah", ["1", "0"], "number", {"integer": True}, False),
        ("Aktif", ["Y", "T"], "boolean", {"bool": ["Y", "T"]}, False),
        ("kode_obat", ["0012", "0451"], "code", {}, False),
        ("RT", ["1", "2"], "code", {}, False),
        ("No Meter", ["530100009001", "530100009002"], "code", {}, False),
        ("meteran", ["530100009001", "530100009002"], "code", {"digits": 12}, False),
        ("alamat", ["Jl. Akasia 12"], "text", {}, True),
        ("keterangan", ["", ""], "empty", {}, False),
    ],
)
def test_a_column_is_recognised_by_its_name_and_its_values(
    name: str, cells: list[str], kind: str, keys: dict[str, object], *, personal: bool
) -> None:
    found = only(name, *cells)

    assert (found.kind, found.keys, found.personal) == (kind, keys, personal)


def test_a_column_that_is_sometimes_empty_is_optional() -> None:
    assert only("berat", "4,5", "").optional
    assert only("tgl_selesai", "15/03/2025", "00/00/0000").optional
    assert not only("berat", "4,5", "3,2").optional


def test_a_rounded_nik_is_warned_of_and_the_column_stays_one_of_niks() -> None:
    found = only("NIK", *NIK, "1,40502E+15")

    assert (found.keys, found.misfits) == ({"digits": 16}, (3,))
    assert "1 value is rounded" in found.warned


def test_a_nik_without_a_date_of_birth_is_warned_of() -> None:
    assert "no date of birth" in only("NIK", *NIK, "1405029905909001").warned


def test_what_bears_an_identifiers_name_and_is_none_is_taken_as_it_is() -> None:
    found = only("NIK", "ada", "tidak ada", "ada")

    assert found.keys == {}
    assert found.personal


def test_what_the_sample_does_not_tell_is_said() -> None:
    assert only("tgl", "05/04/2021").said == "or mm/dd/yyyy: the sample does not tell"
    assert "1234.567" in only("harga", "1.250").said
    assert "dd/mm/yyyy" in only("tgl", "5/4/2021").said


def test_few_values_are_words_of_a_table_only_where_they_are_of_a_list_that_somebody_keeps() -> None:
    assert only("Jenis", *["BCG", "POLIO"] * 3).words == ("BCG", "POLIO")
    assert only("L/P", *["L", "P"] * 2).words == ("L", "P")
    assert only("vaksin", *["HB-0", "DPT-1"] * 3).words == ("DPT-1", "HB-0")


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("Petugas", ["SITI", "BUDI"] * 5),
        ("Jenis Petugas", ["SITI", "BUDI"] * 5),
        ("posyandu", ["Melati", "Mawar"] * 5),
        ("status", ["1405025205909001", "0"] * 5),
        ("nama", ["Siti", "Budi"] * 5),
    ],
)
def test_what_may_be_somebody_is_never_one_of_those_words(name: str, cells: list[str]) -> None:
    assert only(name, *cells).words == ()


def test_a_name_is_a_persons_where_the_file_is_about_people() -> None:
    _, name = columns(["NIK", "Nama"], [[nik, "Siti"] for nik in NIK])
    assert name.personal
    assert not only("Nama", "Paracetamol").personal


def test_columns_without_a_name_of_their_own_are_left_out_and_alike_ones_are_told_apart() -> None:
    found = columns(["Nama Obat", "", "x", "x", "NAMA_OBAT"], [["a", "b", "c", "d", "e"]])

    assert [(one.name, one.ours) for one in found] == [("Nama Obat", "nama_obat"), ("NAMA_OBAT", "nama_obat_2")]


def test_a_column_that_numbers_the_rows_is_known() -> None:
    assert only("No", "1", "2", "3").counting
    assert not only("No", "1", "3").counting
