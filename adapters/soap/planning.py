"""From zeep's type graph to plans; whatever a plan can't say makes that one operation unusable, with the reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any as Zeep

from zeep.wsdl.bindings import Soap12Binding

from adapters.soap.facts import Use
from adapters.soap.leaves import Leaves
from adapters.soap.plan import (
    ENCODING,
    ENVELOPE,
    MEDIA_TYPE,
    OCTETS,
    XSD,
    XSI,
    Field,
    MessagePlan,
    OperationPlan,
    Shape,
    Soap,
)
from adapters.soap.tree import Tree
from adapters.soap.types import Types
from adapters.soap.wsdl import Loaded, load
from gateway import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """A port's address, the plan of each operation, and why the others have none.

    `trees` are for messages that are odd, by operation and direction.
    """

    address: str
    soap: Soap
    operations: Mapping[str, OperationPlan]
    refused: Mapping[str, Finding]
    trees: Mapping[tuple[str, str], Tree] = field(default_factory=dict)


def read_plans(path: Path, *, service: str = "", port: str = "") -> Plans:
    """Load a WSDL and plan every operation of one port; blocking; of zeep only odd messages keep anything.

    Raises ConfigError.
    """
    loaded = load(path, service=service, port=port)
    planner = _Planner(loaded)
    operations: dict[str, OperationPlan] = {}
    refused: dict[str, Finding] = {}
    for name in planner.binding.all():
        try:
            operations[name] = planner.operation(name)
        except _Unplannable as reason:
            remedy = "call another operation, or write an adapter for this one"
            refused[name] = Finding(where=str(path), what=f"operation '{name}' {reason}", remedy=remedy)
    for name in _bound(loaded) - operations.keys() - refused.keys():
        what = f"operation '{name}' is incomplete: {'; '.join(loaded.dropped)}"
        refused[name] = Finding(where=str(path), what=what, remedy="correct the file")
    trees = planner.trees()
    return Plans(address=loaded.address, soap=planner.soap, operations=operations, refused=refused, trees=trees)


def element_of(loaded: Loaded, operation: str, direction: str) -> Zeep:
    """Return zeep's element for a payload: what is under the Body, or for rpc the wrapper."""
    binding: Zeep = loaded.port.binding
    found = binding.get(operation)
    message = getattr(found, direction)
    use = loaded.facts.uses[binding.name.text, operation, direction]
    return message.body if found.style == "rpc" else _document(message, use)


def _bound(loaded: Loaded) -> set[str]:
    """Return the operations that the port's binding names; zeep drops those that it can't resolve."""
    binding: Zeep = loaded.port.binding
    return {operation for name, operation, _ in loaded.facts.uses if name == binding.name.text}


class _Unplannable(Exception):
    """Why an operation can't be called."""


class _Planner:
    """Plans messages; types shared between messages are planned once."""

    def __init__(self, loaded: Loaded) -> None:
        self.binding: Zeep = loaded.port.binding
        self.facts = loaded.facts
        self.soap: Soap = "1.2" if isinstance(self.binding, Soap12Binding) else "1.1"
        self._odd: dict[tuple[str, str], Zeep] = {}
        self._schema: Zeep = loaded.schema
        self._types = {use: Types(self._schema, loaded.facts, encoded=use) for use in (False, True)}

    def operation(self, name: str) -> OperationPlan:
        found = self.binding.get(name)
        if (self.binding.name.text, name) in self.facts.overloaded:
            raise _Unplannable("is overloaded: several operations have this name")
        if found.input is None:
            raise _Unplannable("has no input")
        return OperationPlan(
            name=name,
            action=found.soapaction or "",
            request=self._message(found, "input"),
            reply=None if found.output is None else self._reply(found),
            faults=self.facts.faults.get((self.binding.port_name.text, name), ()),
            words=self.facts.words.get((self.binding.port_name.text, name), ""),
            addressed=self.facts.actions[(self.binding.port_name.text, name)].beside(found.soapaction or ""),
        )

    def trees(self) -> Mapping[tuple[str, str], Tree]:
        """Return zeep's tree for each odd message; only when all others are planned."""
        if not self._odd:
            return {}
        leaves = Leaves(self._schema, self._odd.values(), self._types[False])
        return {key: Tree(element, self._schema, leaves) for key, element in self._odd.items()}

    def _reply(self, operation: Zeep) -> MessagePlan:
        """The answer, and what its faults' details hold."""
        details: dict[str, Field] = {}
        for message in operation.abstract.fault_messages.values():
            for name, part in message.parts.items():
                detail = self._types[False].part(name, part)
                details[detail.tag] = detail
        self._types[False].finish()
        return replace(self._message(operation, "output"), details=details)

    def _message(self, operation: Zeep, direction: str) -> MessagePlan:
        message: Zeep = getattr(operation, direction)
        use = self.facts.uses.get((self.binding.name.text, operation.name, direction))
        if use is None:
            raise _Unplannable("has another kind of body than SOAP's, which is not sent or read here")
        types = self._types[use.encoded]
        rpc = operation.style == "rpc"
        element = message.body if rpc else _document(message, use)
        payload = self._rpc(operation, direction, types, use) if rpc else element and types.element(element)
        attached = tuple(_attachment(name, media_type) for name, media_type in use.attached.items())
        if (
            payload is not None
            and payload.shape is not None
            and not use.attached.keys().isdisjoint(payload.shape.names)
        ):
            raise _Unplannable("has an attachment with the name of an element")
        headers = {found.name: replace(found, least=0) for found in _headers(message, types)}
        types.finish()
        reach = _Reach(self.soap, (payload, *headers.values()))
        if reach.unreadable:
            raise _Unplannable(reach.unreadable)
        if reach.odd and use.encoded:
            raise _Unplannable(f"is encoded, and {reach.odd}, which is not sent or read here")
        if reach.odd:
            self._odd[operation.name, direction] = element
        return MessagePlan(
            soap=self.soap,
            rpc=rpc,
            encoded=use.encoded,
            payload=payload,
            headers=headers,
            prefixes=reach.prefixes(),
            spare=frozenset(reach.spare),
            odd=reach.odd,
            attached=attached,
        )

    def _rpc(self, operation: Zeep, direction: str, types: Types, use: Use) -> Field:
        message: Zeep = getattr(operation, direction)
        name = operation.name if direction == "input" else f"{operation.name}Response"
        # The message has no body where the operation has no parts; the wrapper is there all the same.
        parts = () if message.body is None else message.body.type._element  # noqa: SLF001
        namespace = "" if message.body is None else message.body.qname.namespace or ""
        fields = tuple(types.element(part) for part in parts if use.takes(part.name))
        return Field(name=name, tag=_clark(namespace, name), kind="object", shape=Shape(fields=fields))


def _document(message: Zeep, use: Use) -> Zeep | None:
    """The one element under the Body; zeep does not read which part is meant, and guesses where a part is a type."""
    if message.body is None:
        return None
    parts = {} if message.abstract is None else message.abstract.parts
    declared = [part for name, part in parts.items() if name not in use.attached]
    if any(part.element is None for part in declared):
        raise _Unplannable("has a part of a type, not an element, in a document-style Body")
    elements = message.body.type._element if message._is_body_wrapped else [message.body]  # noqa: SLF001
    meant = [found for found in elements if len(elements) == 1 or use.takes(found.attr_name)]
    if len(meant) != 1:
        raise _Unplannable(f"has {len(meant)} parts in a document-style Body")
    return meant[0]


def _attachment(name: str, media_type: str) -> Field:
    kind = media_type if MEDIA_TYPE.fullmatch(media_type) else OCTETS
    return Field(name=name, tag=name, kind="binary", type=kind)


def _headers(message: Zeep, types: Types) -> Iterator[Field]:
    container = None if message.header is None else message.header.type._element  # noqa: SLF001
    for element in container or ():
        yield types.element(element)


def _clark(namespace: str, name: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name


class _Reach:
    """All that a message's fields lead to: its namespaces, those only variants bear, and what is odd or unreadable."""

    def __init__(self, soap: Soap, roots: tuple[Field | None, ...]) -> None:
        self._fixed = {ENVELOPE[soap]: "soap", XSI: "xsi", XSD: "xsd", ENCODING[soap]: "enc"}
        self._seen: set[int] = set()
        self.odd = self.unreadable = ""
        variants: list[Field] = []
        namespaces = self._walk([root for root in roots if root is not None], variants)
        odd, unreadable = self.odd, self.unreadable
        self.spare = self._walk(variants, variants) - namespaces
        self.odd, self.unreadable = odd, unreadable
        self._namespaces = sorted(namespaces | self.spare)

    def prefixes(self) -> Mapping[str, str]:
        """Return a prefix for every namespace, and the fixed ones."""
        return self._fixed | {namespace: f"n{number}" for number, namespace in enumerate(self._namespaces)}

    def _walk(self, waiting: list[Field], variants: list[Field]) -> set[str]:
        found: set[str] = set()
        while waiting:
            one = waiting.pop()
            found |= {one.tag[1:].partition("}")[0] if one.tag.startswith("{") else "", one.xsi[0] if one.xsi else ""}
            content = one.shape
            if unreadable := one.facets.unreadable or one.whole.unreadable:
                self.unreadable = f"has a field '{one.name}' whose type can't be checked: {unreadable}"
            waiting += one.members
            if id(one.variants) not in self._seen:
                self._seen.add(id(one.variants))
                variants += one.variants.values()
            if content is not None and id(content) not in self._seen:
                self._seen.add(id(content))
                self.odd = self.odd or content.odd
                found.add(content.item[0] if content.item else "")
                waiting += content.everything
        return {namespace for namespace in found if namespace and namespace not in self._fixed}
