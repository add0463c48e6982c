"""Whether an agency takes our WS-Security, asked by an envelope that calls no operation, so that nothing is done."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import uuid4

from adapters.http import HttpAnswer
from adapters.soap.envelope import open_envelope
from adapters.soap.plan import ENVELOPE, Soap
from adapters.soap.security import Secured
from adapters.soap.wrap import Sent
from adapters.soap.wrapping import Wrapping
from gateway import AgencyLogin, Fault, InvalidAnswer

_NOTHING = "urn:opd-gateway:nothing"
_UNAUTHORIZED = 401
_CODES = frozenset(
    {
        "FailedAuthentication",
        "FailedCheck",
        "InvalidSecurity",
        "InvalidSecurityToken",
        "MessageExpired",
        "SecurityError",
        "SecurityTokenUnavailable",
        "UnsupportedAlgorithm",
        "UnsupportedSecurityToken",
    }
)
"""What servers say of a Security header: SOAP Message Security 1.1 section 12, and WSS4J's word for all of them."""

Post = Callable[[Mapping[str, str], bytes], Awaitable[HttpAnswer]]
"""Sends an envelope with these headers, and whatever login of HTTP there is."""


async def knock(agency: str, wrapping: Wrapping, soap: Soap, address: str, post: Post) -> bool:
    """Return whether the agency let us in, False when only a call can tell.

    Without our security it must refuse the same: many look at what is called first. Raises AgencyLogin where it
    refuses what we showed.
    """
    code = _refusal(await post(*_asked(wrapping, soap, address, shown=True)), soap)
    if code:
        what = f"{agency}: it answers {code} to the gateway's WS-Security; check `security`, and this machine's clock"
        raise AgencyLogin(what, maybe_done=False)
    return bool(_refusal(await post(*_asked(wrapping, soap, address, shown=False)), soap))


def _asked(wrapping: Wrapping, soap: Soap, address: str, *, shown: bool) -> tuple[Mapping[str, str], bytes]:
    """Return an envelope whose Body no WSDL declares, with our security or without."""
    envelope = f'<soap:Envelope xmlns:soap="{ENVELOPE[soap]}"><soap:Body><nothing xmlns="{_NOTHING}"/></soap:Body>'
    media_type = (
        "text/xml; charset=utf-8" if soap == "1.1" else f'application/soap+xml; charset=utf-8; action="{_NOTHING}"'
    )
    sent = Sent(
        soap=soap,
        action=_NOTHING,
        address=address,
        message_id=str(uuid4()),
        media_type=media_type,
        envelope=f"{envelope}</soap:Envelope>".encode(),
    )
    for step in wrapping.steps:
        if shown or not isinstance(step, Secured):
            sent = step.outgoing(sent)
    action = {"SOAPAction": f'"{_NOTHING}"'} if soap == "1.1" else {}
    return {"Content-Type": media_type, **action}, sent.envelope


def _refusal(answer: HttpAnswer, soap: Soap) -> str:
    """Return the code by which a server refuses who we are, "" where it says nothing of that."""
    if answer.status == _UNAUTHORIZED:
        return "HTTP 401"
    try:
        found = open_envelope(answer.body, soap, encoded=False)
    except InvalidAnswer:
        return ""
    codes = (found.code, *found.codes) if isinstance(found, Fault) else ()
    return next((code for code in codes if code in _CODES), "")
