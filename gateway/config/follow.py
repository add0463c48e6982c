"""Follows the path of a pydantic error through the declared types; knows no settings of its own."""

from collections.abc import Iterable, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Discriminator, Tag

KeyPath = tuple[str, ...]

_OF_A_KEY = "[key]"
"""What pydantic writes behind a mapping's key when the key itself is wrong."""


def follow(kind: object, path: Iterable[int | str]) -> tuple[KeyPath, tuple[str, ...]]:
    """Return an error's path as people write it, and the names that could stand in place of its last step.

    Left out are pydantic's own steps: which kind of a tagged union it took, which type of a union it tried.
    """
    steps: list[str] = []
    known: tuple[str, ...] = ()
    for step in path:
        kind, tagged = _opened(kind, step)
        if tagged:
            continue
        if not _holds(kind) or step == _OF_A_KEY:
            break
        steps.append(str(step))
        kind, known = _inside(kind, str(step))
    return tuple(steps), known


def _opened(kind: object, step: int | str) -> tuple[Any, bool]:
    """Return the type itself without what is annotated, and whether the step chose it from a tagged union."""
    while True:
        if get_origin(kind) is Annotated:
            kind, *about = get_args(kind)
            if any(isinstance(each, Discriminator) for each in about):
                return next((each for each in get_args(kind) if _tag(each) == step), kind), True
        elif get_origin(kind) in {Union, UnionType}:
            kind = next((each for each in get_args(kind) if _holds(_opened(each, "")[0])), None)
        else:
            return kind, False


def _tag(kind: object) -> str:
    return next((each.tag for each in getattr(kind, "__metadata__", ()) if isinstance(each, Tag)), "")


def _holds(kind: Any) -> bool:
    """Say whether there can be anything inside."""
    return _is(kind, BaseModel) or _is(get_origin(kind), Mapping) or get_origin(kind) in {tuple, list, Sequence, Union}


def _inside(kind: Any, step: str) -> tuple[object, tuple[str, ...]]:
    if _is(kind, BaseModel):
        fields = {field.alias or name: field.annotation for name, field in kind.model_fields.items()}
        return fields.get(step), tuple(fields)
    return get_args(kind)[1 if _is(get_origin(kind), Mapping) else 0], ()


def _is(kind: object, of: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, of)
