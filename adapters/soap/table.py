"""What the decoder looks up for each element: the decode table of a shape; knows no XML."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.soap import quick
from adapters.soap.facets import NO_FACETS
from adapters.soap.lexical import TEXT, TYPES, with_zone
from adapters.soap.plan import Field, Shape

Row = tuple[Field, str, Callable[[str], Any] | None, bool, Shape | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What is looked up of a shape for each element: right values by tag, the names of a whole document, more rules."""

    rows: Mapping[str, Row]
    whole: tuple[str, ...]
    rules: bool


def table_of(shape: Shape) -> Table:
    """Return a shape's table, made once."""
    found: Table | None = shape.kept.get("table")
    if found is None:
        found = shape.kept["table"] = Table(
            rows={field.tag: _row(field) for field in shape.fields if is_usual(field)}
            if shape.item is None and not shape.odd
            else {},
            whole=tuple(field.name for field in (*shape.attributes, *shape.fields)),
            rules=shape.open or shape.loose or bool(shape.choices) or any(field.many for field in shape.fields),
        )
    return found


def is_usual(field: Field) -> bool:
    """Tell whether what a field holds is read by its table at once."""
    if field.shape is not None:
        return bool(field.tag) and not field.shape.odd and not field.abstract
    return field.kind != "any" and quick.is_plain(field)


def _row(field: Field) -> Row:
    return field, field.name, None if field.shape else reader_of(field), field.many, field.shape


def reader_of(field: Field) -> Callable[[str], Any] | None:
    """Return what reads a right value; None where any text is one."""
    read = field.lexical.read
    # A text's blanks are a facet, too.
    if field.facets == NO_FACETS and field.type in TYPES and field.kind != "text":
        return quick.reader(field.type)
    if field.kind == "datetime":
        return lambda text: with_zone(str(read(text)), None)
    return None if field.lexical is TEXT else read


def goes_on(shape: Shape, turn: Mapping[str, Any], field: Field) -> bool:
    """Tell whether a field may follow what a turn of its group has so far."""
    names = [found.name for found in shape.fields]
    place = names.index(field.name)
    if any(name in turn for name in names[place + 1 :]) or (field.name in turn and not field.many):
        return False
    there = {*turn, field.name}
    return all(choice.taken(there) is not None for choice in shape.choices)
