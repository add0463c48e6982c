"""Which types and elements of a schema may stand for others, and which only stand for others; zeep forgets it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

_XSD = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """By Clark name: the types derived from a type, the elements of a substitution group, and what is abstract.

    All named complex types are derived from "", which is no name.
    """

    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    substitutes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    abstract: frozenset[str] = frozenset()
    abstract_elements: frozenset[str] = frozenset()


def kin(documents: Iterable[etree._Element]) -> Kin:
    """Return what the documents of one WSDL say."""
    schemas = [schema for document in documents for schema in document.iter(_XSD + "schema")]
    return Kin(
        derived=_followed(_groups(_derived(schemas))),
        substitutes=_followed(_groups(_substitutes(schemas))),
        abstract=frozenset(_abstract(schemas, "complexType")),
        abstract_elements=frozenset(_abstract(schemas, "element")),
    )


def clark(name: str, element: etree._Element, target: str) -> str:
    """Return the Clark name that a prefixed one means where it stands."""
    prefix, _, local = name.rpartition(":")
    namespace = element.nsmap.get(prefix or None) or (target if not prefix else "")
    return f"{{{namespace}}}{local}" if namespace else local


def _own(element: etree._Element, target: str) -> str:
    name = element.get("name", "")
    return f"{{{target}}}{name}" if target else f"{name}"


def _derived(schemas: Iterable[etree._Element]) -> Iterator[tuple[str, str]]:
    for schema in schemas:
        target = schema.get("targetNamespace", "")
        for found in schema.iterfind(_XSD + "complexType"):
            yield "", _own(found, target)
            for how in ("extension", "restriction"):
                for said in found.iterfind(f"*/{_XSD}{how}"):
                    yield clark(said.get("base", ""), said, target), _own(found, target)


def _substitutes(schemas: Iterable[etree._Element]) -> Iterator[tuple[str, str]]:
    for schema in schemas:
        target = schema.get("targetNamespace", "")
        for found in schema.iterfind(_XSD + "element"):
            if head := found.get("substitutionGroup"):
                yield clark(head, found, target), _own(found, target)


def _abstract(schemas: Iterable[etree._Element], what: str) -> Iterator[str]:
    for schema in schemas:
        target = schema.get("targetNamespace", "")
        for found in schema.iterfind(_XSD + what):
            if found.get("abstract") in {"true", "1"}:
                yield _own(found, target)


def _groups(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for base, name in pairs:
        if name != base and name not in found.setdefault(base, []):
            found[base].append(name)
    return found


def _followed(groups: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """Return each group with the groups of its members."""
    return {base: tuple(_below(base, groups)) for base in groups}


def _below(base: str, groups: Mapping[str, list[str]]) -> list[str]:
    found: list[str] = []
    waiting = [*groups[base]]
    while waiting:
        name = waiting.pop(0)
        if name not in found and name != base:
            found.append(name)
            waiting += groups.get(name, [])
    return found
