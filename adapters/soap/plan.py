"""The field plan of a SOAP operation: plain frozen data between the WSDL and the codec; knows neither zeep nor lxml."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Literal, Self

from adapters.soap.facets import NO_FACETS, Facets, restricted
from adapters.soap.lexical import Kind, Lexical

Soap = Literal["1.1", "1.2"]

ENVELOPE: Mapping[Soap, str] = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
ENCODING: Mapping[Soap, str] = {
    "1.1": "http://schemas.xmlsoap.org/soap/encoding/",
    "1.2": "http://www.w3.org/2003/05/soap-encoding",
}
XSD = "http://www.w3.org/2001/XMLSchema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
NIL = f"{{{XSI}}}nil"
TEXT = "#text"
"""The field that holds an element's own text when the element also has attributes; `@name` is an attribute."""
ANY = "#any"
"""The field that holds elements nobody declared (xsd:any), each as XML text in which every prefix is declared."""
VARIANT = "@xsi:type"
"""The field that names the type an object is of, where it is one derived from the declared one."""

Names = tuple[str, str]  # namespace, local name


OCTETS = "application/octet-stream"
MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(?: *; *[\w.+-]+=[\w.+-]+)*", re.ASCII)
"""Media types as they are sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One element or attribute: its name in documents, its Clark name in XML, and what may be in it.

    `type` is the local name of the built-in type that a simple one restricts, by `facets`; `lexical` is how its values
    are read and written. Raises Unreadable for facets that can't be understood. `least` and `most` count occurrences
    (`most` None: unbounded). `xsi` is the type's (namespace, name) where it has a name. `listed`: one text holds
    several values, apart by blanks. `members` are those of a union, in order. `whole` are the facets of
    a union, or of a list, whose lengths count its values. `variants` are the types that xsi:type
    may name instead, as fields. A field without a tag is a group: it repeats as a whole, and its fields stand in the
    parent. Where its type is abstract, a variant must be named. `fixed` is what an empty element says all the same.
    """

    name: str
    tag: str
    kind: Kind
    type: str = ""
    least: int = 1
    most: int | None = 1
    nillable: bool = False
    xsi: tuple[str, str] | None = None
    facets: Facets = NO_FACETS
    whole: Facets = NO_FACETS
    shape: "Shape | None" = None
    listed: bool = False
    members: tuple["Field", ...] = ()
    variants: "Mapping[Names, Field]" = field(default_factory=dict)
    abstract: bool = False
    fixed: str = ""
    lexical: Lexical = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lexical", restricted(self.type, self.facets))

    @property
    def many(self) -> bool:
        """Whether documents hold a list here, however many there are."""
        return self.most is None or self.most > 1 or self.name == ANY

    @property
    def value(self) -> "Field":
        """One value of those that a listed text holds."""
        return replace(self, listed=False, whole=NO_FACETS)

    @property
    def allowed(self) -> tuple[str, ...]:
        """The texts it may be, none listed where it may be any."""
        return self.facets.allowed

    @property
    def min_length(self) -> int:
        """How long a text must be."""
        return self.facets.min_length

    @property
    def max_length(self) -> int | None:
        """How long a text may be."""
        return self.facets.max_length


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Alternatives among optional fields: of one only, and of that one the `needed` ones; at least `least` of them."""

    options: tuple["Option", ...]
    least: int = 0

    @property
    def names(self) -> list[str]:
        """The fields of all alternatives."""
        return sorted({name for option in self.options for name in option.names})

    def taken(self, document: Collection[str]) -> "Option | None":
        """Return the alternative that the fields of a document are of; None where they are of no single one."""
        there = {name for name in self.names if name in document}
        fitting = [option for option in self.options if there <= option.names]
        return next((option for option in fitting if option.needed <= there), next(iter(fitting), None))


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One alternative: all its fields by name, and those it can't do without."""

    names: frozenset[str]
    needed: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Shape:
    """An object's content: child elements in order, attributes, and its own text if it has any.

    `open` allows elements that nobody declared (xsd:any; then ANYTHING is a field), `loose` such attributes. `item` is
    set for an encoded array: the item type's (namespace, name); its only field then takes every child, since the names
    of array items mean nothing. Children come in the fields' order where it is `ordered`, undeclared ones too unless
    they are `scattered`. `odd` says why the rest is not all: what is in there only zeep's tree knows. A type that
    contains itself is a shape that contains itself. What the codec makes of it once is `kept` here.
    """

    name: str = ""
    fields: tuple[Field, ...] = ()
    attributes: tuple[Field, ...] = ()
    text: Field | None = None
    choices: tuple[Choice, ...] = ()
    open: bool = False
    loose: bool = False
    item: Names | None = None
    ordered: bool = False
    scattered: bool = False
    odd: str = ""
    by_tag: Mapping[str, Field] = field(init=False)
    by_attribute: Mapping[str, Field] = field(init=False)
    places: Mapping[str, int] = field(init=False, repr=False)
    names: frozenset[str] = field(init=False)
    kept: dict[Any, Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        everything = self.everything
        groups = [found for found in self.fields if found.shape is not None and not found.tag]
        tags = {inner.tag: group for group in groups if group.shape for inner in group.shape.fields}
        tags |= {found.tag: found for found in self.fields if found.tag}
        places = {
            found.name: place for place, found in enumerate(self.fields) if found.name != ANY or not self.scattered
        }
        object.__setattr__(self, "by_tag", tags)
        object.__setattr__(self, "by_attribute", {found.tag: found for found in self.attributes})
        object.__setattr__(self, "places", places)
        names = frozenset(found.name for found in everything)
        object.__setattr__(self, "names", names)

    @property
    def everything(self) -> tuple[Field, ...]:
        """All fields: elements, attributes, text."""
        return (*self.fields, *self.attributes, *((self.text,) if self.text else ()))

    def become(self, other: Self) -> None:
        """Take another's content: how a type that contains itself is made, and nothing else."""
        for name in self.__slots__:
            object.__setattr__(self, name, getattr(other, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePlan:
    """One direction: what the Body holds (`payload` None: nothing) and the headers that the binding declares.

    `details` are the elements that the detail of a declared fault may hold, by their tags. `attached` are binary fields
    that travel beside the envelope, each by its media type. `prefixes` are those of all namespaces; the `spare` ones
    are declared where a variant bears them, not in the envelope. `odd` is why it goes through zeep's tree; empty where
    the compiled codec takes it.
    """

    soap: Soap
    rpc: bool
    encoded: bool
    payload: Field | None
    headers: Mapping[str, Field] = field(default_factory=dict)
    prefixes: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Field] = field(default_factory=dict)
    attached: tuple[Field, ...] = ()
    spare: frozenset[str] = frozenset()
    odd: str = ""
    kept: dict[Any, Any] = field(init=False, default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationPlan:
    """An operation: its SOAPAction and both messages; `reply` is None when the agency answers nothing.

    `faults` are the detail elements of those it declares; `words` is what the WSDL says about it; `addressed` is its
    action in WS-Addressing.
    """

    name: str
    action: str
    request: MessagePlan
    reply: MessagePlan | None
    faults: tuple[str, ...] = ()
    words: str = ""
    addressed: str = ""


def size(content: Shape | None, most: int) -> int:
    """Return how many fields there are below, with their paths, and at most `most` of them: types are shared."""
    return sum(1 for _ in islice(paths(content), most))


def paths(content: Shape | None, before: str = "", above: tuple[Shape, ...] = ()) -> Iterator[tuple[str, Field]]:
    """Yield every field below with its dotted path; lists add no step, and what contains itself is "any" there."""
    if content is None:
        return
    above = (*above, content)
    for found in (ANYTHING,) if content.odd else content.everything:
        path = f"{before}{found.name}"
        if found.shape in above or (found.shape is not None and found.shape.odd):
            yield path, replace(found, kind="any", shape=None, variants={})
            continue
        yield path, found
        yield from paths(found.shape, f"{path}.", above)
        yield from _varied(found, f"{path}.", above)


def _varied(found: Field, before: str, above: tuple[Shape, ...]) -> Iterator[tuple[str, Field]]:
    """Yield what only variants have, none of it required; an anyType's could be anything."""
    if not found.variants or found.kind == "any":
        return
    allowed = tuple(variant.name for variant in found.variants.values())
    yield (
        before + VARIANT,
        Field(name=VARIANT, tag="", kind="text", type="string", least=0, facets=Facets(allowed=allowed)),
    )
    known = set() if found.shape is None else {one.name for one in found.shape.everything}
    for variant in found.variants.values():
        if variant.shape is not None and variant.shape not in above:
            for path, one in paths(variant.shape, before, (*above, found.shape) if found.shape else above):
                top = path.removeprefix(before).partition(".")[0]
                if top not in known:
                    yield path, replace(one, least=0) if path == before + top else one


ANYTHING = Field(name=ANY, tag="", kind="text", type="string", least=0, most=None)
"""What an open shape has beside its fields."""
