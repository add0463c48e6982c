"""Sending over TLS: a handshake that fails or hangs was not maybe done; what comes after it was."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509 import load_pem_x509_certificate

from adapters.http import HttpClient, Tls
from gateway import AgencyTimeout, ConfigError, Unavailable
from tests.authority import Authority
from tests.contract.raw_agency import Link, RawAgency, answer_everything

FILES = Path(__file__).parent / "tls"
TRUSTING = Tls(ca=FILES / "ca.pem")
METHODS = pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])


def server_side(*, client_certificate: bool = False, highest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=FILES / "ca.pem")
    context.load_cert_chain(FILES / "server.pem")
    if client_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
    if highest:
        context.maximum_version = highest
    return context


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both loops: the gateway runs on uvloop where there is one."""
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    client = HttpClient("pln", tls=TRUSTING)
    yield client
    await client.close()


async def send(client: HttpClient, method: str, url: str, timeout: float = 5) -> None:  # noqa: ASYNC109
    body = b"{}" if method in {"POST", "PUT"} else None
    await client.send(method, url, headers={}, body=body, timeout=timeout)


async def test_an_agency_with_a_certificate_of_our_ca_is_trusted(client: HttpClient) -> None:
    async with RawAgency(answer_everything, tls=server_side()) as agency:
        await send(client, "POST", agency.url)
        await client.probe(agency.url, timeout=2)
        assert len(agency.arrivals) == 1


@METHODS
async def test_a_certificate_that_is_not_trusted_is_not_maybe_done(method: str) -> None:
    client = HttpClient("pln")
    async with RawAgency(answer_everything, tls=server_side()) as agency:
        with pytest.raises(Unavailable, match="certificate that is not trusted") as caught:
            await send(client, method, agency.url)
        assert not caught.value.maybe_done
        assert "127.0.0.1" not in str(caught.value)
        with pytest.raises(Unavailable, match="certificate that is not trusted"):
            await client.probe(agency.url, timeout=2)
        assert not agency.arrivals
    await client.close()


async def test_verifying_can_be_switched_off() -> None:
    client = HttpClient("pln", tls=Tls(verify=False))
    async with RawAgency(answer_everything, tls=server_side()) as agency:
        await send(client, "GET", agency.url)
    await client.close()


@METHODS
@pytest.mark.parametrize("end", ["closes", "resets", "speaks no TLS"])
async def test_rule_11_1_a_handshake_that_breaks_is_not_maybe_done(client: HttpClient, method: str, end: str) -> None:
    async def script(link: Link) -> None:
        await link.some()
        if end == "closes":
            link.close()
        elif end == "resets":
            link.reset()
        else:
            await link.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with RawAgency(script) as agency:
        with pytest.raises(Unavailable) as caught:
            await send(client, method, agency.url.replace("http:", "https:"))
        assert not caught.value.maybe_done
        assert agency.connections == 1


@METHODS
async def test_rule_11_1_a_handshake_that_hangs_is_not_maybe_done(client: HttpClient, method: str) -> None:
    async def script(link: Link) -> None:
        await link.stall()

    async with RawAgency(script) as agency:
        with pytest.raises(AgencyTimeout) as caught:
            await send(client, method, agency.url.replace("http:", "https:"), timeout=0.1)
        assert not caught.value.maybe_done


@METHODS
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_an_agency_that_misses_our_certificate_did_nothing(
    client: HttpClient, method: str, version: ssl.TLSVersion
) -> None:
    async with RawAgency(answer_everything, tls=server_side(client_certificate=True, highest=version)) as agency:
        with pytest.raises(Unavailable) as caught:
            await send(client, method, agency.url)
        # Under TLS 1.3 the refusal comes only after the handshake is over on our side: the request was written.
        assert caught.value.maybe_done == (version is ssl.TLSVersion.TLSv1_3)
        assert not agency.arrivals


async def test_the_gateway_shows_its_certificate() -> None:
    client = HttpClient("pln", tls=Tls(ca=FILES / "ca.pem", certificate=FILES / "client.pem"))
    async with RawAgency(answer_everything, tls=server_side(client_certificate=True)) as agency:
        await send(client, "POST", agency.url)
        assert len(agency.arrivals) == 1
    await client.close()


OLD = pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["1.0", "1.1"])


@OLD
async def test_an_old_server_is_let_in_only_where_the_agency_says_so(
    client: HttpClient, tmp_path: Path, highest: ssl.TLSVersion
) -> None:
    authority = Authority(tmp_path)
    old = authority.server(authority.issue(), highest=highest)
    usual = HttpClient("pln", tls=Tls(ca=authority.file))
    patient = HttpClient("pln", tls=Tls(ca=authority.file, minimum=highest))
    async with RawAgency(answer_everything, tls=old) as agency:
        with pytest.raises(Unavailable) as caught:
            await send(usual, "POST", agency.url)
        assert not caught.value.maybe_done
        await send(patient, "POST", agency.url)
        assert len(agency.arrivals) == 1
    stranger = HttpClient("pln", tls=Tls(ca=FILES / "ca.pem", minimum=highest))
    async with RawAgency(answer_everything, tls=old) as agency:
        with pytest.raises(Unavailable, match="not trusted"):
            await send(stranger, "POST", agency.url)
    for one in (usual, patient, stranger):
        await one.close()


async def test_a_version_that_is_too_low_is_refused_where_the_agency_says_so(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    strict = HttpClient("pln", tls=Tls(ca=authority.file, minimum=ssl.TLSVersion.TLSv1_3))
    server = authority.server(authority.issue(), highest=ssl.TLSVersion.TLSv1_2)
    async with RawAgency(answer_everything, tls=server) as agency:
        with pytest.raises(Unavailable):
            await send(strict, "POST", agency.url)
    await strict.close()


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    certificate = Authority(tmp_path).issue("kami")
    key = tmp_path / "key.pem"
    private = load_pem_private_key(certificate.read_bytes(), password=None)
    locked = BestAvailableEncryption(b"rahasia")
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    with pytest.raises(ConfigError, match=r"key\.pem: can.t be used"):
        HttpClient("pln", tls=Tls(certificate=certificate, key=key))


@METHODS
@pytest.mark.parametrize("end", ["closes", "resets"])
async def test_rule_11_1_an_agency_that_breaks_off_after_the_request_may_have_done_it(
    client: HttpClient, method: str, end: str
) -> None:
    async def script(link: Link) -> None:
        await link.request()
        (link.close if end == "closes" else link.reset)()

    async with RawAgency(script, tls=server_side()) as agency:
        with pytest.raises(Unavailable) as caught:
            await send(client, method, agency.url)
        assert caught.value.maybe_done
        assert len(agency.arrivals) == agency.connections == 1


@pytest.mark.parametrize("wrong", [Tls(ca=FILES / "absent.pem"), Tls(certificate=FILES / "ca.pem")])
def test_a_file_that_does_not_fit_is_told_by_name(wrong: Tls) -> None:
    with pytest.raises(ConfigError, match=r"\.pem"):
        HttpClient("pln", tls=wrong)


async def test_a_probe_tells_a_closed_port_from_a_hanging_one(client: HttpClient) -> None:
    async with RawAgency() as agency:
        gone = agency.url
    with pytest.raises(Unavailable) as caught:
        await client.probe(gone, timeout=2)
    assert not caught.value.maybe_done

    async def script(link: Link) -> None:
        await link.stall()

    async with RawAgency(script) as agency:
        with pytest.raises(AgencyTimeout):
            await client.probe(agency.url.replace("http:", "https:"), timeout=0.05)


async def test_many_calls_share_the_client(client: HttpClient) -> None:
    async with RawAgency(answer_everything, tls=server_side()) as agency:
        await asyncio.gather(*(send(client, "POST", agency.url) for _ in range(40)))
        assert len(agency.arrivals) == 40


@pytest.mark.parametrize("how", ["send", "probe"])
async def test_whoever_watches_hears_when_the_agencys_certificate_ends(how: str) -> None:
    ends: list[float] = []
    client = HttpClient("pln", tls=TRUSTING, certificate_ends=ends.append)
    async with RawAgency(answer_everything, tls=server_side()) as agency:
        if how == "send":
            await send(client, "GET", agency.url)
        else:
            await client.probe(agency.url, timeout=2)
    await client.close()
    (end,) = ends
    assert end == load_pem_x509_certificate((FILES / "server.pem").read_bytes()).not_valid_after_utc.timestamp()


async def test_a_certificate_that_nobody_checks_is_not_read() -> None:
    ends: list[float] = []
    client = HttpClient("pln", tls=Tls(verify=False), certificate_ends=ends.append)
    async with RawAgency(answer_everything, tls=server_side()) as agency:
        await send(client, "GET", agency.url)
    await client.close()
    assert ends == []
