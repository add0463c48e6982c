"""From bytes to the one payload or the fault of an envelope; knows no types and no plan."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from lxml import etree

from adapters.soap.parsing import invalid, parse_answer
from adapters.soap.plan import ENVELOPE, Soap
from adapters.soap.tolerate import Leniency
from adapters.soap.undeclared import fields, stray_text, told
from gateway import Fault, mask_text

_TEXT_LIMIT = 300
_MOST_PARTS = 4
_MOST_CODES = 10
_MOST_CHILDREN = 100_000


class _Tags(NamedTuple):
    """The names of an envelope's parts in one version."""

    header: str
    body: str
    fault: str


_TAGS: Mapping[Soap, _Tags] = {
    version: _Tags(f"{{{uri}}}Header", f"{{{uri}}}Body", f"{{{uri}}}Fault") for version, uri in ENVELOPE.items()
}
_VERSIONS: Mapping[str, Soap] = {f"{{{uri}}}Envelope": version for version, uri in ENVELOPE.items()}

Detail = Callable[[Any], Any]
"""From an element to its value."""


@dataclass(frozen=True, slots=True)
class Body:
    """What is under soap:Body: the payload (None when empty) and, in encoded messages, the elements it points to."""

    payload: etree._Element | None
    referred: Mapping[str, etree._Element]


def open_envelope(
    content: bytes, soap: Soap, *, encoded: bool, leniency: Leniency | None = None, detail: Detail | None = None
) -> Body | Fault:
    """Parse an answer; raises InvalidAnswer unless it is exactly one envelope with one Body and at most one payload.

    A fault is read in either SOAP version: a server that knows the other one only must answer in its own. `detail`
    reads one element of its detail; by default as no schema describes it.
    """
    root = parse_answer(content, leniency or Leniency())
    version = _VERSIONS.get(str(root.tag))
    if version is None:
        raise invalid(f"is no SOAP envelope but <{_shown(root)}>")
    children = list(_body(root, version))
    if children and children[0].tag == _TAGS[version].fault:
        return _fault(children[0], version, detail or told)
    if version != soap:
        raise invalid(f"is a SOAP {version} envelope; the WSDL's port speaks SOAP {soap}")
    return _only_payload(children, encoded=encoded)


def _body(root: etree._Element, version: Soap) -> etree._Element:
    tags = _TAGS[version]
    children = list(islice(root, _MOST_PARTS))
    if children and children[0].tag == tags.header:
        del children[0]
    if len(children) != 1 or children[0].tag != tags.body:
        raise invalid("does not have exactly one Body after its Header")
    if len(children[0]) > _MOST_CHILDREN:
        raise invalid(f"has more than {_MOST_CHILDREN} elements in its Body")
    if stray_text(root) or stray_text(children[0]):
        raise invalid("has text beside its payload")
    return children[0]


def _only_payload(children: list[etree._Element], *, encoded: bool) -> Body:
    referred: dict[str, etree._Element] = {}
    payloads: list[etree._Element] = []
    for child in children:
        identity = child.get("id") if encoded else None
        if identity is None or not payloads:
            payloads.append(child)
        elif identity in referred:
            raise invalid(f"has two elements with the id '{mask_text(identity)}'")
        else:
            referred[identity] = child
    if len(payloads) > 1:
        raise invalid(f"has {len(payloads)} payloads in its Body")
    return Body(payloads[0] if payloads else None, referred)


def _fault(fault: etree._Element, version: Soap, read: Detail) -> Fault:
    parts = {etree.QName(child).localname: child for child in fault}
    if version == "1.1":
        codes, text = _dotted(_text(parts.get("faultcode"))), _text(parts.get("faultstring"))
    else:
        codes, text = _nested(parts.get("Code")), _reason(parts.get("Reason"))
    detail = parts.get("detail" if version == "1.1" else "Detail")
    return Fault(
        code=codes[0],
        text=text[:_TEXT_LIMIT],
        detail={} if detail is None else {**fields(detail, read)},
        codes=tuple(codes[1:]),
    )


def _text(element: etree._Element | None) -> str:
    return "" if element is None else "".join(map(str, element.itertext())).strip()


def _dotted(code: str) -> list[str]:
    """SOAP 1.1 section 4.4.1: what stands before a dot is the more general code. The prefix says nothing more."""
    steps = code.rpartition(":")[2].split(".")
    return [".".join(steps[:end]) for end in range(len(steps), 0, -1)][:_MOST_CODES]


def _nested(code: etree._Element | None) -> list[str]:
    """The innermost Subcode says most; the outermost Value alone is only Sender or Receiver."""
    values: list[str] = []
    while code is not None and len(values) < _MOST_CODES:
        parts = {etree.QName(child).localname: child for child in code}
        value = _text(parts.get("Value")).rpartition(":")[2]
        values += [value] if value else []
        code = parts.get("Subcode")
    return values[::-1] or [""]


def _reason(reason: etree._Element | None) -> str:
    return "" if reason is None or len(reason) == 0 else _text(reason[0])


def _shown(element: etree._Element) -> str:
    return mask_text(etree.QName(element).localname[:40])
