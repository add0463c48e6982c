"""Disdukcapil, REST with the credentials in the body and every verdict under HTTP 200."""

from typing import Any

import pytest

from tests.flows import flow as checks
from tests.flows.asks import ALYA, DUKCAPIL, FAMILY, RUDI, SITI, VERIFY, Ask
from tests.flows.flow import Flow, Scene


def _member(nik: str, nama: str, lahir: str, kelamin: str, hubungan: str) -> dict[str, str]:
    return {"nik": nik, "nama": nama, "tanggal_lahir": lahir, "jenis_kelamin": kelamin, "hubungan": hubungan}


HAPPY: dict[Ask, dict[str, Any]] = {
    # What was not asked is not told; a date that is a day off does not match.
    VERIFY: {"cocok": {"nama": True, "tanggal_lahir": False, "jenis_kelamin": True}},
    FAMILY: {
        "anggota": [
            _member(RUDI, "RUDI HIDAYAT", "1986-02-09", "L", "kepala-keluarga"),
            _member(SITI, "SITI RAHMAWATI", "1990-05-12", "P", "istri"),
            _member(ALYA, "ALYA RAHMAWATI", "2025-03-15", "P", "anak"),
        ]
    },
}
NOT_THERE = "Data Tidak Ditemukan"
NOBODY = (
    Scene(ask=VERIFY, switch="", body={"nik": "1405029001189999"}, status=404, type="not-found", says=NOT_THERE),
    Scene(ask=FAMILY, switch="", body={"no_kk": "1405029001189999"}, status=404, type="not-found", says=NOT_THERE),
    *(Scene(ask=ask, switch="not-found", status=404, type="not-found", says=NOT_THERE) for ask in DUKCAPIL),
)
LOGIN_REFUSED = [Scene(ask=ask, switch="login-refused", status=502, type="agency-login") for ask in DUKCAPIL]
QUOTA_USED = [
    Scene(ask=ask, switch="refuse", status=503, type="agency-unavailable", retry_after="5") for ask in DUKCAPIL
]
WRONG = ((VERIFY, ("NAMA_LGKP",)), (FAMILY, ("TGL_LHR", "STAT_HBKEL")))


@pytest.mark.parametrize(("ask", "expected"), HAPPY.items(), ids=map(str, HAPPY))
def test_what_is_asked_of_disdukcapil_is_answered_in_clean_json(flow: Flow, ask: Ask, expected: dict[str, Any]) -> None:
    answer = flow.ask(ask)
    assert (answer.status_code, answer.json()) == (200, expected)
    assert flow.arrived("disdukcapil") == [ask.arrives]


@pytest.mark.parametrize("scene", NOBODY, ids=str)
def test_who_is_not_registered_is_404(flow: Flow, scene: Scene) -> None:
    checks.plays(flow, scene)


@pytest.mark.parametrize("scene", LOGIN_REFUSED, ids=str)
def test_refused_credentials_are_502(flow: Flow, scene: Scene) -> None:
    checks.plays(flow, scene)


@pytest.mark.parametrize("scene", QUOTA_USED, ids=str)
def test_a_quota_used_up_is_503(unlucky: Flow, scene: Scene) -> None:
    checks.plays(unlucky, scene)


@pytest.mark.parametrize("ask", DUKCAPIL, ids=str)
def test_a_disdukcapil_that_is_off_is_503(unlucky: Flow, ask: Ask) -> None:
    checks.is_down(unlucky, ask)


@pytest.mark.parametrize("ask", DUKCAPIL, ids=str)
def test_a_disdukcapil_that_keeps_silent_is_504(unlucky: Flow, ask: Ask) -> None:
    checks.keeps_silent(unlucky, ask)


@pytest.mark.parametrize("ask", DUKCAPIL, ids=str)
def test_an_answer_of_disdukcapil_that_breaks_off_is_503(unlucky: Flow, ask: Ask) -> None:
    checks.breaks_off(unlucky, ask)


@pytest.mark.parametrize(("ask", "words"), WRONG, ids=[str(ask) for ask, _ in WRONG])
def test_wrong_values_of_disdukcapil_are_502_and_the_log_names_them(
    flow: Flow, ask: Ask, words: tuple[str, ...]
) -> None:
    checks.is_broken(flow, ask, "wrong", *words)


@pytest.mark.parametrize("switch", ["html", "junk"])
@pytest.mark.parametrize("ask", DUKCAPIL, ids=str)
def test_what_is_no_json_at_all_is_502(flow: Flow, ask: Ask, switch: str) -> None:
    checks.is_broken(flow, ask, switch, "not JSON")
