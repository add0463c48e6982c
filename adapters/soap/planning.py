"""From zeep's type graph to plans; whatever a plan can't say makes that one operation unusable, with the reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any as Zeep

from lxml import etree
from zeep import xsd
from zeep.wsdl.bindings import Soap12Binding
from zeep.xsd.elements import AnyAttribute, AttributeGroup
from zeep.xsd.elements.builtins import Schema
from zeep.xsd.types.builtins import BuiltinType
from zeep.xsd.types.collection import ListType, UnionType

from adapters.soap.facts import Facets, Facts, Use
from adapters.soap.lexical import TYPES
from adapters.soap.plan import (
    ENCODING,
    ENVELOPE,
    MEDIA_TYPE,
    OCTETS,
    TEXT,
    XSD,
    XSI,
    Choice,
    Field,
    MessagePlan,
    OperationPlan,
    Option,
    Shape,
    Soap,
)
from adapters.soap.wsdl import Loaded, load
from gateway import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """A port's address, the plan of each operation, and why the others have none."""

    address: str
    soap: Soap
    operations: Mapping[str, OperationPlan]
    refused: Mapping[str, Finding]


def read_plans(path: Path, *, service: str = "", port: str = "") -> Plans:
    """Load a WSDL and plan every operation of one port; blocking; keeps nothing of zeep. Raises ConfigError."""
    loaded = load(path, service=service, port=port)
    planner = _Planner(loaded)
    operations: dict[str, OperationPlan] = {}
    refused: dict[str, Finding] = {}
    for name in planner.binding.all():
        try:
            operations[name] = planner.operation(name)
        except _Unplannable as reason:
            remedy = "call another operation, or write an adapter for this one"
            refused[name] = Finding(where=str(path), what=f"operation '{name}' {reason}", remedy=remedy)
    for name in _bound(loaded) - operations.keys() - refused.keys():
        what = f"operation '{name}' is incomplete: {'; '.join(loaded.dropped)}"
        refused[name] = Finding(where=str(path), what=what, remedy="correct the file")
    return Plans(address=loaded.address, soap=planner.soap, operations=operations, refused=refused)


def _bound(loaded: Loaded) -> set[str]:
    """Return the operations that the port's binding names; zeep drops those that it can't resolve."""
    binding: Zeep = loaded.port.binding
    return {operation for name, operation, _ in loaded.facts.uses if name == binding.name.text}


class _Unplannable(Exception):
    """Why an operation can't be called."""


class _Planner:
    """Plans messages; types shared between messages are planned once."""

    def __init__(self, loaded: Loaded) -> None:
        self.binding: Zeep = loaded.port.binding
        self.facts = loaded.facts
        self.soap: Soap = "1.2" if isinstance(self.binding, Soap12Binding) else "1.1"
        self._types = {encoded: _Types(loaded.facts, encoded=encoded) for encoded in (False, True)}

    def operation(self, name: str) -> OperationPlan:
        found = self.binding.get(name)
        if (self.binding.name.text, name) in self.facts.overloaded:
            raise _Unplannable("is overloaded: several operations have this name")
        if found.input is None:
            raise _Unplannable("has no input")
        return OperationPlan(
            name=name,
            action=found.soapaction or "",
            request=self._message(found, "input"),
            reply=None if found.output is None else self._message(found, "output"),
            faults=self.facts.faults.get((self.binding.port_name.text, name), ()),
            words=self.facts.words.get((self.binding.port_name.text, name), ""),
            addressed=self.facts.actions[(self.binding.port_name.text, name)].beside(found.soapaction or ""),
        )

    def _message(self, operation: Zeep, direction: str) -> MessagePlan:
        message: Zeep = getattr(operation, direction)
        use = self.facts.uses.get((self.binding.name.text, operation.name, direction))
        if use is None:
            raise _Unplannable("has another kind of body than SOAP's, which is not sent or read here")
        types = self._types[use.encoded]
        rpc = operation.style == "rpc"
        payload = self._rpc(operation, direction, types, use) if rpc else _document(message, types, use)
        attached = tuple(_attachment(name, media_type) for name, media_type in use.attached.items())
        if (
            payload is not None
            and payload.shape is not None
            and not use.attached.keys().isdisjoint(payload.shape.names)
        ):
            raise _Unplannable("has an attachment with the name of an element")
        headers = {found.name: replace(found, least=0) for found in _headers(message, types)}
        return MessagePlan(
            soap=self.soap,
            rpc=rpc,
            encoded=use.encoded,
            payload=payload,
            headers=headers,
            prefixes=_prefixes(self.soap, (payload, *headers.values())),
            attached=attached,
        )

    def _rpc(self, operation: Zeep, direction: str, types: "_Types", use: Use) -> Field:
        message: Zeep = getattr(operation, direction)
        name = operation.name if direction == "input" else f"{operation.name}Response"
        # The message has no body where the operation has no parts; the wrapper is there all the same.
        parts = () if message.body is None else message.body.type._element  # noqa: SLF001
        namespace = "" if message.body is None else message.body.qname.namespace or ""
        fields = tuple(types.element(part) for part in parts if use.takes(part.name))
        return Field(name=name, tag=_clark(namespace, name), kind="object", shape=Shape(fields=fields))


def _document(message: Zeep, types: "_Types", use: Use) -> Field | None:
    """The one element under the Body; zeep does not read which part is meant, and guesses where a part is a type."""
    if message.body is None:
        return None
    parts = {} if message.abstract is None else message.abstract.parts
    declared = [part for name, part in parts.items() if name not in use.attached]
    if any(part.element is None for part in declared):
        raise _Unplannable("has a part of a type, not an element, in a document-style Body")
    elements = message.body.type._element if message._is_body_wrapped else [message.body]  # noqa: SLF001
    meant = [found for found in elements if len(elements) == 1 or use.takes(found.attr_name)]
    if len(meant) != 1:
        raise _Unplannable(f"has {len(meant)} parts in a document-style Body")
    return types.element(meant[0])


def _attachment(name: str, media_type: str) -> Field:
    kind = media_type if MEDIA_TYPE.fullmatch(media_type) else OCTETS
    return Field(name=name, tag=name, kind="binary", type=kind)


def _headers(message: Zeep, types: "_Types") -> Iterator[Field]:
    container = None if message.header is None else message.header.type._element  # noqa: SLF001
    for element in container or ():
        yield types.element(element)


class _Types:
    """Elements and types of one use (literal or encoded), each planned once."""

    def __init__(self, facts: Facts, *, encoded: bool) -> None:
        self._facts = facts
        self._encoded = encoded
        self._planned: dict[int, Shape | _Unplannable] = {}
        self._under_way: set[int] = set()
        # zeep makes some type objects on the fly: held here, so that no other takes over their id.
        self._kept: list[object] = []

    def element(self, element: Zeep) -> Field:
        """Return an element's field."""
        name = element.qname.localname
        declared = self._typed(name, element.qname.text, element.type)
        return replace(
            declared,
            least=int(element.min_occurs),
            most=None if element.max_occurs == "unbounded" else int(element.max_occurs),
            nillable=bool(element.nillable) or self._encoded,
        )

    def _typed(self, name: str, tag: str, type_: Zeep) -> Field:
        if isinstance(type_, xsd.ComplexType):
            content = self._shape(type_)
            xsi = _qname(type_) if type_.is_global else None
            return Field(name=name, tag=tag, kind="object", xsi=xsi, shape=content)
        if isinstance(type_, ListType | UnionType):
            # A list stays one text, its values apart by blanks; of a union only the sender knows which member is meant.
            return Field(name=name, tag=tag, kind="text", type="list" if isinstance(type_, ListType) else "string")
        if isinstance(type_, BuiltinType):
            return self._simple(name, tag, type_)
        return Field(name=name, tag=tag, kind="any")

    def _simple(self, name: str, tag: str, type_: Zeep) -> Field:
        builtin = _builtin(type_)
        own = str(type_.qname.text)
        named = own in self._facts.named
        facets = self._facts.facets.get(own, Facets()) if not own.startswith(f"{{{XSD}}}") else Facets()
        return Field(
            name=name,
            tag=tag,
            kind=TYPES[builtin].kind if builtin in TYPES else "text",
            type=builtin,
            xsi=_qname(type_) if named else (XSD, builtin),
            allowed=facets.allowed,
            min_length=facets.min_length,
            max_length=facets.max_length,
        )

    def _shape(self, type_: Zeep) -> Shape:
        key = id(type_)
        if key in self._under_way:
            raise _Unplannable(f"uses type '{type_.name}', which contains itself")
        if key not in self._planned:
            self._kept.append(type_)
            self._under_way.add(key)
            try:
                self._planned[key] = self._content(type_)
            except _Unplannable as reason:
                self._planned[key] = reason
            finally:
                self._under_way.discard(key)
        planned = self._planned[key]
        if isinstance(planned, _Unplannable):
            raise planned
        return planned

    def _content(self, type_: Zeep) -> Shape:
        if type_._array_type is not None:  # noqa: SLF001
            return self._array(type_)
        content = type_._element  # noqa: SLF001
        attributes = tuple(self._attributes(type_))
        if isinstance(content, xsd.Element):
            if not isinstance(content.type, BuiltinType | ListType | UnionType):
                return Shape(attributes=attributes, open=True)
            return Shape(attributes=attributes, text=replace(self._typed(TEXT, "", content.type), least=1))
        particles = _Particles(self)
        if content is not None:
            particles.add(content, optional=False)
        particles.refuse_twins(type_.name)
        return Shape(
            fields=tuple(particles.fields), attributes=attributes, choices=tuple(particles.choices), open=particles.open
        )

    def _attributes(self, type_: Zeep) -> Iterator[Field]:
        for attribute in _flat(type_._attributes):  # noqa: SLF001
            if isinstance(attribute, AnyAttribute) or attribute.qname.namespace == ENCODING["1.1"]:
                continue
            found = self._typed(f"@{attribute.qname.localname}", attribute.qname.text, attribute.type)
            if found.kind == "any":
                found = replace(found, kind="text", type="string")
            if not (self._encoded and found.name in {"@id", "@href"}):
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


class _Particles:
    """Flattens sequences, choices and groups into one list of fields, and keeps what the flattening would lose."""

    def __init__(self, types: _Types) -> None:
        self._types = types
        self.fields: list[Field] = []
        self.choices: list[Choice] = []
        self.open = False

    def add(self, particle: Zeep, *, optional: bool) -> None:
        if isinstance(particle, xsd.Group):
            self._sequence(particle, [particle.child], optional=optional)
        elif isinstance(particle, xsd.Choice):
            self._choice(particle)
        elif isinstance(particle, xsd.Sequence | xsd.All):
            self._sequence(particle, list(particle), optional=optional)
        elif isinstance(particle, xsd.Element):
            found = self._types.element(particle)
            self.fields.append(replace(found, least=0) if optional else found)
        elif isinstance(particle, xsd.Any | Schema):
            self.open = True
        else:
            raise _Unplannable(f"holds {type(particle).__name__}, which is not supported")

    def _sequence(self, particle: Zeep, parts: list[Zeep], *, optional: bool) -> None:
        start = len(self.fields)
        own = int(particle.min_occurs) == 0
        needed = frozenset(_needed(parts)) if own and not optional else frozenset()
        for part in parts:
            self.add(part, optional=optional or own)
        if _repeats(particle):
            self._repeat(start)
        if len(needed) > 0:
            option = Option(names=frozenset(found.name for found in self.fields[start:]), needed=needed)
            self.choices.append(Choice(options=(option,)))

    def _repeat(self, start: int) -> None:
        """A repeated group of one field is a list; of several, their turns would be lost."""
        if len(self.fields) - start > 1 or self.open:
            raise _Unplannable("repeats a group of several elements, whose turns a document can't keep")
        self.fields[start:] = [replace(found, most=None) for found in self.fields[start:]]

    def _choice(self, particle: Zeep) -> None:
        start, options = len(self.fields), []
        for part in particle:
            before = len(self.fields)
            # zeep forgets whether an alternative may be empty, so that none at all is not an error here.
            self.add(part, optional=True)
            names = frozenset(found.name for found in self.fields[before:])
            options.append(Option(names=names, needed=frozenset(_needed([part]))))
        if _repeats(particle):
            # The alternatives mix freely: only their order among each other is lost.
            self.fields[start:] = [replace(found, most=None) for found in self.fields[start:]]
            return
        self.choices.append(Choice(options=tuple(options)))

    def refuse_twins(self, name: str) -> None:
        """Two elements under one name can't be told apart in a document."""
        names = [found.name for found in self.fields]
        twins = sorted({twin for twin in names if names.count(twin) > 1})
        if twins:
            raise _Unplannable(f"has type '{name}' with two elements named '{twins[0]}'")


def _repeats(particle: Zeep) -> bool:
    return particle.max_occurs == "unbounded" or int(particle.max_occurs) > 1


def _needed(particles: list[Zeep]) -> Iterator[str]:
    """Yield the names of the elements that must be there once a group is; a choice inside has none of its own."""
    for particle in particles:
        if isinstance(particle, xsd.Group):
            yield from _needed([particle.child])
        elif isinstance(particle, xsd.Sequence | xsd.All) and int(particle.min_occurs) > 0:
            yield from _needed(list(particle))
        elif isinstance(particle, xsd.Element) and int(particle.min_occurs) > 0:
            yield str(particle.qname.localname)


def _flat(attributes: list[Zeep]) -> Iterator[Zeep]:
    for attribute in attributes:
        if isinstance(attribute, AttributeGroup):
            yield from _flat(attribute.attributes)
        else:
            yield attribute


def _qname(type_: Zeep) -> tuple[str, str]:
    return type_.qname.namespace or "", type_.qname.localname


def _builtin(type_: Zeep) -> str:
    """Return the built-in type that a simple type restricts; zeep makes restrictions subclasses of it."""
    built_in = next(cls for cls in type(type_).__mro__ if cls.__module__ == BuiltinType.__module__)
    return str(etree.QName(built_in._default_qname).localname)  # type: ignore[attr-defined]  # noqa: SLF001


def _clark(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name


def _prefixes(soap: Soap, roots: tuple[Field | None, ...]) -> Mapping[str, str]:
    """Return a prefix for every namespace below, and the fixed ones."""
    fixed = {ENVELOPE[soap]: "soap", XSI: "xsi", XSD: "xsd", ENCODING[soap]: "enc"}
    namespaces: dict[str, None] = {}
    seen: set[int] = set()
    waiting = [root for root in roots if root is not None]
    while waiting:
        found = waiting.pop()
        namespaces[found.tag[1:].partition("}")[0] if found.tag.startswith("{") else ""] = None
        namespaces[found.xsi[0] if found.xsi else ""] = None
        content = found.shape
        if content is not None and id(content) not in seen:
            seen.add(id(content))
            namespaces[content.item[0] if content.item else ""] = None
            waiting.extend((*content.fields, *content.attributes, *((content.text,) if content.text else ())))
    own = [namespace for namespace in namespaces if namespace and namespace not in fixed]
    return fixed | {namespace: f"n{number}" for number, namespace in enumerate(sorted(own))}
