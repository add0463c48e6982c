"""One suite for all SOAP servers: an app's JSON through a running gateway to a server nobody here wrote, and back."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.flows import command, process
from tests.flows.flow import problem
from tests.flows.pilot import CLIENTS
from tests.flows.process import Gateway
from tests.real.soap_servers import ABSENT, NO_WSDL, SERVERS, SoapServer

HEAD = """
[gateway]
listen  = "127.0.0.1:0"
metrics = "127.0.0.1:0"
[defaults]
retry = { attempts = 1 }
breaker = { failures = 100000, minimum = 100000, window = 100000 }
"""
CLIENT = CLIENTS.partition("[client.terbatas]")[0]
ASKED = {
    "teks": "Siti",
    "bulat": 7,
    "pecahan": 1250000.50,
    "benar": True,
    "tanggal": "2026-03-14",
    "waktu": "2026-03-14T09:26:53+07:00",
    "berkas": "/9j/AAEC",
    "daftar": ["satu"],
    "orang": [{"nama": "Budi", "umur": 7}],
}


@dataclass(frozen=True, slots=True)
class Way:
    """The way to one server and back, and the configuration that says it."""

    server: SoapServer
    gateway: Gateway
    config: Path

    def echo(self, case: str, **changed: Any) -> dict[str, Any]:
        """Ask, and hold what comes back against what was sent, or against the server's oddity in this case."""
        answer = self.gateway.http.post("/v1/gema", json={**ASKED, **changed})
        odd = self.server.expected(case, {})
        if not isinstance(odd, dict):
            problem(answer, 502, str(odd))
            return {}
        assert answer.status_code == 200, self.gateway.line(answer)["error"]
        found: dict[str, Any] = json.loads(answer.text, parse_float=Decimal)
        assert {name: found[name] for name in changed} == exact({**changed, **odd})
        return found


def exact(value: dict[str, Any]) -> dict[str, Any]:
    again: dict[str, Any] = json.loads(json.dumps(value), parse_float=Decimal)
    return again


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def way(
    request: pytest.FixtureRequest, program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Way]:
    server: SoapServer = request.param
    folder = tmp_path_factory.mktemp("gateway")
    with server.start(program, tmp_path_factory.mktemp("server")) as running:
        (folder / "layanan.toml").write_text(server.mapping(), "utf-8")
        (folder / "gateway.toml").write_text(HEAD + server.configuration(running) + CLIENT, "utf-8")
        with process.running(folder / "gateway.toml", {}) as gateway:
            yield Way(server, gateway, folder / "gateway.toml")


@pytest.mark.parametrize(
    ("bulat", "pecahan", "benar"),
    [(7, 1250000.50, True), (-2147483648, -0.01, False), (2147483647, 1234567890.12, True), (0, 0, False)],
)
def test_scalars_come_back_as_they_were_sent(way: Way, bulat: int, pecahan: float, benar: bool) -> None:
    way.echo(f"scalars {bulat}", bulat=bulat, pecahan=pecahan, benar=benar)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_list_stays_a_list_whether_it_has_none_one_or_many(way: Way, count: int) -> None:
    people = [{"nama": f"Orang {number}", "umur": number} for number in range(count)]

    way.echo(f"a list of {count}", daftar=["é <&>", "", "tiga"][:count], orang=people)


@pytest.mark.parametrize(("teks", "usual"), [("null", None), ("kosong", ""), ("tidak ada", ABSENT)])
def test_null_empty_and_missing_are_three_things(way: Way, teks: str, usual: object) -> None:
    found = way.echo(f"answer {teks}", teks=teks)

    if found:
        assert found.get("telepon", ABSENT) == way.server.expected(f"telepon {teks}", usual)


@pytest.mark.parametrize("tanggal", ["2026-03-14", "1945-08-17", "2024-02-29"])
@pytest.mark.parametrize("waktu", ["2026-03-14T09:26:53+07:00", "2026-01-01T00:00:00+07:00"])
def test_days_and_moments_come_back_as_the_same_days_and_moments(way: Way, tanggal: str, waktu: str) -> None:
    way.echo("dates", tanggal=tanggal, waktu=waktu)


@pytest.mark.parametrize(
    "teks",
    ["Siti é", "عربي 漢字 ꦗꦮ", "𝄞", "<b>&amp; \"'", "  dua  spasi  ", "baris 1\nbaris 2\tx", "007", "2026", "1e5"],
)
def test_a_text_comes_back_letter_by_letter(way: Way, teks: str) -> None:
    way.echo(f"text {teks}", teks=teks)


@pytest.mark.parametrize(
    "content", [bytes(range(256)) * 8, b"hanya ASCII", "é".encode()], ids=["all", "ASCII", "UTF-8"]
)
def test_a_binary_comes_back_octet_by_octet(way: Way, content: bytes) -> None:
    way.echo("binary", berkas=base64.b64encode(content).decode())


def test_a_fault_is_what_the_mapping_says_with_the_servers_words(way: Way) -> None:
    answer = way.gateway.http.post("/v1/gagal", json={"alasan": "Sibuk: é <&>"})

    told = problem(answer, 422, "refused")["agency_message"]
    assert told == way.server.expected("a fault's words", "Sibuk: é <&>")


@pytest.mark.parametrize("way", [server for server in SERVERS if NO_WSDL in server.section], indirect=True)
def test_check_and_try_work_where_no_contract_is_known(way: Way) -> None:
    checked = command.gateway("check", "--config", way.config)
    tried = command.gateway("try", "layanan/gema", "--config", way.config, "--data", json.dumps(ASKED))

    assert checked.returncode == 0, checked.stdout
    assert tried.returncode == 0, tried.stdout
    assert '"return": {' in tried.stdout
    assert '"asal": "André"' in tried.stdout
