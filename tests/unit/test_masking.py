"""What people see of texts and bodies that they did not ask to see."""

from decimal import Decimal

import pytest

from gateway.masking import mask_document, mask_text, mask_value
from gateway.message import new_message_id

MASKED = "140502******0001"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("NIK 1405029001180001 ditolak", f"NIK {MASKED} ditolak"),
        ("NIK 1405 0290 0118 0001 ditolak", f"NIK {MASKED} ditolak"),
        ("NIK:140502-900118-0001.", f"NIK:{MASKED}."),
        ("14.05.02.900118.0001", MASKED),
        ("140502\u2013900118\u00a00001", MASKED),
        ("NIK1405 0290 0118 0001", f"NIK{MASKED}"),
        ("hp 0812-3456-7890", "hp 08********90"),
        ("NPWP 09.254.294.3-407.000", "NPWP 09***********00"),
        ("lahir 18-01-1990 1405029001180001", f"lahir 18-01-1990 {MASKED}"),
        ("1405029001180001 18-01-1990", f"{MASKED} 18-01-1990"),
        ("14-05-2029-0118-0001", "140520******0001"),
        ("2029-01-18-0001-1405", "202901******1405"),
    ],
)
def test_nine_digits_are_hidden_also_when_they_are_written_in_groups(text: str, seen: str) -> None:
    assert mask_text(text) == seen


@pytest.mark.parametrize(
    "text",
    [
        "161/IMB/IV/2021",
        "503/1234/DPMPTSP/2026",
        "tanggal 2026-11-24, lalu 24-11-2026",
        "2026-11-24 07:30:00.123456 gagal",
        "24-11-2026 07.30 dan 24.11.2026 7.30.15",
        "2026-11-24T07:30:00+07:00",
        "24-11-2026 3 berkas",
        "3 24-11-2026 25-11-2026",
        "HTTP 503 dari 10.14.5.10",
        "Rp 1.500.000",
        "12345678",
    ],
)
def test_dates_times_and_short_numbers_are_not(text: str) -> None:
    assert mask_text(text) == text


def test_a_personal_value_with_a_number_in_it_shows_no_name() -> None:
    assert mask_value("Siti 1405029001180001", personal=True) == "S*** (21 characters)"
    assert mask_value("1405 0290 0118 0001", personal=True) == MASKED


def test_of_a_document_its_shape_is_left() -> None:
    document = {
        "nik": "1405020101909001",
        "nama": "Siti",
        "jk": "P",
        "alamat": "RT 1405020101909001",
        "lahir": "1990-01-01",
        "biaya": Decimal("1500.50"),
        "kk": 1405020101909001,
        "hidup": True,
        "email": None,
        "anak": [{"nama": ""}, ()],
    }
    assert mask_document(document) == {
        "nik": "140502******9001",
        "nama": "*** (4 characters)",
        "jk": "*** (1 characters)",
        "alamat": "*** (19 characters)",
        "lahir": "*** (10 characters)",
        "biaya": "*** (number)",
        "kk": "140502******9001",
        "hidup": True,
        "email": None,
        "anak": [{"nama": "*** (0 characters)"}, []],
    }


def test_names_that_are_numbers_are_masked_too() -> None:
    assert mask_document({"1405020101909001": "ada"}) == {"140502******9001": "*** (3 characters)"}


def test_a_messages_id_is_left_whatever_digits_it_has() -> None:
    for identity in ("01a20e32-e4d4-7244-8566-47dc0b3b71b3", *(new_message_id() for _ in range(1000))):
        for text in (f"an older message of its order: {identity}", f"failed 12 {identity} 24-11-2026"):
            assert mask_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "01234567-0123-4123-8123-012345678901",
        "01234567-0123-7123-8123-0123456789012",
        "1-01234567-0123-7123-8123-012345678901",
        "1405025205909001 01234567-0123-7123-8123-012345678901",
    ],
)
def test_what_only_looks_like_an_id_or_stands_beside_one_is_hidden(text: str) -> None:
    assert "*" in mask_text(text)
    assert "140502520590" not in mask_text(text)
