"""What is measured, written into a folder: agencies that answer at once, and gateways in front of them."""

import json
import re
import shutil
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import soap
from load import CONNECTIONS, Asked
from process import ROOT, free_port

KEY = "a key for the bench"

_CLIENT = f"""
[client.bench]
keys  = [{{ sha256 = "{sha256(KEY.encode()).hexdigest()}" }}]
allow = ["*"]
rate  = "1000000/s"
"""

_TRACING = 'tracing = { endpoint = "http://127.0.0.1:9/v1/traces", ratio = 1.0 }\n'  # port 9 is discard

_ANSWER = {
    "metadata": {"code": 200, "message": "Ok"},
    "response": {
        "NoPermohonan": "161/IMB/IV/2026",
        "NamaDepan": "Siti",
        "NamaBelakang": "Rahmawati",
        "KdStatus": "2",
        "KdJenis": "01",
        "TglAju": "05/04/2026",
        "TglSelesai": "28/04/2026",
        "Retribusi": "1.250.000,50",
        "Lunas": "Y",
        "RT_RW": "001/002",
        "Kelurahan": "Kerinci Kota",
        "Kecamatan": "Pangkalan Kerinci",
    },
}

_FIELDS = """
nama       = { from = ["NamaDepan", "NamaBelakang"], join = " " }
status     = { from = "KdStatus", codes = "status" }
jenis      = { from = "KdJenis", codes = "jenis" }
diajukan   = { from = "TglAju", date = "dd/mm/yyyy" }
selesai    = { from = "TglSelesai", date = "dd/mm/yyyy" }
biaya      = { from = "Retribusi", number = "1.234,56" }
lunas      = { from = "Lunas", bool = ["Y", "T"] }
alamat.rt  = { from = "RT_RW", split = "/", part = 1 }
alamat.rw  = { from = "RT_RW", split = "/", part = 2 }
alamat.kel = "Kelurahan"
alamat.kec = "Kecamatan"
"""

_SENT = """
Ref        = "@id"
Nama       = { from = "nama", max = 100 }
KdStatus   = { from = "status", codes = "status" }
KdJenis    = { from = "jenis", codes = "jenis" }
TglAju     = { from = "diajukan", date = "dd/mm/yyyy" }
TglSelesai = { from = "selesai", date = "dd/mm/yyyy" }
Retribusi  = { from = "biaya", number = "1.234,56" }
Lunas      = { from = "lunas", bool = ["Y", "T"] }
RT         = "alamat.rt"
RW         = "alamat.rw"
Kelurahan  = "alamat.kel"
Kecamatan  = "alamat.kec"
"""

_CODES = """
[codes.status]
"1" = "diajukan"
"2" = "diproses"
"3" = "selesai"
[codes.jenis]
"01" = "imb"
"02" = "siup"
"""

_BODY = {
    "nama": "Siti Rahmawati @N",
    "status": "diajukan",
    "jenis": "imb",
    "diajukan": "2026-04-05",
    "selesai": "2026-04-28",
    "biaya": 1250000.5,
    "lunas": True,
    "alamat": {"rt": "001", "rw": "002", "kel": "Kerinci Kota", "kec": "Pangkalan Kerinci"},
}

_PERMIT = {
    "jenis": "IMB",
    "jenis_permohonan": "baru",
    "pemohon": {
        "nik": "1405025205909001",
        "nama": "Siti Rahmawati @N",
        "alamat": "Jl. Akasia 12",
        "no_hp": "081200009001",
        "tanggal_lahir": "1990-05-12",
    },
    "keterangan": "Rumah tinggal",
}

REST_READ = Asked(method="GET", path="/v1/izin-1?nomor=@N")
REST_WRITE = Asked(method="POST", path="/v1/izin-1", body=json.dumps(_BODY))
SOAP_READ = Asked(method="GET", path="/v1/izin/status?nomor=@N")
SOAP_WRITE = Asked(method="POST", path="/v1/izin", body=json.dumps(_PERMIT))
"""SOAP has the pilot's own WSDL and mapping, REST tables of 12 fields."""

SENT = json.dumps(soap.RECORD | {"nama": "Siti Aminah @N"})
RECORDS = {"ajukan": 1, "daftar": 100}
"""How many records of 12 fields the operations of codec.wsdl answer; both are sent 12 fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder with a configuration, the port that it listens at, and a gateway's port for its metrics."""

    folder: Path
    port: int
    metrics: int


def agencies(folder: Path) -> Place:
    """Write an nginx.conf that gives each agency's one answer, whatever is sent."""
    place = _place(folder)
    soap = _soap_answer("status").replace("\n", " ")
    permit = _soap_answer("ajukan").replace("\n", " ")
    (folder / "nginx.conf").write_text(
        _nginx(
            f"""
    map $http_soapaction $soap {{
        default '{soap}';
        ~ajukan '{permit}';
    }}
    server {{
        listen 127.0.0.1:{place.port};
        location /soap {{ default_type "text/xml; charset=utf-8"; return 200 $soap; }}
        location / {{ default_type application/json; return 200 '{json.dumps(_ANSWER)}'; }}
    }}"""
        )
    )
    return place


def permits(folder: Path) -> Place:
    """Write an nginx.conf that gives the answers of codec.wsdl's operations, and that WSDL with this address in it."""
    place = _place(folder)
    wsdl = soap.WSDL.read_text("utf-8").replace("http://127.0.0.1:1/", f"http://127.0.0.1:{place.port}/soap")
    (folder / "codec.wsdl").write_text(wsdl, "utf-8")
    for name, records in RECORDS.items():
        (folder / f"{name}.xml").write_bytes(soap.Both(name, None if records == 1 else records).answer)
    # A long answer does not fit into nginx.conf, and nginx answers a POST with a file only as if it were an error.
    (folder / "nginx.conf").write_text(
        _nginx(
            f"""
    map $http_soapaction $answer {{ ~ajukan /ajukan.xml; ~daftar /daftar.xml; }}
    server {{
        listen 127.0.0.1:{place.port};
        root {folder};
        location = /soap {{ error_page 405 =200 $answer; return 405; }}
        location / {{ types {{}} default_type "text/xml; charset=utf-8"; }}
    }}"""
        )
    )
    return place


def proxy(folder: Path, agencies: Place) -> Place:
    """Write the nginx.conf of a plain reverse proxy in front of the same agencies, with connections kept alive."""
    place = _place(folder)
    (folder / "nginx.conf").write_text(
        _nginx(
            f"""
    upstream agencies {{ server 127.0.0.1:{agencies.port}; keepalive 64; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{place.port};
        location / {{
            proxy_pass http://agencies;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}"""
        )
    )
    return place


def _nginx(http: str) -> str:
    return f"""daemon off;
worker_processes 1;
pid nginx.pid;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path client; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
{http}
}}
"""


def gateway(
    folder: Path, agencies: Place, *, operations: int, concurrency: int = CONNECTIONS, traced: bool = False
) -> Place:
    """Write a gateway.toml with so many operations: two of SOAP, and pairs of a read and a write of REST.

    `concurrency` is how many calls an agency gets at once; by default nobody has to wait for a slot.
    Where it is `traced`, every request is, and the collector is down.
    """
    place = _place(folder)
    shutil.copytree(ROOT / "wsdl", folder / "wsdl")
    shutil.copytree(ROOT / "mappings", folder / "mappings")
    numbers = range(1, operations // 2)
    (folder / "mappings/rest.toml").write_text(
        '[agency]\nroot = "response"\noutcome = { from = "metadata.code", ok = ["200"] }\n'
        + "".join(_tables(number) for number in numbers)
        + _CODES
    )
    (folder / "gateway.toml").write_text(
        f"{_listen(place)}{_TRACING if traced else ''}[defaults]\nconcurrency = {concurrency}\n"
        f"{_CLIENT}{_soap(agencies.port)}"
        f'[agency.rest]\nadapter = "rest"\nurl = "http://127.0.0.1:{agencies.port}/api"\n'
        'mapping = "mappings/rest.toml"\nrate = "1000000/s"\n' + "".join(_operations(number) for number in numbers)
    )
    return place


def permit_gateway(folder: Path, permits: Place) -> Place:
    """Write a gateway.toml with the operations of codec.wsdl: as reads, and `ajukan` as a write, too."""
    place = _place(folder)
    shutil.copy(permits.folder / "codec.wsdl", folder)
    fields = "".join(f'{name} = "{name}"\n' for name in soap.RECORD)
    (folder / "mapping.toml").write_text(
        "".join(f"[{name}.request]\n{fields}" for name in ("ajukan", "daftar", "tulis"))
        + f'[ajukan.reply]\n{fields}[tulis.reply]\n{fields}[daftar.reply.permohonan]\neach = "permohonan"\n{fields}'
    )
    (folder / "gateway.toml").write_text(
        f"{_listen(place)}[defaults]\nconcurrency = {CONNECTIONS}\n{_CLIENT}"
        f'[agency.izin]\nadapter = "soap"\nwsdl = "codec.wsdl"\nurl = "http://127.0.0.1:{permits.port}/soap"\n'
        'mapping = "mapping.toml"\nrate = "1000000/s"\n'
        + "".join(
            _permit(name, call) for name, call in (("ajukan", "ajukan"), ("daftar", "daftar"), ("tulis", "ajukan"))
        )
    )
    return place


def pilot(folder: Path, agencies: Place) -> Place:
    """Write the pilot's gateway.toml with ports of its own, a client of ours, and the agencies in SIPOLAN's place."""
    place = _place(folder)
    shutil.copytree(ROOT / "wsdl", folder / "wsdl")
    shutil.copytree(ROOT / "mappings", folder / "mappings")
    text = (ROOT / "gateway.toml").read_text("utf-8")
    text = re.sub(r"(?ms)^\[gateway\].*?^\[", lambda _: f"{_listen(place)}\n[", text, count=1)
    text = text.replace("http://127.0.0.1:8181/sipolan", f"http://127.0.0.1:{agencies.port}/soap")
    text = re.sub(r"\$\{\w+\}", "of-the-bench", text)
    (folder / "gateway.toml").write_text(f"{text}\n{_CLIENT}", "utf-8")
    return place


def _place(folder: Path) -> Place:
    folder.mkdir()
    return Place(folder=folder, port=free_port(), metrics=free_port())


def _listen(place: Place) -> str:
    return f'[gateway]\nlisten = "127.0.0.1:{place.port}"\nmetrics = "127.0.0.1:{place.metrics}"\n'


def _soap(port: int) -> str:
    return f"""
[agency.dpmptsp]
adapter = "soap"
wsdl    = "wsdl/dpmptsp/sipolan.wsdl"
url     = "http://127.0.0.1:{port}/soap"
login   = {{ user = "gateway", password = "of-the-bench" }}
mapping = "mappings/dpmptsp.toml"
rate    = "1000000/s"
[agency.dpmptsp.operation.status-izin]
expose = "GET /v1/izin/status"
call   = "statusPermohonan"
[agency.dpmptsp.operation.ajukan-izin]
expose = "POST /v1/izin"
call   = "ajukanPermohonan"
"""


def _operations(number: int) -> str:
    return f"""
[agency.rest.operation.baca-{number}]
expose = "GET /v1/izin-{number}"
call   = "GET /izin/{number}"
[agency.rest.operation.kirim-{number}]
expose = "POST /v1/izin-{number}"
call   = "POST /izin/{number}"
"""


def _permit(name: str, call: str) -> str:
    safe = str(name == call).lower()
    return f"""
[agency.izin.operation.{name}]
expose = "POST /v1/{name}"
call   = "{call}"
safe   = {safe}
"""


def _tables(number: int) -> str:
    reply = f'nomor = "NoPermohonan"{_FIELDS}'
    return f"""
[baca-{number}.request]
nomor = {{ from = "nomor", max = 50 }}
[baca-{number}.reply]
{reply}
[kirim-{number}.request]
{_SENT}
[kirim-{number}.reply]
{reply}
"""


def _soap_answer(name: str) -> str:
    return (Path(__file__).with_name("answers") / f"{name}.xml").read_text("utf-8").strip()
