"""An object's members as JSON while they are put together, whoever writes them; knows no way of writing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.translate.convert import json_of

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Member(Generic[P]):
    """Pieces of a member's JSON; one that may be absent brings its key and the comma before it, or is nothing."""

    text: tuple[str | P, ...]
    sure: bool


Targeted = Sequence[tuple[tuple[str, ...], Member[P] | None]]
"""Members by the path to where they stand, in the order of the rules; None is never there."""


def in_order(members: Targeted[P], nested: Callable[[str, Targeted[P]], Member[P]]) -> list[Member[P]]:
    """Return an object's members, those below a key together where the first of them stands, each with its key."""
    found: dict[str, Member[P] | None] = {}
    below: dict[str, list[tuple[tuple[str, ...], Member[P] | None]]] = {}
    for target, member in members:
        found[target[0]] = member
        if len(target) > 1:
            below.setdefault(target[0], []).append((target[1:], member))
    texts: list[Member[P]] = []
    for key, one in found.items():
        member = nested(key, below[key]) if key in below else one
        if member is not None:
            texts.append(Member((*key_of((key,)), *member.text), sure=True) if member.sure else member)
    return texts


def key_of(target: Sequence[str]) -> tuple[str, ...]:
    """Return what stands before a member that is not the first."""
    return (f",{json_of(target[-1])}:",)
