"""From an answer's bytes and its plan to a document; every value typed or an error, never silently None."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any, Protocol

from lxml import etree

from adapters.soap.envelope import NIL, Body, open_envelope, untyped
from adapters.soap.lexical import TEXT as TEXT_TYPE
from adapters.soap.lexical import TYPES, derives, with_zone
from adapters.soap.plan import ANY, ENCODING, ENVELOPE, TEXT, VARIANT, XSD, XSI, Field, MessagePlan, Names, Shape
from adapters.soap.scope import scope
from adapters.soap.table import Row, Table, goes_on, table_of
from gateway import Document, Fault, FieldError, InvalidAnswer, mask_text, mask_value

_TYPE = f"{{{XSI}}}type"
_OURS = frozenset({NIL, _TYPE, f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation"})
_MARKUP = frozenset({*ENVELOPE.values(), *ENCODING.values(), "http://www.w3.org/XML/1998/namespace"})
_TYPE_NAMESPACES = frozenset({XSD, "http://www.w3.org/1999/XMLSchema", "http://www.w3.org/2000/10/XMLSchema"})
_RESULT = "{http://www.w3.org/2003/05/soap-rpc}result"  # SOAP 1.2 part 2 section 4.2.1: names the part that returns
_ENOUGH = 50
_MOST_REFERRED = 100_000  # elements read through references, which may name one element many times
_MOST_ATTRIBUTES = 100  # reading them one by one costs quadratic time in lxml


class Reads(Protocol):
    """What reads the payload of an odd message."""

    def read(self, payload: etree._Element, zone: tzinfo | None) -> Document:
        """Return the payload's document; raises InvalidAnswer."""
        ...


def decode(
    plan: MessagePlan, content: bytes, *, zone: tzinfo | None = None, tree: Reads | None = None
) -> Document | Fault:
    """Return the payload's document, or the fault; raises InvalidAnswer (maybe done) with every field that is wrong.

    A field that is missing is absent (a list of none is []), xsi:nil is None, an empty element is "". `zone` is given
    to dateTimes that bear none; without it such a dateTime is an error: nobody could know which moment it means.
    `tree` is what reads an odd message; it blocks.
    """
    opened = open_envelope(content, plan.soap, encoded=plan.encoded)
    if isinstance(opened, Fault):
        return opened
    reader = _Reader(plan, opened, zone, content)
    try:
        document = reader.payload(opened.payload, tree)
    except RecursionError as error:
        raise InvalidAnswer("the answer is nested too deeply", maybe_done=True) from error
    if reader.errors:
        raise InvalidAnswer("the answer does not fit the WSDL", maybe_done=True, errors=reader.errors)
    return document


class _Reader:
    """One answer's way to a document; collects errors up to a number that still helps."""

    def __init__(self, plan: MessagePlan, body: Body, zone: tzinfo | None, content: bytes) -> None:
        self.plan = plan
        self.referred = body.referred
        self.zone = zone
        self.followed = 0
        self.scope = scope(content, body.payload) if plan.encoded and body.payload is not None else None
        self.fitting: set[tuple[str | None, int]] = set()
        self.errors: list[FieldError] = []

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
        value = self._value(payload, element, "")
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
        return element.tag == payload.tag or (self.plan.rpc and etree.QName(element).localname == payload.name)

    def _value(self, field: Field, element: etree._Element, path: str) -> Any:
        element = self._followed(element, path)
        if element.attrib:
            if len(element.attrib) > _MOST_ATTRIBUTES:
                return self._wrong(path, "native", expected=f"at most {_MOST_ATTRIBUTES} attributes")
            if self._is_nil(element, path):  # whatever type the nothing is said to be of
                return self._null(field, element, path)
            if field.variants and (variant := self._variant(field, element)) is not None:
                return {VARIANT: variant.name, **self._content(variant, element, path)}
            self._check_type(field, element, path)
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

    def _variant(self, field: Field, element: etree._Element) -> Field | None:
        """Return the type that is named, where it is another one than the declared one."""
        name = self._resolved(element.get(_TYPE, ""), element)
        return None if name == field.xsi else field.variants.get(name)

    def _followed(self, element: etree._Element, path: str) -> etree._Element:
        if not self.plan.encoded or not (target := element.get("href") or element.get(f"{{{ENCODING['1.2']}}}ref")):
            return element
        found = self.referred.get(target.removeprefix("#"))
        if found is None or len(element) or (element.text or "").strip():
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
        elif not field.nillable:
            self._wrong(path, "null")

    def _simple(self, field: Field, text: str, path: str) -> Any:
        if field.listed:
            return [self._simple(field.value, one, path) for one in text.split()]
        if field.members:
            return self._union(field, text, path)
        try:
            value = TYPES.get(field.type, TEXT_TYPE).read(text)
        except ValueError:
            return self._wrong(path, "native", text, expected=f"xsd:{field.type}")
        if field.allowed and text not in field.allowed:
            return self._wrong(path, "enum", text, allowed=", ".join(field.allowed))
        return value if field.kind != "datetime" else self._moment(str(value), path)

    def _moment(self, text: str, path: str) -> Any:
        try:
            return with_zone(text, self.zone)
        except ValueError:
            return self._wrong(path, "native", text, expected="a dateTime with its zone; else set `timezone`")

    def _union(self, field: Field, text: str, path: str) -> Any:
        """Read by the first member that takes the text."""
        for member in field.members:
            before = len(self.errors)
            value = self._simple(member, text, path)
            if len(self.errors) == before < _ENOUGH:
                return value
            del self.errors[before:]
        names = ", ".join(f"xsd:{member.type}" for member in field.members)
        return self._wrong(path, "native", text, expected=f"one of: {names}")

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
        if text and not text.isspace():
            self._wrong(before.rstrip("."), "native", text, expected="elements only")
        table: Table = shape.kept.get("table") or table_of(shape)
        self._children(shape, table.rows, element, document, before)
        if table.rules or len(document) != table.whole:
            self._complete(shape, document, before)
        return document

    def _children(
        self, shape: Shape, rows: Mapping[str, Row], element: etree._Element, document: dict[str, Any], before: str
    ) -> None:
        """Read right values of usual fields at once; whatever else is there goes the long way."""
        look = rows.get
        for child in element:
            row = look(child.tag)
            if row is None or (child.attrib and not self._is_usual(row[0], child)):
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
            if (tail := child.tail) and not tail.isspace():
                self._wrong(before.rstrip("."), "native", tail, expected="elements only")
            if many:
                document.setdefault(name, []).append(value)
            elif name in document:
                self._wrong(before + name, "native", expected="at most 1")
            else:
                document[name] = value

    def _is_usual(self, field: Field, element: etree._Element) -> bool:
        """Tell whether an element's only attribute names a type that fitted before, where prefixes mean the same."""
        if self.scope is None or len(element.attrib) > 1:
            return False
        said = (element.get(_TYPE), id(field))
        if said in self.fitting:
            return True
        before = len(self.errors)
        self._check_type(field, element, "")
        if said[0] is not None and len(self.errors) == before < _ENOUGH:
            self.fitting.add(said)
            return True
        del self.errors[before:]
        return False

    def _child(self, shape: Shape, child: etree._Element, document: dict[str, Any], before: str) -> None:
        if child.tail and child.tail.strip():
            self._wrong(before.rstrip("."), "native", child.tail, expected="elements only")
        field = shape.fields[0] if shape.item is not None else shape.by_tag.get(str(child.tag))
        if field is None:
            self._unexpected(shape, child, document, before)
            return
        if not field.tag and field.shape is not None:
            self._turn(field, child, document, before)
            return
        path = before + field.name
        value = self._value(field, child, path)
        if field.many:
            document.setdefault(field.name, []).append(value)
        elif field.name in document:
            self._wrong(path, "native", expected="at most 1")
        else:
            document[field.name] = value

    def _turn(self, group: Field, child: etree._Element, document: dict[str, Any], before: str) -> None:
        """An element of a repeated group: of its turn under way, or the first of the next."""
        shape = group.shape
        if shape is None:
            return
        turns: list[dict[str, Any]] = document.setdefault(group.name, [])
        if not turns or not goes_on(shape, turns[-1], shape.by_tag[str(child.tag)]):
            turns.append({})
        self._child(shape, child, turns[-1], f"{before}{group.name}.")

    def _unexpected(self, shape: Shape, child: etree._Element, document: dict[str, Any], before: str) -> None:
        """An element nobody declared: taken as it is where the WSDL allows any, unless its name is a declared one."""
        if child.tag == _RESULT and self.plan.rpc:
            return
        name = etree.QName(child).localname
        if name in shape.names:
            tag = next(found.tag for found in shape.fields if found.name == name)
            self._wrong(before + name, "native", expected=f"an element {tag}")
        elif not shape.open:
            self._wrong(before + mask_text(name[:80]), "unknown")
            return
        document.setdefault(ANY, []).append(_as_text(child))
        if name in document:
            known = document[name]
            document[name] = [*(known if isinstance(known, list) else [known]), untyped(child)]
        else:
            document[name] = untyped(child)

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
                self._wrong(before + field.name, "required")

    def _check_choices(self, shape: Shape, document: Mapping[str, Any], before: str) -> None:
        for choice in shape.choices:
            there = [name for name in choice.names if name in document]
            option = choice.taken(document)
            if there and option is None:
                self._wrong(before + there[-1], "native", expected=f"only one of: {', '.join(there)}")
            elif not there and choice.least:
                self._wrong(before.rstrip("."), "native", expected=f"one of: {', '.join(choice.names)}")
            elif there and option is not None:
                for name in sorted(option.needed.difference(document)):
                    self._wrong(before + name, "required")

    def _check_count(self, field: Field, values: Any, before: str) -> None:
        if len(values) < field.least:
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
            else:
                self._wrong(f"{before}@{mask_text(etree.QName(tag).localname[:80])}", "unknown")
        for field in shape.attributes:
            if field.least and field.name not in seen:
                self._wrong(before + field.name, "required")

    def _refuse_attributes(self, element: etree._Element, path: str) -> None:
        for tag in element.attrib:
            if not self._is_markup(str(tag)):
                self._wrong(f"{path}.@{mask_text(etree.QName(tag).localname[:80])}", "unknown")

    def _is_markup(self, tag: str) -> bool:
        """Attributes that belong to XML, XML Schema or SOAP, and to no document; encoded messages have id and href."""
        if tag in _OURS:
            return True
        if tag in {"id", "href"}:
            return self.plan.encoded
        return tag.startswith("{") and tag[1:].partition("}")[0] in _MARKUP

    def _check_type(self, field: Field, element: etree._Element, path: str) -> None:
        """xsi:type must name the declared type, or for a simple one its built-in base or a restriction of that."""
        declared = element.get(_TYPE)
        if declared is None or field.kind == "any" or field.members or field.listed:
            return
        namespace, name = self._resolved(declared, element)
        if (namespace, name) == field.xsi:
            return
        if field.shape is not None:
            fits = field.shape.item is not None and (namespace, name) in {(uri, "Array") for uri in ENCODING.values()}
        else:
            plain = namespace in _TYPE_NAMESPACES or namespace in ENCODING.values()
            fits = plain and (derives(name, field.type) or derives(field.type, name))
        if not fits:
            wanted = field.xsi[1] if field.xsi else field.kind
            self._wrong(path, "native", declared, expected=f"type {wanted}")

    def _undeclared(self, element: etree._Element, path: str) -> Any:
        """xsd:anyType: typed where the element names a built-in type, else text and elements as they are."""
        namespace, name = self._resolved(element.get(_TYPE, ""), element)
        if namespace in _TYPE_NAMESPACES and name in TYPES and not len(element):
            typed = Field(name="", tag="", kind=TYPES[name].kind, type=name)
            return self._simple(typed, element.text or "", path)
        return untyped(element)

    def _wrong(self, path: str, rule: str, value: str | None = None, **params: str) -> None:
        if len(self.errors) < _ENOUGH:
            shown = None if value is None else mask_value(value.strip())
            self.errors.append(FieldError(pointer=path, rule=rule, params=params, value=shown))

    def _resolved(self, name: str, element: etree._Element) -> Names:
        prefix, _, local = name.strip().rpartition(":")
        known = element.nsmap if self.scope is None else self.scope
        return known.get(prefix or None) or "", local


def _as_text(element: etree._Element) -> str:
    """Return an element as XML that stands for itself, with the namespaces that it names and no others."""
    text = etree.tostring(element, encoding="unicode", with_tail=False)
    named = [prefix for prefix in element.nsmap if prefix and f"{prefix}:" in text]
    return etree.tostring(element, method="c14n", exclusive=True, inclusive_ns_prefixes=named, with_tail=False).decode()
