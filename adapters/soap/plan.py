"""The field plan of a SOAP operation: plain frozen data between the WSDL and the codec; knows neither zeep nor lxml."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Literal

from adapters.soap.lexical import Kind

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
TEXT = "#text"
"""The field that holds an element's own text when the element also has attributes; `@name` is an attribute."""


OCTETS = "application/octet-stream"
MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(?: *; *[\w.+-]+=[\w.+-]+)*", re.ASCII)
"""Media types as they are sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One element or attribute: its name in documents, its Clark name in XML, and what may be in it.

    `type` is the local name of the built-in type that a simple one restricts. `least` and `most` count occurrences
    (`most` None: unbounded). `xsi` is the type's (namespace, name) where it has a name.
    """

    name: str
    tag: str
    kind: Kind
    type: str = ""
    least: int = 1
    most: int | None = 1
    nillable: bool = False
    xsi: tuple[str, str] | None = None
    allowed: tuple[str, ...] = ()
    min_length: int = 0
    max_length: int | None = None
    shape: "Shape | None" = None

    @property
    def many(self) -> bool:
        """Whether documents hold a list here, however many there are."""
        return self.most is None or self.most > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Alternatives among optional fields: the fields of one only, and of that one the `needed` ones."""

    options: tuple["Option", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One alternative: all its fields by name, and those it can't do without."""

    names: frozenset[str]
    needed: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An object's content: child elements in order, attributes, and its own text if it has any.

    `open` allows elements that nobody declared (xsd:any). `item` is set for an encoded array: the item type's
    (namespace, name); its only field then takes every child, since the names of array items mean nothing.
    """

    fields: tuple[Field, ...] = ()
    attributes: tuple[Field, ...] = ()
    text: Field | None = None
    choices: tuple[Choice, ...] = ()
    open: bool = False
    item: tuple[str, str] | None = None
    by_tag: Mapping[str, Field] = field(init=False)
    names: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        everything = (*self.fields, *self.attributes, *((self.text,) if self.text else ()))
        object.__setattr__(self, "by_tag", {found.tag: found for found in (*self.fields, *self.attributes)})
        object.__setattr__(self, "names", frozenset(found.name for found in everything))


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePlan:
    """One direction: what the Body holds (`payload` None: nothing) and the headers that the binding declares.

    `attached` are binary fields that travel beside the envelope, each by its media type.
    """

    soap: Soap
    rpc: bool
    encoded: bool
    payload: Field | None
    headers: Mapping[str, Field] = field(default_factory=dict)
    prefixes: Mapping[str, str] = field(default_factory=dict)
    attached: tuple[Field, ...] = ()


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


def paths(content: Shape | None, before: str = "") -> Iterator[tuple[str, Field]]:
    """Yield every field below with its dotted path; lists add no step."""
    if content is None:
        return
    for found in (*content.fields, *content.attributes, *((content.text,) if content.text else ())):
        path = f"{before}{found.name}"
        yield path, found
        yield from paths(found.shape, f"{path}.")
