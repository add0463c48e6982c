"""Two small WSDLs, planned once: document/literal (izin) and rpc/encoded in nuSOAP's manner (sipolan)."""

import os
from pathlib import Path

import pytest

from adapters.soap.planning import Plans, read_plans

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
