"""From a document and its plan to an envelope; strict, and all errors of a document at once; knows no HTTP."""

import re
from collections.abc import Mapping
from typing import Any

from adapters.soap.facets import Beyond
from adapters.soap.plan import ENCODING, TEXT, Field, MessagePlan, Shape
from gateway import Document, FieldError, TranslationError, mask_value

# XML 1.0 section 2.2: what no document can hold, not even as a character reference.
CONTROL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[^\W\d][\w.-]*")
_ANY = {bool: "boolean", int: "integer", str: "string"}


def encode(
    plan: MessagePlan, document: Document, headers: Document | None = None, *, header_namespace: str = ""
) -> bytes:
    """Return the envelope as UTF-8; raises TranslationError (side "request") with every field that does not fit.

    `headers` are header blocks by element name; one that the WSDL does not declare is written in `header_namespace`
    if that is set, its fields unqualified-typed as they are, else it is an error.
    """
    writer = _Writer(plan)
    head = writer.headers(headers or {}, header_namespace)
    body = writer.payload(document)
    if writer.errors:
        raise TranslationError("request", writer.errors)
    namespaces = "".join(f' xmlns:{prefix}="{_attribute(uri)}"' for uri, prefix in plan.prefixes.items())
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope{namespaces}>{head}'
        f"<soap:Body>{body}</soap:Body></soap:Envelope>"
    ).encode()


class _Writer:
    """One document's way to XML text; collects errors instead of stopping at the first."""

    def __init__(self, plan: MessagePlan) -> None:
        self.plan = plan
        self.errors: list[FieldError] = []

    def payload(self, document: Document) -> str:
        """Return the Body's content: the wrapper is there even when it is empty."""
        if self.plan.payload is None:
            for name in document:
                self._wrong(name, "unknown")
            return ""
        style = f' soap:encodingStyle="{ENCODING[self.plan.soap]}"' if self.plan.encoded else ""
        payload = self.plan.payload
        if payload.shape is None:
            return self._unwrapped(payload, document)
        tag = self._name(payload.tag)
        typed = "" if self.plan.rpc else self._typed(payload)
        attributes, content = self._object(payload.shape, document, "")
        return f"<{tag}{style}{typed}{attributes}>{content}</{tag}>"

    def _unwrapped(self, payload: Field, document: Document) -> str:
        """A payload of a simple type is a document with its text only."""
        for name in document:
            if name != TEXT:
                self._wrong(name, "unknown")
        if TEXT not in document:
            self._wrong(TEXT, "required")
            return ""
        return self._one(payload, document[TEXT], TEXT)

    def headers(self, headers: Document, namespace: str) -> str:
        """Return the Header with its blocks, or nothing."""
        blocks = []
        for name, value in headers.items():
            declared = self.plan.headers.get(name)
            if declared is not None:
                blocks.append(self._one(declared, value, name))
            elif namespace and _NAME.fullmatch(name):
                blocks.append(self._undeclared(name, value, name, f' xmlns="{_attribute(namespace)}"'))
            else:
                self._wrong(name, "unknown")
        return f"<soap:Header>{''.join(blocks)}</soap:Header>" if blocks else ""

    def _object(self, shape: Shape, document: Mapping[str, Any], before: str) -> tuple[str, str]:
        """Return an element's attributes and content."""
        for name in document:
            if name not in shape.names:
                self._wrong(before + name, "unknown")
        self._check_choices(shape, document, before)
        attributes = "".join(self._as_attribute(found, document, before) for found in shape.attributes)
        if shape.text is not None:
            return attributes, self._text_of(shape.text, document, before)
        return attributes, "".join(self._field(found, document, before) for found in shape.fields)

    def _check_choices(self, shape: Shape, document: Mapping[str, Any], before: str) -> None:
        for choice in shape.choices:
            taken = [option for option in choice.options if not option.names.isdisjoint(document)]
            if len(taken) > 1:
                names = ", ".join(sorted(name for option in taken for name in option.names if name in document))
                self._wrong(before + min(taken[1].names), "native", expected="only one of: {names}", names=names)
            for option in taken[:1]:
                for name in sorted(option.needed.difference(document)):
                    self._wrong(before + name, "required")

    def _field(self, field: Field, document: Mapping[str, Any], before: str) -> str:
        path = before + field.name
        if field.name not in document:
            if field.least > 0:
                self._wrong(path, "required")
            return ""
        value = document[field.name]
        if not field.many:
            return self._one(field, value, path)
        if not isinstance(value, list | tuple):
            self._wrong(path, "type", value, expected="list")
            return ""
        if len(value) < field.least:
            self._wrong(path, "native", expected="at least {count}", count=str(field.least))
        if field.most is not None and len(value) > field.most:
            self._wrong(path, "native", expected="at most {count}", count=str(field.most))
        return "".join(self._one(field, item, path) for item in value)

    def _one(self, field: Field, value: object, path: str) -> str:
        tag = self._name(field.tag)
        if value is None:
            if not field.nillable:
                self._wrong(path, "null")
            return f'<{tag}{self._typed(field)} xsi:nil="true"/>'
        if field.kind == "any":
            return self._undeclared(tag, value, path)
        if field.shape is None:
            text = self._simple(field, value, path)
            return f"<{tag}{self._typed(field)}>{_escaped(text)}</{tag}>"
        if not isinstance(value, Mapping):
            self._wrong(path, "type", value, expected="object")
            return ""
        attributes, content = self._object(field.shape, value, f"{path}.")
        size = self._size(field.shape, value)
        return f"<{tag}{self._typed(field)}{size}{attributes}>{content}</{tag}>"

    def _simple(self, field: Field, value: object, path: str) -> str:
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

    def _as_attribute(self, field: Field, document: Mapping[str, Any], before: str) -> str:
        path = before + field.name
        if field.name not in document:
            if field.least > 0:
                self._wrong(path, "required")
            return ""
        if document[field.name] is None:
            self._wrong(path, "null")
            return ""
        return f' {self._name(field.tag)}="{_attribute(self._simple(field, document[field.name], path))}"'

    def _text_of(self, field: Field, document: Mapping[str, Any], before: str) -> str:
        value = document.get(TEXT)
        if value is None:
            self._wrong(before + TEXT, "null" if TEXT in document else "required")
            return ""
        return _escaped(self._simple(field, value, before + TEXT))

    def _undeclared(self, tag: str, value: object, path: str, attributes: str = "") -> str:
        """Write what no schema describes (xsd:anyType, an undeclared header): objects as elements, values as text."""
        if value is None:
            return f'<{tag}{attributes} xsi:nil="true"/>'
        if isinstance(value, Mapping):
            content = "".join(self._undeclared_child(name, item, f"{path}.{name}") for name, item in value.items())
            return f"<{tag}{attributes}>{content}</{tag}>"
        type_ = _ANY.get(type(value), "decimal")
        text = self._simple(Field(name="", tag="", kind="any", type=type_), value, path)
        typed = "" if attributes or (type_ == "string" and not self.plan.encoded) else f' xsi:type="xsd:{type_}"'
        return f"<{tag}{attributes}{typed}>{_escaped(text)}</{tag}>"

    def _undeclared_child(self, name: str, value: object, path: str) -> str:
        if not _NAME.fullmatch(name):
            self._wrong(path, "native", expected="an element name")
            return ""
        items = value if isinstance(value, list | tuple) else (value,)
        return "".join(self._undeclared(name, item, path) for item in items)

    def _name(self, tag: str) -> str:
        namespace, _, local = tag[1:].partition("}") if tag.startswith("{") else ("", "", tag)
        return f"{self.plan.prefixes[namespace]}:{local}" if namespace else local

    def _typed(self, field: Field) -> str:
        """Return xsi:type, which encoded messages bear on every value; literal ones never do."""
        if not self.plan.encoded:
            return ""
        if field.shape is not None and field.shape.item is not None:
            return ' xsi:type="enc:Array"'
        return f' xsi:type="{self._qname(field.xsi)}"' if field.xsi else ""

    def _qname(self, name: tuple[str, str]) -> str:
        return f"{self.plan.prefixes[name[0]]}:{name[1]}" if name[0] else name[1]

    def _size(self, shape: Shape, value: Mapping[str, Any]) -> str:
        if not self.plan.encoded or shape.item is None:
            return ""
        items = value.get(shape.fields[0].name)
        count = len(items) if isinstance(items, list | tuple) else 0
        if self.plan.soap == "1.2":
            return f' enc:itemType="{self._qname(shape.item)}" enc:arraySize="{count}"'
        return f' enc:arrayType="{self._qname(shape.item)}[{count}]"'

    def _wrong(self, path: str, rule: str, value: object = None, **params: str) -> None:
        shown = None if value is None else mask_value(value)
        self.errors.append(FieldError(pointer=path, rule=rule, params=params, value=shown))


def _escaped(text: str) -> str:
    # A bare carriage return would reach the other side as a line feed (XML 1.0 section 2.11).
    if "&" in text or "<" in text or ">" in text or "\r" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")
    return text


def _attribute(text: str) -> str:
    return _escaped(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
