"""PHP's built-in web server with the script and the WSDLs that the tests of it share."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contract.raw_agency import unused_port

HERE = Path(__file__).parent
WSDLS = HERE.parent / "unit" / "adapters" / "soap" / "wsdl"


@contextmanager
def serving(php: str, folder: Path) -> Iterator[str]:
    """Serve the script with PHP's built-in server, skipping where it has no SOAP; yields its address."""
    modules = subprocess.run([php, "-m"], capture_output=True, text=True, check=True).stdout.split()
    if "soap" not in modules:
        pytest.skip("PHP has no soap extension")
    (folder / "agency.php").write_text((HERE / "agency.php").read_text())
    for path in WSDLS.glob("*.wsdl"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "sipolan12.wsdl").write_text(as_soap_1_2((WSDLS / "sipolan.wsdl").read_text()))
    port = unused_port()
    server = subprocess.Popen(
        [php, "-S", f"127.0.0.1:{port}", "-t", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}/agency.php"
    finally:
        server.terminate()
        server.wait(timeout=10)


def as_soap_1_2(wsdl: str) -> str:
    binding = "http://schemas.xmlsoap.org/wsdl/soap/"
    return wsdl.replace(f'xmlns:soap="{binding}"', 'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap12/"')


def wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("PHP's server did not start")
