"""`gateway doctor` where something can't be told: it says so, and how a person finds out."""

from pathlib import Path

from gateway.doctor.found import State
from tests.contract.raw_agency import Link, RawAgency
from tests.served import serving
from tests.unit.adapters.json_agency import Asked, JsonAgency, Said, said
from tests.unit.doctor.conftest import Office
from tests.unit.doctor.test_examination import GIVEN, SECRET, SIPOLAN, SIPOLAN_MAPPING, TOKEN

ROOT = Path(__file__).parents[3]
NEEDS_A_NIK = """
[daftar.request]
nik = { from = "nik", digits = 16 }
[daftar.reply]
kode = { from = "kode", optional = true }
"""


async def test_an_agency_of_which_nothing_can_be_asked_without_data(office: Office) -> None:
    async def well(_: Asked) -> Said:
        return said({"kode": "1"})

    async with JsonAgency(well) as agency:
        office.write(agency.url, 'login = { user = "gateway", password = "${SANDI}" }')
        (office.folder / "mappings/dinkes.toml").write_text(NEEDS_A_NIK)
        found = await office.diagnose(environment=GIVEN)
    found.said("login", State.SKIPPED, "only a call can tell", "gateway try dinkes/OPERATION")
    found.said("probe", State.SKIPPED, "no operation can be asked without data", "gateway try dinkes/OPERATION")
    assert [asked for asked in agency.asked if asked.method != "HEAD"] == [], "made-up data is sent to nobody"


async def test_a_login_whose_address_is_ill(office: Office) -> None:
    async def ill(asked: Asked) -> Said:
        return said({"pesan": SECRET}, 500 if asked.path == "/auth" else 200)

    async with JsonAgency(ill) as agency:
        office.write(agency.url, "", TOKEN)
        found = await office.diagnose(environment=GIVEN)
    found.said("login", State.ERROR, "", "is the login's address right?")
    assert "probe" not in found.kinds()
    assert SECRET not in str(found)


async def test_a_wsdl_that_is_not_where_it_was(office: Office) -> None:
    (office.folder / "wsdl").mkdir()
    (office.folder / "wsdl/sipolan.wsdl").write_bytes((ROOT / "wsdl/dpmptsp/sipolan.wsdl").read_bytes())
    with serving() as agency:
        office.write("http://127.0.0.1:1", others=SIPOLAN.format(url=agency.url))
        (office.folder / "mappings/sipolan.toml").write_text(SIPOLAN_MAPPING)
        found = await office.diagnose("sipolan")
    found.said(
        "wsdl", State.SKIPPED, "could not be read again", "gateway add soap sipolan ADDRESS --compare", "sipolan"
    )


async def test_a_server_that_hangs_up_on_a_head(office: Office) -> None:
    async def curt(link: Link) -> None:
        asked = await link.request()
        if not asked.startswith(b"HEAD"):
            answer = b'{"kode":"1"}'
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
            await link.say(head.encode() + answer)

    async with RawAgency(curt) as agency:
        office.write(agency.url)
        found = await office.diagnose()
    found.said("clock", State.SKIPPED, "hangs up on a HEAD")
    found.said("probe", State.OK, "as agreed")


async def test_an_agency_that_has_no_address(office: Office) -> None:
    office.write("ftp://127.0.0.1/api")
    found = await office.diagnose()
    assert found.one("configuration").state is State.ERROR
    found.said("connection", State.SKIPPED, "no HTTP address")
