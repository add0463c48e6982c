"""PLN's signature covers exactly what is sent."""

import hashlib
import hmac
from decimal import Decimal

from pydantic import SecretStr

from adapters.http import HttpClient
from adapters.pln import PlnAdapter
from tests.contract.calls import CORRELATION_ID, a_call
from tests.unit.adapters.json_agency import JsonAgency


async def test_the_body_is_signed(http: HttpClient, agency: JsonAgency) -> None:
    adapter = PlnAdapter(http=http, url=f"{agency.url}/lp", secret=SecretStr("rahasia-pln"))
    call = a_call("infoPelanggan", {"id_pelanggan": "143205009001", "nilai": Decimal("1.50")}, safe=True)
    assert (await adapter.exchange(call)).document == {"ok": True}
    (asked,) = agency.asked
    assert (asked.method, asked.path) == ("POST", "/lp/infoPelanggan")
    assert asked.headers["x-signature"] == hmac.new(b"rahasia-pln", asked.body, hashlib.sha256).hexdigest()
    assert asked.headers["x-correlation-id"] == CORRELATION_ID
    assert asked.body == b'{"id_pelanggan":"143205009001","nilai":1.50}'
    assert "rahasia-pln" not in repr(adapter)
