"""`gateway doctor` and the way to an agency's server, against real servers that are wrong in one way each."""

import datetime as dt
import ssl
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from gateway.doctor.found import State
from tests.authority import Authority
from tests.contract.raw_agency import Link, RawAgency, Script, unused_port
from tests.served import serving
from tests.unit.doctor.conftest import Diagnosis, Office

OK = b'{"kode":"1"}'


def answering(*, ahead: float = 0.0, dated: bool = True) -> Script:
    """Answer everything in JSON, with a Date that is so many seconds ahead."""

    async def script(link: Link) -> None:
        while True:
            asked = await link.request()
            date = f"Date: {formatdate(time.time() + ahead, usegmt=True)}\r\n" if dated else ""
            head = f"HTTP/1.1 200 OK\r\n{date}Content-Type: application/json\r\nContent-Length: {len(OK)}\r\n\r\n"
            await link.say(head.encode() + (b"" if asked.startswith(b"HEAD") else OK))

    return script


async def test_an_agency_that_is_well_is_said_to_be(office: Office) -> None:
    async with RawAgency(answering()) as agency:
        office.write(agency.url)
        found = await office.diagnose()
    assert found.kinds() == ["connection", "clock", "probe"]
    assert {one.state for one in found.checks if one.agency} == {State.OK}
    found.said("probe", State.OK, "answers dinkes/daftar as agreed")


async def test_a_name_that_nobody_knows(office: Office) -> None:
    office.write("http://tidak-ada.invalid/api")
    found = await office.diagnose()
    found.said("name", State.ERROR, "tidak-ada.invalid")
    assert found.kinds() == ["name"]


async def test_a_name_is_looked_up(office: Office) -> None:
    async with RawAgency(answering()) as agency:
        office.write(agency.url.replace("127.0.0.1", "localhost"))
        found = await office.diagnose()
    found.said("name", State.OK, "localhost is ")
    assert found.one("probe").state is State.OK


async def test_a_refused_connection(office: Office) -> None:
    office.write(f"http://127.0.0.1:{unused_port()}/api")
    found = await office.diagnose()
    found.said("connection", State.ERROR, "nobody listens there", "start its web server")
    assert found.kinds() == ["connection"]


async def test_a_server_that_is_off_outside_its_hours_is_no_error(office: Office) -> None:
    today = dt.date.today()  # noqa: DTZ011 -- the days around it are closed as well
    first, last = today - dt.timedelta(days=2), today + dt.timedelta(days=2)
    closed = f'closed = [{{ first = {first}, last = {last} }}]\nhours = "Mon-Fri 08:00-16:00"'
    office.write(f"http://127.0.0.1:{unused_port()}/api", closed)
    (await office.diagnose()).said("connection", State.WARNING, "outside its service hours now")


async def test_one_that_hangs_holds_nobody_up(office: Office) -> None:
    async def silent(link: Link) -> None:
        await link.stall()

    others = "\n".join(
        f'[agency.lain{n}]\nadapter = "rest"\nurl = "URL"\nmapping = "mappings/dinkes.toml"\n'
        f'[agency.lain{n}.operation.daftar]\nexpose = "GET /v1/lain{n}"\ncall = "GET /daftar"\n'
        for n in range(10)
    )
    async with RawAgency(answering()) as well, RawAgency(silent) as ill:
        office.write(well.url, others=others.replace("URL", ill.url))
        found = await office.diagnose(seconds=5.0)
    found.said("probe", State.OK, "as agreed")
    for n in range(10):
        found.said("time", State.ERROR, "clock did not come to an end within 5 s", "--within", agency=f"lain{n}")


@pytest.mark.parametrize(
    ("ahead", "state", "words"),
    [
        (0, State.OK, "agrees"),
        (90, State.WARNING, "90 s ahead of ours"),
        (-3600, State.ERROR, "60 minutes behind ours"),
    ],
)
async def test_a_clock_that_is_wrong(office: Office, ahead: float, state: State, words: str) -> None:
    async with RawAgency(answering(ahead=ahead)) as agency:
        office.write(agency.url)
        found = await office.diagnose()
    found.said("clock", state, words, "" if state is State.OK else "timedatectl")
    assert found.one("probe").state is State.OK


async def test_a_server_without_a_clock(office: Office) -> None:
    async with RawAgency(answering(dated=False)) as agency:
        office.write(agency.url)
        (await office.diagnose()).said("clock", State.SKIPPED, "says no Date")


async def examined(office: Office, authority: Authority, server: ssl.SSLContext, tls: str = "") -> Diagnosis:
    async with RawAgency(answering(), tls=server) as agency:
        office.write(agency.url, f'tls = {{ ca = "{authority.file.name}"{tls} }}')
        return await office.diagnose()


async def test_tls_that_is_well(office: Office, authority: Authority) -> None:
    found = await examined(office, authority, authority.server(authority.issue()))
    assert found.kinds() == ["connection", "tls", "certificate", "clock", "probe"]
    assert {one.state for one in found.checks if one.agency} == {State.OK}
    found.said("certificate", State.OK, "in 199 days")


async def test_a_certificate_that_has_ended(office: Office, authority: Authority) -> None:
    found = await examined(office, authority, authority.server(authority.issue(days=-3)))
    ended = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 3 * 86400))
    found.said("tls", State.ERROR, f"has expired on {ended}", "the agency must renew it")
    assert found.kinds() == ["connection", "tls"]


async def test_a_certificate_that_ends_soon(office: Office, authority: Authority) -> None:
    found = await examined(office, authority, authority.server(authority.issue(days=10)))
    found.said("certificate", State.WARNING, "in 9 days", "must renew it before")


async def test_a_certificate_for_another_name(office: Office, authority: Authority) -> None:
    found = await examined(office, authority, authority.server(authority.issue(host="sipolan.example")))
    found.said("tls", State.ERROR, "is not for 127.0.0.1, but for sipolan.example", "write that name")


async def test_a_certificate_that_nobody_knows(office: Office, authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "Orang Lain")
    found = await examined(office, authority, stranger.server(stranger.issue("asing")))
    found.said("tls", State.ERROR, "signed by nobody whom we trust", "tls.ca")


async def test_a_certificate_that_is_not_checked(office: Office, authority: Authority) -> None:
    found = await examined(office, authority, authority.server(authority.issue(days=-3)), ", verify = false")
    found.said("tls", State.WARNING, "anybody could be there", "verify = false")
    found.said("certificate", State.ERROR, "has ended on")


async def test_a_server_that_speaks_no_tls(office: Office) -> None:
    async def plain(link: Link) -> None:
        await link.some()
        await link.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with RawAgency(plain) as agency:
        office.write(agency.url.replace("http:", "https:"))
        (await office.diagnose()).said("tls", State.ERROR, "speaks no TLS there", 'write "http://"')


@pytest.mark.parametrize(
    ("highest", "version"), [(ssl.TLSVersion.TLSv1, "1.0"), (ssl.TLSVersion.TLSv1_1, "1.1")], ids=["1.0", "1.1"]
)
async def test_a_server_that_is_too_old(
    office: Office, authority: Authority, highest: ssl.TLSVersion, version: str
) -> None:
    found = await examined(office, authority, authority.server(authority.issue(), highest=highest))
    found.said("tls", State.ERROR, f"nothing better than TLS {version}", f'minimum = "{version}"')


@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
async def test_a_server_that_wants_to_know_who_we_are(
    office: Office, authority: Authority, highest: ssl.TLSVersion
) -> None:
    # The server of asyncio hangs up without the alert that others send.
    with serving(authority.server(authority.issue(), asks=True, highest=highest)) as agency:
        office.write(agency.url, f'tls = {{ ca = "{authority.file.name}" }}')
        found = await office.diagnose()
    said = [one for one in found.checks if one.check == "tls" and one.state is State.ERROR]
    assert ["client certificate" in one.says + one.remedy for one in said] == [True], found.checks[3:]
    assert "probe" not in found.kinds()


async def test_our_own_certificate_ends(office: Office, authority: Authority) -> None:
    ours = authority.issue("kami", days=5)
    server = authority.server(authority.issue(), asks=True)
    found = await examined(office, authority, server, f', certificate = "{ours.name}"')
    found.said("own-certificate", State.WARNING, "in 4 days", "gateway reload")
    assert found.one("probe").state is State.OK


async def test_a_file_for_tls_that_is_not_there(office: Office) -> None:
    async with RawAgency(answering()) as agency:
        office.write(agency.url.replace("http:", "https:"), 'tls = { ca = "tidak-ada.pem" }')
        found = await office.diagnose()
    found.said("configuration", State.ERROR, "tidak-ada.pem")
    found.said("tls", State.ERROR, "tidak-ada.pem can't be used")
