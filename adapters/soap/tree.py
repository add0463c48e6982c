"""zeep's own tree, for what no plan can say; believed only where what it made says all that was given, and no more.

zeep arranges elements, and nothing else: every simple value is read and written as a compiled message's is.
Documents are in zeep's notation where they differ from a plan's: `_value_1` holds a group's turns, `a__1` a second `a`.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import tzinfo
from secrets import token_hex
from typing import Any
from typing import Any as Zeep

from lxml import etree
from zeep import xsd
from zeep.exceptions import Error as ZeepError
from zeep.helpers import serialize_object

from adapters.soap.encode import Writer
from adapters.soap.generate import generate
from adapters.soap.leaves import Leaves, attributes_of, elements_of
from adapters.soap.plan import NIL, TEXT, XSI, Field, MessagePlan
from adapters.soap.tolerate import Leniency
from adapters.soap.undeclared import MOST_ATTRIBUTES
from adapters.soap.values import Values
from gateway import Document, FieldError, InvalidAnswer, TranslationError

_EMPTY, _NULL = f"\ue000{token_hex(8)}", f"\ue001{token_hex(8)}"
_HERE = f"here-{token_hex(8)}"
"""Stand for "" and null while zeep reads, which makes None of both, and of an object without anything, unless it has
an attribute.
"""
_TYPE = f"{{{XSI}}}type"
_TRUE = frozenset({"true", "1"})
_FAILURES = (ZeepError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
_VALUES = MessagePlan(soap="1.1", rpc=False, encoded=False, payload=None)
_FUNCTIONS = generate(_VALUES)
"""Values are written the same in all messages."""
_ANYTHING = Field(name="", tag="", kind="text", type="string")


class Tree:
    """One payload's element in zeep's graph."""

    def __init__(self, element: Zeep, schema: Zeep, leaves: Leaves) -> None:
        self._element = element
        self._schema = schema
        self._leaves = leaves

    def write(self, document: Document) -> str:
        """Return the payload as XML; raises TranslationError where zeep took anything else than was given."""
        writer = Writer(_VALUES, _FUNCTIONS)
        errors = writer.errors
        given = _Given(self._leaves, writer).content(self._element.type, document, "")
        root = etree.Element("root")
        try:
            if not errors:
                self._element.render(root, self._element(**given))
        except _FAILURES as error:
            expected = f"what zeep takes: {type(error).__name__}"
            errors.append(FieldError(pointer="", rule="native", params={"expected": expected}))
        if not errors and sorted(_texts(root)) != sorted(_leaves(given)):
            errors.append(FieldError(pointer="", rule="native", params={"expected": "only what the WSDL declares"}))
        if errors:
            raise TranslationError("request", errors)
        return etree.tostring(root[0], encoding="unicode")

    def read(self, payload: etree._Element, zone: tzinfo | None) -> Document:
        """Return the payload's document; raises InvalidAnswer where zeep made anything else of it than it says."""
        marked = _marked(payload)
        again = etree.Element("root")
        values = Values(zone, Leniency())
        try:
            found = self._element.parse(marked, self._schema)
            taken: Any = serialize_object(found, dict)  # type: ignore[no-untyped-call]
            self._element.render(again, taken)
            document = {} if taken is None else _Taken(self._leaves, values).content(self._element.type, taken, "")
        except _FAILURES as error:
            raise _unfit(type(error).__name__) from error
        if values.errors:
            raise InvalidAnswer("the answer does not fit the WSDL", maybe_done=True, errors=values.errors)
        if len(again) != 1 or (where := _difference(marked, again[0])):
            raise _unfit(where if len(again) == 1 else payload.tag)
        return document


def _unfit(where: object) -> InvalidAnswer:
    error = FieldError(pointer="", rule="native", params={"expected": "what its WSDL says"})
    return InvalidAnswer(f"the answer does not fit the WSDL ({where})", maybe_done=True, errors=[error])


def _marked(payload: etree._Element) -> etree._Element:
    costly = next((one for one in payload.iter() if len(one.attrib) > MOST_ATTRIBUTES), None)
    if costly is not None:
        raise _unfit(etree.QName(costly).localname)
    marked = deepcopy(payload)
    for element in marked.iter():
        if not len(element) and not element.text:
            element.text = _NULL if element.attrib.pop(NIL, "") in _TRUE else _EMPTY
            element.set(_HERE, "")
    return marked


class _Given:
    """A document's way to what zeep takes: texts, each judged by its field."""

    def __init__(self, leaves: Leaves, writer: Writer) -> None:
        self._leaves = leaves
        self._writer = writer

    def content(self, type_: Zeep, value: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Return an object of a complex type as zeep takes it."""
        by_attribute = {f"@{one.name}": name for name, one in attributes_of(type_).items()}
        elements = dict(elements_of(type_))
        taken: dict[str, Any] = {}
        for name, one in value.items():
            theirs = "_value_1" if name == TEXT else by_attribute.get(name, name)
            below = f"{path}.{name}" if path else name
            field = self._leaves.field(type_, theirs)
            if field is not None:
                taken[theirs] = self._each(field, one, below) if field.many else self._text(field, one, below)
            else:
                # A group's turns have the names of the type that the group is in.
                taken[theirs] = self._below(
                    type_ if theirs.startswith("_value_") else None, elements.get(theirs), one, below
                )
        return taken

    def _each(self, field: Field, value: object, path: str) -> object:
        if isinstance(value, list | tuple):
            return [self._text(field, one, path) for one in value]
        self._wrong(path, "type", expected="list")
        return None

    def _text(self, field: Field, value: object, path: str) -> object:
        return self._null(path, nillable=field.nillable) if value is None else self._writer.simple(field, value, path)

    def _below(self, group: Zeep, known: Zeep, value: Any, path: str) -> Any:
        if isinstance(value, list | tuple):
            return [self._below(group, known, one, path) for one in value]
        if value is None:
            return self._null(path, nillable=False)  # zeep may write an object of nulls instead
        if isinstance(value, Mapping):
            return self.content(group or getattr(known, "type", None), value, path)
        return self._writer.simple(_ANYTHING, value, path)

    def _null(self, path: str, *, nillable: bool) -> object:
        if not nillable:
            self._wrong(path, "null")
        return xsd.Nil

    def _wrong(self, path: str, rule: str, **params: str) -> None:
        self._writer.errors.append(FieldError(pointer=path, rule=rule, params=params))


class _Taken:
    """What zeep read on its way to a document: its texts become values, each judged by its field."""

    def __init__(self, leaves: Leaves, values: Values) -> None:
        self._leaves = leaves
        self._values = values

    def content(self, type_: Zeep, taken: Mapping[str, Any], path: str) -> dict[str, Any]:
        """Return an object of a complex type as a document's."""
        attributes, elements = attributes_of(type_), dict(elements_of(type_))
        document: dict[str, Any] = {}
        for name, one in taken.items():
            # zeep holds undeclared attributes in an object of their own.
            if one is None or (name.startswith("_attr_") and one in ({}, {_HERE: ""})):
                continue
            field = self._leaves.field(type_, name)
            ours = f"@{attributes[name].name}" if name in attributes else TEXT if field and field.name == TEXT else name
            below = f"{path}.{ours}" if path else ours
            if field is not None:
                document[ours] = (
                    [self._value(field, text, below) for text in one] if field.many else self._value(field, one, below)
                )
            else:
                inner = type_ if name.startswith("_value_") else getattr(elements.get(name), "type", None)
                document[ours] = self._below(inner, one, below)
        return document

    def _value(self, field: Field, text: object, path: str) -> Any:
        if not isinstance(text, str):
            raise TypeError(type(text).__name__)
        if text != _NULL:
            return self._values.simple(field, "" if text == _EMPTY else text, path)
        return None if field.nillable else self._values.wrong(path, "null")

    def _below(self, type_: Zeep, taken: Any, path: str) -> Any:
        if isinstance(taken, list):
            return [self._below(type_, one, path) for one in taken]
        if isinstance(taken, dict):
            return self.content(type_, taken, path)
        if not isinstance(taken, str) or taken == _NULL:
            raise TypeError(type(taken).__name__)
        return "" if taken == _EMPTY else taken


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif value is xsd.Nil:
        yield _NULL
    elif isinstance(value, str) and value:
        yield value


def _texts(root: etree._Element) -> Iterator[str]:
    for element in root.iter():
        yield from (str(text) for name, text in element.attrib.items() if name not in {NIL, _TYPE} and text)
        if element.get(NIL) in _TRUE:
            yield _NULL
        if element.text:
            yield element.text


def _difference(one: etree._Element, other: etree._Element) -> str:
    """Return the name of the first element in which two differ."""
    said = [{name: text for name, text in each.attrib.items() if name not in {_TYPE, _HERE}} for each in (one, other)]
    texts = [str(each.text or "").replace(_EMPTY, "") if not len(each) else "" for each in (one, other)]
    blank = not texts[0].strip() and not texts[1].strip()
    if said[0] != said[1] or len(one) != len(other) or not (blank or texts[0] == texts[1]):
        return etree.QName(one).localname
    for mine, theirs in zip(one, other, strict=True):
        if mine.tag != theirs.tag:
            return etree.QName(mine).localname
        if where := _difference(mine, theirs):
            return where
    stray = [text for child in one for text in (child.tail,) if text and text.strip()]
    return etree.QName(one).localname if stray or (len(one) and (one.text or "").strip()) else ""
