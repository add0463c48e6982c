"""A contract's fields as a tree in which each has its canonical name; knows no TOML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.native import NativeField
from gateway.sketch.names import canonical, distinct, is_password, is_user
from gateway.translate.rules import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One native field: `ours` is what it adds to the canonical path, nothing where its level is taken off.

    `login` is "user" or "password" where the gateway's own credentials seem to be meant.
    """

    name: str
    native: NativeField
    ours: Path
    children: tuple["Node", ...] = ()
    login: str = ""

    @property
    def certain(self) -> bool:
        """Whether it is always there with a value, its parents given."""
        return self.native.required and not self.native.null


@dataclass(slots=True)
class _Level:
    native: NativeField
    inside: dict[str, "_Level"] = field(default_factory=dict)


def tree(fields: Mapping[str, NativeField], *, logins: bool = False, unwrap: bool = True) -> tuple[Node, ...]:
    """Return a message's fields as a tree; `logins` looks for credentials, `unwrap` takes off what only wraps."""
    top: dict[str, _Level] = {}
    for path, native in fields.items():
        *above, name = path.split(".")
        level = top
        for step in above:
            level = level[step].inside
        level[name] = _Level(native)
    return _nodes(top, logins=logins, top=unwrap)


def _nodes(level: Mapping[str, _Level], *, logins: bool, top: bool = False, item: bool = False) -> tuple[Node, ...]:
    credentials = _credentials(level) if logins else {}
    lonely = len(level) == 1
    taken: list[str] = []
    found: list[Node] = []
    for name, below in level.items():
        many, inside = below.native.many, below.inside
        wrapper = top and lonely and bool(inside) and not many
        items = lonely and many and not top and not item
        ours = distinct(canonical(name), taken, "_")
        taken.append(ours)
        found.append(
            Node(
                name=name,
                native=below.native,
                ours=() if wrapper or items else (ours,),
                children=_nodes(inside, logins=logins, top=wrapper, item=many),
                login=credentials.get(name, ""),
            )
        )
    return tuple(found)


def _credentials(level: Mapping[str, _Level]) -> dict[str, str]:
    """Return who is who among siblings where there is exactly one user and one password."""
    texts = [name for name, below in level.items() if below.native.kind == "text" and not below.native.many]
    users, passwords = [n for n in texts if is_user(n)], [n for n in texts if is_password(n)]
    if len(users) != 1 or len(passwords) != 1:
        return {}
    return {users[0]: "user", passwords[0]: "password"}


def logs_in(nodes: Sequence[Node]) -> bool:
    """Tell whether credentials are meant anywhere below."""
    return any(node.login or logs_in(node.children) for node in nodes)
