"""Pelalawan Sehat, REST with a token: everything that can be asked of it, in good health and in bad."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.flows import flow as checks
from tests.flows.asks import (
    CANCEL_TICKET,
    FACILITIES,
    IMMUNISATIONS,
    MY_TICKETS,
    PELALAWAN_SEHAT,
    QUEUE,
    SITI,
    TAKE_TICKET,
    TIMETABLE,
    Ask,
)
from tests.flows.flow import Flow, Scene
from tests.flows.pilot import KEY

TICKET = {
    "kode_booking": "01122026UMU002",
    "nomor": "U-2",
    "urutan": 2,
    "poli": "Poli Umum",
    "dokter": "dr. Ratna Dewi",
    "tanggal": "2026-12-01",
    "perkiraan": "2026-12-01T08:10:00+07:00",
    "sisa_kuota": 28,
    "keterangan": "Peserta harap datang 30 menit lebih awal",
}


def _facility(kode: str, nama: str, jenis: str, alamat: str, telepon: str) -> dict[str, Any]:
    return {"kode": kode, "nama": nama, "jenis": jenis, "alamat": alamat, "telepon": telepon, "buka": True}


HAPPY: dict[Ask, dict[str, Any]] = {
    FACILITIES: {
        "faskes": [
            _facility("P1405020101", "Puskesmas Pangkalan Kerinci I", "puskesmas", "Jl. Hang Tuah 3", "0761950101"),
            _facility(
                "P1405020102", "Puskesmas Pangkalan Kerinci II", "puskesmas", "Jl. Koridor RAPP 17", "0761950102"
            ),
            _facility("R1405020001", "RSUD Selasih", "rumah-sakit", "Jl. Lingkar", "0761950001"),
            {
                "kode": "P1405040101",
                "nama": "Puskesmas Bunut",
                "jenis": "puskesmas",
                "alamat": "Jl. Datuk Engku 1",
                "buka": False,
            },
        ]
    },
    TIMETABLE: {
        "jadwal": [
            {
                "kode_poli": "UMU",
                "poli": "Poli Umum",
                "tanggal": "2026-12-01",
                "kode_dokter": 301,
                "dokter": "dr. Ratna Dewi",
                "mulai": "08:00",
                "selesai": "12:00",
                "kuota_jkn": 20,
                "kuota_umum": 30,
            }
        ]
    },
    TAKE_TICKET: TICKET,
    QUEUE: {"nomor": "U-1", "poli": "Poli Umum", "sisa": 0, "dipanggil": "U-1", "tunggu_detik": 0},
    CANCEL_TICKET: {"kode_booking": "01122026UMU001"},
    MY_TICKETS: {
        "antrean": [
            {
                "kode_booking": "01122026UMU001",
                "nomor": "U-1",
                "poli": "Poli Umum",
                "dokter": "dr. Ratna Dewi",
                "tanggal": "2026-12-01",
                "perkiraan": "2026-12-01T08:00:00+07:00",
                "aktif": True,
            }
        ]
    },
    IMMUNISATIONS: {
        "imunisasi": [
            {"kode": "HB0", "vaksin": "Hepatitis B 0", "tanggal": "2025-03-15", "faskes": "RSUD Selasih"},
            {"kode": "BCG", "vaksin": "BCG", "tanggal": "2025-04-16", "faskes": "Puskesmas Pangkalan Kerinci I"},
            {
                "kode": "DPT1",
                "vaksin": "DPT-HB-HIB 1",
                "tanggal": "2025-05-18",
                "faskes": "Puskesmas Pangkalan Kerinci I",
            },
        ]
    },
}
NOT_SERVED = "Pendaftaran ke Poli ini tidak tersedia"
FULL = "Kuota Antrean Penuh"


def _refused(ask: Ask, says: str, switch: str = "", body: dict[str, Any] | None = None) -> Scene:
    return Scene(ask=ask, switch=switch, body=body, status=422, type="refused", says=says)


REFUSALS = (
    *(_refused(ask, NOT_SERVED, "refuse") for ask in PELALAWAN_SEHAT),
    _refused(TAKE_TICKET, FULL, "quota"),
    _refused(TAKE_TICKET, FULL, body={**(TAKE_TICKET.body or {}), "kode_poli": "GIG"}),
    _refused(TAKE_TICKET, NOT_SERVED, body={**(TAKE_TICKET.body or {}), "kode_poli": "XYZ"}),
    _refused(TAKE_TICKET, "Nomor Kartu harus 13 digit", body={**(TAKE_TICKET.body or {}), "nomor_kartu": "12"}),
    _refused(CANCEL_TICKET, "Antrean Tidak Ditemukan atau Sudah Dibatalkan", body={"kode_booking": "01122026UMU099"}),
    *(Scene(ask=ask, switch="login-refused", status=502, type="agency-login") for ask in PELALAWAN_SEHAT),
)
WRONG = (
    (FACILITIES, ("namafaskes", "is required")),
    (TIMETABLE, ("namadokter", "kuotajkn", "penuh")),
    (TAKE_TICKET, ("kodebooking", "angkaantrean", "dua belas", "estimasidilayani", "besok pagi")),
    (QUEUE, ("sisaantrean", "must not be null")),
    (CANCEL_TICKET, ("kodebooking", "is required")),
    (MY_TICKETS, ("kodebooking", "estimasidilayani")),
    (IMMUNISATIONS, ("namavaksin", "tanggal_imunisasi", "31/02/2026")),
)


@pytest.mark.parametrize(("ask", "expected"), HAPPY.items(), ids=map(str, HAPPY))
def test_what_is_asked_of_dinkes_is_answered_in_clean_json(flow: Flow, ask: Ask, expected: dict[str, Any]) -> None:
    answer = flow.ask(ask)
    assert (answer.status_code, answer.json()) == (200, expected)
    assert flow.arrived("dinkes") == [ask.arrives]


@pytest.mark.parametrize("ask", PELALAWAN_SEHAT, ids=str)
def test_an_expired_token_is_renewed_once_and_nobody_notices(flow: Flow, ask: Ask) -> None:
    answer = flow.prepared(ask, "expire")
    assert (answer.status_code, answer.json()) == (200, HAPPY[ask])
    # The first of the two was turned away at the door.
    assert flow.arrived("dinkes") == [ask.arrives, "login", ask.arrives]


async def test_however_many_find_the_token_expired_one_of_them_fetches_a_new_one(flow: Flow) -> None:
    flow.turn("dinkes", "expire")
    async with httpx.AsyncClient(base_url=flow.gateway.url, headers={"x-api-key": KEY}, timeout=30) as http:
        days = (f"/v1/faskes/jadwal?kode_poli=UMU&tanggal=2026-12-{day:02d}" for day in range(1, 21))
        answers = await asyncio.gather(*(http.get(day) for day in days))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert flow.arrived("dinkes").count("login") == 1


def test_a_ticket_taken_already_is_a_success_with_the_same_ticket(flow: Flow) -> None:
    first, again = flow.ask(TAKE_TICKET), flow.ask(TAKE_TICKET)
    assert first.json() == again.json() == TICKET
    assert [flow.gateway.line(each)["outcome"] for each in (first, again)] == ["ok", "duplicate"]
    assert flow.arrived("dinkes") == ["antrean/ambil"] * 2


def test_the_code_208_is_a_success(flow: Flow) -> None:
    answer = flow.prepared(TAKE_TICKET, "duplicate")
    assert (answer.status_code, answer.json()) == (200, TICKET)
    assert flow.gateway.line(answer)["outcome"] == "duplicate"


def test_a_ticket_is_cancelled_once(flow: Flow) -> None:
    assert flow.ask(CANCEL_TICKET).status_code == 200
    said = checks.problem(flow.ask(CANCEL_TICKET), 422, "refused")
    assert said["agency_message"] == "Antrean Tidak Ditemukan atau Sudah Dibatalkan"
    assert flow.ask(MY_TICKETS).json()["antrean"][0]["aktif"] is False


def test_a_person_without_tickets_has_an_empty_list(flow: Flow) -> None:
    assert flow.ask(MY_TICKETS, {"nik": "1405029001189999"}).json() == {"antrean": []}


def test_a_booking_code_can_not_lead_to_another_path(flow: Flow) -> None:
    answer = flow.gateway.http.get("/v1/antrean/sisa", params={"kode_booking": "../../auth?x=/01122026UMU001"})
    checks.problem(answer, 422, "refused")
    assert flow.arrived("dinkes") == ["antrean/sisa"]


@pytest.mark.parametrize("scene", REFUSALS, ids=str)
def test_dinkes_says_no_in_its_own_words(flow: Flow, scene: Scene) -> None:
    checks.plays(flow, scene)


def test_a_rejected_login_asks_for_one_fresh_token_and_no_more(flow: Flow) -> None:
    checks.problem(flow.prepared(TAKE_TICKET, "login-refused"), 502, "agency-login")
    assert flow.arrived("dinkes") == ["antrean/ambil", "login", "antrean/ambil"]
    flow.turn("dinkes", "up")
    mine = flow.ask(MY_TICKETS, {"nik": (TAKE_TICKET.body or {})["nik"]})
    assert mine.json() == {"antrean": []}


@pytest.mark.parametrize("ask", PELALAWAN_SEHAT, ids=str)
def test_a_dinkes_that_is_off_is_503(unlucky: Flow, ask: Ask) -> None:
    checks.is_down(unlucky, ask)


@pytest.mark.parametrize("ask", PELALAWAN_SEHAT, ids=str)
def test_a_dinkes_that_keeps_silent_is_504(unlucky: Flow, ask: Ask) -> None:
    checks.keeps_silent(unlucky, ask)


@pytest.mark.parametrize("ask", PELALAWAN_SEHAT, ids=str)
def test_an_answer_of_dinkes_that_breaks_off_is_503(unlucky: Flow, ask: Ask) -> None:
    checks.breaks_off(unlucky, ask)


@pytest.mark.parametrize(("ask", "words"), WRONG, ids=[str(ask) for ask, _ in WRONG])
def test_wrong_values_of_dinkes_are_502_and_the_log_names_them(flow: Flow, ask: Ask, words: tuple[str, ...]) -> None:
    checks.is_broken(flow, ask, "wrong", *words)


@pytest.mark.parametrize("switch", ["html", "junk"])
@pytest.mark.parametrize("ask", PELALAWAN_SEHAT, ids=str)
def test_what_is_no_json_at_all_is_502(flow: Flow, ask: Ask, switch: str) -> None:
    checks.is_broken(flow, ask, switch, "not JSON")


def test_siti_has_the_ticket_that_the_log_never_names(flow: Flow) -> None:
    line = flow.gateway.line(flow.ask(MY_TICKETS))
    assert (line["operation"], line["client"], line["outcome"]) == ("dinkes/antrean-saya", "uji", "ok")
    assert SITI not in str(line)
