"""Runs a plan step by step: slower than compiled code, but it goes on after an error and finds them all."""

from collections.abc import Mapping
from typing import Any

from gateway.errors import FieldError
from gateway.message import Context
from gateway.translate.convert import Bad, Step, picture, refuse_type
from gateway.translate.plan import EMPTY, OPTIONAL, REQUIRED, Field, Fixed, Listed, Part, Plan, Source, is_context
from gateway.translate.rules import MISSING, Path, When


def explain(plan: Plan, document: object, context: Context | None) -> tuple[dict[str, Any], list[FieldError]]:
    """Return what the plan builds of a document, and every error; never raises."""
    reading = _Reading(plan.file, context)
    try:
        document = take_root(document, plan.root)
    except Bad as bad:
        where = f"{plan.file}:{plan.parts[0].line}" if plan.parts else plan.file
        return {}, [error_of(bad, "", where)]
    return reading.build(plan, document, ""), reading.errors


def take_root(document: object, root: Path) -> object:
    """Return what lies under the root: {} if nothing does, the one element of a list of one."""
    found = fetch(root, document)
    if isinstance(found, list | tuple) and len(found) == 1:
        found = found[0]
    if isinstance(found, Mapping):
        return found
    if not root or found:
        raise refuse_type(found, "object")
    return {}


def fetch(path: Path, document: object) -> object:
    """Return the value at a path, MISSING where it ends early; an empty parent (null, "", []) holds nothing."""
    for name in path:
        if document.__class__ is not dict and not isinstance(document, Mapping):
            if document is MISSING or not document:
                return MISSING
            raise Bad("type", document, expected="object")
        document = document.get(name, MISSING)
    return document


def from_context(path: Path, context: Context | None) -> object:
    """Return a value of the context: `@id`, `@client`, `@now` (ISO 8601), `@login.user`."""
    if context is None:
        return MISSING
    match path:
        case (_, "now"):
            return context.now.isoformat(timespec="seconds")
        case (_, "login", name):
            return context.login.get(name, MISSING)
        case _:
            return str(getattr(context, path[1]))


def as_list(value: object) -> list[Any]:
    """Return one, many or none as a list."""
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is MISSING or value is None or value == "" else [value]


def applies(when: When, document: object) -> bool:
    """Return whether a rule's condition holds; 1 is not true and not "1"."""
    value = fetch(when.path, document)
    return type(value) is type(when.equals) and value == when.equals


class _Reading:
    """One reading of a document: the errors found so far."""

    def __init__(self, file: str, context: Context | None) -> None:
        self.errors: list[FieldError] = []
        self._file = file
        self._context = context

    def build(self, plan: Plan, document: object, prefix: str) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for part in plan.parts:
            pointer = prefix + ("" if isinstance(part, Fixed) else part.pointer)
            try:
                value = self._part(part, document, pointer)
            except Bad as bad:
                self._note(bad, pointer, part)
            except Exception:  # noqa: BLE001 - whatever a strange value does, its record gets an error and no crash
                self._note(Bad("type", expected="a value that can be converted"), pointer, part)
            else:
                if value is not MISSING:
                    _put(built, part.target, value)
        return built

    def _part(self, part: Part, document: object, pointer: str) -> object:
        if part.when is not None and not applies(part.when, document):
            return MISSING
        if isinstance(part, Fixed):
            return part.value
        if isinstance(part, Field):
            return _field(part, document, self._context)
        elements = _elements(part, document)
        if elements is None:
            return MISSING
        return [self._item(part, element, f"{pointer}/{index}") for index, element in enumerate(elements)]

    def _item(self, part: Listed, element: object, pointer: str) -> object:
        item = part.item
        if isinstance(item, Field):
            try:
                value = _field(item, element, self._context)
            except Bad as bad:
                self._note(bad, pointer, item)
                return None
            return _boxed(item.target, value)
        if isinstance(element, Mapping):
            return self.build(item, element, pointer)
        self._note(refuse_type(element, "object"), pointer, part)
        return None

    def _note(self, bad: Bad, pointer: str, part: Part) -> None:
        self.errors.append(error_of(bad, pointer, f"{self._file}:{part.line}", part))


def _elements(part: Listed, document: object) -> list[Any] | None:
    value = fetch(part.each, document)
    if value is MISSING or value is None:
        if part.absent is REQUIRED:
            raise Bad("required") if value is MISSING else Bad("null")
        return [] if part.absent is EMPTY else None
    if part.lenient:
        return as_list(value)
    if not isinstance(value, list | tuple):
        raise Bad("each", value)
    return list(value)


def _field(field: Field, document: object, context: Context | None) -> object:
    if field.combine is None:
        value = _value(field, field.sources[0], document, context)
    else:
        values = tuple(_value(field, source, document, context) for source in field.sources)
        if field.absent is REQUIRED and (MISSING in values or None in values):
            raise Bad("required")
        there = tuple(value for value in values if value is not MISSING and value is not None)
        value = field.combine(there) if there else MISSING
    if value is MISSING or value is None:
        return _absent(field, value)
    return _run(field.steps, value)


def _value(field: Field, source: Source, document: object, context: Context | None) -> object:
    value = from_context(source.path, context) if is_context(source.path) else fetch(source.path, document)
    if isinstance(value, str) and value in field.blanks:
        return MISSING
    return value if value is MISSING or value is None else _run(source.steps, value)


def _absent(field: Field, value: object) -> object:
    if field.absent is REQUIRED:
        raise Bad("required") if value is MISSING else Bad("null")
    if field.absent is OPTIONAL:
        return value if field.keep_null else MISSING
    return field.absent


def _run(steps: tuple[Step, ...], value: object) -> object:
    for step in steps:
        value = step.run(value)
    return value


def _boxed(target: Path, value: object) -> object:
    for name in reversed(target):
        value = {name: value}
    return value


def _put(built: dict[str, Any], target: Path, value: object) -> None:
    for name in target[:-1]:
        built = built.setdefault(name, {})
    built[target[-1]] = value


def error_of(bad: Bad, pointer: str, where: str, part: object = None) -> FieldError:
    """Return what is told of a value that does not fit, masked."""
    personal = isinstance(part, Field) and part.rule.mask
    value = picture(bad, personal=personal)
    return FieldError(pointer=pointer, rule=bad.rule, params=bad.params, where=where, value=value)
