"""`gateway add soap`: from the WSDL that a server publishes to an operation that is called, and what changes later."""

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from demo import ENVIRONMENT
from demo.testing import Running
from gateway.cli import main
from tests.flows import process
from tests.flows.pilot import KEY, ROOT
from tests.served import Server, serving

SIMPEG = (ROOT / "wsdl/bkpsdm/simpeg.wsdl").read_text("utf-8")
SCHEMA = re.search(r"<s:schema.*</s:schema>", SIMPEG, re.DOTALL)
IMPORT = '<s:import namespace="http://simpeg.bkpsdm.example/" schemaLocation="{url}/simpeg.asmx?xsd=1"/>'
OUTER = f"<s:schema>{IMPORT}</s:schema>"
CONFIG = f"""[gateway]
listen  = "127.0.0.1:0"   # any
metrics = "127.0.0.1:0"
ledger  = "sqlite:FOLDER/ledger.db"

[client.uji]
keys  = [{{ sha256 = "{hashlib.sha256(KEY.encode()).hexdigest()}" }}]   # ours
allow = ["*"]
"""
SECRET: Mapping[str, str] = {"KEPEGAWAIAN_PASSWORD": ENVIRONMENT["SIMPEG_PASSWORD"]}
ADDRESS = "/simpeg.asmx?wsdl"


def publish(server: Server, changed: Mapping[str, str] | None = None) -> None:
    """Serve SIMPEG's WSDL as .NET would: its types by an import, and theirs by an include."""
    assert SCHEMA is not None
    types = SCHEMA[0]
    for old, new in (changed or {}).items():
        assert old in types
        types = types.replace(old, new)
    namespaces = 'xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:tns="http://simpeg.bkpsdm.example/"'
    types = types.replace("<s:schema", f"<s:schema {namespaces}", 1)
    head, unit, rest = types.partition('<s:complexType name="Unit">')
    unit_type, end, rest = (unit + rest).partition("</s:complexType>")
    opened = re.match(r"<s:schema[^>]*>", head)
    assert opened is not None
    include = '<s:include schemaLocation="unit.xsd"/>'
    server.put(ADDRESS, SIMPEG.replace(SCHEMA[0], OUTER))
    server.put("/simpeg.asmx?xsd=1", head.replace(opened[0], opened[0] + include) + rest)
    server.put("/unit.xsd", f"{opened[0]}{unit_type}{end}</s:schema>")


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        publish(server)
        yield server


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(CONFIG.replace("FOLDER", str(tmp_path)), "utf-8")
    return path


@dataclass(frozen=True, kw_only=True)
class Done:
    returncode: object
    stdout: str
    stderr: str


class Commands:
    """The command line in this process, which is quicker; where it goes to is undone after each test."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: object, environment: Mapping[str, str] | None = None) -> Done:
        self._monkeypatch.chdir(ROOT)
        with self._monkeypatch.context() as within:
            for name, value in (environment or {}).items():
                within.setenv(name, value)
            with pytest.raises(SystemExit) as left:
                main([str(argument) for argument in arguments])
        said = self._capsys.readouterr()
        return Done(returncode=left.value.code or 0, stdout=said.out, stderr=said.err)


@pytest.fixture
def gateway(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Commands:
    return Commands(capsys, monkeypatch)


def added(gateway: Commands, config: Path, server: Server, *options: str) -> str:
    done = gateway("add", "soap", "kepegawaian", server.url + ADDRESS, "--config", config, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_agency_is_added_from_its_wsdl_and_called_at_once(
    gateway: Commands, config: Path, server: Server, agencies: Running, tmp_path: Path
) -> None:
    said = added(gateway, config, server, "--url", agencies.url("bkpsdm") + "/simpeg.asmx", "--title", "BKPSDM")
    server.pages.clear()  # from here on nothing may be fetched

    assert "CariPegawai  POST /v1/kepegawaian/cari-pegawai" in said
    assert config.read_text().startswith(CONFIG.replace("FOLDER", str(tmp_path)).rstrip())
    assert sorted(path.name for path in (tmp_path / "wsdl/kepegawaian").iterdir()) == [
        "pinned.toml", "simpeg-xsd1.xsd", "simpeg.wsdl", "unit.xsd",
    ]  # fmt: skip
    checked = gateway("check", "--config", config, environment=SECRET)
    assert (checked.returncode, checked.stdout) == (0, "nothing to change\n")
    example = json.loads((tmp_path / "examples/kepegawaian/cari-pegawai.json").read_text())
    with process.running(config, SECRET) as running:
        answer = httpx.post(
            f"{running.url}/v1/kepegawaian/cari-pegawai", json=example, headers={"x-api-key": KEY}, timeout=30
        )
        units = running.http.post("/v1/kepegawaian/unit-kerja", json={})
    assert (answer.status_code, units.status_code) == (200, 200), answer.text + units.text
    assert answer.json()["pegawai"]["nip"] == "197806152005011901"
    assert answer.json()["pegawai"]["diperbarui_pada"].endswith("+07:00")
    assert units.json()["daftar_unit"][0].keys() == {"kode_unit", "nama_unit", "jumlah_pegawai"}


def test_the_demos_sipolan_is_added_by_its_address_and_doctor_reads_it_again(
    gateway: Commands, config: Path, agencies: Running
) -> None:
    secret = {"PERIZINAN_PASSWORD": ENVIRONMENT["SIPOLAN_PASSWORD"]}
    done = gateway("add", "soap", "perizinan", agencies.url("dpmptsp") + "/sipolan?wsdl", "--config", config)
    assert done.returncode == 0, done.stderr
    looked = gateway("doctor", "perizinan", "--config", config, environment=secret)
    assert "is still what was pinned" in looked.stdout, looked.stdout


def test_try_takes_the_example_from_its_file(
    gateway: Commands, config: Path, server: Server, agencies: Running, tmp_path: Path
) -> None:
    added(gateway, config, server, "--url", agencies.url("bkpsdm") + "/simpeg.asmx")

    example = f"@{tmp_path}/examples/kepegawaian/cari-pegawai.json"
    tried = gateway("try", "kepegawaian/cari-pegawai", "--data", example, "--config", config, environment=SECRET)

    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "canonical reply (ok)" in tried.stdout
    assert SECRET["KEPEGAWAIAN_PASSWORD"] not in tried.stdout


def test_a_login_that_fails_right_after_is_told_where_it_is_said_what_faults_mean(
    gateway: Commands, config: Path, server: Server, agencies: Running, tmp_path: Path
) -> None:
    added(gateway, config, server, "--url", agencies.url("bkpsdm") + "/simpeg.asmx")
    said = 'security = { user = "gateway", password = "${KEPEGAWAIAN_PASSWORD}", must_understand = false }'
    config.write_text(config.read_text().replace("[agency.kepegawaian]", f"[agency.kepegawaian]\n{said}", 1))
    mapping = tmp_path / "mappings/kepegawaian.toml"
    mapping.write_text(mapping.read_text().replace('= "login"', '= "invalid"'))

    example = f"@{tmp_path}/examples/kepegawaian/cari-pegawai.json"
    wrong = {"KEPEGAWAIAN_PASSWORD": "bukan-sandi"}
    tried = gateway("try", "kepegawaian/cari-pegawai", "--data", example, "--config", config, environment=wrong)

    assert tried.returncode == 1
    assert "is said in [agency.faults] of mappings/kepegawaian.toml" in tried.stdout
    assert '"Password": "***"' in tried.stdout
    assert "bukan-sandi" not in tried.stdout


def test_the_next_steps_are_typed_from_where_somebody_stands(
    gateway: Commands, config: Path, server: Server, tmp_path: Path
) -> None:
    said = added(gateway, config, server)

    folder = os.path.relpath(tmp_path, ROOT)
    assert f"gateway check -c {config}" in said
    assert f"--data @{folder}/examples/kepegawaian/" in said
    assert f"read {folder}/mappings/kepegawaian.toml" in said


def test_an_agency_that_is_there_is_refused_and_nothing_changes(
    gateway: Commands, config: Path, server: Server
) -> None:
    added(gateway, config, server)
    before = config.read_bytes()

    again = gateway("add", "soap", "kepegawaian", server.url + ADDRESS, "--config", config)

    assert again.returncode == 1
    assert "gateway add soap kepegawaian --renew" in again.stderr
    assert config.read_bytes() == before


def test_a_changed_wsdl_is_told_and_renewed_without_touching_anything_else(
    gateway: Commands, config: Path, server: Server, tmp_path: Path
) -> None:
    added(gateway, config, server)
    same = gateway("add", "soap", "kepegawaian", "--compare", "--config", config)
    publish(server, {'name="MasaKerjaTahun" type="s:int"': 'name="MasaKerja" type="s:string"'})
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "wsdl" not in path.parts}

    changed = gateway("add", "soap", "kepegawaian", "--compare", "--config", config)
    renewed = gateway("add", "soap", "kepegawaian", "--renew", "--config", config)
    after = gateway("add", "soap", "kepegawaian", "--compare", "--config", config)

    assert (same.returncode, same.stdout) == (
        0,
        "no operation and no field of kepegawaian differs from what is pinned\n",
    )
    assert changed.returncode == 1
    assert "CariPegawai: reply: field Pegawai.MasaKerja is new (xsd:string)" in changed.stdout
    assert "CariPegawai: reply: field Pegawai.MasaKerjaTahun is gone" in changed.stdout
    assert (renewed.returncode, after.returncode) == (0, 0), renewed.stderr
    assert {path: path.read_bytes() for path in before} == before
    assert "MasaKerja" in (tmp_path / "wsdl/kepegawaian/simpeg-xsd1.xsd").read_text()
    assert "has no field Pegawai.MasaKerjaTahun" in gateway("check", "--config", config, environment=SECRET).stdout


def test_a_password_in_the_address_is_used_and_never_kept(
    gateway: Commands, config: Path, server: Server, tmp_path: Path
) -> None:
    address = server.url.replace("http://", "http://tamu:${PINTU}@") + ADDRESS
    done = gateway("add", "soap", "kepegawaian", address, "--config", config, environment={"PINTU": "rahasia-sekali"})

    assert done.returncode == 0, done.stderr
    assert {authorization for _, authorization in server.asked} == {"Basic dGFtdTpyYWhhc2lhLXNla2FsaQ=="}
    kept = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert "rahasia-sekali" not in kept + done.stdout
    assert tomllib.loads((tmp_path / "wsdl/kepegawaian/pinned.toml").read_text())["source"] == server.url + ADDRESS


def test_a_broken_wsdl_is_one_error_and_leaves_nothing_behind(
    gateway: Commands, config: Path, server: Server, tmp_path: Path
) -> None:
    server.put("/unit.xsd", "<s:schema>")
    before = config.read_bytes()

    done = gateway("add", "soap", "kepegawaian", server.url + ADDRESS, "--config", config)

    assert done.returncode == 1
    assert "/unit.xsd:1: is not well-formed XML" in done.stderr
    assert "wsdl/kepegawaian/override.toml" in done.stderr
    assert config.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["gateway.toml"]


def test_a_declared_override_mends_what_the_agency_published(
    gateway: Commands, config: Path, server: Server, tmp_path: Path
) -> None:
    wrong = server.pages["/simpeg.asmx?xsd=1"].body.decode().replace('xmlns:tns="http://simpeg.bkpsdm.example/"', "")
    server.put("/simpeg.asmx?xsd=1", wrong.replace("<s:schema ", "<s:schema tns:x='1' ", 1))
    folder = tmp_path / "wsdl/kepegawaian"
    folder.mkdir(parents=True)
    refused = gateway("add", "soap", "kepegawaian", server.url + ADDRESS, "--config", config)
    (folder / "override.toml").write_text(
        '[[change]]\nfile = "simpeg-xsd1.xsd"\nfind = "tns:x=\'1\'"\n'
        'replace = \'xmlns:tns="http://simpeg.bkpsdm.example/"\'\nwhy = "the prefix is missing"\n'
    )

    added(gateway, config, server)

    assert refused.returncode == 1
    assert "Namespace prefix tns" in refused.stderr
    assert "tns:x='1'" in (folder / "simpeg-xsd1.xsd").read_text()
    assert gateway("check", "--config", config, environment=SECRET).stdout == "nothing to change\n"
