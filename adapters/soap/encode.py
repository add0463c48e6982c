"""From a document and its plan to an envelope; strict, and all errors of a document at once; knows no HTTP.

The way of a right value is a generated function (generate.py); whatever is not at once right goes field by field here.
"""

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any, Protocol

from lxml import etree

from adapters.soap.facets import NO_FACETS, Beyond
from adapters.soap.generate import Functions, generate
from adapters.soap.plan import ANY, TEXT, VARIANT, Field, MessagePlan, Shape
from adapters.soap.text import CONTROL, as_attribute, escaped
from adapters.soap.tolerate import Leniency
from adapters.soap.values import Values
from gateway import Document, FieldError, TranslationError, mask_value

_NAME = re.compile(r"[^\W\d][\w.-]*")
_ANY = {bool: "boolean", int: "integer", str: "string"}


class Writes(Protocol):
    """What writes the payload of an odd message."""

    def write(self, document: Document) -> str:
        """Return the payload as XML; raises TranslationError."""
        ...


def encode(
    plan: MessagePlan,
    document: Document,
    headers: Document | None = None,
    *,
    header_namespace: str = "",
    tree: Writes | None = None,
) -> bytes:
    """Return the envelope as UTF-8; raises TranslationError (side "request") with every field that does not fit.

    `headers` are header blocks by element name; one that the WSDL does not declare is written in `header_namespace`
    if that is set, its fields unqualified-typed as they are, else it is an error.
    `tree` is what writes an odd message; it blocks.
    """
    functions: Functions | None = plan.kept.get("encode")
    if functions is None:
        functions = plan.kept["encode"] = generate(plan)
    writer = Writer(plan, functions)
    head = writer.headers(headers, header_namespace) if headers else ""
    try:
        body = tree.write(document) if tree is not None and not writer.errors else writer.payload(document)
    except RecursionError as error:
        deep = FieldError(pointer="", rule="native", params={"expected": "fewer levels"})
        raise TranslationError("request", [deep]) from error
    if writer.errors:
        raise TranslationError("request", writer.errors)
    return f"{functions.start}{head}{functions.middle}{body}{functions.end}".encode()


class Writer:
    """One document's way to XML text; collects errors instead of stopping at the first."""

    __slots__ = ("_functions", "errors", "plan")

    def __init__(self, plan: MessagePlan, functions: Functions) -> None:
        self.plan = plan
        self.errors: list[FieldError] = []
        self._functions = functions

    def payload(self, document: Document) -> str:
        """Return the Body's content: the wrapper is there even when it is empty."""
        payload = self.plan.payload
        if payload is None:
            for name in document:
                self._wrong(name, "unknown")
            return ""
        if payload.shape is None:
            return self._unwrapped(payload, document)
        if VARIANT in document and payload.variants:
            return self.one(payload, document, "")
        tag, start = self._functions.root
        content = self._functions.content(payload.shape)(document, "", self)
        attributes = self._functions.attributes(payload.shape)(document, "", self)
        return f"{start}{attributes}>{content}</{tag}>"

    def _unwrapped(self, payload: Field, document: Document) -> str:
        """A payload of a simple type is a document with its text only."""
        if payload.kind == "any" and not payload.members:
            return self.one(payload, document.get(TEXT, document), "")
        for name in document:
            if name != TEXT:
                self._wrong(name, "unknown")
        if TEXT not in document:
            self._wrong(TEXT, "required")
            return ""
        return self.one(payload, document[TEXT], TEXT)

    def headers(self, headers: Document, namespace: str) -> str:
        """Return the Header with its blocks, or nothing."""
        blocks = []
        for name, value in headers.items():
            declared = self.plan.headers.get(name)
            if declared is not None:
                blocks.append(self.one(declared, value, name))
            elif namespace and _NAME.fullmatch(name):
                blocks.append(self._undeclared(name, value, name, f' xmlns="{as_attribute(namespace)}"'))
            else:
                self._wrong(name, "unknown")
        return f"<soap:Header>{''.join(blocks)}</soap:Header>" if blocks else ""

    def unknown(self, shape: Shape, document: Mapping[str, Any], before: str) -> None:
        """Say which fields a shape does not have."""
        for name in document:
            if name not in shape.names:
                self._wrong(before + name, "unknown")

    def choices(self, shape: Shape, document: Mapping[str, Any], before: str) -> None:
        """Say which alternatives are too many, too few or not whole."""
        full = {name for name, value in document.items() if value != []}  # a list of none is not there
        for choice in shape.choices:
            there = [name for name in choice.names if name in full]
            option = choice.taken(full)
            if there and option is None:
                names = ", ".join(there)
                self._wrong(before + there[-1], "native", expected="only one of: {names}", names=names)
            elif not there and choice.least:
                names = ", ".join(choice.names)
                self._wrong(before.rstrip("."), "native", expected="one of: {names}", names=names)
            elif there and option is not None:
                for name in sorted(option.needed.difference(full)):
                    self._wrong(before + name, "required")

    def field(self, field: Field, document: Mapping[str, Any], before: str) -> str:
        """Return the elements of one field of a document."""
        path = before + field.name
        if field.name not in document:
            if field.least > 0:
                self._wrong(path, "required")
            return ""
        value = document[field.name]
        if not field.many:
            return self.one(field, value, path)
        if not isinstance(value, list | tuple):
            self._wrong(path, "type", value, expected="list")
            return ""
        if len(value) < field.least:
            self._wrong(path, "native", expected="at least {count}", count=str(field.least))
        if field.most is not None and len(value) > field.most:
            self._wrong(path, "native", expected="at most {count}", count=str(field.most))
        return "".join([self.one(field, item, path) for item in value])

    def one(self, field: Field, value: object, path: str) -> str:
        """Return one element."""
        if not field.tag:
            return self._tagless(field, value, path)
        tag = self._functions.name(field.tag)
        if value is None:
            if not field.nillable:
                self._wrong(path, "null")
            return f'<{tag}{self._functions.typed(field)} xsi:nil="true"/>'
        if field.variants and isinstance(value, Mapping) and VARIANT in value:
            return self._variant(field, tag, value, path)
        if field.kind == "any" and not field.members:
            return self._undeclared(tag, value, path)
        typed = self._functions.typed(field)
        if field.shape is not None:
            if field.abstract:
                self._wrong(path, "native", expected="{name}, one of: {names}", name=VARIANT, names=_named(field))
            return self._object(tag, typed, field.shape, value, path)
        return f"<{tag}{typed}>{escaped(self.simple(field, value, path))}</{tag}>"

    def _object(self, tag: str, typed: str, shape: Shape, value: object, path: str) -> str:
        if not isinstance(value, Mapping):
            self._wrong(path, "type", value, expected="object")
            return ""
        if shape.odd:
            self._wrong(path, "native", expected="nothing: its type is not written here")
            return ""
        before = f"{path}." if path else ""
        content = self._functions.content(shape)(value, before, self)
        attributes = self._functions.attributes(shape)(value, before, self)
        return f"<{tag}{typed}{self._size(shape, value)}{attributes}>{content}</{tag}>"

    def _variant(self, field: Field, tag: str, value: Mapping[str, Any], path: str) -> str:
        """Write an object of another type than the declared one, its namespaces declared on the spot."""
        said = value[VARIANT]
        variant = next((one for one in field.variants.values() if one.name == said), None)
        if variant is None or variant.shape is None or variant.xsi is None:
            before = f"{path}." if path else ""
            self._wrong(before + VARIANT, "enum", said, allowed=_named(field))
            return ""
        typed = f'{self._functions.spare} xsi:type="{self._functions.qname(variant.xsi)}"'
        rest = {name: one for name, one in value.items() if name != VARIANT}
        return self._object(tag, typed, variant.shape, rest, path)

    def _tagless(self, field: Field, value: object, path: str) -> str:
        """Write what has no element of its own: one turn of a group, or XML that is text already."""
        if field.name == ANY:
            return self._given(value, path)
        if not isinstance(value, Mapping) or field.shape is None:
            self._wrong(path, "type", value, expected="object")
            return ""
        return self._functions.content(field.shape)(value, f"{path}.", self)

    def _given(self, value: object, path: str) -> str:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        if not isinstance(value, str):
            self._wrong(path, "type", value, expected="text")
            return ""
        try:
            root = etree.fromstring(value.encode(), parser)
        except (etree.XMLSyntaxError, ValueError):
            self._wrong(path, "native", value, expected="one element, as XML")
            return ""
        if root.getroottree().docinfo.internalDTD is not None:
            self._wrong(path, "native", value, expected="XML without a DOCTYPE")
            return ""
        return etree.tostring(root, encoding="unicode", with_tail=False)

    def simple(self, field: Field, value: object, path: str) -> str:
        """Return a value's text, not escaped; of a list all texts, apart by blanks."""
        if field.listed or field.members:
            return self._compound(field, value, path)
        try:
            text = field.lexical.write(value)
        except TypeError as error:
            self._wrong(path, "type", value, expected=str(error))
            return ""
        except Beyond as beyond:
            self._wrong(path, beyond.rule, value, **beyond.params)
            text = beyond.text
        except ValueError:
            self._wrong(path, "native", value, expected=f"xsd:{field.type}")
            return ""
        if CONTROL.search(text):
            self._wrong(path, "control-character")
        return text

    def _compound(self, field: Field, value: object, path: str) -> str:
        """Return a list's or a union's text, held as a whole to its facets by reading it again."""
        before = len(self.errors)
        text = self._listed(field, value, path) if field.listed else self._union(field, value, path)
        if field.whole != NO_FACETS and len(self.errors) == before:
            again = Values(UTC, Leniency())
            again.simple(field, text, path)
            self.errors += again.errors
        return text

    def _listed(self, field: Field, value: object, path: str) -> str:
        if not isinstance(value, list | tuple):
            self._wrong(path, "type", value, expected="list")
            return ""
        item = field.value
        texts = [self.simple(item, one, path) for one in value]
        if any(not text or text != "".join(text.split()) for text in texts):
            self._wrong(path, "native", expected="values without blanks in them")
        return " ".join(texts)

    def _union(self, field: Field, value: object, path: str) -> str:
        """Write by the first member that takes the value."""
        for member in field.members:
            trial = Writer(self.plan, self._functions)
            text = trial.simple(member, value, path)
            if not trial.errors:
                return text
        expected = "one of: {names}"
        names = ", ".join(f"xsd:{member.type}" for member in field.members)
        self._wrong(path, "native", value, expected=expected, names=names)
        return ""

    def attribute(self, field: Field, document: Mapping[str, Any], before: str) -> str:
        """Return one attribute of an element."""
        path = before + field.name
        if field.name not in document:
            if field.least > 0:
                self._wrong(path, "required")
            return ""
        if document[field.name] is None:
            self._wrong(path, "null")
            return ""
        text = self.simple(field, document[field.name], path)
        return f' {self._functions.name(field.tag)}="{as_attribute(text)}"'

    def text_of(self, field: Field, document: Mapping[str, Any], before: str) -> str:
        """Return the own text of an element that may have attributes."""
        value = document.get(TEXT)
        if value is None:
            self._wrong(before + TEXT, "null" if TEXT in document else "required")
            return ""
        return escaped(self.simple(field, value, before + TEXT))

    def _undeclared(self, tag: str, value: object, path: str, attributes: str = "") -> str:
        """Write what no schema describes (xsd:anyType, an undeclared header): objects as elements, values as text."""
        if value is None:
            return f'<{tag}{attributes} xsi:nil="true"/>'
        if isinstance(value, Mapping):
            return self._loose(tag, value, path, attributes)
        type_ = _ANY.get(type(value), "decimal")
        text = self.simple(Field(name="", tag="", kind="text", type=type_), value, path)
        typed = "" if attributes or (type_ == "string" and not self.plan.encoded) else f' xsi:type="xsd:{type_}"'
        return f"<{tag}{attributes}{typed}>{escaped(text)}</{tag}>"

    def _loose(self, tag: str, value: Mapping[str, Any], path: str, attributes: str) -> str:
        """Write an object that no schema describes: `@name` is an attribute, `#text` the text of what has no more."""
        own = {name: one for name, one in value.items() if name.startswith("@")}
        inner = {name: one for name, one in value.items() if name not in own}
        for name, one in own.items():
            if not _NAME.fullmatch(name[1:]) or not isinstance(one, str):
                self._wrong(f"{path}.{name}", "native", expected="an attribute's name, and text")
                return ""
            text = self.simple(Field(name="", tag="", kind="text", type="string"), one, f"{path}.{name}")
            attributes += f' {name[1:]}="{as_attribute(text)}"'
        if TEXT in inner:
            if len(inner) > 1:
                self._wrong(path, "native", expected="text or elements, not both")
            return self._undeclared(tag, inner[TEXT], path, attributes)
        content = "".join(self._undeclared_child(name, item, f"{path}.{name}") for name, item in inner.items())
        return f"<{tag}{attributes}>{content}</{tag}>"

    def _undeclared_child(self, name: str, value: object, path: str) -> str:
        if not _NAME.fullmatch(name):
            self._wrong(path, "native", expected="an element name")
            return ""
        items = value if isinstance(value, list | tuple) else (value,)
        return "".join(self._undeclared(name, item, path) for item in items)

    def _size(self, shape: Shape, value: Mapping[str, Any]) -> str:
        if not self.plan.encoded or shape.item is None:
            return ""
        items = value.get(shape.fields[0].name)
        count = len(items) if isinstance(items, list | tuple) else 0
        item = self._functions.qname(shape.item)
        if self.plan.soap == "1.2":
            return f' enc:itemType="{item}" enc:arraySize="{count}"'
        return f' enc:arrayType="{item}[{count}]"'

    def _wrong(self, path: str, rule: str, value: object = None, **params: str) -> None:
        shown = None if value is None else mask_value(value)
        self.errors.append(FieldError(pointer=path, rule=rule, params=params, value=shown))


def _named(field: Field) -> str:
    return ", ".join(variant.name for variant in field.variants.values())
