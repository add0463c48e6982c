"""How each agency is called, as its own clients would do it."""

import hashlib
import hmac
import json
from typing import Any

import httpx
from lxml import etree

from demo.testing import Running

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"


def sipolan(
    http: httpx.Client, here: Running, operation: str, fields: str, password: str = "rahasia-sipolan"
) -> httpx.Response:
    body = (
        f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body><o:{operation} xmlns:o="urn:sipolan">'
        f"<kode_akses>gateway</kode_akses><kata_sandi>{password}</kata_sandi>{fields}</o:{operation}>"
        "</s:Body></s:Envelope>"
    )
    return http.post(
        here.url("dpmptsp") + "/sipolan",
        content=body.encode(),
        headers={"content-type": "text/xml; charset=utf-8"},
    )


def simpeg(
    http: httpx.Client, here: Running, operation: str, fields: str, password: str = "rahasia-simpeg"
) -> httpx.Response:
    body = (
        f'<s:Envelope xmlns:s="{SOAP_12}" xmlns="http://simpeg.bkpsdm.example/">'
        f"<s:Header><AuthHeader><Username>gateway</Username><Password>{password}</Password></AuthHeader></s:Header>"
        f"<s:Body><{operation}>{fields}</{operation}></s:Body></s:Envelope>"
    )
    kind = f'application/soap+xml; charset=utf-8; action="http://simpeg.bkpsdm.example/{operation}"'
    return http.post(here.url("bkpsdm") + "/simpeg.asmx", content=body.encode(), headers={"content-type": kind})


def dinkes(
    http: httpx.Client, here: Running, method: str, path: str, *, token: str | None = None, **fields: Any
) -> dict[str, Any]:
    if token is None:
        login = http.get(
            here.url("dinkes") + "/api/auth",
            headers={"x-username": "gateway", "x-password": "rahasia-dinkes"},
        )
        token = login.json()["response"]["token"]
    headers = {"x-token": token, "x-username": "gateway"}
    answer = http.request(method, here.url("dinkes") + "/api" + path, headers=headers, json=fields or None)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def dukcapil(http: httpx.Client, here: Running, method: str, **fields: str) -> list[dict[str, str]]:
    credentials = {"user_id": "gateway", "password": "rahasia-dukcapil", "ip_user": "10.14.5.8"}
    path = f"/dukcapil/get_json/1405/pelalawan/{method}"
    answer = http.post(here.url("disdukcapil") + path, json={**credentials, **fields})
    assert answer.status_code == 200
    content: list[dict[str, str]] = answer.json()["content"]
    return content


def pln(
    http: httpx.Client, here: Running, operation: str, secret: bytes = b"rahasia-pln", **fields: str
) -> httpx.Response:
    body = json.dumps(fields).encode()
    headers = {"x-signature": hmac.new(secret, body, hashlib.sha256).hexdigest(), "x-timestamp": "1764000000"}
    return http.post(f"{here.url('pln')}/pln/{operation}", content=body, headers=headers)


def texts(answer: httpx.Response) -> dict[str, str]:
    """The texts of all leaves by local name; the last one of a name wins."""
    root = etree.fromstring(answer.content)
    return {etree.QName(leaf).localname: leaf.text or "" for leaf in root.iter() if len(leaf) == 0}
