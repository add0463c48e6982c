"""The API speaks TLS by itself: clients that check it, clients that are checked, and a certificate that is renewed."""

import asyncio
import re
import shutil
import signal
import socket
import ssl
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.x509 import load_der_x509_certificate

from demo.testing import Running
from tests.authority import Authority
from tests.flows.command import gateway
from tests.flows.pilot import KEY, pilot
from tests.flows.process import Gateway, eventually, running
from tests.flows.test_reload import NEW, OLD, change, reload

TLS = '[gateway]\ntls = {{ certificate = "tls/api.pem"{more} }}\n'
ASKING = ', client_ca = "tls/Otoritas-Uji.pem"'
RELOADS, ASKERS = 10, 3


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    (tmp_path / "tls").mkdir()
    made = Authority(tmp_path / "tls")
    made.issue("api", days=100)
    return made


@pytest.fixture
def config(agencies: Running, tmp_path: Path) -> Path:
    agencies.reset()
    return secured(pilot(tmp_path, agencies.ports))


def secured(config: Path, more: str = "") -> Path:
    text = config.read_text("utf-8")
    config.write_text(text.replace("[gateway]\n", TLS.format(more=more), 1), "utf-8")
    return config


def place(one: Gateway) -> tuple[str, int]:
    parts = urlsplit(one.url)
    return str(parts.hostname), int(parts.port or 0)


def ends(one: Gateway, trust: ssl.SSLContext) -> datetime:
    """When the certificate ends that a new connection is shown."""
    with (
        socket.create_connection(place(one), timeout=10) as plain,
        trust.wrap_socket(plain, server_hostname="127.0.0.1") as shaken,
    ):
        der = shaken.getpeercert(binary_form=True)
    assert der is not None
    return load_der_x509_certificate(der).not_valid_after_utc


def asked(one: Gateway, trust: ssl.SSLContext) -> int:
    return httpx.get(f"{one.url}/v1/faskes", headers={"x-api-key": KEY}, verify=trust).status_code


def test_apps_are_answered_over_tls_and_by_nothing_else(config: Path, authority: Authority) -> None:
    trust = authority.trusting()
    with running(config, trust=trust) as one:
        assert one.url.startswith("https://")
        began = time.monotonic()
        assert one.http.get("/v1/faskes").status_code == 200
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(f"{one.url}/livez")
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{one.url}/livez".replace("https:", "http:"))
        old = authority.trusting()
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{one.url}/livez", verify=old)
        assert one.stop() == 0
        assert time.monotonic() - began < 15, "a connection that stands idle does not hold up the stop"


def test_a_reload_brings_a_new_certificate_while_old_connections_go_on(config: Path, authority: Authority) -> None:
    trust = authority.trusting()
    with running(config, trust=trust) as one:
        before = ends(one, trust)
        assert expiry(one) == before.timestamp()
        with socket.create_connection(place(one), timeout=10) as plain:
            kept = trust.wrap_socket(plain, server_hostname="127.0.0.1")
            assert said(kept) == b"HTTP/1.1 200"
            authority.issue("api", days=200)
            change(config, OLD, NEW)
            assert reload(config).returncode == 0
            after = ends(one, trust)
            assert after > before
            assert said(kept) == b"HTTP/1.1 200", "the connection that was there before is still served"
            kept.close()
        assert one.http.get("/v1/fasilitas").status_code == 200
        assert eventually(lambda: expiry(one) if expiry(one) != before.timestamp() else None, "the new end") == (
            after.timestamp()
        )
        assert one.stop() == 0


def said(connection: ssl.SSLSocket) -> bytes:
    connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = b""
    while not answer.endswith(b"}"):
        answer += connection.recv(65536)
    return answer[:12]


def expiry(one: Gateway) -> float:
    found = re.search(r"(?m)^gateway_certificate_expiry_timestamp_seconds (.*)$", one.figures())
    assert found
    return float(found[1])


@pytest.mark.parametrize("how", ["gone", "no certificate", "another key"])
def test_a_bad_file_changes_nothing_and_says_why(config: Path, authority: Authority, how: str) -> None:
    trust = authority.trusting()
    file = config.parent / "tls/api.pem"
    with running(config, trust=trust) as one:
        before = ends(one, trust)
        change(config, OLD, NEW)
        if how == "gone":
            file.unlink()
        elif how == "no certificate":
            file.write_text("nothing")
        else:
            other = authority.issue("lain").read_text()
            key = other[other.index("-----BEGIN PRIVATE KEY") :]
            text = file.read_text()
            file.write_text(text[: text.index("-----BEGIN PRIVATE KEY")] + key)
        done = reload(config)
        assert (done.returncode, "gateway.tls.certificate: " in done.stderr) == (1, True), done.stderr
        assert ends(one, trust) == before
        assert one.http.get("/v1/faskes").status_code == 200, "neither routes nor certificate have changed"
        checked = gateway("check", "--config", config)
        assert (checked.returncode, "gateway.tls.certificate: " in checked.stdout) == (1, True), checked.stdout
        assert one.stop() == 0


def test_only_clients_with_a_certificate_of_the_authority_get_in(
    agencies: Running, tmp_path: Path, authority: Authority
) -> None:
    agencies.reset()
    (tmp_path / "lain").mkdir()
    stranger = Authority(tmp_path / "lain", "Otoritas Lain")
    config = secured(pilot(tmp_path, agencies.ports), ASKING)
    known = authority.trusting(authority.issue("klik"))
    shows_other = authority.trusting(stranger.issue("asing"))
    with running(config, trust=known) as one:
        assert one.http.get("/v1/faskes").status_code == 200
        for refused in (authority.trusting(), shows_other):
            with pytest.raises(httpx.TransportError):
                asked(one, refused)
        # The authority is another one from the next reload on, and no session that was begun before gets around it.
        shutil.copy(stranger.file, authority.file)
        assert reload(config).returncode == 0
        assert asked(one, shows_other) == 200
        with pytest.raises(httpx.TransportError):
            asked(one, known)
        assert one.stop() == 0


def test_a_reload_may_begin_to_ask_clients_who_they_are_and_end_it(config: Path, authority: Authority) -> None:
    with running(config, trust=authority.trusting()) as one:
        assert asked(one, authority.trusting()) == 200
        change(config, '"tls/api.pem" }', f'"tls/api.pem"{ASKING} }}')
        assert reload(config).returncode == 0
        with pytest.raises(httpx.TransportError):
            asked(one, authority.trusting())
        assert asked(one, authority.trusting(authority.issue("klik"))) == 200
        change(config, f'"tls/api.pem"{ASKING} }}', '"tls/api.pem" }')
        assert reload(config).returncode == 0
        assert asked(one, authority.trusting()) == 200
        assert one.stop() == 0


async def test_no_request_fails_while_certificates_are_renewed(config: Path, authority: Authority) -> None:
    trust, over, answered = authority.trusting(), asyncio.Event(), Counter[int]()

    async def ask(one: Gateway, *, anew: bool) -> None:
        async with httpx.AsyncClient(verify=trust, headers={"x-api-key": KEY}, timeout=30) as client:
            while not over.is_set():
                headers = {"connection": "close"} if anew else {}
                answer = await client.get(f"{one.url}/v1/faskes", headers=headers)
                answered[answer.status_code] += 1

    with running(config, trust=trust) as one:
        askers = [asyncio.create_task(ask(one, anew=number > 0)) for number in range(ASKERS)]
        for number in range(RELOADS):
            before = len(loads(one))
            await asyncio.to_thread(authority.issue, "api", days=100 + number)
            one.process.send_signal(signal.SIGHUP)
            await asyncio.to_thread(eventually, lambda n=before: len(loads(one)) > n or None, "another load")
        over.set()
        await asyncio.gather(*askers)
        assert one.stop() == 0
    assert set(answered) == {200}
    assert answered[200] >= RELOADS


def loads(one: Gateway) -> list[object]:
    lines = [line for line in one.lines() if str(line.get("event", "")).startswith("configuration-")]
    assert not [line for line in lines if line["event"] == "configuration-refused"], lines
    return list(lines)
