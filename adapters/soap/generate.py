"""From a message's plan to Python functions that write right values at once; what is not right they hand to a Writer.

One function for each shape, for its content and for its attributes; they are made when a shape is first met, since a
WSDL may offer hundreds of types where xsi:type chooses one.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING, Any

from adapters.soap import quick
from adapters.soap.facets import NO_FACETS, Facets
from adapters.soap.lexical import TYPES, Lexical
from adapters.soap.plan import ENCODING, Field, MessagePlan, Names, Shape
from adapters.soap.text import CONTROL, QUOTED, SPECIAL, as_attribute, escaped

if TYPE_CHECKING:
    from adapters.soap.encode import Writer

Content = Callable[[Mapping[str, Any], str, "Writer"], str]
_DIGITS = 30


class Functions:
    """What is made of one message: the envelope's ends, and the functions of its shapes."""

    def __init__(self, plan: MessagePlan) -> None:
        self._plan = plan
        own = {uri: prefix for uri, prefix in plan.prefixes.items() if uri not in plan.spare}
        self.start = f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope{_declared(own)}>'
        self.middle, self.end = "<soap:Body>", "</soap:Body></soap:Envelope>"
        self.spare = _declared({uri: plan.prefixes[uri] for uri in plan.spare})
        self.root = self._root(plan)
        self._shapes: Mapping[int, int] = {}
        self._making = Lock()
        self._space: dict[str, Any] = {"MISSING": object(), "escaped": escaped}
        self._space |= {"special": SPECIAL.search, "quoted": QUOTED.search, "control": CONTROL.search}

    def content(self, shape: Shape) -> Content:
        """Return the function that writes what is inside an element."""
        return self._made("content", shape)

    def attributes(self, shape: Shape) -> Content:
        """Return the function that writes an element's attributes."""
        return self._made("attributes", shape)

    def name(self, tag: str) -> str:
        """Return an element's or attribute's name as it is written."""
        namespace, _, local = tag[1:].partition("}") if tag.startswith("{") else ("", "", tag)
        return f"{self._plan.prefixes[namespace]}:{local}" if namespace else local

    def qname(self, name: Names) -> str:
        """Return a type's name as it is written."""
        return f"{self._plan.prefixes[name[0]]}:{name[1]}" if name[0] else name[1]

    def typed(self, field: Field) -> str:
        """Return xsi:type, which encoded messages bear on every value; literal ones only on a variant."""
        if not self._plan.encoded:
            return ""
        if field.shape is not None and field.shape.item is not None:
            return ' xsi:type="enc:Array"'
        return f' xsi:type="{self.qname(field.xsi)}"' if field.xsi else ""

    def _root(self, plan: MessagePlan) -> tuple[str, str]:
        if plan.payload is None:
            return "", ""
        tag = self.name(plan.payload.tag)
        style = f' soap:encodingStyle="{ENCODING[plan.soap]}"' if plan.encoded else ""
        return tag, f"<{tag}{style}{'' if plan.rpc else self.typed(plan.payload)}"

    def _made(self, what: str, shape: Shape) -> Content:
        if id(shape) not in self._shapes:
            with self._making:
                self._make(shape)
        made: Content = self._space[f"{what}{self._shapes[id(shape)]}"]
        return made

    def _make(self, shape: Shape) -> None:
        """Make the functions of a shape and of those below it."""
        fresh: list[Shape] = []
        numbers = dict(self._shapes)
        waiting = [shape]
        while waiting:
            one = waiting.pop()
            if id(one) not in numbers:
                numbers[id(one)] = len(numbers)
                fresh.append(one)
                waiting += [found.shape for found in one.fields if found.shape is not None]
        lines = [line for one in fresh for line in _Source(self, self._space, numbers, one).lines()]
        exec(compile("\n".join(lines), "<soap>", "exec"), self._space)  # noqa: S102 -- names and texts are literals
        self._shapes = numbers  # only now, since other threads look


def generate(plan: MessagePlan) -> Functions:
    """Return what writes one message."""
    return Functions(plan)


class _Source:
    """The source of one shape's functions."""

    def __init__(self, functions: Functions, space: dict[str, Any], shapes: Mapping[int, int], shape: Shape) -> None:
        self._functions = functions
        self._space = space
        self._shapes = shapes
        self._shape = shape
        self._number = shapes[id(shape)]

    def lines(self) -> Iterator[str]:
        """Yield the lines of both functions."""
        own = f"shape{self._number}"
        self._space[own] = self._shape
        self._space[f"names{self._number}"] = self._shape.names
        yield f"def content{self._number}(document, before, writer):"
        yield f"    if not document.keys() <= names{self._number}: writer.unknown({own}, document, before)"
        if self._shape.choices:
            yield f"    writer.choices({own}, document, before)"
        yield "    get = document.get"
        if self._shape.text is not None:
            yield f"    return writer.text_of({self._bound(self._shape.text)}, document, before)"
        else:
            names = [f"part{number}" for number in range(len(self._shape.fields))]
            for name, field in zip(names, self._shape.fields, strict=True):
                yield f"    value = get({field.name!r}, MISSING)"
                yield f"    {name} = {self._field(field)}"
            yield f"    return {_together(names)}"
        yield f"def attributes{self._number}(document, before, writer):"
        names = [f"part{number}" for number in range(len(self._shape.attributes))]
        for name, field in zip(names, self._shape.attributes, strict=True):
            yield f"    value = document.get({field.name!r}, MISSING)"
            yield f"    {name} = {self._attribute(field)}"
        yield f"    return {_together(names)}"

    def _field(self, field: Field) -> str:
        """Return an expression for one field's elements; `value` is the document's."""
        slow = f"writer.field({self._bound(field)}, document, before)"
        if not field.tag or field.variants or field.abstract or field.kind == "any":
            whole = slow
        elif field.many:
            whole = self._items(field, slow)
        else:
            whole = f"{self._one(field, 'value', f'before + {field.name + chr(46)!r}')} else {slow}"
        return f"'' if value is MISSING else {whole}" if field.least == 0 else whole

    def _items(self, field: Field, slow: str) -> str:
        at = f"before + {field.name!r}"
        one = f"{self._one(field, 'item', f'before + {field.name + chr(46)!r}')} else writer.one"
        items = f"''.join([{one}({self._bound(field)}, item, {at}) for item in value])"
        most = "" if field.most is None else f" <= {field.most}"
        counted = f" and {field.least} <= len(value){most}" if field.least or most else ""
        return f"{items} if value.__class__ is list{counted} else {slow}"

    def _one(self, field: Field, value: str, before: str) -> str:
        """Return 'expression if condition' for one element."""
        tag = self._functions.name(field.tag)
        start, end = _literal(f"<{tag}{self._functions.typed(field)}"), _literal(f"</{tag}>")
        if field.shape is not None:
            if field.shape.item is not None or field.shape.odd:
                return "'' if False"  # the Writer counts items
            number = self._shapes[id(field.shape)]
            inner = f"{{content{number}({value}, {before}, writer)}}"
            attributes = f"{{attributes{number}({value}, {before}, writer)}}" if field.shape.attributes else ""
            return f'f"{start}{attributes}>{inner}{end}" if {value}.__class__ is dict'
        text, right = self._text(field, value)
        return f'f"{start}>{{{text}}}{end}" if {right}'

    def _attribute(self, field: Field) -> str:
        slow = f"writer.attribute({self._bound(field)}, document, before)"
        text, right = self._text(field, "value", attribute=True)
        name = _literal(f' {self._functions.name(field.tag)}="')
        quick = f'f"{name}{{{text}}}\\"" if {right} else {slow}'
        return f"'' if value is MISSING else {quick}" if field.least == 0 else quick

    def _text(self, field: Field, value: str, *, attribute: bool = False) -> tuple[str, str]:
        """Return expressions for a value's text, and for whether it is right at once."""
        if not quick.is_plain(field):
            return value, "False"
        lexical = TYPES.get(field.type)
        if field.facets != NO_FACETS:
            return self._restricted(field, value, attribute=attribute)
        if lexical is None:
            return self._untyped(field, value, attribute=attribute)
        if field.type in quick.BOUNDS:
            low, high = quick.BOUNDS[field.type]
            return value, f"{value}.__class__ is int and {low} <= {value} <= {high}"
        if lexical.kind == "boolean":
            return f"'true' if {value} else 'false'", f"({value} is True or {value} is False)"
        name = f"write_{field.type}"
        self._space[name] = _number if lexical.kind == "number" else _checked(field.type, lexical)
        return "text", f"(text := {name}({value})) is not None"

    def _restricted(self, field: Field, value: str, *, attribute: bool) -> tuple[str, str]:
        facets = field.facets
        if field.type not in TYPES and facets == Facets(allowed=facets.allowed):
            name = f"allowed{self._bound(field)}"
            self._space[name] = frozenset(one for one in facets.allowed if as_attribute(one) == escaped(one) == one)
            return value, f"{value}.__class__ is str and {value} in {name}"
        if field.type == "string" and facets == Facets(min_length=facets.min_length, max_length=facets.max_length):
            return self._untyped(field, value, attribute=attribute)
        name = f"write{self._bound(field)}"
        self._space[name] = _checked("", field.lexical)
        return "text", f"(text := {name}({value})) is not None"

    def _untyped(self, field: Field, value: str, *, attribute: bool) -> tuple[str, str]:
        most = "" if field.max_length is None else f" <= {field.max_length}"
        length = f" and {field.min_length} <= len({value}){most}" if field.min_length or most else ""
        right = f"{value}.__class__ is str{length} and "
        if attribute:
            return value, f"{right}quoted({value}) is None"
        text = f"{value} if plain else escaped({value})"
        return text, f"{right}((plain := special({value}) is None) or control({value}) is None)"

    def _bound(self, field: Field) -> str:
        name = f"field{self._number}_{len(self._space)}"
        self._space[name] = field
        return name


def _number(value: object) -> str | None:
    if value.__class__ is Decimal and value.is_finite() and -_DIGITS < value.adjusted() < _DIGITS:
        return format(value, "f")
    return str(value) if value.__class__ is int and -(10**18) < value < 10**18 else None


def _checked(type_: str, lexical: Lexical) -> Callable[[object], str | None]:
    """Return what writes a type whose values are texts in their own form."""
    as_it_is = type_ in {"date", "dateTime"}
    write: Callable[[Any], str] = quick.reader(type_) if as_it_is else lexical.write

    def checked(value: object) -> str | None:
        try:
            text = write(value) if value.__class__ is str or not as_it_is else None
        except (TypeError, ValueError):
            return None
        return text if as_it_is or text is None or SPECIAL.search(text) is None else None

    return checked


def _declared(prefixes: Mapping[str, str]) -> str:
    return "".join(f' xmlns:{prefix}="{as_attribute(uri)}"' for uri, prefix in prefixes.items())


def _together(parts: list[str]) -> str:
    return f"''.join(({', '.join(parts)},))" if parts else "''"


def _literal(text: str) -> str:
    """Return text as it stands within an f-string between double quotes."""
    escapes = {"\\": "\\\\", '"': '\\"', "{": "{{", "}": "}}", "\n": "\\n", "\r": "\\r"}
    return "".join(escapes.get(one, one) for one in text)
