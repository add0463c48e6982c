"""`gateway doctor` and the logins of SOAP: told without a call, or said to be untellable; nothing is called by it."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from lxml import etree

from gateway.doctor.found import State
from tests.unit.adapters.json_agency import Asked, JsonAgency, Said
from tests.unit.doctor.conftest import Diagnosis, Office
from tests.unit.doctor.test_examination import SECRET

ROOT = Path(__file__).parents[3]
SECTION = """
[agency.sipolan]
adapter = "soap"
wsdl    = "wsdl/sipolan.wsdl"
url     = "{url}/sipolan"
mapping = "mappings/sipolan.toml"
{login}
[agency.sipolan.operation.status]
expose = "POST /v1/izin/status"
safe   = true
call   = "statusPermohonan"
"""
MAPPING = """
[agency]
outcome = { from = "kode", ok = ["00"], message = "pesan" }
[status.request]
kode_akses    = { const = "x" }
kata_sandi    = { const = "x" }
no_permohonan = "nomor"
[status.reply]
kode = "kode"
"""
TOKEN = 'security = { user = "gateway", password = "${SANDI}", digest = true }'
BASIC = 'login = { user = "gateway", password = "${SANDI}", kind = "basic" }'
MAPPED = 'login = { user = "gateway", password = "${SANDI}" }'
Behaviour = Callable[[Asked], Awaitable[Said]]


def fault(code: str) -> Said:
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:wsse="urn:wsse"><e:Body><e:Fault>'
        f"<faultcode>{code}</faultcode><faultstring>{SECRET}</faultstring></e:Fault></e:Body></e:Envelope>"
    )
    return Said(body.encode(), 500, (("Content-Type", "text/xml"),))


async def found(office: Office, login: str, behave: Behaviour) -> tuple[Diagnosis, list[Asked]]:
    (office.folder / "wsdl").mkdir()
    (office.folder / "wsdl/sipolan.wsdl").write_bytes((ROOT / "wsdl/dpmptsp/sipolan.wsdl").read_bytes())
    async with JsonAgency(behave) as agency:
        office.write("http://127.0.0.1:1", others=SECTION.format(url=agency.url, login=login))
        (office.folder / "mappings/sipolan.toml").write_text(MAPPING)
        diagnosis = await office.diagnose("sipolan", environment={"SANDI": SECRET})
        posted = [asked for asked in agency.asked if asked.method == "POST"]
    assert SECRET not in str(diagnosis.checks)
    assert all(payload(asked) == "{urn:opd-gateway:nothing}nothing" for asked in posted), "no operation is called"
    return diagnosis, posted


def payload(asked: Asked) -> str:
    return str(etree.fromstring(asked.body)[-1][0].tag)


def is_shown(asked: Asked) -> bool:
    return b"UsernameToken" in asked.body


async def test_a_username_token_that_is_rejected(office: Office) -> None:
    async def rejecting(asked: Asked) -> Said:
        return fault("wsse:FailedAuthentication" if is_shown(asked) else "wsse:InvalidSecurity")

    diagnosis, posted = await found(office, TOKEN, rejecting)

    diagnosis.said("login", State.ERROR, "FailedAuthentication", "`security` and its secret", "sipolan")
    assert "probe" not in diagnosis.kinds("sipolan")
    assert len(posted) == 1, "an account is not locked by asking again"


async def test_a_username_token_that_is_taken(office: Office) -> None:
    async def careful(asked: Asked) -> Said:
        return fault("e:Client" if is_shown(asked) else "wsse:InvalidSecurity")

    diagnosis, posted = await found(office, TOKEN, careful)

    diagnosis.said("login", State.OK, "the agency takes it", agency="sipolan")
    assert [is_shown(asked) for asked in posted] == [True, False]


@pytest.mark.parametrize("answer", [fault("e:Client"), Said(b"<html>galat</html>", 500), Said(b"", 202)])
async def test_a_server_that_looks_at_what_is_called_first(office: Office, answer: Said) -> None:
    async def indifferent(_: Asked) -> Said:
        return answer

    diagnosis, posted = await found(office, TOKEN, indifferent)

    diagnosis.said("login", State.SKIPPED, "only a call can tell", "gateway try sipolan/OPERATION", "sipolan")
    assert len(posted) == 2


@pytest.mark.parametrize("right", [True, False])
async def test_a_login_of_http_is_shown_in_a_head(office: Office, *, right: bool) -> None:
    async def guarded(asked: Asked) -> Said:
        shown = "authorization" in {name.lower() for name in asked.headers}
        return Said(b"", 200 if shown and right else 401)

    diagnosis, posted = await found(office, BASIC, guarded)

    if right:
        diagnosis.said("login", State.OK, "the agency takes it", agency="sipolan")
    else:
        diagnosis.said("login", State.ERROR, "check `login`", "correct `login`", "sipolan")
    assert posted == []


async def test_a_login_that_travels_in_the_calls_is_said_to_be_untold(office: Office) -> None:
    async def well(_: Asked) -> Said:
        return Said(b"", 200)

    diagnosis, posted = await found(office, MAPPED, well)

    words = "only a call can tell: who we are goes along with it, and nothing else may safely be asked"
    diagnosis.said("login", State.SKIPPED, words, "gateway try sipolan/OPERATION", "sipolan")
    assert posted == []
