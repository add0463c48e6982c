"""`gateway doctor` beyond the wire: login, an answer, the WSDL, folders, the ledger and its disk, and what is shown."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.doctor_command import command
from gateway.clock import SystemClock
from gateway.doctor.apart import Apart
from gateway.doctor.found import State
from gateway.doctor.own import Space
from gateway.errors import ConfigError
from gateway.ledger.keys import KeySource
from gateway.ledger.opening import open_ledger
from tests.authority import Authority
from tests.postgres import Cluster
from tests.served import serving
from tests.unit.adapters.json_agency import Asked, JsonAgency, Said, said
from tests.unit.doctor.conftest import Office

ROOT = Path(__file__).parents[3]
NIK, SECRET = "1405025205909001", "rahasia-dinkes-1405"
BASIC = 'login = { user = "gateway", password = "${SANDI}", kind = "basic" }'
TOKEN = """
[agency.dinkes.login]
call    = "POST /auth"
body    = { user = "gateway", password = "${SANDI}" }
token   = "token"
send    = "x-token"
"""
GIVEN = {"SANDI": SECRET}


async def well(_: Asked) -> Said:
    return said({"kode": "1", "token": "t0ken"})


async def rejecting(asked: Asked) -> Said:
    """Let nobody in, and repeat what was shown, as some do."""
    return said({"pesan": f"{SECRET} bukan sandi {NIK}"}, 401)


@pytest.mark.parametrize("login", [BASIC, TOKEN], ids=["basic", "token"])
async def test_a_login_that_is_wrong(office: Office, login: str) -> None:
    async with JsonAgency(rejecting) as agency:
        office.write(agency.url, *(("", login) if login is TOKEN else (login, "")))
        found = await office.diagnose(environment=GIVEN)
        found.said("login", State.ERROR, "check `login`", "correct `login`")
        assert "probe" not in found.kinds(), "an account is not locked by asking again"
    assert not {NIK, SECRET} & set(str(found.checks).replace("'", " ").split())


@pytest.mark.parametrize("login", [BASIC, TOKEN], ids=["basic", "token"])
async def test_a_login_that_is_right(office: Office, login: str) -> None:
    async def careful(asked: Asked) -> Said:
        shown = {"authorization", "x-token"} & {name.lower() for name in asked.headers}
        return await well(asked) if shown or asked.path == "/auth" else await rejecting(asked)

    async with JsonAgency(careful) as agency:
        office.write(agency.url, *(("", login) if login is TOKEN else (login, "")))
        found = await office.diagnose(environment=GIVEN)
    found.said("login", State.OK, "the agency takes it")
    found.said("probe", State.OK, "answers dinkes/daftar as agreed")


async def test_a_login_that_only_a_call_shows_to_be_wrong(office: Office) -> None:
    async def in_the_body(_: Asked) -> Said:
        return said({"kode": "9", "pesan": f"sandi {SECRET} dari {NIK} salah"})

    async with JsonAgency(in_the_body) as agency:
        office.write(agency.url, 'login = { user = "gateway", password = "${SANDI}" }')
        found = await office.diagnose(environment=GIVEN)
    found.said("login", State.ERROR, "", "correct `login`")
    assert NIK not in str(found)
    assert SECRET not in str(found)


async def test_a_refusal_and_a_failure_are_told_without_the_agencys_words(office: Office) -> None:
    answers = [said({"kode": "8", "pesan": f"NIK {NIK} tidak berhak"}), said({"pesan": NIK}, 500)]
    for answer, state, words in zip(answers, (State.WARNING, State.ERROR), ("refuses", "fails"), strict=True):

        async def unwilling(_: Asked, answer: Said = answer) -> Said:
            return answer

        async with JsonAgency(unwilling) as agency:
            office.write(agency.url, "retry = { attempts = 1 }")
            found = await office.diagnose()
        found.said("probe", state, words, "gateway try dinkes/daftar")
        assert NIK not in str(found)


async def test_a_secret_that_is_missing_stops_no_look_at_the_wire(office: Office) -> None:
    async with JsonAgency(well) as agency:
        office.write(agency.url, BASIC)
        found = await office.diagnose()
    found.said(
        "secrets",
        State.ERROR,
        "the environment has no SANDI",
        "environment comes from (for a look at the stand-ins: --demo)",
    )
    assert found.one("connection").state is State.OK
    assert "login" not in found.kinds()


async def test_an_agency_whose_mapping_is_wrong_is_looked_at_as_far_as_it_goes(office: Office) -> None:
    async with JsonAgency(well) as agency:
        office.write(agency.url)
        (office.folder / "mappings/dinkes.toml").write_text("[daftar.replie]\n")
        found = await office.diagnose()
    found.said("configuration", State.ERROR, "mappings/dinkes.toml")
    assert found.one("connection").state is State.OK


SIPOLAN_MAPPING = """
[agency]
outcome = { from = "kode", ok = ["00"], message = "pesan" }
[daftar-jenis-izin.request]
kode_akses = "@login.user"
kata_sandi = "@login.password"
[daftar-jenis-izin.reply]
jumlah = "jumlah"
"""
SIPOLAN = """
[agency.sipolan]
adapter = "soap"
wsdl    = "wsdl/sipolan.wsdl"
url     = "{url}/sipolan"
login   = {{ user = "gateway", password = "x" }}
mapping = "mappings/sipolan.toml"
[agency.sipolan.operation.daftar-jenis-izin]
expose = "GET /v1/izin/jenis"
call   = "daftarJenisIzin"
"""


@pytest.mark.parametrize("changed", [False, True], ids=["as it was", "changed"])
async def test_a_wsdl_that_drifted(office: Office, *, changed: bool) -> None:
    (office.folder / "wsdl").mkdir()
    text = (ROOT / "wsdl/dpmptsp/sipolan.wsdl").read_text("utf-8")
    (office.folder / "wsdl/sipolan.wsdl").write_text(text, "utf-8")
    with serving() as agency:
        office.write("http://127.0.0.1:1", others=SIPOLAN.format(url=agency.url))
        (office.folder / "mappings/sipolan.toml").write_text(SIPOLAN_MAPPING)
        agency.put("/sipolan?wsdl", text.replace("no_permohonan", "nomor_permohonan") if changed else text)
        found = await office.diagnose("sipolan")
    if changed:
        found.said("wsdl", State.ERROR, "nomor_permohonan is new", "gateway add soap sipolan --renew", "sipolan")
    else:
        found.said("wsdl", State.OK, "still what was pinned", agency="sipolan")


CSV = """
[agency.puskesmas]
adapter = "csv"
drop    = "{folder}"
mapping = "mappings/puskesmas.toml"
[agency.puskesmas.feed.imunisasi]
files = "imunisasi_*.csv"
key   = ["nama"]
[agency.puskesmas.operation.riwayat]
expose = "POST /v1/imunisasi"
safe   = true
call   = "imunisasi"
"""
PUSKESMAS_MAPPING = """
[imunisasi.row]
nama = "NAMA"
[riwayat.request]
nama = "nama"
[riwayat.reply.rows]
each = "rows"
nama = "nama"
"""


async def test_a_drop_folder(office: Office) -> None:
    office.write("http://127.0.0.1:1", others=CSV.format(folder="drop"))
    (office.folder / "mappings/puskesmas.toml").write_text(PUSKESMAS_MAPPING)
    (await office.diagnose("puskesmas")).said("folder", State.ERROR, "drop is not there", "mount", "puskesmas")
    (office.folder / "drop").mkdir()
    (await office.diagnose("puskesmas")).said("folder", State.WARNING, "no file of imunisasi", "", "puskesmas")
    (office.folder / "drop/IMUNISASI_1.CSV").touch()
    (await office.diagnose("puskesmas")).said("folder", State.OK, "with files of imunisasi", "", "puskesmas")
    for number in range(4):
        (office.folder / f"drop/imunisai_{number}.csv").touch()
    (office.folder / "drop/imunisasi_1.csv.ok").touch()
    seen = [one for one in (await office.diagnose("puskesmas")).checks if one.agency == "puskesmas"]
    assert [one.state for one in seen] == [State.OK, State.WARNING]
    named = "drop holds 4 files of no feed: imunisai_0.csv, imunisai_1.csv, imunisai_2.csv and 1 more"
    assert (seen[1].says, "mend `files`" in seen[1].remedy) == (named, True)


async def test_a_folder_into_which_files_are_written(office: Office) -> None:
    out = '[agency.puskesmas.out.jadwal]\nfolder = "masuk"\nfile = "jadwal_{id}.csv"\n'
    office.write("http://127.0.0.1:1", others=CSV.format(folder="drop") + out)
    (office.folder / "mappings/puskesmas.toml").write_text(PUSKESMAS_MAPPING)
    (office.folder / "drop").mkdir()
    (office.folder / "masuk").touch()

    async def said() -> tuple[State, str]:
        found = await office.diagnose("puskesmas")
        (one,) = [one for one in found.checks if one.says.startswith("masuk")]
        return one.state, one.says

    assert await said() == (State.ERROR, "masuk is no folder")
    (office.folder / "masuk").unlink()
    assert await said() == (State.ERROR, "masuk is not there")
    (office.folder / "masuk").mkdir()
    assert await said() == (State.OK, "masuk is there for jadwal")
    assert not list((office.folder / "masuk").iterdir()), "looking leaves no file behind"


async def ledger(office: Office) -> None:
    made = await open_ledger("sqlite:var/ledger.db", KeySource(path=Path("var/ledger.key")), SystemClock())
    await made.close()


async def test_a_ledger_that_is_not_there_and_one_that_is(office: Office) -> None:
    office.write("http://127.0.0.1:1")
    (await office.diagnose()).said("ledger", State.WARNING, "there is no var/ledger.db", "mount it", None)
    assert not list((office.folder / "var").iterdir()), "looking makes nothing"
    await ledger(office)
    before = sorted(path.name for path in (office.folder / "var").iterdir())
    (await office.diagnose()).said("ledger", State.OK, "0 messages are not settled", "", None)
    assert sorted(path.name for path in (office.folder / "var").iterdir()) == before


async def test_a_ledger_with_another_key_and_one_that_is_broken(office: Office) -> None:
    office.write("http://127.0.0.1:1")
    await ledger(office)
    key, database = office.folder / "var/ledger.key", office.folder / "var/ledger.db"
    key.write_text("ab" * 32)
    (await office.diagnose()).said("ledger", State.ERROR, "not the key of this ledger", "made with", None)
    key.unlink()
    (await office.diagnose()).said("ledger", State.ERROR, "key is missing", "backup", None)
    database.write_bytes(b"no database at all" * 100)
    (await office.diagnose()).said("ledger", State.ERROR, "can't be read", "LedgerUnavailable", None)


async def test_a_ledger_on_postgresql(office: Office, postgres: Cluster) -> None:
    address, config = await asyncio.to_thread(postgres.database), office.folder / "gateway.toml"
    nowhere = f"postgresql://gateway:{SECRET}@/ledger?host={postgres.socket.parent}-nowhere"

    def use(ledger: str) -> None:
        office.write("http://127.0.0.1:1")
        config.write_text(config.read_text().replace("sqlite:var/ledger.db", ledger))

    use(address)
    (await office.diagnose()).said("ledger", State.OK, "PostgreSQL can be read", "", None)
    made = await open_ledger(address, KeySource(value="ab" * 32), SystemClock())
    await made.close()
    (await office.diagnose()).said("ledger", State.ERROR, "key is missing", "backup", None)
    use(f'{address}"\nledger_key = "{"ab" * 32}')
    (await office.diagnose()).said("ledger", State.OK, "0 messages are not settled", "", None)
    use(nowhere)
    found = await office.diagnose()
    found.said("ledger", State.ERROR, "can't be read", "LedgerUnavailable", None)
    assert SECRET not in str(found)
    use("postgresql://gateway:${SANDI}@/ledger")
    (await office.diagnose()).said("ledger", State.SKIPPED, "which one is meant", "mend the configuration", None)


@pytest.mark.parametrize(
    ("free", "state", "words"),
    [(50, State.OK, "are free"), (5, State.WARNING, "fills up"), (0, State.ERROR, "nearly full")],
)
async def test_a_disk_that_fills_up(office: Office, free: int, state: State, words: str) -> None:
    office.write("http://127.0.0.1:1")
    found = await office.diagnose(measure=lambda _: Space(100 << 30, 100 - free << 30, free << 30))
    found.said("disk", state, words, "" if state is State.OK else "make room", None)


def run(*arguments: str, limit: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["sh", "-c", f'{limit}exec "$@"', "sh", sys.executable, "-m", "gateway", "doctor", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_disk_that_takes_nothing_more(office: Office) -> None:
    office.write("http://127.0.0.1:1")
    done = run(limit="ulimit -f 16; ")
    assert done.returncode == 1
    assert "nothing can be written to var: file too large" in done.stdout
    assert not list((office.folder / "var").iterdir())


async def test_the_command_tells_people_and_scripts(office: Office) -> None:
    async with JsonAgency(well) as agency:
        office.write(agency.url)
        await ledger(office)
        done = await asyncio.to_thread(run)
        assert done.returncode == 0, done.stdout
        assert done.stdout.startswith("the gateway itself\n  ok       configuration  gateway.toml can be read\n")
        assert "dinkes\n  ok       connection     127.0.0.1:" in done.stdout
        told = json.loads((await asyncio.to_thread(run, "--json")).stdout)
    assert {"agency": "dinkes", "check": "probe", "state": "ok"}.items() <= told[-1].items()
    office.write("http://127.0.0.1:1")
    done = await asyncio.to_thread(run, "dinkes")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (1, "1 to change, 0 to consider")
    assert "      -> have the agency start its web server" in done.stdout


def test_an_agency_that_is_not_there_and_a_word_that_is_none(office: Office) -> None:
    office.write("http://127.0.0.1:1")
    runner = CliRunner()
    refused = runner.invoke(command, ["dinkess"]).exception
    assert isinstance(refused, ConfigError)
    assert 'did you mean "dinkes"?' in str(refused)
    assert runner.invoke(command, ["--within", "soon"]).exit_code == 2


async def test_what_hangs_in_a_thread_holds_up_neither_others_nor_the_end() -> None:
    hangs = threading.Event()

    async def work() -> None:
        asyncio.get_running_loop().set_default_executor(Apart())
        waits = [asyncio.ensure_future(asyncio.to_thread(hangs.wait)) for _ in range(100)]
        assert await asyncio.to_thread(lambda: 7) == 7
        for one in waits:
            one.cancel()

    began = time.monotonic()
    await asyncio.to_thread(lambda: asyncio.run(work()))
    hangs.set()
    assert time.monotonic() - began < 5


async def test_the_listeners_own_certificate(office: Office, authority: Authority) -> None:
    office.write("http://127.0.0.1:1")
    config = office.folder / "gateway.toml"
    config.write_text(config.read_text().replace("[gateway]\n", '[gateway]\ntls = { certificate = "api.pem" }\n', 1))
    (await office.diagnose()).said("certificate", State.ERROR, "api.pem: no such file", "put the PEM", None)
    authority.issue("api", days=9)
    (await office.diagnose()).said("certificate", State.WARNING, "in 8 days", "gateway reload", None)
