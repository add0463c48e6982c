"""From an answer that says its types itself to a document: xsi:type, SOAP arrays, Apache Map; strict, no contract."""

import base64
import binascii
import re
from contextlib import suppress
from typing import Any

from lxml import etree

from adapters.soap.envelope import Body, open_envelope
from adapters.soap.lexical import TYPES, with_zone
from adapters.soap.plan import ENCODING, ENVELOPE, NIL, XSD, XSI
from adapters.soap.spoken import APACHE, PERL, RETURN, Spoken
from adapters.soap.tolerate import Leniency
from gateway import Document, Fault, FieldError, InvalidAnswer, mask_text, mask_value

_TYPE = f"{{{XSI}}}type"
_SIMPLE = frozenset({XSD, "http://www.w3.org/1999/XMLSchema", "http://www.w3.org/2000/10/XMLSchema"})
_ENCODINGS = frozenset(ENCODING.values())
_MARKUP = frozenset({*ENVELOPE.values(), *_ENCODINGS, XSI, "http://www.w3.org/XML/1998/namespace"})
_ANY = frozenset({"", "anyType", "ur-type", "anySimpleType"})
_TEXTS = frozenset({"string", "normalizedString", "token", "anyURI", "language", "NMTOKEN", "Name", "NCName"})
_OTHER_NAMES = {"base64": "base64Binary", "timeInstant": "dateTime"}
# PHP calls every whole number xsd:int, whatever its size: the type tells what it is, not how large it may be.
_OTHER_NAMES |= dict.fromkeys(("byte", "short", "int", "long"), "integer")
_ARRAY_TYPE, _ITEM_TYPE, _ARRAY_SIZE = (
    f"{{{ENCODING['1.1']}}}arrayType",
    f"{{{ENCODING['1.2']}}}itemType",
    f"{{{ENCODING['1.2']}}}arraySize",
)
_PARTLY = frozenset(f"{{{uri}}}{name}" for uri in ENCODING.values() for name in ("offset", "position"))
_ID, _REF = f"{{{ENCODING['1.2']}}}id", f"{{{ENCODING['1.2']}}}ref"
_RESULT = "{http://www.w3.org/2003/05/soap-rpc}result"
_ONE_DIMENSION = re.compile(r"(?P<item>.+?)\[(?P<count>[0-9]{0,7})\]")
_GENERATED = re.compile(r"[sc]-gensym[0-9]+")
_CONTROL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENOUGH = 50
_REFERRED_FEW, _REFERRED_EACH = 1_000, 10  # elements read again through references: so many, and so many times over
_MOST_ATTRIBUTES = 100  # reading them one by one costs quadratic time in lxml
_DEEPEST = 100

Type = tuple[str, str]


def read(spoken: Spoken, method: str, content: bytes, leniency: Leniency | None = None) -> Document | Fault:
    """Return what a method answered, or the fault; raises InvalidAnswer (maybe done) with every value that is wrong.

    The first value is `return`, further ones have the names that they come with. `leniency` says in what the document
    may deviate before it is read, and hears in what it did.
    """
    opened = open_envelope(content, spoken.soap, encoded=True, leniency=leniency)
    if isinstance(opened, Fault):
        return opened
    reader = _Reader(spoken, opened)
    document = reader.payload(opened.payload, f"{method}Response")
    if reader.errors:
        what = "the answer does not hold what its own types say"
        raise InvalidAnswer(what, maybe_done=True, errors=reader.errors)
    return document


class _Reader:
    """One answer's way to a document; collects errors up to a number that still helps."""

    def __init__(self, spoken: Spoken, body: Body) -> None:
        self.spoken = spoken
        self.body = body
        self.ids: dict[str, etree._Element] | None = None
        self.left = _REFERRED_FEW
        self.errors: list[FieldError] = []

    def payload(self, element: etree._Element | None, name: str) -> Document:
        """Return the values of an answer by name."""
        if element is None or etree.QName(element).localname != name:
            self._wrong("", "native", expected=f"an element {name}")
            return {}
        if self._stray(element, ""):
            return {}
        document: dict[str, Any] = {}
        children = [child for child in element if child.tag != _RESULT]
        for number, child in enumerate(children, start=1):
            own = etree.QName(child).localname
            key = RETURN if number == 1 else f"{RETURN}{number}" if _GENERATED.fullmatch(own) else own
            self._put(document, key, child, "", 0)
        return document

    def _put(self, document: dict[str, Any], key: str, element: etree._Element, before: str, depth: int) -> None:
        if key in document:
            self._wrong(before + mask_text(key[:80]), "native", expected="each name once")
        else:
            document[key] = self._value(element, before + key, depth)

    def _value(self, element: etree._Element, path: str, depth: int, said: Type = ("", "")) -> Any:
        """Return a value by the type that its element names, else by the one `said` of all items of its list."""
        target = element.get("href") or element.get(_REF)
        if target is not None:
            referred = self._target(element, target, path)
            if referred is None:
                return None
            element = referred
        if depth > _DEEPEST or len(element.attrib) > _MOST_ATTRIBUTES:
            return self._wrong(path, "native", expected="less depth and fewer attributes")
        if element.attrib:
            self._refuse_attributes(element, path)
        nil = element.get(NIL, "false")
        if nil not in {"false", "0"}:
            return self._null(element, nil, path)
        return self._typed(element, self._type(element.get(_TYPE), element, said), path, depth)

    def _refuse_attributes(self, element: etree._Element, path: str) -> None:
        """Whatever is no markup would be left out without a word."""
        for key in map(str, element.attrib):
            namespace, _, name = key[1:].partition("}") if key.startswith("{") else ("", "", key)
            if namespace not in _MARKUP and key not in {"id", "href"}:
                self._wrong(f"{path}.@{mask_text(name[:80])}", "unknown")

    def _typed(self, element: etree._Element, type_: Type, path: str, depth: int) -> Any:
        if self._is_array(element, type_):
            return self._list(element, path, depth)
        if type_ == (APACHE, "Map"):
            return self._map(element, path, depth)
        if len(element) or self._is_struct(type_):
            return self._struct(element, type_, path, depth)
        return self._simple(type_, element.text or "", path)

    def _type(self, name: str | None, element: etree._Element, said: Type) -> Type:
        if name is None:
            return said
        prefix, _, local = name.strip().rpartition(":")
        return element.nsmap.get(prefix or None) or "", local

    def _target(self, element: etree._Element, target: str, path: str) -> etree._Element | None:
        """Return the element that a reference names: anywhere in the Body, since PHP puts ids where it first writes."""
        if self.ids is None:
            self.ids = self._identified()
        found = self.ids.get(target.removeprefix("#"))
        empty = not len(element) and not (element.text or "").strip()
        if found is None or not empty or "href" in found.attrib or _REF in found.attrib:
            self._wrong(path, "native", expected="a reference to an element of the Body")
            return None
        self.left -= sum(1 for _ in found.iter())
        if self.left < 0:
            raise InvalidAnswer("the answer refers to its own elements too often", maybe_done=True)
        return found

    def _identified(self) -> dict[str, etree._Element]:
        """Return the elements that bear an id; counts all, since what references may cost depends on how many came."""
        roots = [*self.body.referred.values(), *([] if self.body.payload is None else [self.body.payload])]
        found: dict[str, etree._Element] = {}
        for element in (each for root in roots for each in root.iter()):
            self.left += _REFERRED_EACH
            if (identity := element.get("id") or element.get(_ID)) is not None:
                if identity in found:
                    raise InvalidAnswer("the answer has two elements with one id", maybe_done=True)
                found[identity] = element
        return found

    def _null(self, element: etree._Element, nil: str, path: str) -> None:
        if nil not in {"true", "1"}:
            self._wrong(path, "native", nil, expected="xsi:nil true or false")
        elif len(element) or element.text:
            self._wrong(path, "native", expected="nothing where xsi:nil is true")

    def _is_array(self, element: etree._Element, type_: Type) -> bool:
        named = type_[0] in _ENCODINGS and type_[1] == "Array"
        return named or element.get(_ARRAY_TYPE) is not None or element.get(_ITEM_TYPE) is not None

    def _is_struct(self, type_: Type) -> bool:
        """Besides SOAP's own struct, a class of the agency's namespace or of Perl's: what is in it says its type."""
        namespace, name = type_
        known = namespace in {self.spoken.namespace, PERL} or (namespace == APACHE and name == "SOAPStruct")
        return known or (namespace in _ENCODINGS and name == "Struct")

    def _list(self, element: etree._Element, path: str, depth: int) -> list[Any]:
        if self._stray(element, path) or any(key in _PARTLY for key in element.attrib):
            self._wrong(path, "native", expected="a whole list, without positions")
            return []
        items, count = self._items_of(element, path)
        if count is not None and count != len(element):
            self._wrong(path, "native", expected=f"{count} items, not {len(element)}")
            return []
        return [self._value(item, path, depth + 1, items) for item in element]

    def _items_of(self, element: etree._Element, path: str) -> tuple[Type, int | None]:
        """Return what an array says of its items: their type, and how many there are."""
        if (name := element.get(_ITEM_TYPE)) is not None:
            size = element.get(_ARRAY_SIZE, "*").strip()
            count = int(size) if size.isascii() and size.isdigit() and len(size) < len("10000000") else None
            return self._item_type(name, element), count
        said = element.get(_ARRAY_TYPE)
        found = None if said is None else _ONE_DIMENSION.fullmatch(said.strip())
        if said is not None and found is None:
            self._wrong(path, "native", said, expected="a list of one dimension")
        if found is None:
            return ("", ""), None
        return self._item_type(found["item"], element), int(found["count"]) if found["count"] else None

    def _item_type(self, name: str, element: etree._Element) -> Type:
        return ("", "") if name.endswith("]") else self._type(name, element, ("", ""))

    def _map(self, element: etree._Element, path: str, depth: int) -> Document:
        document: dict[str, Any] = {}
        if self._stray(element, path):
            return document
        for item in element:
            parts = {etree.QName(part).localname: part for part in item}
            if len(item) != len(parts) or parts.keys() != {"key", "value"}:
                self._wrong(path, "native", expected="items of one key and one value")
                continue
            key = self._value(parts["key"], path, depth + 1)
            if not isinstance(key, str | int) or isinstance(key, bool):
                self._wrong(path, "native", expected="a text or a whole number as key")
            else:
                self._put(document, str(key), parts["value"], f"{path}.", depth + 1)
        return document

    def _struct(self, element: etree._Element, type_: Type, path: str, depth: int) -> Document:
        document: dict[str, Any] = {}
        if not self._is_struct(type_) and type_ != ("", "") and not (type_[0] in _SIMPLE and type_[1] in _ANY):
            self._wrong(path, "native", type_[1], expected="a type that holds elements")
        elif not self._stray(element, path):
            for child in element:
                self._put(document, etree.QName(child).localname, child, f"{path}.", depth + 1)
        return document

    def _stray(self, element: etree._Element, path: str) -> bool:
        stray = any(text and text.strip() for text in (element.text, *(child.tail for child in element)))
        if stray:
            self._wrong(path, "native", expected="no text beside elements")
        return stray

    def _simple(self, type_: Type, text: str, path: str) -> Any:
        namespace, name = type_
        name = _OTHER_NAMES.get(name, name)
        if type_ == ("", "") or (namespace in _SIMPLE and name in _ANY):
            return text
        if name not in {*_TEXTS, *TYPES} or namespace not in {*_SIMPLE, *_ENCODINGS}:
            return self._wrong(path, "native", type_[1], expected="a type that is known")
        if name == "base64Binary" and self.spoken.base64_text and path not in self.spoken.binary:
            return self._text_in_base64(text, path)
        return text if name in _TEXTS else self._builtin(name, text, path)

    def _builtin(self, name: str, text: str, path: str) -> Any:
        try:
            value = TYPES[name].read(text)
        except ValueError:
            return self._wrong(path, "native", text, expected=f"xsd:{name}")
        if self.spoken.digits and TYPES[name].kind in {"integer", "number"}:
            return text.strip()
        return self._moment(str(value), path) if name == "dateTime" else value

    def _moment(self, text: str, path: str) -> Any:
        try:
            return with_zone(text, self.spoken.zone)
        except ValueError:
            return self._wrong(path, "native", text, expected="a dateTime with its zone; else set `timezone`")

    def _text_in_base64(self, text: str, path: str) -> Any:
        try:
            octets = base64.b64decode("".join(text.split()), validate=True)
        except binascii.Error:
            return self._wrong(path, "native", expected="xsd:base64Binary")
        for charset in self.spoken.base64_text:
            with suppress(UnicodeDecodeError):
                found = octets.decode(charset)
                return self._wrong(path, "control-character") if _CONTROL.search(found) else found
        return self._wrong(path, "native", expected=f"text in {' or '.join(self.spoken.base64_text)} as base64")

    def _wrong(self, path: str, rule: str, value: str | None = None, **params: str) -> Any:
        """Note an error; what is returned stands where the value would."""
        if len(self.errors) < _ENOUGH:
            shown = None if value is None else mask_value(value.strip())
            self.errors.append(FieldError(pointer=path, rule=rule, params=params, value=shown))
