"""From zeep's elements and types to fields and shapes; types that several messages share are planned once."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any as Zeep

from lxml import etree
from zeep import xsd
from zeep.exceptions import Error as ZeepError
from zeep.xsd.elements import AnyAttribute, AttributeGroup
from zeep.xsd.types.builtins import BuiltinType
from zeep.xsd.types.collection import ListType, UnionType

from adapters.soap.facets import NO_FACETS, Facets, restricted
from adapters.soap.facts import Facts
from adapters.soap.lexical import TYPES
from adapters.soap.particles import Particles, most_of
from adapters.soap.pattern import Unreadable
from adapters.soap.plan import ANYTHING, ENCODING, TEXT, XSD, Field, Names, Shape
from adapters.soap.simple import Simple

_ENCODED = frozenset(ENCODING.values())
_MOST_VARIANTS = 500


class Types:
    """Elements and types of one use (literal or encoded), each planned once; `finish` after the last of them."""

    def __init__(self, schema: Zeep, facts: Facts, *, encoded: bool) -> None:
        self._schema = schema
        self._facts = facts
        self._encoded = encoded
        self._planned: dict[int, Shape] = {}
        self._variants: dict[str, dict[Names, Field]] = {}  # by the base's Clark name, "" for anyType
        self._waiting: list[str] = []
        self._owners: list[str] = []
        self._globals = dict(_global_names(schema))
        # zeep makes some type objects on the fly: held here, so that no other takes over their id.
        self._kept: list[object] = []

    def leaf(self, name: str, element: Zeep, owner: Zeep) -> Field:
        """Return a simple element, an attribute (`@name`) or the own text (`#text`) of a complex type as a field."""
        own = str(owner.qname.text) if owner.qname is not None else ""
        self._owners.append(own)
        field = self._typed(name, "", element.type)
        said = self._facts.declared.find("" if element.is_global else own, name)
        self._owners.pop()
        if name == TEXT:
            return _narrowed(field, self._facts.simple.content.get(own))
        field = field if said.fixed is None else _fixed(field, said.fixed)
        return replace(field, least=0, most=most_of(element), nillable=bool(element.nillable))

    def part(self, name: str, part: Zeep) -> Field:
        """Return the field of a message's part: its element, or one of the part's name without a namespace."""
        return self._typed(name, name, part.type) if part.element is None else self.element(part.element)

    def element(self, element: Zeep) -> Field:
        """Return an element's field."""
        name = element.qname.localname
        declared = self._typed(name, element.qname.text, element.type)
        said = self._facts.declared.find("" if element.is_global else self._owner, name)
        return replace(
            declared if said.fixed is None else _fixed(declared, said.fixed),
            least=int(element.min_occurs),
            most=most_of(element),
            nillable=bool(element.nillable) or self._encoded,
        )

    def alternatives(self, element: Zeep) -> tuple[Field, ...]:
        """Return an element's field, or those of its substitution group, the abstract ones left out."""
        own = str(element.qname.text)
        members = self._facts.kin.substitutes.get(own, ()) if element.is_global else ()
        names = [name for name in (own, *members) if name not in self._facts.kin.abstract_elements]
        if names == [own] or not names:
            return (self.element(element),)
        found = (element if name == own else self._substitute(name, element) for name in names)
        return tuple(self.element(one) for one in found if one is not None) or (self.element(element),)

    def finish(self) -> None:
        """Plan the types that xsi:type may name; until then variants are empty."""
        while self._waiting:
            base = self._waiting.pop()
            found = self._variants[base]
            for type_ in self._derived(base):
                local, clark = str(type_.qname.localname), str(type_.qname.text)
                twin = any(one.name == local for one in found.values())
                found[_qname(type_)] = replace(self._typed(local, "", type_), name=clark if twin else local)

    def _derived(self, base: str) -> Iterator[Zeep]:
        abstract = self._facts.kin.abstract
        names = [name for name in self._facts.kin.derived.get(base, ()) if name not in abstract]
        known = [self._global(name) for name in names]
        # What a schema repeats from the standards is not what an agency declares.
        ours = [one for one in known if one is not None and one.qname.namespace not in {XSD, *_ENCODED}]
        yield from [one for one in ours if isinstance(one, xsd.ComplexType)][:_MOST_VARIANTS]

    def _global(self, name: str) -> Zeep | None:
        try:
            return self._schema.get_type(name, fail_silently=True)
        except ZeepError:  # of a schema that nothing imports
            return None

    def _substitute(self, name: str, element: Zeep) -> Zeep | None:
        try:
            found = self._schema.get_element(name)
        except ZeepError:
            return None
        return found.clone(min_occurs=element.min_occurs, max_occurs=element.max_occurs)

    def _of(self, base: str) -> dict[Names, Field]:
        if base not in self._variants:
            self._variants[base] = {}
            self._waiting.append(base)
        return self._variants[base]

    def _typed(self, name: str, tag: str, type_: Zeep) -> Field:
        if isinstance(type_, xsd.ComplexType):
            return self._complex(name, tag, type_)
        if isinstance(type_, ListType | UnionType):
            return self._compound(name, tag, type_)
        if isinstance(type_, BuiltinType):
            return self._simple(name, tag, type_)
        if isinstance(type_, xsd.AnySimpleType):
            return _text(name, tag)
        return Field(name=name, tag=tag, kind="any", variants=self._of(""))

    def _complex(self, name: str, tag: str, type_: Zeep) -> Field:
        own = str(type_.qname.text) if type_.qname is not None and type_.is_global else ""
        content = self._shape(type_)
        if own and type_.qname.namespace in _ENCODED and content.text is not None:
            # soapenc:string and its like: a text that may be referred to.
            return replace(content.text, name=name, tag=tag, xsi=_qname(type_), nillable=True)
        field = Field(name=name, tag=tag, kind="object", xsi=_qname(type_) if own else None, shape=content)
        derived = own and own in self._facts.kin.derived and type_.qname.namespace not in {XSD, *_ENCODED}
        return replace(
            field,
            variants=self._of(own) if derived else {},
            abstract=own in self._facts.kin.abstract,
        )

    def _compound(self, name: str, tag: str, type_: Zeep) -> Field:
        """A list or a union, of which zeep keeps neither the name nor the facets."""
        own, said = self._said(name, type_)
        if said is None or not (said.item or said.members):
            members = type_.item_types if isinstance(type_, UnionType) else (type_.item_type,)
            inner = tuple(Simple(builtin=builtin_of(one)) for one in members)
            said = Simple(members=inner) if isinstance(type_, UnionType) else Simple(item=inner[0])
        return replace(_declared(name, tag, said), xsi=own)

    def _said(self, name: str, type_: Zeep) -> tuple[Names | None, Simple | None]:
        """Return a list's or union's name where it has one, and what is declared of it."""
        simple = self._facts.simple
        item = getattr(type_, "item_type", None)
        own = str(item.text) if isinstance(item, etree.QName) else self._globals.get(id(type_), "")
        if own in simple.named:
            qname = etree.QName(own)
            return (qname.namespace or "", qname.localname), simple.known.get(own)
        # Of a restricted union only the class has the type's name.
        local = type(type_).__name__ if type(type_) not in {ListType, UnionType} else name.lstrip("@")
        return None, simple.anonymous(self._owner, local)

    @property
    def _owner(self) -> str:
        return self._owners[-1] if self._owners else ""

    def _named(self, type_: Zeep) -> Names | None:
        qname = getattr(type_, "qname", None)
        return _qname(type_) if qname is not None and str(qname.text) in self._facts.simple.named else None

    def _simple(self, name: str, tag: str, type_: Zeep) -> Field:
        builtin = builtin_of(type_)
        own = str(type_.qname.text)
        named = own in self._facts.simple.named
        facets = NO_FACETS if own.startswith(f"{{{XSD}}}") else self._facts.simple.find(self._owner, own).facets
        return Field(
            name=name,
            tag=tag,
            kind=TYPES[builtin].kind if builtin in TYPES else "text",
            type=builtin,
            xsi=_qname(type_) if named else (XSD, builtin),
            facets=_readable(builtin, facets),
        )

    def _shape(self, type_: Zeep) -> Shape:
        key = id(type_)
        if key not in self._planned:
            self._kept.append(type_)
            self._planned[key] = Shape()
            self._owners.append(str(type_.qname.text) if type_.qname is not None else "")
            self._planned[key].become(self._content(type_))
            self._owners.pop()
        return self._planned[key]

    def _content(self, type_: Zeep) -> Shape:
        if type_._array_type is not None:  # noqa: SLF001
            return self._array(type_)
        name = str(type_.name or "")
        content = type_._element  # noqa: SLF001
        attributes = tuple(self._attributes(type_))
        loose = any(isinstance(one, AnyAttribute) for one in _flat(type_._attributes))  # noqa: SLF001
        if isinstance(content, xsd.Element):
            if not isinstance(content.type, BuiltinType | ListType | UnionType):
                return Shape(name=name, fields=(ANYTHING,), attributes=attributes, open=True, loose=loose)
            text = _narrowed(self._typed(TEXT, "", content.type), self._facts.simple.content.get(self._owner))
            return Shape(name=name, attributes=attributes, text=text, loose=loose)
        particles = Particles(self)
        if content is not None:
            particles.add(content)
        return Shape(
            name=name,
            fields=tuple(particles.fields),
            attributes=attributes,
            choices=tuple(particles.choices),
            open=particles.open,
            loose=loose,
            ordered=particles.ordered and not self._encoded,
            scattered=particles.scattered,
            odd=f"type '{name or type_.qname.localname}' {particles.odd}" if particles.odd else "",
        )

    def _attributes(self, type_: Zeep) -> Iterator[Field]:
        for attribute in _flat(type_._attributes):  # noqa: SLF001
            if isinstance(attribute, AnyAttribute) or attribute.qname.namespace in _ENCODED:
                continue
            said = self._facts.declared.find(self._owner, f"@{attribute.qname.localname}")
            if said.prohibited:
                continue
            found = self._typed(f"@{attribute.qname.localname}", attribute.qname.text, attribute.type)
            if found.kind == "any" and not found.members:
                found = _text(found.name, found.tag)
            if not (self._encoded and found.name in {"@id", "@href"}):
                found = found if said.fixed is None else _fixed(found, said.fixed)
                yield replace(found, least=int(attribute.required))

    def _array(self, type_: Zeep) -> Shape:
        """An encoded array: the type of its items is in wsdl:arrayType, their name at most in a sequence."""
        declared: Zeep = type_._array_type.array_type  # noqa: SLF001
        content: Zeep = type_._element  # noqa: SLF001
        inner = content[0] if isinstance(content, xsd.Sequence) and len(content) == 1 else None
        name = tag = "item"
        if isinstance(inner, xsd.Element):
            name, tag = str(inner.qname.localname), str(inner.qname.text)
            declared = declared or inner.type
        item = Field(name=name, tag=tag, kind="any") if declared is None else self._typed(name, tag, declared)
        item = replace(item, least=0, most=None, nillable=True)
        return Shape(fields=(item,), item=item.xsi or (XSD, "anyType"))


def _declared(name: str, tag: str, said: Simple) -> Field:
    """Return the field of a simple type as it is declared."""
    if said.item is not None:
        item = _declared(name, tag, said.item)
        if item.whole != NO_FACETS:
            item = Field(name=name, tag=tag, kind=item.kind, type=item.type, members=(item,))
        return replace(item, listed=True, whole=_readable("", said.facets))
    if said.members:
        members = tuple(_declared(name, tag, member) for member in said.members)
        kinds = {member.kind for member in members if not member.listed}
        kind = kinds.pop() if len(kinds) == 1 else "any"
        whole = _readable("", said.facets)
        return Field(name=name, tag=tag, kind=kind, type="anySimpleType", members=members, whole=whole)
    kind = TYPES[said.builtin].kind if said.builtin in TYPES else "text"
    facets = _readable(said.builtin, said.facets)
    return Field(name=name, tag=tag, kind=kind, type=said.builtin, xsi=(XSD, said.builtin), facets=facets)


def _narrowed(text: Field, facets: Facets | None) -> Field:
    """Return the own text of a complex type, by what that says of it beyond the text's type."""
    text = replace(text, least=1)
    if facets is None or facets == NO_FACETS:
        return text
    if text.listed or text.members:
        return replace(text, whole=_readable("", facets.joined(text.whole)))
    return replace(text, facets=_readable(text.type, facets.joined(text.facets)))


def _fixed(field: Field, text: str) -> Field:
    """Return a field that may hold one value only, and that has it where its element is empty."""
    if field.shape is not None or (field.kind == "any" and not field.members):
        return field
    return replace(_narrowed(field, Facets(allowed=(text,))), fixed=text)


def _readable(builtin: str, facets: Facets) -> Facets:
    """Return facets that can be understood, else ones that say why not; those of a whole are texts' (builtin "")."""
    try:
        restricted(builtin, facets)
    except Unreadable as error:
        return Facets(unreadable=str(error))
    return facets


def _text(name: str, tag: str) -> Field:
    return Field(name=name, tag=tag, kind="text", type="string", xsi=(XSD, "string"))


def _global_names(schema: Zeep) -> Iterator[tuple[int, str]]:
    """Yield the names of lists and unions by their ids: zeep gives them none."""
    for document in schema.documents:
        for name, type_ in document._types.items():  # noqa: SLF001
            if isinstance(type_, ListType | UnionType):
                yield id(type_), str(name)


def _flat(attributes: list[Zeep]) -> Iterator[Zeep]:
    for attribute in attributes:
        if isinstance(attribute, AttributeGroup):
            yield from _flat(attribute.attributes)
        else:
            yield attribute


def _qname(type_: Zeep) -> tuple[str, str]:
    return type_.qname.namespace or "", type_.qname.localname


def builtin_of(type_: Zeep) -> str:
    """Return the built-in type that a simple type restricts; zeep makes restrictions subclasses of it."""
    built_in = next((cls for cls in type(type_).__mro__ if cls.__module__ == BuiltinType.__module__), None)
    qname = getattr(built_in, "_default_qname", None)
    return "string" if qname is None else str(etree.QName(qname).localname)
