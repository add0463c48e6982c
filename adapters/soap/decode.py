"""From an answer's bytes and its plan to a document; every value typed or an error, never silently None."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import tzinfo
from functools import partial
from typing import Any, Protocol

from lxml import etree

from adapters.soap.envelope import Body, open_envelope
from adapters.soap.lexical import BLANKS, TYPES
from adapters.soap.plan import ANY, ENCODING, ENVELOPE, NIL, TEXT, VARIANT, XSI, Field, MessagePlan, Shape
from adapters.soap.said import TYPE, TYPE_NAMESPACES, Said
from adapters.soap.skeletons import skeletons_of
from adapters.soap.table import Row, Table, goes_on, table_of
from adapters.soap.tolerate import Leniency
from adapters.soap.undeclared import MOST_ATTRIBUTES, Unheld, as_xml, told, whole
from adapters.soap.values import Values
from gateway import Document, Fault, InvalidAnswer, mask_text

_OURS = frozenset({NIL, TYPE, f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation"})
_MARKUP = frozenset({*ENVELOPE.values(), *ENCODING.values(), "http://www.w3.org/XML/1998/namespace"})
_RESULT = "{http://www.w3.org/2003/05/soap-rpc}result"  # SOAP 1.2 part 2 section 4.2.1: names the part that returns
_MOST_REFERRED = 100_000  # elements read through references, which may name one element many times


class Reads(Protocol):
    """What reads the payload of an odd message."""

    def read(self, payload: etree._Element, zone: tzinfo | None) -> Document:
        """Return the payload's document; raises InvalidAnswer."""
        ...


def decode(
    plan: MessagePlan,
    content: bytes,
    *,
    zone: tzinfo | None = None,
    tree: Reads | None = None,
    leniency: Leniency | None = None,
) -> Document | Fault:
    """Return the payload's document, or the fault; raises InvalidAnswer (maybe done) with every field that is wrong.

    A field that is missing is absent (a list of none is []), xsi:nil is None, an empty element is "". `zone` is given
    to dateTimes that bear none; without it such a dateTime is an error: nobody could know which moment it means.
    What looks like an answer before is read by that one's skeleton.
    `tree` is what reads an odd message; it blocks. `leniency` says what else may be tolerated, and hears what was.
    """
    leniency = leniency or Leniency()
    skeletons = skeletons_of(plan, zone) if tree is None else None
    if skeletons is not None and (found := skeletons.read(content, leniency.charset)) is not None:
        return found
    try:
        detail = partial(_detail, plan, zone, leniency)
        opened = open_envelope(content, plan.soap, encoded=plan.encoded, leniency=leniency, detail=detail)
        if isinstance(opened, Fault):
            return opened
        reader = _Reader(plan, opened, zone, leniency, content)
        document = reader.payload(opened.payload, tree)
    except RecursionError as error:
        raise InvalidAnswer("the answer is nested too deeply", maybe_done=True) from error
    if reader.errors:
        what = f"the answer does not fit the WSDL{leniency.hint}"
        raise InvalidAnswer(what, maybe_done=True, errors=reader.errors)
    if skeletons is not None and opened.payload is not None and plan.payload is not None and not leniency.used:
        skeletons.learn(content, opened.payload, plan.payload, document)
    return document


def _detail(plan: MessagePlan, zone: tzinfo | None, leniency: Leniency, element: etree._Element) -> Any:
    """Read an element of a fault's detail by its declared type, else as it comes: what it says must not be lost."""
    field = plan.details.get(str(element.tag))
    if field is None:
        return told(element)
    lenient = replace(leniency, used=set(), missed=set())
    reader = _Reader(plan, Body(None, {}), zone, lenient)
    value = reader.value(field, element, field.name)
    if reader.errors:
        return told(element)
    leniency.used |= lenient.used
    return value


class _Reader:
    """One answer's way to a document; collects errors up to a number that still helps."""

    def __init__(
        self, plan: MessagePlan, body: Body, zone: tzinfo | None, leniency: Leniency, content: bytes = b""
    ) -> None:
        self.plan = plan
        self.referred = body.referred
        self.zone = zone
        self.leniency = leniency
        self.followed = 0
        values = Values(zone, leniency)
        self.errors = values.errors
        self._simple, self._wrong = values.simple, values.wrong
        self._said = Said(plan, content, body.payload, values, leniency)

    def payload(self, element: etree._Element | None, tree: Reads | None) -> Document:
        """Return the payload's children: one level of wrapping is taken off."""
        payload = self.plan.payload
        if element is None or payload is None:
            return self._nothing(element, payload)
        if not self._is_payload(element, payload):
            self._wrong(mask_text(etree.QName(element).localname), "native", expected=f"an element {payload.tag}")
            return {}
        if tree is not None:
            return tree.read(element, self.zone)
        value = self.value(payload, element, "")
        if isinstance(value, dict) and payload.shape is not None:
            return value
        return {} if value is None else {TEXT: value}

    def _nothing(self, element: etree._Element | None, payload: Field | None) -> Document:
        if element is not None:
            self._wrong(mask_text(etree.QName(element).localname), "unknown")
        elif payload is not None:
            self._wrong(payload.name, "required")
        return {}

    def _is_payload(self, element: etree._Element, payload: Field) -> bool:
        """SOAP 1.1 section 7.1 gives the wrapper of an rpc answer its name by convention only, and no namespace."""
        if element.tag == payload.tag:
            return True
        same = etree.QName(element).localname == payload.name
        return same and (self.plan.rpc or self.leniency.allows("any-namespace"))

    def value(self, field: Field, element: etree._Element, path: str) -> Any:
        """Return an element's value; what is wrong with it is among the errors."""
        element = self._followed(element, path)
        if element.attrib:
            if len(element.attrib) > MOST_ATTRIBUTES:
                return self._wrong(path, "native", expected=f"at most {MOST_ATTRIBUTES} attributes")
            if self._is_nil(element, path):  # whatever type the nothing is said to be of
                return self._null(field, element, path)
            if field.variants and (variant := self._variant(field, element, path)) is not None:
                return {VARIANT: variant.name, **self._content(variant, element, path)}
            self._said.check(field, element, path)
        if field.kind == "any" and not field.members:
            return self._undeclared(element, path)
        return self._text(field, element, path) if field.shape is None else self._content(field, element, path)

    def _text(self, field: Field, element: etree._Element, path: str) -> Any:
        if element.attrib:
            self._refuse_attributes(element, path)
        if len(element):
            return self._wrong(path, "native", expected=f"xsd:{field.type}, not elements")
        return self._simple(field, element.text or "", path)

    def _content(self, field: Field, element: etree._Element, path: str) -> Document:
        if field.abstract:
            self._wrong(path, "native", expected=f"xsi:type, since {field.xsi and field.xsi[1]} is abstract")
            return {}
        if field.shape is None or field.shape.odd:
            self._wrong(path, "native", expected="nothing: its type is not read here")
            return {}
        return self._object(field.shape, element, f"{path}." if path else "")

    def _variant(self, field: Field, element: etree._Element, path: str) -> Field | None:
        """Return the type that is named, where it is another one than the declared one."""
        name = self._said.resolved(element.get(TYPE, ""), element, path)
        return None if name == field.xsi else field.variants.get(name)

    def _followed(self, element: etree._Element, path: str) -> etree._Element:
        if not self.plan.encoded or not (target := element.get("href") or element.get(f"{{{ENCODING['1.2']}}}ref")):
            return element
        found = self.referred.get(target.removeprefix("#"))
        if found is None or len(element) or (element.text or "").strip(BLANKS):
            self._wrong(path, "native", expected="a reference to an element of the Body")
            return element
        self.followed += sum(1 for _ in found.iter())
        if self.followed > _MOST_REFERRED:
            self._wrong(path, "native", expected="fewer references")
            return element
        return found

    def _is_nil(self, element: etree._Element, path: str) -> bool:
        said = element.get(NIL, "false")
        if said not in {"true", "1", "false", "0"}:
            self._wrong(path, "native", said, expected="xsi:nil true or false")
        return said in {"true", "1"}

    def _null(self, field: Field, element: etree._Element, path: str) -> None:
        if len(element) or element.text:
            self._wrong(path, "native", expected="nothing where xsi:nil is true")
        elif not all(self._is_markup(str(tag)) for tag in element.attrib):
            self._wrong(path, "native", expected="no attributes where xsi:nil is true")
        elif not field.nillable and not self.leniency.allows("undeclared-null"):
            self._wrong(path, "null")

    def _object(self, shape: Shape, element: etree._Element, before: str) -> Document:
        document: dict[str, Any] = {}
        if shape.attributes or element.attrib:
            document.update(self._attributes(shape, element, before))
        if shape.text is not None:
            if len(element):
                self._wrong(before + TEXT, "native", expected="text, not elements")
            else:
                document[TEXT] = self._simple(shape.text, element.text or "", before + TEXT)
            return document
        text = element.text
        if text and text.strip(BLANKS):
            self._wrong(before.rstrip("."), "native", text, expected="elements only")
        table: Table = shape.kept.get("table") or table_of(shape)
        self._children(shape, table.rows, element, document, before)
        whole = tuple(document) == table.whole
        if shape.ordered and not whole:
            self._check_order(shape, document, before)
        if table.rules or not whole:
            self._complete(shape, document, before)
        return document

    def _children(
        self, shape: Shape, rows: Mapping[str, Row], element: etree._Element, document: dict[str, Any], before: str
    ) -> None:
        """Read right values of usual fields at once; whatever else is there goes the long way."""
        look = rows.get
        for child in element:
            row = look(child.tag)
            if row is None or (child.attrib and not self._said.is_usual(row[0], child)):
                self._child(shape, child, document, before)
                continue
            field, name, read, many, inner = row
            value: Any
            if inner is not None:
                value = self._object(inner, child, f"{before}{name}.")
            elif len(child):
                self._child(shape, child, document, before)
                continue
            elif read is None:
                value = child.text or ""
            else:
                try:
                    value = read(child.text or "")
                except ValueError:
                    value = self._simple(field, child.text or "", before + name)
            if (tail := child.tail) and tail.strip(BLANKS):
                self._wrong(before.rstrip("."), "native", tail, expected="elements only")
            if many or name in document:
                self._keep(shape, field, value, document, before + name)
            else:
                document[name] = value

    def _child(self, shape: Shape, child: etree._Element, document: dict[str, Any], before: str) -> None:
        if child.tail and child.tail.strip(BLANKS):
            self._wrong(before.rstrip("."), "native", child.tail, expected="elements only")
        field = shape.fields[0] if shape.item is not None else shape.by_tag.get(str(child.tag))
        if field is None:
            self._unexpected(shape, child, document, before)
            return
        if not field.tag and field.shape is not None:
            self._turn(shape, field, child, document, before)
        else:
            self._place(shape, field, child, document, before)

    def _place(self, shape: Shape, field: Field, child: etree._Element, document: dict[str, Any], before: str) -> None:
        path = before + field.name
        self._keep(shape, field, self.value(field, child, path), document, path)

    def _keep(self, shape: Shape, field: Field, value: Any, document: dict[str, Any], path: str) -> None:
        if field.many:
            if shape.ordered and field.name in document and next(reversed(document)) != field.name:
                self._disordered(path)
            document.setdefault(field.name, []).append(value)
        elif field.name in document:
            self._wrong(path, "native", expected="at most 1")
        else:
            document[field.name] = value

    def _turn(self, parent: Shape, group: Field, child: etree._Element, document: dict[str, Any], before: str) -> None:
        """An element of a repeated group: of its turn under way, or the first of the next."""
        shape = group.shape
        if shape is None:
            return
        if parent.ordered and group.name in document and next(reversed(document)) != group.name:
            self._disordered(before + group.name)
        turns: list[dict[str, Any]] = document.setdefault(group.name, [])
        if not turns or not goes_on(shape, turns[-1], shape.by_tag[str(child.tag)]):
            turns.append({})
        self._child(shape, child, turns[-1], f"{before}{group.name}.")

    def _check_order(self, shape: Shape, document: Mapping[str, Any], before: str) -> None:
        last = -1
        for name in document:
            place = shape.places.get(name, last)
            if place < last:
                self._disordered(before + name)
                return
            last = place

    def _disordered(self, path: str) -> None:
        if not self.leniency.allows("any-order"):
            self._wrong(path, "native", expected="elements in the WSDL's order")

    def _unexpected(self, shape: Shape, child: etree._Element, document: dict[str, Any], before: str) -> None:
        """An element nobody declared: taken as it is where the WSDL allows any, unless its name is a declared one."""
        if child.tag == _RESULT and self.plan.rpc:
            return
        name = etree.QName(child).localname
        meant = next((found for found in shape.fields if found.name == name), None)
        if meant is not None and self.leniency.allows("any-namespace"):
            self._place(shape, meant, child, document, before)
        elif meant is not None:
            self._wrong(before + name, "native", expected=f"an element {meant.tag}")
        elif shape.open:
            if shape.ordered and not shape.scattered and ANY in document and next(reversed(document)) in shape.places:
                self._disordered(before + name)
            self._any(name, child, document, before)
        elif not self.leniency.allows("unknown-fields"):
            self._wrong(before + mask_text(name[:80]), "unknown")

    def _any(self, name: str, child: etree._Element, document: dict[str, Any], before: str) -> None:
        try:
            document.setdefault(ANY, []).append(as_xml(child))
        except Unheld as error:
            self._wrong(before + mask_text(name[:80]), "native", expected=str(error))
        known = document.get(name, [])
        document[name] = (
            [*(known if isinstance(known, list) else [known]), told(child)] if name in document else told(child)
        )

    def _complete(self, shape: Shape, document: dict[str, Any], before: str) -> None:
        """Check what is missing or too many; a list of none becomes an empty list."""
        self._check_choices(shape, document, before)
        for field in shape.fields:
            if field.many:
                self._check_count(field, document.setdefault(field.name, []), before)
                if not field.tag and field.shape is not None:
                    for turn in document[field.name]:
                        self._complete(field.shape, turn, f"{before}{field.name}.")
            elif field.least and field.name not in document:
                self._missing(before + field.name)

    def _missing(self, path: str, *, rule: str = "required", **params: str) -> None:
        if not self.leniency.allows("missing-required"):
            self._wrong(path, rule, **params)

    def _check_choices(self, shape: Shape, document: Mapping[str, Any], before: str) -> None:
        for choice in shape.choices:
            there = [name for name in choice.names if name in document]
            option = choice.taken(document)
            if there and option is None:
                self._wrong(before + there[-1], "native", expected=f"only one of: {', '.join(there)}")
            elif not there and choice.least:
                self._missing(before.rstrip("."), rule="native", expected=f"one of: {', '.join(choice.names)}")
            elif there and option is not None:
                for name in sorted(option.needed.difference(document)):
                    self._missing(before + name)

    def _check_count(self, field: Field, values: Any, before: str) -> None:
        if len(values) < field.least and not self.leniency.allows("missing-required"):
            self._wrong(before + field.name, "required" if not values else "native", expected=f"at least {field.least}")
        if field.most is not None and len(values) > field.most:
            self._wrong(before + field.name, "native", expected=f"at most {field.most}")

    def _attributes(self, shape: Shape, element: etree._Element, before: str) -> Iterator[tuple[str, Any]]:
        seen = set()
        for tag, text in element.attrib.items() if element.attrib else ():
            field = shape.by_attribute.get(str(tag))
            if field is not None:
                seen.add(field.name)
                yield field.name, self._simple(field, str(text), before + field.name)
            elif self._is_markup(str(tag)):
                continue
            elif shape.loose and (name := f"@{etree.QName(tag).localname}") not in seen:
                seen.add(name)
                yield name, str(text)
            elif not self.leniency.allows("unknown-fields"):
                self._wrong(f"{before}@{mask_text(etree.QName(tag).localname[:80])}", "unknown")
        for field in shape.attributes:
            if field.least and field.name not in seen:
                self._missing(before + field.name)

    def _refuse_attributes(self, element: etree._Element, path: str) -> None:
        for tag in element.attrib:
            if not self._is_markup(str(tag)) and not self.leniency.allows("unknown-fields"):
                self._wrong(f"{path}.@{mask_text(etree.QName(tag).localname[:80])}", "unknown")

    def _is_markup(self, tag: str) -> bool:
        """Attributes that belong to XML, XML Schema or SOAP, and to no document; encoded messages have id and href."""
        if tag in _OURS:
            return True
        if tag in {"id", "href"}:
            return self.plan.encoded
        return tag.startswith("{") and tag[1:].partition("}")[0] in _MARKUP

    def _undeclared(self, element: etree._Element, path: str) -> Any:
        """xsd:anyType: typed where the element names a built-in type, else all of it as it is."""
        namespace, name = self._said.resolved(element.get(TYPE, ""), element, path)
        plain = not len(element) and all(self._is_markup(str(tag)) for tag in element.attrib)
        if plain and namespace in TYPE_NAMESPACES and name in TYPES:
            typed = Field(name="", tag="", kind=TYPES[name].kind, type=name)
            return self._simple(typed, element.text or "", path)
        try:
            return whole(element, self._is_markup)
        except Unheld as error:
            return self._wrong(path, "native", expected=str(error))
