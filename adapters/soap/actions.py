"""Which wsa:Action an operation has: what the WSDL names, else its SOAPAction, else what its names make."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_NAMED = (
    "{http://www.w3.org/2007/05/addressing/metadata}Action",
    "{http://www.w3.org/2006/05/addressing/wsdl}Action",
    "{http://www.w3.org/2005/08/addressing}Action",
    "{http://schemas.xmlsoap.org/ws/2004/08/addressing}Action",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What the WSDL names, "" if nothing, and what the standard builds of its names."""

    named: str
    built: str

    def beside(self, soap_action: str) -> str:
        """Return the action (WS-Addressing 1.0 Metadata section 4.4)."""
        return self.named or soap_action or self.built


def actions(documents: Iterable[etree._Element]) -> Mapping[tuple[str, str], Action]:
    """Return the actions of all requests by (port type, operation)."""
    return {key: action for document in documents for key, action in _actions(document)}


def _actions(document: etree._Element) -> Iterator[tuple[tuple[str, str], Action]]:
    target = document.get("targetNamespace", "")
    for port_type in document.iterfind(_WSDL + "portType"):
        port = port_type.get("name", "")
        for operation in port_type.iterfind(_WSDL + "operation"):
            request = operation.find(_WSDL + "input")
            if request is None:
                continue
            name = operation.get("name", "")
            answered = "Request" if operation.find(_WSDL + "output") is not None else ""
            built = _built(target, port, request.get("name") or name + answered)
            named = next(filter(None, map(request.get, _NAMED)), "")
            yield (f"{{{target}}}{port}" if target else port, name), Action(named=named, built=built)


def _built(target: str, port_type: str, name: str) -> str:
    between = ":" if target.startswith("urn:") else "/"
    return between.join((target.removesuffix(between), port_type, name))
