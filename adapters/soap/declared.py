"""What a schema fixes or forbids of elements and attributes (`fixed`, `use="prohibited"`), which zeep forgets."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from adapters.soap.kin import clark

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_DEEPEST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one declaration says: the only value there may be (None: any), or that there may be none."""

    fixed: str | None = None
    prohibited: bool = False


_NOTHING = Said()


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Declarations by (the complex type they are in, their local name), attributes as `@name`; `bases` of types.

    What is global, or in a named group, is in "". Two of one name that say different things say nothing.
    """

    said: Mapping[tuple[str, str], Said] = field(default_factory=dict)
    bases: Mapping[str, str] = field(default_factory=dict)

    def find(self, owner: str, name: str) -> Said:
        """Return what is said of an element or attribute of a type: by itself, else by the nearest of its bases."""
        for _ in range(_DEEPEST):
            if (owner, name) in self.said:
                return self.said[owner, name]
            if not owner:
                break
            owner = self.bases.get(owner, "")
        return _NOTHING


def declared(documents: Iterable[etree._Element]) -> Declared:
    """Return what the documents of one WSDL say."""
    schemas = [schema for document in documents for schema in document.iter(_XSD + "schema")]
    found = [one for schema in schemas for one in _said(schema)]
    if all(said == _NOTHING for _, said in found):
        return Declared()
    known: dict[tuple[str, str], Said] = {}
    for key, said in found:
        known[key] = said if known.get(key, said) == said else _NOTHING
    return Declared(said=known, bases=dict(_bases(schemas)))


def _said(schema: etree._Element) -> Iterator[tuple[tuple[str, str], Said]]:
    target = schema.get("targetNamespace", "")
    for node in schema.iter(_XSD + "element", _XSD + "attribute"):
        name = node.get("name") or node.get("ref", "").rpartition(":")[2]
        own = name if node.tag == _XSD + "element" else f"@{name}"
        said = Said(fixed=node.get("fixed"), prohibited=node.get("use") == "prohibited")
        if not (node.get("ref") and said == _NOTHING):
            yield (_owner(node, target), own), said


def _owner(node: etree._Element, target: str) -> str:
    above = next(node.iterancestors(_XSD + "complexType"), None)
    return "" if above is None else _type_name(above, target)


def _type_name(node: etree._Element, target: str) -> str:
    """Return a complex type's Clark name: an anonymous one has that of its element, as it does with zeep."""
    parent = node.getparent()
    name = node.get("name") or (None if parent is None else parent.get("name")) or ""
    return f"{{{target}}}{name}" if target else name


def _bases(schemas: Iterable[etree._Element]) -> Iterator[tuple[str, str]]:
    for schema in schemas:
        target = schema.get("targetNamespace", "")
        for node in schema.iter(_XSD + "complexType"):
            for how in ("extension", "restriction"):
                for derived in node.iterfind(f"*/{_XSD}{how}"):
                    yield _type_name(node, target), clark(derived.get("base", ""), derived, target)
