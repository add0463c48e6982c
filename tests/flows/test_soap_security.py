"""Through a running gateway to a SOAP agency that wants everything signed, addressed and beside the envelope."""

import base64
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copy

import pytest
import xmlsec
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from zeep.wsse import BinarySignature
from zeep.wsse import utils as zeep_utils
from zeep.wsse.signature import verify_envelope

from tests.authority import Authority
from tests.flows.command import gateway
from tests.flows.pilot import CLIENTS
from tests.flows.process import running

WSDL = Path(__file__).parents[1] / "unit/adapters/soap/wsdl/arsip.wsdl"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
WSA = "http://www.w3.org/2005/08/addressing"
INCLUDE = "{http://www.w3.org/2004/08/xop/include}Include"
SCAN = base64.b64encode(b"%PDF-1.7 " + bytes(range(256)) * 40).decode()
TOML = """
[gateway]
listen  = "127.0.0.1:0"
metrics = "127.0.0.1:0"
ledger  = "sqlite:{folder}/var/ledger.db"

[agency.arsip]
adapter     = "soap"
wsdl        = "wsdl/arsip.wsdl"
url         = "{url}"
mapping     = "mappings/arsip.toml"
attachments = "mtom"
addressing  = {{}}

[agency.arsip.security]
user      = "gateway"
password  = "${{ARSIP_PASSWORD}}"
digest    = true
timestamp = "5m"
sign      = {{ certificate = "tls/gateway.pem", headers = ["To", "MessageID", "UsernameToken"] }}
verify    = {{ ca = "tls/Otoritas-Uji.pem", subject = "arsip" }}

[agency.arsip.operation.simpan]
expose = "POST /v1/simpan"
call   = "Simpan"
"""
MAPPING = """
[simpan.request]
judul     = "judul"
dalam.isi = "berkas"

[simpan.reply]
judul  = "judul"
berkas = "dalam.isi"
"""


@dataclass(slots=True, kw_only=True)
class Arsip:
    """The agency: checks by zeep what comes in, and has zeep sign what goes out."""

    ours: Path
    theirs: Path
    url: str = ""
    checked: list[str] = field(default_factory=list)
    spoil: bytes = b""

    def answer(self, media_type: str, body: bytes) -> bytes:
        envelope = self._opened(media_type, body)
        verify_envelope(envelope, str(self.theirs))
        self._check_user(envelope)
        message = envelope.findtext(f"*/{{{WSA}}}MessageID")
        scan = envelope.findtext(".//{urn:arsip}isi")
        self.checked.append(str(envelope.findtext(f"*/{{{WSA}}}Action")))
        answer = etree.fromstring(
            f'<e:Envelope xmlns:e="{SOAP.strip("{}")}"><e:Header><a:RelatesTo xmlns:a="{WSA}">{message}</a:RelatesTo>'
            '</e:Header><e:Body><t:SimpanResponse xmlns:t="urn:arsip"><t:judul>Disimpan</t:judul>'
            f"<t:dalam><t:isi>{scan}</t:isi></t:dalam></t:SimpanResponse></e:Body></e:Envelope>"
        )
        created = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        zeep_utils.get_security_header(answer).append(zeep_utils.WSU.Timestamp(zeep_utils.WSU.Created(created)))
        ours = str(self.ours)
        BinarySignature(ours, ours, None, xmlsec.Transform.RSA_SHA256, xmlsec.Transform.SHA256).apply(answer, {})
        return etree.tostring(answer).replace(b"Disimpan", self.spoil or b"Disimpan")

    def _opened(self, media_type: str, body: bytes) -> etree._Element:
        message = message_from_bytes(f"Content-Type: {media_type}\r\n\r\n".encode() + body)
        root, *others = message.get_payload()
        parts = {other["Content-ID"]: other.get_payload(decode=True) for other in others}
        envelope = etree.fromstring(root.get_payload(decode=True))
        for include in list(envelope.iter(INCLUDE)):
            parent = include.getparent()
            parent.remove(include)
            parent.text = base64.b64encode(parts[f"<{include.get('href')[4:]}>"]).decode()
        return envelope

    def _check_user(self, envelope: etree._Element) -> None:
        said = {etree.QName(one).localname: one.text for one in envelope.find(".//{*}UsernameToken")}
        whole = base64.b64decode(said["Nonce"]) + said["Created"].encode() + b"rahasia"
        assert said["Password"] == base64.b64encode(hashlib.sha1(whole).digest()).decode()


@pytest.fixture
def arsip(tmp_path: Path) -> Iterator[Arsip]:
    (tmp_path / "tls").mkdir()
    authority = Authority(tmp_path / "tls")

    def issue(name: str) -> Path:
        return authority.issue(name, key=rsa.generate_private_key(public_exponent=65537, key_size=2048))

    agency = Arsip(ours=issue("arsip"), theirs=issue("gateway"))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            said = agency.answer(self.headers["Content-Type"], body)
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - http.server's own name
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    agency.url = f"http://127.0.0.1:{httpd.server_address[1]}/arsip"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield agency
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def configured(folder: Path, url: str) -> Path:
    for name in ("mappings", "wsdl"):
        (folder / name).mkdir()
    copy(WSDL, folder / "wsdl")
    (folder / "mappings/arsip.toml").write_text(MAPPING)
    config = folder / "gateway.toml"
    config.write_text(TOML.format(folder=folder, url=url) + CLIENTS[: CLIENTS.index("[client.terbatas]")])
    return config


def test_what_is_sent_passes_at_a_stranger_and_so_does_what_comes_back(tmp_path: Path, arsip: Arsip) -> None:
    config = configured(tmp_path, arsip.url)
    with running(config, {"ARSIP_PASSWORD": "rahasia"}) as one:
        answer = one.http.post("/v1/simpan", json={"judul": "Surat", "berkas": SCAN})
        assert (answer.status_code, answer.json()) == (200, {"judul": "Disimpan", "berkas": SCAN})
        assert arsip.checked == ["urn:arsip:simpan-berkas"]

        arsip.spoil = b"Ditolak!"
        answer = one.http.post("/v1/simpan", json={"judul": "Surat", "berkas": SCAN})
        assert answer.status_code == 502, answer.text
        assert "does not hold" in str(one.line(answer))
        assert one.stop() == 0


def test_check_tells_a_section_whose_signature_nobody_vouches_for(tmp_path: Path, arsip: Arsip) -> None:
    config = configured(tmp_path, arsip.url)
    config.write_text(config.read_text().replace('{ ca = "tls/Otoritas-Uji.pem", subject = "arsip" }', "{}"))
    told = gateway("check", "--config", config, environment={"ARSIP_PASSWORD": "rahasia"})
    assert told.returncode == 1
    assert "gateway.toml:21" in told.stdout
    assert "needs either `certificate` or `ca`" in told.stdout
