"""What a WSDL says and zeep forgets: simple types, how messages are encoded, faults, words; knows no plan."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from adapters.soap.actions import Action, actions
from adapters.soap.declared import Declared, declared
from adapters.soap.kin import Kin, kin
from adapters.soap.simple import SimpleTypes, simple_types

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_MIME = "{http://schemas.xmlsoap.org/wsdl/mime/}"
_SOAP = ("{http://schemas.xmlsoap.org/wsdl/soap/}", "{http://schemas.xmlsoap.org/wsdl/soap12/}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A binding's soap:body: `encoded` or literal, the parts it names (None: all), those beside it by media type."""

    encoded: bool = False
    parts: frozenset[str] | None = None
    attached: Mapping[str, str] = field(default_factory=dict)

    def takes(self, part: str) -> bool:
        """Whether a part of the message is in the body."""
        return part not in self.attached and (self.parts is None or part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything collected: simple types, uses by (binding, operation, direction).

    `faults` and `words` are by (port type, operation): names of detail elements, and the documentation;
    `actions` are those of WS-Addressing.
    """

    simple: SimpleTypes = field(default_factory=SimpleTypes)
    uses: Mapping[tuple[str, str, str], Use] = field(default_factory=dict)
    overloaded: frozenset[tuple[str, str]] = frozenset()
    faults: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    words: Mapping[tuple[str, str], str] = field(default_factory=dict)
    kin: Kin = field(default_factory=Kin)
    declared: Declared = field(default_factory=Declared)
    actions: Mapping[tuple[str, str], Action] = field(default_factory=dict)


def collect(documents: Iterable[etree._Element]) -> Facts:
    """Return what the documents of one WSDL say."""
    documents = tuple(documents)
    bound = [found for document in documents for found in _operations(document)]
    keys = [(binding, operation.get("name", "")) for binding, operation in bound]
    return Facts(
        simple=simple_types(documents),
        uses={
            (binding, operation.get("name", ""), direction): use
            for binding, operation in bound
            for direction, use in _uses(operation)
        },
        overloaded=frozenset(key for key in keys if keys.count(key) > 1),
        faults=dict(_faults(documents)),
        words=dict(_words(documents)),
        kin=kin(documents),
        declared=declared(documents),
        actions=actions(documents),
    )


def _operations(document: etree._Element, of: str = "binding") -> Iterator[tuple[str, etree._Element]]:
    target = document.get("targetNamespace", "")
    for binding in document.iterfind(_WSDL + of):
        local = binding.get("name", "").rpartition(":")[2]
        name = f"{{{target}}}{local}" if target else local
        for operation in binding.iterfind(_WSDL + "operation"):
            yield name, operation


def _words(documents: tuple[etree._Element, ...]) -> Iterator[tuple[tuple[str, str], str]]:
    for document in documents:
        for name, operation in _operations(document, "portType"):
            said = operation.find(_WSDL + "documentation")
            words = "" if said is None else " ".join("".join(map(str, said.itertext())).split())
            if words:
                yield (name, operation.get("name", "")), words


def _faults(documents: tuple[etree._Element, ...]) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Yield the detail elements by which each operation's faults are told apart: their elements, else their parts."""
    parts: dict[str, str] = {}
    for document in documents:
        for message in document.iterfind(_WSDL + "message"):
            part = message.find(_WSDL + "part")
            if part is not None:
                parts[message.get("name", "")] = part.get("element", "").rpartition(":")[2] or part.get("name", "")
    for document in documents:
        for name, operation in _operations(document, "portType"):
            named = (found.get("message", "").rpartition(":")[2] for found in operation.iterfind(_WSDL + "fault"))
            if known := tuple(dict.fromkeys(parts[message] for message in named if parts.get(message))):
                yield (name, operation.get("name", "")), known


def _uses(operation: etree._Element) -> Iterator[tuple[str, Use]]:
    for direction in ("input", "output"):
        for soap in _SOAP:
            body = operation.find(f"{_WSDL}{direction}//{soap}body")
            if body is not None:
                parts = body.get("parts")
                yield (
                    direction,
                    Use(
                        encoded=body.get("use", "literal") == "encoded",
                        parts=None if parts is None else frozenset(parts.split()),
                        attached=_attached(operation, direction),
                    ),
                )


def _attached(operation: etree._Element, direction: str) -> Mapping[str, str]:
    """Return the parts that travel beside the envelope; of several media types for one, the first."""
    found: dict[str, str] = {}
    for content in operation.iterfind(f"{_WSDL}{direction}/{_MIME}multipartRelated/{_MIME}part/{_MIME}content"):
        found.setdefault(content.get("part", ""), content.get("type", ""))
    return found
