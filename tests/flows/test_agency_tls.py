"""Through a running gateway to agencies with a private authority, that ask who we are, or that are old."""

import shutil
import ssl
from pathlib import Path

import pytest

from tests.authority import Authority
from tests.flows.command import gateway
from tests.flows.pilot import CLIENTS
from tests.flows.process import Gateway, running
from tests.flows.test_reload import change, reload
from tests.served import Page, serving

TOML = """
[gateway]
listen  = "127.0.0.1:0"
metrics = "127.0.0.1:0"
ledger  = "sqlite:{folder}/var/ledger.db"

[defaults]
retry   = {{ attempts = 1 }}
breaker = {{ failures = 1000, minimum = 1000, window = 1000 }}

[agency.dinkes]
adapter = "rest"
url     = "{url}"
mapping = "mappings/dinkes.toml"
tls     = {{ ca = "tls/Otoritas-Uji.pem"{more} }}

[agency.dinkes.operation.daftar-faskes]
expose = "GET /v1/daftar"
call   = "GET /daftar"
"""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "tls").mkdir()
    return Authority(tmp_path / "tls")


def configured(folder: Path, url: str, more: str = "") -> Path:
    (folder / "mappings").mkdir()
    (folder / "mappings/dinkes.toml").write_text('[daftar-faskes.reply]\nkode = "kode"\n')
    config = folder / "gateway.toml"
    clients = CLIENTS[: CLIENTS.index("[client.terbatas]")]
    config.write_text(TOML.format(folder=folder, url=url, more=more) + clients)
    return config


def asked(one: Gateway) -> tuple[int, str]:
    answer = one.http.get("/v1/daftar")
    return answer.status_code, answer.json().get("type", "")


WELL = (200, "")


def test_an_agency_that_asks_who_we_are_is_shown_the_certificate_of_the_last_reload(
    tmp_path: Path, authority: Authority
) -> None:
    authority.issue("kami")
    (tmp_path / "lain").mkdir()
    stranger = Authority(tmp_path / "lain", "Otoritas Lain").issue("kami")
    with serving(authority.server(authority.issue(), asks=True)) as agency:
        agency.pages["/daftar"] = Page(b'{"kode":"1"}', headers={"Content-Type": "application/json"})
        config = configured(tmp_path, agency.url, ', certificate = "tls/kami.pem"')
        with running(config) as one:
            assert asked(one) == WELL
            shutil.copy(stranger, tmp_path / "tls/kami.pem")
            assert asked(one) == WELL, "a file counts from the next reload on"
            assert reload(config).returncode == 0
            assert asked(one) == (503, "agency-unavailable")
            (tmp_path / "tls/kami.pem").write_text("nothing")
            refused = reload(config)
            assert (refused.returncode, "tls/kami.pem can't be used" in refused.stderr) == (1, True), refused.stderr
            authority.issue("kami", days=50)
            assert reload(config).returncode == 0
            assert asked(one) == WELL
            assert one.stop() == 0


def test_an_old_server_is_let_in_by_its_own_minimum_which_check_warns_of(tmp_path: Path, authority: Authority) -> None:
    with serving(authority.server(authority.issue(), highest=ssl.TLSVersion.TLSv1)) as agency:
        agency.pages["/daftar"] = Page(b'{"kode":"1"}', headers={"Content-Type": "application/json"})
        config = configured(tmp_path, agency.url)
        with running(config) as one:
            assert asked(one) == (503, "agency-unavailable")
            told = gateway("doctor", "dinkes", "--config", config)
            assert 'tls = { minimum = "1.0" } lets it in' in told.stdout, told.stdout
            change(config, 'Otoritas-Uji.pem" }', 'Otoritas-Uji.pem", minimum = "1.0" }')
            checked = gateway("check", "--config", config)
            assert (checked.returncode, "warning: agency.dinkes.tls.minimum: TLS 1.0 is broken" in checked.stdout) == (
                0,
                True,
            )
            assert reload(config).returncode == 0
            assert asked(one) == WELL
            assert one.stop() == 0
