"""The markup that answers of one operation have in common, learned from one that was read with every check.

An agency's server writes its answers by one program: all but the texts in them stays the same, byte for byte. What
matches a skeleton wholly is the same tree with other texts, so only these are read. Knows no XML but how texts end.
"""

from dataclasses import dataclass, replace
from typing import Literal

from adapters.soap.plan import Field, Shape

Form = Literal["text", "empty", "null"]
Start = tuple[str, ...]
"""A start tag: what never changes in it, and at every second place the field of an attribute's value."""


class Unlearnable(Exception):
    """An answer whose markup says something that a skeleton does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is inside an element: its pieces in order, and the blanks before it ends."""

    shape: Shape
    pieces: tuple["Piece", ...] = ()
    blank: str = ""

    @property
    def is_flat(self) -> bool:
        """Whether there is no list anywhere below."""
        return all(not piece.field.many and (piece.inner is None or piece.inner.is_flat) for piece in self.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One child as it is written: the blanks before it, and its forms by their start tags; `inner` is an object's."""

    field: Field
    blank: str
    end: str = ""
    forms: tuple[tuple[Form, Start], ...] = ()
    inner: Content | None = None


def joined(one: Piece, other: Piece) -> Piece:
    """Return what matches either of two pieces; raises Unlearnable where their markup differs."""
    found = one if one == other else _both(one, other)
    if found is None:
        raise Unlearnable
    return found


def together(one: Content, other: Content) -> Content | None:
    """Return what matches whatever one of two matches; None where their markup differs."""
    if one == other:
        return one
    shape = one.shape
    if one.blank != other.blank or shape is not other.shape:
        return None
    mine, theirs = ({piece.field.name: piece for piece in each.pieces} for each in (one, other))
    if list(mine) != list(theirs) and not is_free(shape):
        return None
    found = {name: _both(piece, theirs.get(name, piece)) for name, piece in {**theirs, **mine}.items()}
    names = sorted(found, key=shape.places.__getitem__) if shape.ordered else _order([*mine], [*theirs])
    pieces = tuple(piece for name in names if (piece := found[name]) is not None)
    return replace(one, pieces=pieces) if len(pieces) == len(names) else None


def is_free(shape: Shape) -> bool:
    """Tell whether each optional child may be there or not by itself."""
    return not shape.choices


def _order(mine: list[str], theirs: list[str]) -> list[str]:
    """Return names that come in any order, each of the others' after the one that it came after."""
    for before, name in zip(["", *theirs], theirs, strict=False):
        if name not in mine:
            mine.insert(mine.index(before) + 1 if before else 0, name)
    return mine


def _both(one: Piece, other: Piece) -> Piece | None:
    if (one.blank, one.field) != (other.blank, other.field):
        return None
    ends = {piece.end for piece in (one, other) if piece.end}
    starts = {start for form, start in (*one.forms, *other.forms) if form == "text"}
    if len(ends) > 1 or len(starts) > 1:
        return None
    inner = one.inner or other.inner
    if one.inner is not None and other.inner is not None:
        inner = together(one.inner, other.inner)
        if inner is None:
            return None
    forms = tuple(dict.fromkeys((*one.forms, *other.forms)))
    return replace(one, end=next(iter(ends), ""), forms=forms, inner=inner)
