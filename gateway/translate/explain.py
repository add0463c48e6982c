"""Runs a plan step by step: slower than compiled code, but it goes on after an error and finds them all."""

from collections.abc import Mapping
from typing import Any

from gateway.errors import FieldError
from gateway.masking import mask_value
from gateway.message import Context
from gateway.translate.convert import Bad, Step, refuse_type
from gateway.translate.plan import EMPTY, OPTIONAL, REQUIRED, Field, Fixed, Listed, Part, Plan, is_context
from gateway.translate.rules import MISSING, Path, When

Errors = list[FieldError]


def explain(plan: Plan, document: object, context: Context | None) -> tuple[dict[str, Any], Errors]:
    """Return what the plan builds of a document, and every error; never raises."""
    errors: Errors = []
    try:
        document = take_root(document, plan.root)
    except Bad as bad:
        return {}, [_error(bad, "", f"{plan.file}:{plan.parts[0].line}" if plan.parts else plan.file)]
    return _build(plan, document, context, "", errors), errors


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
        if not isinstance(document, Mapping):
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
        case ("@now",):
            return context.now.isoformat(timespec="seconds")
        case ("@login", name):
            return context.login.get(name, MISSING)
        case _:
            return str(getattr(context, path[0][1:]))


def as_list(value: object) -> list[Any]:
    """Return one, many or none as a list."""
    if isinstance(value, list | tuple):
        return list(value)
    return [] if value is MISSING or value is None or value == "" else [value]


def applies(when: When, document: object) -> bool:
    """Return whether a rule's condition holds; 1 is not true and not "1"."""
    value = fetch(when.path, document)
    return type(value) is type(when.equals) and value == when.equals


def _build(plan: Plan, document: object, context: Context | None, prefix: str, errors: Errors) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for part in plan.parts:
        try:
            value = _part(part, plan, document, context, prefix, errors)
        except Bad as bad:
            errors.append(_error(bad, prefix + getattr(part, "pointer", ""), f"{plan.file}:{part.line}", part))
        except Exception:  # noqa: BLE001  # whatever a strange value does to us, the record gets an error, not a crash
            pointer = prefix + getattr(part, "pointer", "")
            errors.append(_error(Bad("type", expected="?"), pointer, f"{plan.file}:{part.line}", part))
        else:
            if value is not MISSING:
                _put(built, part.target, value)
    return built


def _part(part: Part, plan: Plan, document: object, context: Context | None, prefix: str, errors: Errors) -> object:
    if part.when is not None and not applies(part.when, document):
        return MISSING
    if isinstance(part, Fixed):
        return part.value
    if isinstance(part, Field):
        return _field(part, document, context)
    elements = _elements(part, document)
    if elements is MISSING or not isinstance(elements, list):
        return MISSING
    return [
        _item(part, plan, element, context, f"{prefix}{part.pointer}/{index}", errors)
        for index, element in enumerate(elements)
    ]


def _item(part: Listed, plan: Plan, element: object, context: Context | None, prefix: str, errors: Errors) -> object:
    where = f"{plan.file}:{part.line}"
    try:
        if isinstance(part.item, Field):
            return _field(part.item, element, context)
        if not isinstance(element, Mapping):
            raise refuse_type(element, "object")  # as any other error of this element
    except Bad as bad:
        errors.append(_error(bad, prefix, where, part.item))
        return None
    return _build(part.item, element, context, prefix, errors)


def _elements(part: Listed, document: object) -> object:
    value = fetch(part.each, document)
    if value is MISSING or value is None:
        if part.absent is REQUIRED:
            raise Bad("required") if value is MISSING else Bad("null")
        return [] if part.absent is EMPTY else MISSING
    if part.lenient:
        return as_list(value)
    if not isinstance(value, list | tuple):
        raise Bad("each", value)
    return list(value)


def _field(field: Field, document: object, context: Context | None) -> object:
    values = tuple(_value(field, index, document, context) for index in range(len(field.sources)))
    if field.combine is None:
        value = values[0]
    elif field.absent is REQUIRED and (MISSING in values or None in values):
        raise Bad("required")
    else:
        there = tuple(value for value in values if value is not MISSING and value is not None)
        value = field.combine(there) if there else MISSING
    if value is MISSING or value is None:
        return _absent(field, value)
    return _run(field.steps, value)


def _value(field: Field, index: int, document: object, context: Context | None) -> object:
    source = field.sources[index]
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


def _put(built: dict[str, Any], target: Path, value: object) -> None:
    for name in target[:-1]:
        built = built.setdefault(name, {})
    built[target[-1]] = value


def _error(bad: Bad, pointer: str, where: str, part: object = None) -> FieldError:
    personal = isinstance(part, Field) and part.rule.mask
    value = None if bad.value is MISSING else mask_value(bad.value, personal=personal)
    return FieldError(pointer=pointer, rule=bad.rule, params=bad.params, where=where, value=value)
