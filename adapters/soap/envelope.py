"""From bytes to the one payload or the fault of an envelope; hardened parsing; knows no types and no plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from adapters.soap.plan import ENVELOPE, XSI, Soap
from gateway import Document, Fault, InvalidAnswer, mask_text

ENCODINGS = frozenset({"UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "ISO-8859-1", "WINDOWS-1252", "US-ASCII", "ASCII"})
NIL = f"{{{XSI}}}nil"
_TEXT_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Body:
    """What is under soap:Body: the payload (None when empty) and, in encoded messages, the elements it points to."""

    payload: etree._Element | None
    referred: Mapping[str, etree._Element]


def open_envelope(content: bytes, soap: Soap, *, encoded: bool) -> Body | Fault:
    """Parse an answer; raises InvalidAnswer unless it is exactly one envelope with one Body and at most one payload.

    A fault is read in either SOAP version: a server that knows the other one only must answer in its own.
    """
    root = parse(content)
    version = next((known for known, uri in ENVELOPE.items() if root.tag == f"{{{uri}}}Envelope"), None)
    if version is None:
        raise _invalid(f"is no SOAP envelope but <{_shown(root)}>")
    body = _body(root, ENVELOPE[version])
    children = list(body)
    if children and children[0].tag == f"{{{ENVELOPE[version]}}}Fault":
        return _fault(children[0], version)
    if version != soap:
        raise _invalid(f"is a SOAP {version} envelope; the WSDL's port speaks SOAP {soap}")
    return _only_payload(children, encoded=encoded)


def parse(content: bytes) -> etree._Element:
    """Return the root of an answer; raises InvalidAnswer for what is no XML, or has what no answer may have."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise _invalid(_why_unreadable(content, error)) from error
    except ValueError as error:
        raise _invalid("can't be decoded") from error
    document = root.getroottree().docinfo
    if document.internalDTD is not None or document.doctype:
        raise _invalid("has a DOCTYPE, which SOAP forbids")
    if (document.encoding or "UTF-8").upper() not in ENCODINGS:
        raise _invalid(f"is in {document.encoding}, which is not read")
    return root


def _why_unreadable(content: bytes, error: etree.XMLSyntaxError) -> str:
    start = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not content.strip():
        return "is empty"
    if start.startswith((b"<!doctype html", b"<html", b"<br", b"<b>")):
        return "is an HTML page"
    if b"<!doctype" in start:
        return "has a DOCTYPE, which SOAP forbids"
    if b"<?xml" in start and not content.startswith((b"<?xml", b"\xef\xbb\xbf<?xml")):
        return "has something before its XML declaration; a PHP notice or a blank line in an included file does that"
    if not start.startswith(b"<"):
        return "is text, not XML"
    return f"is not well-formed XML: {mask_text(error.msg or '')}"


def _body(root: etree._Element, uri: str) -> etree._Element:
    children = list(root)
    if children and children[0].tag == f"{{{uri}}}Header":
        del children[0]
    if len(children) != 1 or children[0].tag != f"{{{uri}}}Body":
        raise _invalid("does not have exactly one Body after its Header")
    if _has_stray_text(root) or _has_stray_text(children[0]):
        raise _invalid("has text beside its payload")
    return children[0]


def _has_stray_text(element: etree._Element) -> bool:
    return any(text and text.strip() for text in (element.text, *(child.tail for child in element)))


def _only_payload(children: list[etree._Element], *, encoded: bool) -> Body:
    referred: dict[str, etree._Element] = {}
    payloads: list[etree._Element] = []
    for child in children:
        identity = child.get("id") if encoded else None
        if identity is None or not payloads:
            payloads.append(child)
        elif identity in referred:
            raise _invalid(f"has two elements with the id '{mask_text(identity)}'")
        else:
            referred[identity] = child
    if len(payloads) > 1:
        raise _invalid(f"has {len(payloads)} payloads in its Body")
    return Body(payloads[0] if payloads else None, referred)


def _fault(fault: etree._Element, version: Soap) -> Fault:
    parts = {etree.QName(child).localname: child for child in fault}
    if version == "1.1":
        code, text = _text(parts.get("faultcode")), _text(parts.get("faultstring"))
    else:
        code, text = _code(parts.get("Code")), _reason(parts.get("Reason"))
    detail = parts.get("detail" if version == "1.1" else "Detail")
    return Fault(
        code=code.rpartition(":")[2],
        text=text[:_TEXT_LIMIT],
        detail={} if detail is None else {**_as_mapping(detail)},
    )


def _text(element: etree._Element | None) -> str:
    return "" if element is None else "".join(map(str, element.itertext())).strip()


def _code(code: etree._Element | None) -> str:
    """The innermost Subcode says most; Value alone is only Sender or Receiver."""
    value = ""
    while code is not None:
        parts = {etree.QName(child).localname: child for child in code}
        value = _text(parts.get("Value")) or value
        code = parts.get("Subcode")
    return value


def _reason(reason: etree._Element | None) -> str:
    return "" if reason is None or len(reason) == 0 else _text(reason[0])


def untyped(element: etree._Element) -> Any:
    """Return what no schema describes: text, or child elements by local name, a repeated name as a list."""
    if element.get(NIL) in {"true", "1"}:
        return None
    return _as_mapping(element) if len(element) else element.text or ""


def _as_mapping(element: etree._Element) -> Document:
    found: dict[str, list[Any]] = {}
    for child in element:
        found.setdefault(etree.QName(child).localname, []).append(untyped(child))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _shown(element: etree._Element) -> str:
    return mask_text(etree.QName(element).localname[:40])


def _invalid(what: str) -> InvalidAnswer:
    return InvalidAnswer(f"the answer {what}", maybe_done=True)
