"""zeep's own tree, for what no plan can say; believed only where what it made says all that was given, and no more.

Documents are in zeep's notation where they differ from a plan's: `_value_1` holds a group's turns, `a__1` a second `a`.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import date, datetime, time, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any
from typing import Any as Zeep

from lxml import etree
from zeep import xsd
from zeep.exceptions import Error as ZeepError
from zeep.helpers import serialize_object
from zeep.xsd.elements.indicators import Indicator
from zeep.xsd.types.builtins import BuiltinType
from zeep.xsd.types.collection import ListType, UnionType

from adapters.soap.facets import Beyond
from adapters.soap.lexical import TEXT as TEXT_TYPE
from adapters.soap.lexical import TYPES, Lexical, with_zone
from adapters.soap.plan import NIL, TEXT, XSI
from adapters.soap.types import Types, builtin_of
from gateway import Document, FieldError, InvalidAnswer, TranslationError

_EMPTY = "\ue000"
"""Stands for "" while zeep reads, which makes None of it."""
_TYPE = f"{{{XSI}}}type"
_TRUE = frozenset({"true", "1"})
_FAILURES = (ZeepError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)


class Tree:
    """One payload's element in zeep's graph."""

    def __init__(self, element: Zeep, schema: Zeep, types: Types) -> None:
        self._element = element
        self._schema = schema
        self._types = types

    def write(self, document: Document) -> str:
        """Return the payload as XML; raises TranslationError where zeep took anything else than was given."""
        errors: list[FieldError] = []
        given = _Given(errors, self._types).value(self._element.type, document, "")
        root = etree.Element("root")
        try:
            if not errors:
                self._element.render(root, self._element(**given))
        except _FAILURES as error:
            expected = f"what zeep takes: {type(error).__name__}"
            errors.append(FieldError(pointer="", rule="native", params={"expected": expected}))
        if not errors and sorted(_texts(root)) != sorted(_leaves(document)):
            errors.append(FieldError(pointer="", rule="native", params={"expected": "only what the WSDL declares"}))
        if errors:
            raise TranslationError("request", errors)
        return etree.tostring(root[0], encoding="unicode")

    def read(self, payload: etree._Element, zone: tzinfo | None) -> Document:
        """Return the payload's document; raises InvalidAnswer where zeep made anything else of it than it says."""
        marked = deepcopy(payload)
        for element in marked.iter():
            if not len(element) and not element.text and element.get(NIL) not in _TRUE:
                element.text = _EMPTY
        again = etree.Element("root")
        errors: list[FieldError] = []
        try:
            value = self._element.parse(marked, self._schema)
            values: Any = serialize_object(value, dict)  # type: ignore[no-untyped-call]
            self._element.render(again, value)
            document = _named(self._element.type, _plain(values, zone))
            _Given(errors, self._types).value(self._element.type, document, "")
        except _FAILURES as error:
            raise _unfit(type(error).__name__) from error
        if errors:
            raise InvalidAnswer("the answer does not fit the WSDL", maybe_done=True, errors=errors)
        if len(again) != 1 or (where := _difference(marked, again[0])):
            raise _unfit(where if len(again) == 1 else payload.tag)
        return document if isinstance(document, dict) else {} if document is None else {TEXT: document}


def _unfit(where: object) -> InvalidAnswer:
    error = FieldError(pointer="", rule="native", params={"expected": "what its WSDL says"})
    return InvalidAnswer(f"the answer does not fit the WSDL ({where})", maybe_done=True, errors=[error])


class _Given:
    """A document's way to what zeep takes, each value judged by its type."""

    def __init__(self, errors: list[FieldError], types: Types) -> None:
        self._errors = errors
        self._types = types

    def value(self, type_: Zeep, value: Any, path: str, owner: Zeep = None) -> Any:
        """Return a value as zeep takes it; `owner` is the complex type that it is in."""
        if isinstance(value, list | tuple):
            return [self.value(type_, one, path, owner) for one in value]
        if isinstance(value, Mapping):
            return self._object(type_, value, path)
        if isinstance(type_, xsd.ComplexType) or value is None:
            return value
        builtin = builtin_of(type_)
        try:
            text = self._lexical(type_, owner, builtin).write(value)
        except Beyond as beyond:
            self._errors.append(FieldError(pointer=path, rule=beyond.rule, params=beyond.params))
            return None
        except (TypeError, ValueError):
            self._errors.append(FieldError(pointer=path, rule="native", params={"expected": f"xsd:{builtin}"}))
            return None
        return base64.b64decode(text) if builtin == "base64Binary" else value

    def _lexical(self, type_: Zeep, owner: Zeep, builtin: str) -> Lexical:
        if isinstance(type_, BuiltinType) and not isinstance(type_, ListType | UnionType):
            return self._types.simple(type_, owner).lexical
        return TYPES.get(builtin, TEXT_TYPE)

    def _object(self, type_: Zeep, value: Mapping[str, Any], path: str) -> dict[str, Any]:
        attributes = _attributes(type_)
        by_attribute = {f"@{one.name}": name for name, one in attributes.items()}
        elements = dict(_elements(type_))
        taken: dict[str, Any] = {}
        for name, one in value.items():
            theirs = "_value_1" if name == TEXT else by_attribute.get(name, name)
            known = attributes.get(theirs) or elements.get(theirs)
            # A group's turns have the names of the type that the group is in.
            inner = known.type if known is not None else type_ if theirs.startswith("_value_") else None
            taken[theirs] = self.value(inner, one, f"{path}.{name}" if path else name, type_)
        return taken


def _attributes(type_: Zeep) -> dict[str, Zeep]:
    return {name: one for name, one in getattr(type_, "attributes", ()) if one.name}


def _named(type_: Zeep, value: Any) -> Any:
    """Return a document of zeep's whose attributes are called as ours are."""
    if isinstance(value, list):
        return [_named(type_, one) for one in value]
    if not isinstance(value, dict):
        return value
    attributes, elements = _attributes(type_), dict(_elements(type_))
    return {
        f"@{attributes[name].name}" if name in attributes else name: _named(
            elements[name].type if name in elements else type_ if name.startswith("_value_") else None, one
        )
        for name, one in value.items()
    }


def _elements(particle: Zeep) -> Iterator[tuple[str, Zeep]]:
    for name, inner in getattr(particle, "elements_nested", ()):
        if isinstance(inner, Indicator):
            yield from _elements(inner)
        elif name is not None:
            yield name, inner


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _leaves(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _leaves(one)
    elif value is not None and value != "":
        yield _same(str(value))


def _texts(root: etree._Element) -> Iterator[str]:
    for element in root.iter():
        yield from (_same(str(text)) for name, text in element.attrib.items() if name not in {NIL, _TYPE} and text)
        if element.text:
            yield _same(element.text)


def _same(text: str) -> str:
    """Return one text for all forms of one value."""
    text = text.strip()
    if text.lower() in {"true", "false"}:
        return text.lower()
    try:
        return str(Decimal(text).normalize()) if text[:1] in "+-.0123456789" else text
    except InvalidOperation:
        return text


def _difference(one: etree._Element, other: etree._Element) -> str:
    """Return the name of the first element in which two differ."""
    attributes = [{name: text for name, text in each.attrib.items() if name != _TYPE} for each in (one, other)]
    texts = [str(each.text or "") if not len(each) else "" for each in (one, other)]
    if attributes[0] != attributes[1] or len(one) != len(other) or not _alike(*texts):
        return etree.QName(one).localname
    for mine, theirs in zip(one, other, strict=True):
        if mine.tag != theirs.tag:
            return etree.QName(mine).localname
        if where := _difference(mine, theirs):
            return where
    stray = [text for child in one for text in (child.tail,) if text and text.strip()]
    return etree.QName(one).localname if stray or (len(one) and (one.text or "").strip()) else ""


def _alike(one: str, other: str) -> bool:
    one, other = one.strip(), other.strip()
    if one == other or _same(one) == _same(other) or {one, other} in ({"true", "1"}, {"false", "0"}):
        return True
    try:
        return datetime.fromisoformat(one) == datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False


def _plain(value: Any, zone: tzinfo | None) -> Any:
    """Return zeep's values as a document's."""
    if isinstance(value, dict):
        return {name: _plain(one, zone) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_plain(one, zone) for one in value]
    if value is None or isinstance(value, bool | int | Decimal):
        return value
    found = next((plain for kind, plain in _PLAIN if isinstance(value, kind)), None)
    if found is None:
        raise TypeError(type(value).__name__)
    return with_zone(found(value), zone) if isinstance(value, datetime) else found(value)


_PLAIN: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, lambda text: text.replace(_EMPTY, "")),
    (date, lambda moment: moment.isoformat()),  # a datetime is one, too
    (time, lambda moment: moment.isoformat()),
    (float, lambda number: Decimal(repr(number))),
    (bytes, lambda content: base64.b64encode(content).decode()),
)
