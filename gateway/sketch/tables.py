"""The request, reply and header tables of one operation, every native field in them; knows no file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gateway.config.locate import nearest
from gateway.sketch.names import dated, identifier, personal
from gateway.sketch.text import aligned, key, step, value
from gateway.sketch.tree import Node
from gateway.translate.rules import Path
from gateway.translate.tables import KEYS, MARKS

_NOT_IN_LISTS = frozenset({"each", "when", "from"})
_UNKNOWN_DATE = '   # text: how are its dates written? e.g. date = "dd-mm-yyyy"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a field is: native and canonical path from the nearest list, whether everything above is always there."""

    native: Path = ()
    ours: Path = ()
    certain: bool = True
    inside: Path = ()
    listed: bool = False

    def enter(self, node: Node) -> "Place":
        """Return the place inside an object."""
        return replace(
            self,
            native=(*self.native, node.name),
            ours=(*self.ours, *node.ours),
            certain=self.certain and node.certain,
            inside=(*self.inside, node.name),
        )


def table(head: Path, nodes: Sequence[Node], *, request: bool) -> list[str]:
    """Return the lines of one table and of those for the lists in it."""
    return list(_table(key(head), nodes, Place(), [], request=request))


def _table(
    head: str, nodes: Sequence[Node], at: Place, first: list[tuple[str, str]], *, request: bool
) -> Iterator[str]:
    rules = [*first]
    lists: list[tuple[Node, Place]] = []
    for node, place in _flat(nodes, at):
        if node.children and node.native.many:
            lists.append((node, place))
        else:
            rules.append(_rule(node, place, request=request))
    if rules or not lists:
        yield f"[{head}]"
        yield from aligned(rules)
    for node, place in lists:
        inner = place.enter(node)
        left, each = (inner.native, inner.ours) if request else (inner.ours, inner.native)
        optional = [("optional", "true")] if request and not inner.certain else []
        below = Place(inside=inner.inside, listed=True)
        yield ""
        own = [("each", value(".".join(each))), *optional]
        yield from _table(f"{head}.{_left(left)}", node.children, below, own, request=request)


def _flat(nodes: Sequence[Node], at: Place) -> Iterator[tuple[Node, Place]]:
    """Yield what has a rule or a table of its own, objects entered."""
    for node in nodes:
        if node.children and not node.native.many:
            yield from _flat(node.children, at.enter(node))
        else:
            yield node, at


def _rule(node: Node, at: Place, *, request: bool) -> tuple[str, str]:
    native, ours = ".".join((*at.native, node.name)), ".".join((*at.ours, *node.ours))
    if request and node.login:
        return _left((*at.native, node.name)), value(f"@login.{node.login}")
    if at.listed and (node.name if request else ours) in _NOT_IN_LISTS:
        return "", f"{native}: can't be named in a list"
    left = _left((*at.native, node.name) if request else (*at.ours, *node.ours))
    source = ours if request else native
    keys: dict[str, object] = {"each": source, "from": "."} if node.native.many else {"from": source}
    keys |= dict(_limits(node, request=request))
    certain = at.certain and (node.native.required if request else node.certain)
    if not certain and (request or not node.native.many):
        keys["optional"] = True
    if personal(node.name, at.inside):
        keys["mask"] = True
    if (known := identifier(node.name)) and node.native.kind == "text":
        keys |= {"title": known.title, "example": known.example}
    said = value(source) if keys == {"from": source} else value(keys)
    return left, said + (_UNKNOWN_DATE if node.native.kind == "text" and dated(node.name) else "")


def _limits(node: Node, *, request: bool) -> Iterator[tuple[str, object]]:
    native = node.native
    if not request or native.kind != "text" or native.allowed:
        return
    known = identifier(node.name)
    if known and known.digits and (native.max or known.digits) >= known.digits:
        yield "digits", known.digits
        return
    if known and known.pattern:
        yield "pattern", known.pattern
    if native.max:
        yield "max", native.max


def _left(path: Path) -> str:
    """Return a left side; steps that would be taken for a rule's keys are hidden in one quoted path."""
    if any(name in KEYS or nearest(name, MARKS) for name in path[1:]):
        return step(".".join(path))
    return key(path)
