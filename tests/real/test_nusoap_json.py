"""JSON inside a text, as nuSOAP services have it: one text in, one text out, and a page of PHP's where it fails."""

from collections.abc import Callable, Iterator

import pytest

from tests.flows import process
from tests.flows.flow import problem
from tests.flows.process import Gateway
from tests.real.soap_programs import nusoap
from tests.real.test_soap_servers import CLIENT, HEAD

CONFIG = """
[agency.kampus]
adapter = "soap"
wsdl    = "{wsdl}"
url     = "{url}"
mapping = "kampus.toml"
[agency.kampus.operation.tanya]
expose = "POST /v1/tanya"
call   = "tanya"
"""
MAPPING = """
[agency]
json    = { request = ["masukan"], reply = ["return"] }
root    = "return.data"
outcome = { from = "return.kode", ok = ["0"], not-found = ["106"], message = "return.pesan" }
[tanya.request]
masukan.act = { const = "cari" }
masukan.nim = "nim"
[tanya.reply]
nim  = "nim"
nama = "nama"
[tanya.reply.nilai]
each  = "nilai"
kuliah = "mk"
angka  = { from = "angka", number = true }
"""


@pytest.fixture(scope="module")
def gateway(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    with nusoap(program, tmp_path_factory.mktemp("server")) as running:
        (folder / "kampus.toml").write_text(MAPPING, "utf-8")
        (folder / "gateway.toml").write_text(HEAD + CONFIG.format(wsdl=running.wsdl, url=running.url) + CLIENT, "utf-8")
        with process.running(folder / "gateway.toml", {}) as gateway:
            yield gateway


def test_what_is_within_the_text_comes_as_clean_json(gateway: Gateway) -> None:
    answer = gateway.http.post("/v1/tanya", json={"nim": "0012345"})

    assert answer.status_code == 200, gateway.line(answer)["error"]
    assert answer.json() == {
        "nim": "0012345",
        "nama": "André <&>",
        "nilai": [{"kuliah": "Kalkulus", "angka": 3.5}, {"kuliah": "Fisika", "angka": 4}],
    }


def test_a_code_within_the_text_is_an_outcome_with_the_servers_words(gateway: Gateway) -> None:
    answer = gateway.http.post("/v1/tanya", json={"nim": "tidak ada"})

    assert problem(answer, 404, "not-found")["agency_message"] == "Mahasiswa tidak ditemukan"


def test_a_text_that_is_no_json_is_an_invalid_answer(gateway: Gateway) -> None:
    answer = gateway.http.post("/v1/tanya", json={"nim": "rusak"})

    problem(answer, 502, "agency-invalid-answer")
    assert "kampus.toml:3: /return: is not JSON inside a text" in gateway.line(answer)["error"]


def test_a_fatal_error_of_php_under_http_200_is_an_invalid_answer(gateway: Gateway) -> None:
    answer = gateway.http.post("/v1/tanya", json={"nim": "fatal"})

    problem(answer, 502, "agency-invalid-answer")
