"""Two small WSDLs, planned once: document/literal (izin) and rpc/encoded in nuSOAP's manner (sipolan).

And what signatures are made with: an authority, a key and its certificate, for all tests the same.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import TypeAdapter

from adapters.http import HttpClient
from adapters.login import SoapLogin
from adapters.soap.adapter import SoapAdapter
from adapters.soap.planning import Plans, read_plans
from adapters.soap.settings import AddressingSettings, Security
from tests.authority import Authority
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.json_agency import JsonAgency, agreeable
from tests.unit.adapters.soap.stamp import Stamp
from tests.unit.adapters.soap.wrapped import Adapt, saying, simpan

FOLDER = Path(__file__).parent / "wsdl"


@pytest.fixture(scope="session")
def wsdls() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def izin() -> Plans:
    return read_plans(FOLDER / "izin.wsdl")


@pytest.fixture(scope="session")
def izin12() -> Plans:
    return read_plans(FOLDER / "izin.wsdl", port="IzinSoap12")


@pytest.fixture(scope="session")
def sipolan() -> Plans:
    return read_plans(FOLDER / "sipolan.wsdl")


@pytest.fixture(scope="session")
def corpus() -> Path:
    folder = os.environ.get("GATEWAY_CORPUS")
    if not folder:
        pytest.skip("GATEWAY_CORPUS names no folder of public WSDLs")
    return Path(folder)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def certificate(authority: Authority, key: rsa.RSAPrivateKey) -> Path:
    return authority.issue("sipolan", key=key, since=3000, days=3000)


@pytest.fixture(scope="session")
def stamp(key: rsa.RSAPrivateKey) -> Stamp:
    return Stamp(key=key)


@pytest.fixture
def adapt(http: HttpClient, agency: JsonAgency, wsdls: Path) -> Adapt:
    """Return what makes an adapter for `agency` from settings as a section has them."""
    if agency.behave is agreeable:
        agency.behave = saying(simpan().encode())

    def make(port: str = "ArsipSoap", **settings: Any) -> SoapAdapter:
        for name, kind in (("security", Security), ("addressing", AddressingSettings), ("login", SoapLogin)):
            if name in settings:
                settings[name] = TypeAdapter[Any](kind).validate_python(settings[name])
        url, wsdl = f"{agency.url}/arsip", wsdls / "arsip.wsdl"
        return SoapAdapter(http=http, wsdl=wsdl, url=url, port=port, clock=HandClock(), **settings)

    return make
