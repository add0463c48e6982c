"""What a WSDL says and zeep forgets: facets, how messages are encoded, faults, words for people; knows no plan."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from adapters.soap.actions import Action, actions
from adapters.soap.facets import Facets, WhiteSpace
from adapters.soap.kin import Kin, clark, kin

_XSD = "{http://www.w3.org/2001/XMLSchema}"
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
    """Everything collected: facets and named types by Clark name, uses by (binding, operation, direction).

    `inner` are those of anonymous types by (the type that their element is in, their name), since a name alone may mean
    several. `faults` and `words` are by (port type, operation): names of detail elements, and the documentation;
    `actions` are those of WS-Addressing.
    """

    facets: Mapping[str, Facets] = field(default_factory=dict)
    inner: Mapping[tuple[str, str], Facets] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    uses: Mapping[tuple[str, str, str], Use] = field(default_factory=dict)
    overloaded: frozenset[tuple[str, str]] = frozenset()
    faults: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    words: Mapping[tuple[str, str], str] = field(default_factory=dict)
    kin: Kin = field(default_factory=Kin)
    actions: Mapping[tuple[str, str], Action] = field(default_factory=dict)


def collect(documents: Iterable[etree._Element]) -> Facts:
    """Return what the documents of one WSDL say."""
    documents = tuple(documents)
    types = [found for document in documents for found in _simple_types(document)]
    bound = [found for document in documents for found in _operations(document)]
    keys = [(binding, operation.get("name", "")) for binding, operation in bound]
    return Facts(
        facets=_resolve(types),
        inner=_inner(types),
        named=frozenset(found.name for found in types if found.is_global),
        uses={
            (binding, operation.get("name", ""), direction): use
            for binding, operation in bound
            for direction, use in _uses(operation)
        },
        overloaded=frozenset(key for key in keys if keys.count(key) > 1),
        faults=dict(_faults(documents)),
        words=dict(_words(documents)),
        kin=kin(documents),
        actions=actions(documents),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A restricted simple type: its base and own facets; of an anonymous one, the type that its element is in."""

    name: str
    is_global: bool
    owner: str
    base: str
    facets: Facets


def _simple_types(document: etree._Element) -> Iterator[_Found]:
    """Yield the restricted simple types as zeep names them: an anonymous one bears its parent's name."""
    for schema in document.iter(_XSD + "schema"):
        target = schema.get("targetNamespace", "")
        for simple in schema.iter(_XSD + "simpleType"):
            restriction = simple.find(_XSD + "restriction")
            if restriction is None:
                continue
            parent = simple.getparent()
            is_global = parent is schema
            name = simple.get("name") if is_global or parent is None else parent.get("name", "Anonymous")
            yield _Found(
                name=_named(target, name),
                is_global=is_global,
                owner="" if is_global else _owner(simple, target),
                base=clark(restriction.get("base", ""), restriction, target),
                facets=_facets(restriction),
            )


def _owner(simple: etree._Element, target: str) -> str:
    """Return the name of the complex type that a type is in, as zeep names that; "" where there is none."""
    complex_type = next(simple.iterancestors(_XSD + "complexType"), None)
    if complex_type is None:
        return ""
    parent = complex_type.getparent()
    name = complex_type.get("name") or (None if parent is None else parent.get("name"))
    return _named(target, name)


def _named(target: str, name: str | None) -> str:
    return f"{{{target}}}{name}" if target else f"{name}"


def _facets(restriction: etree._Element) -> Facets:
    values = {
        str(facet.tag).removeprefix(_XSD): facet.get("value", "") for facet in restriction.iterchildren(_XSD + "*")
    }
    exact = values.get("length", "")
    spaces: Mapping[str, WhiteSpace] = {"preserve": "preserve", "replace": "replace", "collapse": "collapse"}
    patterns = tuple(found.get("value", "") for found in restriction.iterfind(_XSD + "pattern"))
    return Facets(
        allowed=tuple(found.get("value", "") for found in restriction.iterfind(_XSD + "enumeration")),
        min_length=_count(values.get("minLength", exact)) or 0,
        max_length=_count(values.get("maxLength", exact)),
        patterns=(patterns,) if patterns else (),
        low=values.get("minInclusive", ""),
        above=values.get("minExclusive", ""),
        high=values.get("maxInclusive", ""),
        below=values.get("maxExclusive", ""),
        total_digits=_count(values.get("totalDigits", "")),
        fraction_digits=_count(values.get("fractionDigits", "")),
        white_space=spaces.get(values.get("whiteSpace", "")),
    )


def _count(text: str) -> int | None:
    return int(text) if text.strip().isdecimal() else None


_Known = Mapping[str, tuple[str, Facets]]  # by name: base type, own facets


def _resolve(types: Iterable[_Found]) -> dict[str, Facets]:
    """Join each type's facets with its bases'; two different types under one name have none, not wrong ones."""
    known, ambiguous = _known(types)
    return {name: _joined(base, facets, known) for name, (base, facets) in known.items() if name not in ambiguous}


def _inner(types: Iterable[_Found]) -> dict[tuple[str, str], Facets]:
    """Join the facets of anonymous types, each by where it is; as above."""
    types = tuple(types)
    known, _ = _known(found for found in types if found.is_global)
    inner: dict[tuple[str, str], Facets] = {}
    ambiguous: set[tuple[str, str]] = set()
    for found in types:
        if found.owner:
            key, joined = (found.owner, found.name), _joined(found.base, found.facets, known)
            if inner.setdefault(key, joined) != joined:
                ambiguous.add(key)
    return {key: facets for key, facets in inner.items() if key not in ambiguous}


def _known(types: Iterable[_Found]) -> tuple[_Known, set[str]]:
    known: dict[str, tuple[str, Facets]] = {}
    ambiguous: set[str] = set()
    for found in types:
        restriction = (found.base, found.facets)
        if known.setdefault(found.name, restriction) != restriction:
            ambiguous.add(found.name)
    return known, ambiguous


def _joined(base: str, facets: Facets, known: _Known) -> Facets:
    seen: set[str] = set()
    while base in known and base not in seen:
        seen.add(base)
        base, own = known[base]
        facets = facets.joined(own)
    return facets


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
