"""What `gateway check` says loudly of TLS: what a setting lets in, keys for all to read, certificates that end."""

from pathlib import Path

import pytest

from gateway import app, certificates
from gateway.errors import Finding
from gateway.metrics import Metrics
from gateway.trust import exposed
from tests.authority import Authority

TOML = """
[gateway]
{listener}

[agency.dinkes]
adapter = "rest"
url     = "https://127.0.0.1:1"
mapping = "mappings/dinkes.toml"
tls     = {{ {agency} }}

[agency.dinkes.operation.daftar]
expose = "GET /v1/daftar"
call   = "GET /daftar"
"""


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings/dinkes.toml").write_text('[daftar.reply]\nkode = "kode"\n')
    return Authority(tmp_path)


def checked(agency: str = "", listener: str = "") -> list[Finding]:
    Path("gateway.toml").write_text(TOML.format(agency=agency, listener=listener))
    return app.check(Path("gateway.toml"), {})


@pytest.mark.usefixtures("authority")
@pytest.mark.parametrize(
    ("agency", "words"),
    [
        ("verify = false", "agency.dinkes.tls.verify: whoever is in between can read and change everything"),
        ('minimum = "1.0"', "agency.dinkes.tls.minimum: TLS 1.0 is broken"),
        ('minimum = "1.1"', "agency.dinkes.tls.minimum: TLS 1.1 is broken"),
    ],
)
def test_what_weakens_tls_is_warned_of_with_its_line(agency: str, words: str) -> None:
    (found,) = checked(agency)
    assert (found.where, found.warning, words in found.what) == ("gateway.toml:9", True, True), found
    assert found.remedy


@pytest.mark.usefixtures("authority")
def test_what_strengthens_it_is_not() -> None:
    assert checked('minimum = "1.3"') == []


@pytest.mark.parametrize(("days", "words"), [(-1, "has ended on"), (20, "ends on"), (40, "")])
def test_certificates_of_ours_that_end_are_warned_of(authority: Authority, days: float, words: str) -> None:
    authority.issue("kami", days=days)
    shows = 'certificate = "kami.pem"'
    for found, key in ((checked(shows), "agency.dinkes.tls"), (checked("", f"tls = {{ {shows} }}"), "gateway.tls")):
        said = [(one.warning, one.what.startswith(f"{key}.certificate: kami.pem {words}")) for one in found]
        assert said == ([(True, True)] if words else [])


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_private_key_that_others_can_read_is_warned_of_wherever_it_stands(
    authority: Authority, mode: int, *, warned: bool
) -> None:
    both = authority.issue("kami")
    Path("kunci.pem").write_bytes(both.read_bytes())
    for file, setting in (("kami.pem", "certificate"), ("kunci.pem", "key")):
        for each in ("kami.pem", "kunci.pem"):
            Path(each).chmod(mode if each == file else 0o600)
        shows = 'certificate = "kami.pem"' + (', key = "kunci.pem"' if setting == "key" else "")
        for found, section in ((checked(shows), "agency.dinkes"), (checked("", f"tls = {{ {shows} }}"), "gateway")):
            said = [(one.warning, one.what, one.remedy.partition(",")[0]) for one in found]
            what = f"{section}.tls.{setting}: others than its owner can read the private key in {file} (mode {mode:o})"
            assert said == ([(True, what, f"chmod 600 {file}")] if warned else [])


def test_a_key_of_roots_that_we_read_as_its_group_is_none_that_others_can_read() -> None:
    assert not exposed(0o440, owner=0, us=10001)
    assert exposed(0o444, owner=0, us=10001)
    assert exposed(0o440, owner=0, us=0)
    assert exposed(0o440, owner=10001, us=10001)


def test_a_listener_whose_files_do_not_fit_is_an_error(authority: Authority) -> None:
    authority.issue("kami")
    (found,) = checked("", 'tls = { certificate = "tidak-ada.pem" }')
    assert (found.where, found.warning) == ("gateway.toml:3", False)
    assert found.what == "gateway.tls.certificate: tidak-ada.pem: no such file"
    (found,) = checked("", 'tls = { certificate = "kami.pem", client_ca = "gateway.toml" }')
    assert found.what.startswith("gateway.tls.client_ca: gateway.toml can't be used: ")
    (found,) = checked("", f'tls = {{ certificate = "{authority.file.name}" }}')
    assert "can't be used" in found.what


def test_when_our_certificate_for_an_agency_ends_is_a_figure_as_long_as_there_is_one(authority: Authority) -> None:
    authority.issue("kami", days=20)
    metrics, name = Metrics(), "gateway_agency_own_certificate_expiry_timestamp_seconds"
    for agency, there in (('certificate = "kami.pem"', True), ("", False)):
        checked(agency)
        located, _ = app.examine(Path("gateway.toml"), {})
        made = app.assemble(located, clock=app.clock_of(located), metrics=metrics)
        made.draft.adopt()
        shown = metrics.registry.get_sample_value(name, {"agency": "dinkes"})
        assert (shown is not None) == there


SIGNED = """
[agency.arsip]
adapter = "soap"
wsdl    = "arsip.wsdl"
mapping = "mappings/arsip.toml"
[agency.arsip.security]
sign   = {{ certificate = "{certificate}"{sign} }}
verify = {{ ca = "Otoritas-Uji.pem"{verify} }}
[agency.arsip.operation.simpan]
expose = "POST /v1/simpan"
call   = "Simpan"
"""
ARSIP = Path(__file__).parent / "adapters/soap/wsdl/arsip.wsdl"


def signing(certificate: Path, sign: str = "", verify: str = "") -> list[tuple[str, bool, str]]:
    Path("arsip.wsdl").write_bytes(ARSIP.read_bytes())
    Path("mappings/arsip.toml").write_text('[simpan.request]\njudul = "judul"\n[simpan.reply]\njudul = "judul"\n')
    Path("gateway.toml").write_text(SIGNED.format(certificate=certificate.name, sign=sign, verify=verify))
    found = app.check(Path("gateway.toml"), {})
    return [(one.where, one.warning, one.what.removeprefix("agency.arsip.security.")) for one in found]


def test_what_weakens_signatures_is_warned_of_and_what_makes_them_is_watched_too(authority: Authority) -> None:
    ours = authority.issue("kami")
    assert signing(ours) == []
    assert signing(ours, ', hash = "sha1"') == [
        ("gateway.toml:7", True, "sign.hash: SHA-1 is broken: signatures can be forged")
    ]
    assert signing(ours, verify=", sha1 = true") == [
        ("gateway.toml:8", True, "verify.sha1: SHA-1 is broken: answers can be forged")
    ]
    ending = authority.issue("kami", days=20)
    ending.chmod(0o644)
    (where, warning, what), (_, hidden, readable) = signing(ending)
    assert (where, warning, what.startswith("sign.certificate: kami.pem ends on ")) == ("gateway.toml:7", True, True)
    assert (hidden, readable.startswith("sign.certificate: others than its owner can read")) == (True, True)


def test_when_the_certificate_ends_by_which_messages_are_signed_is_a_figure(authority: Authority) -> None:
    signing(authority.issue("kami", days=20))
    located, _ = app.examine(Path("gateway.toml"), {})
    metrics, name = Metrics(), "gateway_agency_own_certificate_expiry_timestamp_seconds"
    made = app.assemble(located, clock=app.clock_of(located), metrics=metrics)
    made.draft.adopt()

    shown = metrics.registry.get_sample_value(name, {"agency": "arsip"})
    assert shown == certificates.of_file(Path("kami.pem")).ends.timestamp()
