"""The simple values in zeep's graph: to zeep they are texts, what they are is a plan's; knows no documents."""

from collections.abc import Iterable, Iterator
from typing import Any as Zeep

from zeep import xsd
from zeep.xsd.elements.indicators import Indicator

from adapters.soap.plan import TEXT, Field
from adapters.soap.types import Types


class Leaves:
    """The fields of all simple elements, attributes and own texts, by the complex type that they are in.

    Making one takes their types out of zeep's graph: nothing can be planned from that afterwards.
    """

    def __init__(self, schema: Zeep, roots: Iterable[Zeep], types: Types) -> None:
        self._fields: dict[tuple[int, str], Field] = {}
        found: list[Zeep] = []
        seen: set[int] = set()
        waiting = [*_global_types(schema), *(root.type for root in roots)]
        while waiting:
            owner = waiting.pop()
            if not isinstance(owner, xsd.ComplexType) or id(owner) in seen:
                continue
            seen.add(id(owner))
            for name, field_name, one in _inside(owner):
                if isinstance(one.type, xsd.AnySimpleType):
                    self._fields[id(owner), name] = types.leaf(field_name, one, owner)
                    found.append(one)
                else:
                    waiting.append(one.type)
        for one in found:
            one.type = _AS_IT_IS

    def field(self, owner: Zeep, name: str) -> Field | None:
        """Return what is simple there by zeep's name for it, else None."""
        return self._fields.get((id(owner), name))


_AS_IT_IS = xsd.String()  # type: ignore[no-untyped-call]


def attributes_of(type_: Zeep) -> dict[str, Zeep]:
    """Return a type's attributes by zeep's names for them."""
    return {name: one for name, one in getattr(type_, "attributes", ()) if one.name}


def elements_of(particle: Zeep) -> Iterator[tuple[str, Zeep]]:
    """Yield the elements of a type by zeep's names for them; its own text is one, too."""
    for name, inner in getattr(particle, "elements_nested", ()):
        if isinstance(inner, Indicator):
            yield from elements_of(inner)
        elif name is not None:
            yield name, inner


def _inside(owner: Zeep) -> Iterator[tuple[str, str, Zeep]]:
    """Yield zeep's name, the field's name and zeep's element for all that a complex type holds itself."""
    content = owner._element  # noqa: SLF001
    for name, one in elements_of(owner):
        if isinstance(one, xsd.Element):
            yield name, TEXT if one is content else str(one.qname.localname), one
    for name, one in attributes_of(owner).items():
        yield name, f"@{one.qname.localname}", one


def _global_types(schema: Zeep) -> Iterator[Zeep]:
    """Yield what xsi:type may name, and the types of elements."""
    for document in schema.documents:
        yield from document._types.values()  # noqa: SLF001
        yield from (getattr(one, "type", None) for one in document._elements.values())  # noqa: SLF001
