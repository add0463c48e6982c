"""`gateway check`: the shipped files hold, and whatever is wrong in a copy is told with its line and a remedy."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from demo import ENVIRONMENT
from gateway.cli.check_command import command
from tests.flows.command import gateway
from tests.flows.pilot import ROOT, changed, shipped


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One change to the shipped files; the finding stands at the line that holds `at` and has all the `says` in it."""

    old: str
    new: str
    at: str
    says: tuple[str, ...]
    file: str = "gateway.toml"


MISTAKES: Mapping[str, Mistake] = {
    "an unknown key of the gateway": Mistake(
        old='timezone = "Asia/Jakarta"\n\n[defaults]',
        new='time_zone = "Asia/Jakarta"\n\n[defaults]',
        at="time_zone",
        says=("gateway.time_zone: unknown key", 'did you mean "timezone"?'),
    ),
    "an unknown key of an agency": Mistake(
        old='timeout = "8s"', new='timeuot = "8s"', at="timeuot", says=("unknown key", 'did you mean "timeout"?')
    ),
    "an unknown key of an adapter": Mistake(
        old='every   = "1s"',
        new='evry = "1s"',
        at="evry =",
        says=("agency.puskesmas.evry: unknown key", 'did you mean "every"?'),
    ),
    "an unknown key of an operation": Mistake(
        old='expose = "GET /v1/pegawai/unit"',
        new='exposed = "GET /v1/pegawai/unit"',
        at="exposed",
        says=("unknown key", 'did you mean "expose"?'),
    ),
    "an unknown key of a mapping rule": Mistake(
        file="mappings/dpmptsp.toml",
        old='from = "jumlah", title = "Banyaknya jenis izin"',
        new='from = "jumlah", titel = "Banyaknya jenis izin"',
        at="titel =",
        says=('unknown rule key "titel"', 'did you mean "title"?'),
    ),
    "a tolerance that there is not": Mistake(
        old='rate    = "20/s" ',
        new='tolerate = ["leading-jank"] ',
        at="tolerate =",
        says=("agency.dpmptsp.tolerate", '"leading-jank" is no tolerance', 'did you mean "leading-junk"?'),
    ),
    "a wrong type": Mistake(
        old='timeout = "8s"', new="timeout = 8", at="timeout = 8", says=("must be a duration", '"8s"')
    ),
    "a wrong path": Mistake(
        old='expose = "GET /v1/faskes"\n',
        new='expose = "GET faskes"\n',
        at="GET faskes",
        says=("METHOD /v1/path", "write e.g."),
    ),
    "a final status that the agency never answers": Mistake(
        old='is = ["terbit", "ditolak"]',
        new='is = ["terbit", "ditolk"]',
        at="ask           =",
        says=('"status" of dpmptsp/cari-permohonan is never "ditolk"', 'did you mean "ditolak"?'),
    ),
    "a final status in a field that is not there": Mistake(
        old='final = { field = "status"',
        new='final = { field = "statusnya"',
        at="ask           =",
        says=('dpmptsp/cari-permohonan answers no field "statusnya"', 'did you mean "status"?'),
    ),
    "a sign of what was done in a field that is not there": Mistake(
        old='done = "nomor"',
        new='done = "nomer"',
        at="ask           =",
        says=('dpmptsp/cari-permohonan answers no field "nomer"', 'did you mean "nomor"?'),
    ),
    "a question that writes": Mistake(
        old='expose = "GET /v1/izin/permohonan"',
        new='expose = "POST /v1/izin/permohonan"',
        at="ask           =",
        says=("ask: dpmptsp/cari-permohonan writes", "safe = true"),
    ),
    "a final status without a date to stop for": Mistake(
        old='answer_within = "3 working days"',
        new="#",
        at="ask           =",
        says=("final says when answer_within stops, and there is none", '"3 working days"'),
    ),
    "an operation the WSDL lacks": Mistake(
        old='"statusPermohonan"',
        new='"statusPermohonn"',
        at="statusPermohonn",
        says=("statusPermohonn", "statusPermohonan, ajukanPermohonan", "persyaratanIzin"),
    ),
    "a field the WSDL's types lack": Mistake(
        file="mappings/dpmptsp.toml",
        old='selesai      = { from = "tgl_selesai"',
        new='selesai      = { from = "tgl_selsai"',
        at="tgl_selsai",
        says=("no field tgl_selsai", 'did you mean "tgl_selesai"?'),
    ),
    "a field of a request the WSDL's types lack": Mistake(
        file="mappings/bkpsdm.toml",
        old='nip = { from = "nip", digits = 18, mask = true, title',
        new='nipp = { from = "nip", digits = 18, mask = true, title',
        at="nipp =",
        says=("nipp",),
    ),
    "two operations on one path": Mistake(
        old='"GET /v1/izin/permohonan"',
        new='"GET /v1/izin/status"',
        at='expose = "GET /v1/izin/status"\ncall   = "cariPermohonan"',
        says=("GET /v1/izin/status", "dpmptsp/cari-permohonan", "dpmptsp/status-izin", "another path"),
    ),
    "a code table that can not be turned round": Mistake(
        file="mappings/disdukcapil.toml",
        old='"Perempuan" = "P"',
        new='"Perempuan" = "P"\n"Wanita" = "P"',
        at="JENIS_KLMIN = {",
        says=("codes.kelamin", "Perempuan", "Wanita", "one code per word"),
    ),
    "a code table that is not there": Mistake(
        file="mappings/pln.toml",
        old='codes = "gangguan"',
        new='codes = "ganguan"',
        at='codes = "ganguan"',
        says=("ganguan", 'did you mean "gangguan"?'),
    ),
    "a route to an unknown operation": Mistake(
        old='jalan = "dpupr/lapor"',
        new='jalan = "dpupr/laporan"',
        at="dpupr/laporan",
        says=('no operation "dpupr/laporan"', 'did you mean "dpupr/lapor"?'),
    ),
    "a route by a field that is not there": Mistake(
        old='by = "kategori"', new='by = "kategory"', at="kategory", says=("kategory", "kategori")
    ),
    "a gather of an unknown operation": Mistake(
        old='izin = "dpmptsp/daftar-izin"',
        new='izin = "dpmptsp/daftar-ijin"',
        at="daftar-ijin",
        says=('no operation "dpmptsp/daftar-ijin"', 'did you mean "dpmptsp/daftar-izin"?'),
    ),
    "a gather of a write": Mistake(
        old='izin = "dpmptsp/daftar-izin"',
        new='izin = "dpmptsp/ajukan-izin"',
        at='izin = "dpmptsp/ajukan-izin"',
        says=("dpmptsp/ajukan-izin is not safe", "reads"),
    ),
    "a right to nothing": Mistake(
        old='"diskominfo/*", "pln/*"]',
        new='"diskominfo/*", "pnl/*"]',
        at='"pnl/*"',
        says=("pnl/*", 'did you mean "pln/*"?'),
    ),
    "an unknown adapter": Mistake(
        old='adapter = "csv"', new='adapter = "cvs"', at='adapter = "cvs"', says=('no adapter "cvs"', "'csv'")
    ),
    "a mapping file that is not there": Mistake(
        old='mapping = "mappings/pln.toml"',
        new='mapping = "mappings/pnl.toml"',
        at='mapping = "mappings/pnl.toml"',
        says=("mappings/pnl.toml",),
    ),
    "a WSDL that is not there": Mistake(
        old="wsdl/dpmptsp/sipolan.wsdl", new="wsdl/sipolan.wsdl", at="wsdl/sipolan.wsdl", says=("wsdl/sipolan.wsdl",)
    ),
    "an unknown key of a feed": Mistake(
        old='ready      = "stable"',
        new='reday = "stable"',
        at="reday =",
        says=("agency.puskesmas.feed.imunisasi.reday: unknown key", 'did you mean "ready"?'),
    ),
    "an unknown key of a login": Mistake(
        old='send    = "x-token"\n',
        new='send    = "x-token"\nprefiks = ""\n',
        at="prefiks =",
        says=("agency.dinkes.login.prefiks: unknown key", 'did you mean "prefix"?'),
    ),
    "a wrong type in a login": Mistake(
        old='send    = "x-token"\n', new="send    = 7\n", at="send    = 7", says=("agency.dinkes.login.send: ",)
    ),
    "an address that is none": Mistake(
        old='url     = "http://127.0.0.1:8182/api"',
        new='url     = "htp:/127.0.0.1:8182/api"',
        at="htp:/",
        says=("agency.dinkes.url: is not of the form an HTTP address", "write e.g."),
    ),
    "a certificate that is not there": Mistake(
        old='url     = "http://127.0.0.1:8182/api"',
        new='url     = "https://127.0.0.1:8182/api"\ntls.ca  = "nope.pem"',
        at="nope.pem",
        says=("agency.dinkes.tls: nope.pem can't be used", "PEM files"),
    ),
    "an operation without tables": Mistake(
        old="[agency.dinkes.operation.jadwal-poli]",
        new="[agency.dinkes.operation.jadwal-polis]",
        at="jadwal-polis",
        says=("mappings/dinkes.toml has no tables for jadwal-polis", 'did you mean "jadwal-poli"?'),
    ),
    "a feed without tables": Mistake(
        old="[agency.puskesmas.feed.imunisasi]",
        new='[agency.puskesmas.feed.lain]\nfiles = "lain_*.csv"\n[agency.puskesmas.feed.imunisasi]',
        at="feed.lain]",
        says=("mappings/puskesmas.toml has no tables for lain",),
    ),
    "a path with a field that the request lacks": Mistake(
        old='"GET /v1/antrean/sisa"',
        new='"GET /v1/antrean/{kode}/sisa"',
        at="{kode}",
        says=("dinkes/sisa-antrean: the path has {kode}", "no such field"),
    ),
    "a call with a field that no rule builds": Mistake(
        old="/antrean/{kodebooking}/sisa",
        new="/antrean/{kodeboking}/sisa",
        at="{kodeboking}",
        says=("dinkes/sisa-antrean: the call has {kodeboking}", 'did you mean "kodebooking"?'),
    ),
    "personal data in a URL that the gateway builds": Mistake(
        old='"POST /antrean/saya"',
        new='"GET /antrean/saya"',
        at='"GET /antrean/saya"',
        says=("dinkes/antrean-saya: nik is personal (mask = true)", "travels in the URL of this call"),
    ),
    "a route by a word that its field never is": Mistake(
        old='jalan = "dpupr/lapor"',
        new='jlan = "dpupr/lapor"',
        at="jlan =",
        says=('operation.aduan.route.jlan: "kategori" is never "jlan"', 'did you mean "jalan"?'),
    ),
    "no TOML": Mistake(old='name     = "Kab', new="name     = Kab", at="name     = Kab", says=("is not TOML",)),
    "a mapping that is no TOML": Mistake(
        file="mappings/pln.toml", old='root    = "data"', new="root    = data", at="root    = data", says=("not TOML",)
    ),
}


def line_of(text: str, part: str) -> int:
    assert text.count(part) == 1, part
    return text[: text.index(part)].count("\n") + 1


def test_the_shipped_files_hold(tmp_path: Path) -> None:
    done = gateway("check", "--config", shipped(tmp_path))
    assert (done.stdout, done.stderr, done.returncode) == ("nothing to change\n", "", 0)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_line_and_what_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mistake: Mistake
) -> None:
    config = shipped(tmp_path)
    file = tmp_path / mistake.file
    file.write_text(changed(file.read_text("utf-8"), {mistake.old: mistake.new}), "utf-8")
    monkeypatch.chdir(ROOT)  # the command goes to the configuration's folder; a process of its own would take a second
    done = CliRunner(env=ENVIRONMENT).invoke(command, ["--config", str(config)])
    assert done.exit_code == 1
    where = f"{mistake.file}:{line_of(file.read_text('utf-8'), mistake.at)}: error: "
    assert where in done.stdout
    assert [each for each in mistake.says if each not in done.stdout] == [], done.stdout
    assert done.stdout.endswith("1 to change, 0 to consider\n"), done.stdout
    assert done.stderr == ""


def test_rule_11_23_every_missing_variable_is_told_where_it_is_asked_for(tmp_path: Path) -> None:
    config = shipped(tmp_path)
    done = gateway("check", "--config", config, environment={})
    text = config.read_text("utf-8").partition("[gateway]")[2]
    before = config.read_text("utf-8").partition("[gateway]")[0].count("\n")
    for name in ENVIRONMENT:
        number = before + line_of(text, f"${{{name}}}")
        assert f"gateway.toml:{number}: error: " in done.stdout
        assert f"the environment has no {name}; " in done.stdout
        assert f"set {name} before starting" in done.stdout
    assert (done.returncode, f"{len(ENVIRONMENT)} to change" in done.stdout) == (1, True)


def test_several_mistakes_are_told_in_one_go(tmp_path: Path) -> None:
    config = shipped(tmp_path)
    some = ("an operation the WSDL lacks", "an unknown key of an adapter")
    config.write_text(
        changed(config.read_text("utf-8"), {MISTAKES[name].old: MISTAKES[name].new for name in some}), "utf-8"
    )
    for name in ("a code table that can not be turned round", "a code table that is not there"):
        mistake = MISTAKES[name]
        file = tmp_path / mistake.file
        file.write_text(changed(file.read_text("utf-8"), {mistake.old: mistake.new}), "utf-8")
    environment = {name: value for name, value in ENVIRONMENT.items() if name != "ADUAN_PASSWORD"}
    done = gateway("check", "--config", config, environment=environment)
    for word in ("statusPermohonn", "evry", "codes.kelamin", "ganguan", "ADUAN_PASSWORD"):
        assert word in done.stdout, done.stdout
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "5 to change, 0 to consider")


def test_clashes_and_unknown_targets_are_told_beside_what_is_wrong_with_an_agency(tmp_path: Path) -> None:
    config = shipped(tmp_path)
    some = (
        "an unknown key of an adapter",
        "two operations on one path",
        "a gather of an unknown operation",
        "a right to nothing",
    )
    config.write_text(
        changed(config.read_text("utf-8"), {MISTAKES[name].old: MISTAKES[name].new for name in some}), "utf-8"
    )
    done = gateway("check", "--config", config)
    for word in ("evry", "GET /v1/izin/status", "daftar-ijin", "pnl/*"):
        assert word in done.stdout, done.stdout
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "4 to change, 0 to consider")


def test_findings_as_json_are_for_scripts(tmp_path: Path) -> None:
    config = shipped(tmp_path)
    mistake = MISTAKES["an unknown key of an agency"]
    config.write_text(changed(config.read_text("utf-8"), {mistake.old: mistake.new}), "utf-8")
    done = gateway("check", "--json", "--config", config)
    (finding,) = json.loads(done.stdout)
    assert finding.keys() == {"where", "what", "remedy", "warning"}
    assert (finding["warning"], done.returncode) == (False, 1)


def test_personal_data_in_a_url_is_a_warning_and_no_error(tmp_path: Path) -> None:
    config = shipped(tmp_path)
    old = 'expose = "POST /v1/pegawai/cari"\nsafe   = true'
    config.write_text(changed(config.read_text("utf-8"), {old: 'expose = "GET /v1/pegawai"'}), "utf-8")
    done = gateway("check", "--config", config)
    number = line_of(config.read_text("utf-8"), 'expose = "GET /v1/pegawai"')
    assert f"gateway.toml:{number}: warning: bkpsdm/cari-pegawai: nip is personal" in done.stdout
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "0 to change, 1 to consider")


def test_tables_that_belong_to_nothing_are_worth_a_look(tmp_path: Path) -> None:
    text = '\n[jadwal-polis.reply]\na = "a"\n'
    config = shipped(tmp_path)
    mapping = tmp_path / "mappings/dinkes.toml"
    mapping.write_text(mapping.read_text("utf-8") + text, "utf-8")
    done = gateway("check", "--config", config)
    assert done.returncode == 0
    assert "warning: [jadwal-polis...] belongs to no operation and no feed of dinkes" in done.stdout
    assert 'did you mean "jadwal-poli"?' in done.stdout


def test_a_login_without_what_the_mapping_reads_is_found(tmp_path: Path) -> None:
    config = shipped(tmp_path)
    mapping = tmp_path / "mappings/disdukcapil.toml"
    mapping.write_text(mapping.read_text("utf-8").replace("@login.password", "@login.pasword"), "utf-8")
    done = gateway("check", "--config", config)
    assert done.returncode == 1
    assert 'the login of disdukcapil in gateway.toml has no "pasword"' in done.stdout
    assert 'did you mean "password"?' in done.stdout
