"""The canonical side of a table as a tree: which fields there are, of what kind, with what limits; knows no native."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from gateway.translate.convert import Form
from gateway.translate.plan import OPTIONAL, REQUIRED, Field, Fixed, Listed, Plan, is_context
from gateway.translate.rules import MISSING, Path, Rule, show


class Clash(Exception):
    """One field is described in two ways that can't both hold; `line` is the mapping's, 0 if unknown."""

    def __init__(self, what: str, line: int = 0) -> None:
        super().__init__(what)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One value; `null` says whether null may stand for "left out"."""

    form: Form
    required: bool = True
    null: bool = False
    const: object = MISSING
    default: object = MISSING
    mask: bool = False
    title: str = ""
    about: str = ""
    example: object = MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An object; it is required if anything in it is."""

    fields: Mapping[str, "Shape"] = field(default_factory=dict)
    null: bool = False

    @property
    def required(self) -> bool:
        """Whether the object must be there."""
        return any(shape.required for shape in self.fields.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A list."""

    item: "Shape"
    required: bool = True
    null: bool = False


Shape = Leaf | Record | Series


def built(plan: Plan) -> Record:
    """Return the shape of what a plan builds; raises Clash."""
    shape = Record()
    for part in plan.parts:
        shape = _put(shape, part.target, _built(part), part.line)
    return shape


def needed(plan: Plan) -> Record:
    """Return the shape of what a plan reads, context apart; raises Clash."""
    shape = Record(null=True)
    for part in plan.parts:
        for path, found in _needed(part):
            shape = _put(shape, path, found, part.line)
    for part in plan.parts:
        if part.when is not None and not _has(shape, part.when.path):
            kind = {bool: "boolean", int: "integer", str: "text"}[type(part.when.equals)]
            shape = _put(shape, part.when.path, Leaf(form=Form(kind=kind), required=False, null=True), part.line)
    return shape


def merged(shapes: Iterable[Record]) -> Record:
    """Return one shape with the fields of all; raises Clash where they disagree."""
    whole = Record(null=True)
    for shape in shapes:
        for name, found in shape.fields.items():
            whole = _put(whole, (name,), found, 0)
    return whole


def _built(part: Field | Fixed | Listed) -> Shape:
    match part:
        case Fixed():
            form = Form(kind=_kind_of(part.value))
            return _leaf(part.rule, form, required=part.when is None, const=part.value)
        case Field():
            required = part.absent is not OPTIONAL and part.when is None
            return _leaf(part.rule, part.form, required=required, null=part.keep_null)
        case Listed():
            item = built(part.item) if isinstance(part.item, Plan) else _built(part.item)
            return Series(item=item, required=part.absent is not OPTIONAL and part.when is None)


def _needed(part: Field | Fixed | Listed) -> list[tuple[Path, Shape]]:
    if isinstance(part, Fixed):
        return []
    required = part.absent is REQUIRED and part.when is None
    if isinstance(part, Field):
        leaf = _leaf(part.rule, part.form, required=required, null=not required)
        return [(source.path, leaf) for source in part.sources if not is_context(source.path)]
    if isinstance(part.item, Plan):
        item: Shape = replace(needed(part.item), null=False)
    else:
        path, item = _needed(part.item)[0]
        item = item if not path else _put(Record(), path, item, part.line)
    return [(part.each, Series(item=item, required=required, null=not required))]


def _leaf(rule: Rule, form: Form, *, required: bool, null: bool = False, const: object = MISSING) -> Leaf:
    return Leaf(
        form=form, required=required, null=null, const=const, default=rule.default, mask=rule.mask,
        title=rule.title, about=rule.about, example=rule.example,
    )  # fmt: skip


def _kind_of(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return {int: "integer", Decimal: "number"}.get(type(value), "text")


def _has(shape: Shape, path: Path) -> bool:
    for step in path:
        if not isinstance(shape, Record) or step not in shape.fields:
            return False
        shape = shape.fields[step]
    return True


def _put(record: Record, path: Path, shape: Shape, line: int, above: Path = ()) -> Record:
    name, rest = path[0], path[1:]
    here = (*above, name)
    there = record.fields.get(name)
    if rest:
        if there is not None and not isinstance(there, Record):
            raise Clash(f"{show(here)} is a value in one rule and an object in another", line)
        shape = _put(there or Record(null=record.null), rest, shape, line, here)
    elif there is not None:
        shape = _agreed(there, shape, here, line)
    return replace(record, fields={**record.fields, name: shape})


def _agreed(one: Shape, other: Shape, path: Path, line: int) -> Shape:
    match one, other:
        case Leaf(), Leaf():
            return _agreed_leaves(one, other, path, line)
        case Series(), Series():
            return Series(
                item=_agreed(one.item, other.item, path, line),
                required=one.required or other.required,
                null=one.null and other.null,
            )
        case Record(), Record():
            whole = replace(one, null=one.null and other.null)
            for name, shape in other.fields.items():
                whole = _put(whole, (name,), shape, line, path)
            return whole
        case _:
            raise Clash(f"{show(path)} is a value, an object or a list in one rule and something else in another", line)


def _agreed_leaves(one: Leaf, other: Leaf, path: Path, line: int) -> Leaf:
    return Leaf(
        form=_agreed_forms(one.form, other.form, path, line),
        required=one.required or other.required,
        null=one.null and other.null,
        const=one.const,
        default=other.default if one.default is MISSING else one.default,
        mask=one.mask or other.mask,
        title=one.title or other.title,
        about=one.about or other.about,
        example=other.example if one.example is MISSING else one.example,
    )


def _agreed_forms(one: Form, other: Form, path: Path, line: int) -> Form:
    if "any" in {one.kind, other.kind}:
        return other if one.kind == "any" else one
    if one.kind != other.kind:
        raise Clash(f"{show(path)} is {one.kind} in one rule and {other.kind} in another", line)
    for name in ("digits", "pattern", "max", "words"):
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine and theirs and mine != theirs:
            raise Clash(f"{show(path)} has two different limits ({name}: {mine} and {theirs})", line)
    return Form(
        kind=one.kind,
        digits=one.digits or other.digits,
        pattern=one.pattern or other.pattern,
        max=one.max or other.max,
        words=one.words or other.words,
    )
