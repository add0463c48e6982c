"""From a document to an envelope without a WSDL: each value bears the type that its JSON has; knows no HTTP."""

import re
from collections.abc import Mapping
from decimal import Decimal

from adapters.soap.lexical import TYPES
from adapters.soap.plan import ENCODING, ENVELOPE, XSD, XSI
from adapters.soap.spoken import APACHE, Spoken
from gateway import Document, FieldError, TranslationError, mask_value

# XML 1.0 section 2.2: what no document can hold, not even as a character reference.
_CONTROL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[^\W\d][\w.-]*")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;"})
_WHOLE = (("int", 31), ("long", 63))
_LONGEST = 1000  # bits or digits; no agency counts that far


def write(spoken: Spoken, method: str, document: Document, headers: Document) -> bytes:
    """Return the envelope as UTF-8; raises TranslationError (side "request") with every field that does not fit.

    Parameters keep the document's order, by which PHP tells them apart. `headers` are header blocks by name.
    """
    writer = _Writer(spoken)
    blocks = "".join(writer.header(name, value) for name, value in headers.items())
    body = "".join(writer.named(name, value, name) for name, value in document.items())
    if writer.errors:
        raise TranslationError("request", writer.errors)
    envelope, encoding = ENVELOPE[spoken.soap], ENCODING[spoken.soap]
    head = f"<soap:Header>{blocks}</soap:Header>" if blocks else ""
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap="{envelope}" xmlns:enc="{encoding}"'
        f' xmlns:xsi="{XSI}" xmlns:xsd="{XSD}" xmlns:apache="{APACHE}"'
        f' xmlns:m="{_escaped(spoken.namespace)}">{head}<soap:Body>'
        f'<m:{method} soap:encodingStyle="{encoding}">{body}</m:{method}></soap:Body></soap:Envelope>'
    ).encode()


def is_name(text: str) -> bool:
    """Return whether a text can be an element's name without a prefix."""
    return _NAME.fullmatch(text) is not None


class _Writer:
    """One document's way to XML text; collects errors instead of stopping at the first."""

    def __init__(self, spoken: Spoken) -> None:
        self.spoken = spoken
        self.errors: list[FieldError] = []

    def header(self, name: str, value: object) -> str:
        """Return a header block, which is in the methods' namespace."""
        return self.named(name, value, name, "m:")

    def named(self, name: str, value: object, path: str, prefix: str = "") -> str:
        """Return an element with its type and content."""
        if not is_name(name):
            return self._wrong(path, "native", expected="an element name")
        return self._element(prefix + name, value, path)

    def _element(self, tag: str, value: object, path: str) -> str:
        if value is None:
            return f'<{tag} xsi:nil="true"/>'
        if isinstance(value, Mapping) and not value and self.spoken.maps:
            value = ()  # PHP makes null of an empty Map, and the same empty array of an empty list
        if isinstance(value, Mapping):
            return self._map(tag, value, path) if self.spoken.maps else self._struct(tag, value, path)
        if isinstance(value, list | tuple):
            items = "".join(self._element("item", item, path) for item in value)
            return f"<{tag}{self._size(len(value))}>{items}</{tag}>"
        type_, text = self._simple(value, path)
        return f'<{tag} xsi:type="xsd:{type_}">{_escaped(text)}</{tag}>'

    def _struct(self, tag: str, value: Document, path: str) -> str:
        content = "".join(self.named(name, item, f"{path}.{name}") for name, item in value.items())
        return f'<{tag} xsi:type="enc:Struct">{content}</{tag}>'

    def _map(self, tag: str, value: Document, path: str) -> str:
        content = "".join(
            f'<item><key xsi:type="xsd:string">{_escaped(self._text(name, path))}</key>'
            f"{self._element('value', item, f'{path}.{name}')}</item>"
            for name, item in value.items()
        )
        return f'<{tag} xsi:type="apache:Map">{content}</{tag}>'

    def _size(self, count: int) -> str:
        if self.spoken.soap == "1.2":
            return f' enc:itemType="xsd:anyType" enc:arraySize="{count}" xsi:type="enc:Array"'
        return f' enc:arrayType="xsd:anyType[{count}]" xsi:type="enc:Array"'

    def _simple(self, value: object, path: str) -> tuple[str, str]:
        match value:
            case str() if path in self.spoken.binary:
                return "base64Binary", self._binary(value, path)
            case str():
                return "string", self._text(value, path)
            case bool():
                return "boolean", str(value).lower()
            case int() if value.bit_length() <= _LONGEST:
                whole = value if value >= 0 else ~value
                return next((name for name, bits in _WHOLE if whole.bit_length() <= bits), "integer"), str(value)
            case Decimal() if value.is_finite() and abs(value.adjusted()) <= _LONGEST:
                return "decimal", format(value, "f")
            case _:
                return "string", self._wrong(path, "type", value, expected="text or a number")

    def _binary(self, value: str, path: str) -> str:
        try:
            return TYPES["base64Binary"].write(value)
        except ValueError:
            return self._wrong(path, "native", value, expected="base64")

    def _text(self, value: str, path: str) -> str:
        return self._wrong(path, "control-character") if _CONTROL.search(value) else value

    def _wrong(self, path: str, rule: str, value: object = None, **params: str) -> str:
        shown = None if value is None else mask_value(value)
        self.errors.append(FieldError(pointer=path, rule=rule, params=params, value=shown))
        return ""


def _escaped(text: str) -> str:
    # A bare carriage return would reach the other side as a line feed (XML 1.0 section 2.11).
    return text.translate(_ENTITIES)
