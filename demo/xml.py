"""What the two SOAP stand-ins share: reading a call with lxml, and answering twice."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from lxml import etree

from demo.http import Document

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoapCall:
    """One call: the operation's element, its children, and the header's elements."""

    envelope: str
    operation: str
    arguments: Document
    header: Document


def read_call(body: bytes) -> SoapCall:
    """The call in a SOAP envelope; raises ValueError when there is none."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        envelope = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError("not XML") from error
    namespace = etree.QName(envelope).namespace or ""
    soap_body = envelope.find(f"{{{namespace}}}Body")
    if soap_body is None or len(soap_body) == 0:
        raise ValueError("no Body in the envelope")
    header = envelope.find(f"{{{namespace}}}Header")
    return SoapCall(
        envelope=namespace,
        operation=etree.QName(soap_body[0]).localname,
        arguments=_children(soap_body[0]),
        header={} if header is None else _children(header),
    )


def twice(envelope: etree._Element) -> etree._Element:
    """The envelope with its Body a second time, as from a script that answers, goes on, and answers again."""
    envelope.append(deepcopy(envelope[-1]))
    return envelope


def _children(element: etree._Element) -> dict[str, Any]:
    return {etree.QName(child).localname: _value(child) for child in element}


def _value(element: etree._Element) -> Any:
    if element.get(f"{{{XSI}}}nil") in ("true", "1"):
        return None
    return _children(element) if len(element) else (element.text or "")
