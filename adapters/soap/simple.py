"""Simple types as a WSDL declares them: restrictions, lists and unions with their facets, which zeep forgets."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from lxml import etree

from adapters.soap.facets import NO_FACETS, Facets, WhiteSpace
from adapters.soap.kin import clark

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_DEEPEST = 50

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class Simple:
    """One type: a restriction of the `builtin`, a list of `item` or a union of `members`, by `facets`."""

    builtin: str = "string"
    facets: Facets = NO_FACETS
    item: "Simple | None" = None
    members: tuple["Simple", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SimpleTypes:
    """All simple types by Clark name; two different ones under one name are none, rather than wrong ones.

    `inner` are anonymous types by (the complex type that their element is in, their element's name), since a name alone
    may mean several. `content` are the facets of the own text of complex types. `named` are those that have a name.
    """

    known: Mapping[str, Simple] = field(default_factory=dict)
    inner: Mapping[tuple[str, str], Simple] = field(default_factory=dict)
    content: Mapping[str, Facets] = field(default_factory=dict)
    named: frozenset[str] = frozenset()

    def find(self, owner: str, own: str) -> Simple:
        """Return the type of a Clark name, within a complex type where it is anonymous."""
        found = self.inner.get((owner, own)) if own not in self.named else None
        return found or self.known.get(own, Simple())

    def anonymous(self, owner: str, local: str) -> Simple | None:
        """Return the type of an element whose namespace nobody knows, if there is one only."""
        inner = {name: one for (of, name), one in self.inner.items() if of == owner and _local(name) == local}
        known = inner or {name: one for name, one in self.known.items() if _local(name) == local}
        return next(iter(known.values())) if len(known) == 1 else None


def simple_types(documents: Iterable[etree._Element]) -> SimpleTypes:
    """Return what the documents of one WSDL declare."""
    schemas = [schema for document in documents for schema in document.iter(_XSD + "schema")]
    nodes = [node for schema in schemas for node in schema.iter(_XSD + "simpleType")]
    declared = _Declared((_name(node), node) for node in nodes if _is_global(node))
    # An anonymous type bears its parent's name, as it does with zeep.
    named = [(_name(node), _owner(node), declared.type(node)) for node in nodes if _name(node)]
    return SimpleTypes(
        known=_certain((name, one) for name, _, one in named),
        inner=_certain(((owner, name), one) for name, owner, one in named if owner),
        content=_content(schemas),
        named=frozenset(_name(node) for node in nodes if _is_global(node)),
    )


class _Declared:
    """Types by name, and what follows from them."""

    def __init__(self, named: Iterable[tuple[str, etree._Element]]) -> None:
        self._named: dict[str, list[etree._Element]] = {}
        for name, node in named:
            self._named.setdefault(name, []).append(node)

    def type(self, node: etree._Element, depth: int = 0) -> Simple:
        """Return what a simpleType says."""
        if (restriction := node.find(_XSD + "restriction")) is not None:
            base = self._of(restriction, "base", depth) or Simple()
            return replace(base, facets=facets_of(restriction).joined(base.facets))
        if (listed := node.find(_XSD + "list")) is not None:
            return Simple(item=self._of(listed, "itemType", depth) or Simple())
        union = node.find(_XSD + "union")
        if union is None:
            return Simple()
        names = (self._known(name, union, depth) for name in union.get("memberTypes", "").split())
        inner = (self.type(one, depth + 1) for one in union.iterchildren(_XSD + "simpleType"))
        return Simple(members=(*names, *inner))

    def _of(self, node: etree._Element, attribute: str, depth: int) -> Simple | None:
        if name := node.get(attribute):
            return self._known(name, node, depth)
        inner = node.find(_XSD + "simpleType")
        return None if inner is None else self.type(inner, depth + 1)

    def _known(self, name: str, node: etree._Element, depth: int) -> Simple:
        full = clark(name, node, _target(node))
        found = self._named.get(full, []) if depth < _DEEPEST else []
        types = {self.type(one, depth + 1) for one in found}
        return types.pop() if len(types) == 1 else Simple(builtin=_local(full))


def facets_of(restriction: etree._Element) -> Facets:
    """Return the facets that a restriction names."""
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


def _content(schemas: Iterable[etree._Element]) -> dict[str, Facets]:
    """Return what complex types say of their own text, each with what its bases say."""
    found: list[tuple[str, tuple[str, Facets]]] = []
    for schema in schemas:
        for node in schema.iter(_XSD + "complexType"):
            for derived in node.iterfind(f"{_XSD}simpleContent/*"):
                own = facets_of(derived) if derived.tag == _XSD + "restriction" else NO_FACETS
                found.append((_name(node), (clark(derived.get("base", ""), derived, _target(derived)), own)))
    known = _certain(found)
    return {name: _joined(name, known) for name in known}


def _joined(name: str, known: Mapping[str, tuple[str, Facets]]) -> Facets:
    facets, seen = NO_FACETS, set[str]()
    while name in known and name not in seen:
        seen.add(name)
        name, own = known[name]
        facets = facets.joined(own)
    return facets


def _certain(pairs: Iterable[tuple[K, V]]) -> dict[K, V]:
    """Return what each name means, without the names that mean several things."""
    found: dict[K, V] = {}
    uncertain: set[K] = set()
    for name, one in pairs:
        if found.setdefault(name, one) != one:
            uncertain.add(name)
    return {name: one for name, one in found.items() if name not in uncertain}


def _is_global(node: etree._Element) -> bool:
    parent = node.getparent()
    return parent is not None and parent.tag == _XSD + "schema"


def _name(node: etree._Element) -> str:
    """Return a type's Clark name: an anonymous one has that of its element or attribute, "" where there is none."""
    parent = node.getparent()
    name = node.get("name") or (None if parent is None else parent.get("name"))
    return _named(_target(node), name) if name else ""


def _owner(node: etree._Element) -> str:
    """Return the name of the complex type that an anonymous type is in, "" where there is none."""
    above: Iterator[etree._Element] = node.iterancestors(_XSD + "complexType")
    complex_type = None if _is_global(node) else next(above, None)
    return "" if complex_type is None else _name(complex_type)


def _target(node: etree._Element) -> str:
    schema = next(node.iterancestors(_XSD + "schema"), None)
    return "" if schema is None else schema.get("targetNamespace", "")


def _named(target: str, name: str) -> str:
    return f"{{{target}}}{name}" if target else name


def _local(name: str) -> str:
    return name.rpartition("}")[2]
