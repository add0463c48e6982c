"""The SOAP adapter keeps what every adapter promises."""

from pathlib import Path

from adapters.http import HttpClient
from adapters.soap.adapter import SoapAdapter
from gateway import Adapter, Call
from tests.contract.adapter import HttpAdapterContract
from tests.contract.calls import a_call

WSDL = Path(__file__).parents[1] / "unit" / "adapters" / "soap" / "wsdl" / "sipolan.wsdl"


class TestSoap(HttpAdapterContract):
    media_type = "text/xml; charset=utf-8"
    good = (
        b'<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        b'<r:simpanRiwayatResponse xmlns:r="urn:sipolan"><return>2</return></r:simpanRiwayatResponse>'
        b"</e:Body></e:Envelope>"
    )

    def adapter(self, http: HttpClient, url: str) -> Adapter:
        return SoapAdapter(http=http, wsdl=WSDL, url=url)

    def call(self, *, timeout: float = 5.0, safe: bool = False) -> Call:
        return a_call("simpanRiwayat", {"riwayat": {"item": []}}, timeout=timeout, safe=safe)
