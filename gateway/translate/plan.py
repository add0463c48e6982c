"""What to do for each line of a table, in one direction and in order; `emit` compiles it, `explain` runs it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final

from gateway.translate.convert import Form, Step
from gateway.translate.rules import CONTEXT, Path, Rule, When


class Absent(Enum):
    """What a missing value means where there is no default."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    EMPTY = "empty"


REQUIRED: Final = Absent.REQUIRED
OPTIONAL: Final = Absent.OPTIONAL
EMPTY: Final = Absent.EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a value comes from, and what is done to it before it is combined with others."""

    path: Path
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value: sources -> combine (when there are several) -> steps -> target.

    `absent` is REQUIRED, OPTIONAL or the default itself; `blanks` are texts that mean missing; `keep_null` lets null
    stay null where it is optional; `exact` when every canonical value of its form passes; `mask` marks personal data.
    """

    target: Path
    sources: tuple[Source, ...]
    pointer: str
    line: int
    rule: Rule
    form: Form
    steps: tuple[Step, ...] = ()
    combine: Callable[[tuple[Any, ...]], Any] | None = None
    absent: object = REQUIRED
    keep_null: bool = False
    blanks: frozenset[str] = field(default_factory=frozenset)
    when: When | None = None
    exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A constant."""

    target: Path
    value: object
    line: int
    rule: Rule
    when: When | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list: one `item` per element at `each`; one element or none counts as a list where `lenient`.

    An item that is a Field is a plain value, in an object of its own if it has a target.
    """

    target: Path
    each: Path
    item: "Plan | Field"
    pointer: str
    line: int
    absent: Absent
    lenient: bool
    when: When | None = None


Part = Field | Fixed | Listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All parts of one table in one direction; `root` is taken off the document first."""

    file: str
    parts: tuple[Part, ...]
    root: Path = ()


def inexact(plan: Plan) -> Plan:
    """Return only those parts that may still refuse a document that fits its canonical form."""
    return replace(plan, parts=tuple(_inexact(plan)))


def _inexact(plan: Plan) -> Iterator[Part]:
    for part in plan.parts:
        match part:
            case Field(exact=False, sources=sources) if not any(is_context(source.path) for source in sources):
                yield part
            case Listed(item=Field(exact=False)):
                yield part
            case Listed(item=Plan() as item) if kept := tuple(_inexact(item)):
                yield replace(part, item=replace(item, parts=kept))
            case _:
                pass


def is_context(path: Path) -> bool:
    """Return whether a path reads the context (`@id`) rather than the document."""
    return bool(path) and path[0] == CONTEXT
