"""The adapters that speak JSON keep what every adapter promises."""

from pydantic import SecretStr

from adapters.http import HttpClient
from adapters.pln import PlnAdapter
from adapters.rest import RestAdapter
from gateway import Adapter, Call
from gateway.clock import SystemClock
from tests.contract.adapter import HttpAdapterContract
from tests.contract.calls import a_call


class TestRest(HttpAdapterContract):
    good = b'{"metadata":{"code":200},"response":{"nomor":"A-12"}}'

    def adapter(self, http: HttpClient, url: str) -> Adapter:
        return RestAdapter(http=http, clock=SystemClock(), url=url)

    def call(self, *, timeout: float = 5.0, safe: bool = False) -> Call:
        return a_call("POST /antrean/ambil", {"nik": "1405029001180001"}, timeout=timeout, safe=safe)


class TestPln(HttpAdapterContract):
    good = b'{"rc":"00","pesan":"SUKSES","data":{"no_laporan":"G1400000001"}}'

    def adapter(self, http: HttpClient, url: str) -> Adapter:
        return PlnAdapter(http=http, url=url, secret=SecretStr("rahasia-pln"))

    def call(self, *, timeout: float = 5.0, safe: bool = False) -> Call:
        return a_call("laporGangguan", {"id_pelanggan": "143205009001"}, timeout=timeout, safe=safe)
