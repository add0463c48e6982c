"""Compares a body with a shape: a compiled yes or no for the usual case, and a walk that finds every error."""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from gateway.errors import FieldError
from gateway.translate.code import Code
from gateway.translate.convert import LONGEST_NUMBER, Bad, need_binary, need_number, need_text, picture, refuse_type
from gateway.translate.dates import canonical, is_canonical
from gateway.translate.rules import MISSING
from gateway.translate.shape import Leaf, Record, Series, Shape

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_EXPECTED = {"integer": "integer", "boolean": "true or false"}
_MOMENTS = {kind: canonical(kind) for kind in ("date", "time", "datetime")}

Fits = Callable[[object], bool]


def fits(shape: Record) -> Fits:
    """Return a quick test; False means only that the walk must look."""
    code = Code("<schema>", "b", {"M": MISSING})
    _write(code, shape, "b")
    code.write("return True")
    return code.finish()


def _write(code: Code, shape: Shape, name: str) -> None:
    match shape:
        case Record():
            _write_record(code, shape, name)
        case Series():
            with _unless_list(code, name):
                item = code.name("i")
                with code.block(f"for {item} in {name}:"):
                    _write(code, shape.item, item)
        case Leaf():
            code.write(f"if {_misfit(code, shape, name)}: return False")


def _unless_list(code: Code, name: str) -> Any:
    code.write(f"if {name}.__class__ is not list: return False")
    return code.block("if True:")


def _write_record(code: Code, record: Record, name: str) -> None:
    code.write(f"if {name}.__class__ is not dict: return False")
    count = code.name("n")
    certain = sum(shape.required for shape in record.fields.values())
    code.write(f"{count} = {certain}")
    for key, shape in record.fields.items():
        value = code.name("v")
        code.write(f"{value} = {name}.get({code.key(key)}, M)")
        if shape.required:
            _write(code, shape, value)
            continue
        with code.block(f"if {value} is not M:"):
            code.write(f"{count} += 1")
            with code.block(f"if {value} is not None:" if shape.null else "if True:"):
                _write(code, shape, value)
    code.write(f"if len({name}) != {count}: return False")


def _misfit(code: Code, leaf: Leaf, name: str) -> str:
    """Return the expression that is true when the value may be wrong."""
    if leaf.const is MISSING and leaf.form.kind in _MOMENTS:
        return f"{name}.__class__ is not str or not {code.bind(is_canonical(leaf.form.kind))}({name})"
    if leaf.const is not MISSING or leaf.form.kind not in {"text", "number", "integer", "boolean"}:
        return f"{code.bind(partial(_wrong, leaf))}({name})"
    if leaf.form.kind == "boolean":
        return f"{name}.__class__ is not {code.bind(bool)}"
    if leaf.form.kind != "text":
        whole = f"{name}.__class__ is {code.bind(int)} and -{10**LONGEST_NUMBER} < {name} < {10**LONGEST_NUMBER}"
        return f"not ({whole}{_fraction(code, name) if leaf.form.kind == 'number' else ''})"
    tests = [f"{name}.__class__ is not str"]
    if leaf.form.words:
        return " or ".join([*tests, f"{name} not in {code.bind(frozenset(leaf.form.words))}"])
    tests.append(f"not {name}.isprintable()")
    if leaf.form.digits is not None:
        tests.append(f"len({name}) != {code.key(leaf.form.digits)} or not ({name}.isascii() and {name}.isdigit())")
    if leaf.form.max is not None:
        tests.append(f"len({name}) > {code.key(leaf.form.max)}")
    if leaf.form.pattern is not None:
        tests.append(f"{code.bind(re.compile(leaf.form.pattern, re.ASCII).fullmatch)}({name}) is None")
    return " or ".join(tests)


def _fraction(code: Code, name: str) -> str:
    """Return the end of an expression that is true for a decimal as well, if it is of no unusual size."""
    size = f"-{LONGEST_NUMBER} <= {name}.adjusted() < {LONGEST_NUMBER}"
    return f" or {name}.__class__ is {code.bind(Decimal)} and {name}.is_finite() and {size}"


def examine(shape: Shape, value: object, pointer: str = "") -> Iterator[FieldError]:
    """Yield every error of a value."""
    if value is None and shape.null and pointer:
        return
    match shape:
        case Record() if isinstance(value, Mapping):
            yield from _examine_record(shape, value, pointer)
        case Series() if isinstance(value, list | tuple):
            for index, item in enumerate(value):
                yield from examine(shape.item, item, f"{pointer}/{index}")
        case Leaf():
            if (bad := _problem(shape, value)) is not None:
                yield _error(bad, pointer, shape)
        case _:
            bad = (
                Bad("each", value) if isinstance(shape, Series) and value is not None else refuse_type(value, "object")
            )
            yield _error(bad, pointer)


def _examine_record(record: Record, value: Mapping[Any, Any], pointer: str) -> Iterator[FieldError]:
    for name, shape in record.fields.items():
        here = f"{pointer}/{_escaped(name)}"
        if name in value:
            yield from examine(shape, value[name], here)
        elif isinstance(shape, Record) and shape.required:
            yield from _examine_record(shape, {}, here)
        elif shape.required:
            yield _error(Bad("required"), here)
    for name in value:
        if name not in record.fields:
            yield _error(Bad("unknown"), f"{pointer}/{_escaped(str(name))}")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _error(bad: Bad, pointer: str, leaf: Leaf | None = None) -> FieldError:
    value = picture(bad, personal=leaf is not None and leaf.mask)
    return FieldError(pointer=pointer, rule=bad.rule, params=bad.params, value=value)


def _wrong(leaf: Leaf, value: object) -> bool:
    return _problem(leaf, value) is not None


def _problem(leaf: Leaf, value: object) -> Bad | None:
    try:
        _judge(leaf, value)
    except Bad as bad:
        return bad
    return None


def _judge(leaf: Leaf, value: object) -> None:
    if leaf.const is not MISSING:
        if type(value) is not type(leaf.const) or value != leaf.const:
            raise Bad("const", value, const=str(leaf.const))
        return
    match leaf.form.kind:
        case "text":
            _judge_text(leaf, need_text(value))
        case "date" | "time" | "datetime" as kind:
            _MOMENTS[kind](value)
        case "number":
            need_number(value)
            _judge_size(value)
        case "integer" | "boolean" as kind:
            if type(value) is not {"integer": int, "boolean": bool}[kind]:
                raise refuse_type(value, _EXPECTED[kind])
            _judge_size(value)
        case "binary":
            need_binary(value)
        case _:
            _judge_any(value)


def _judge_size(value: object) -> None:
    if isinstance(value, int | Decimal) and not -(10**LONGEST_NUMBER) < value < 10**LONGEST_NUMBER:
        raise Bad("number", value, number=f"< 10^{LONGEST_NUMBER}")


def _judge_text(leaf: Leaf, text: str) -> None:
    form = leaf.form
    if not text.isprintable() and _CONTROL.search(text):
        raise Bad("control-character", text)
    if form.words and text not in form.words:
        raise Bad("enum", text, allowed=", ".join(form.words))
    if form.digits is not None and not (len(text) == form.digits and text.isascii() and text.isdigit()):
        raise Bad("digits", text, digits=str(form.digits))
    if form.max is not None and len(text) > form.max:
        raise Bad("max", text, max=str(form.max))
    if form.pattern is not None and re.fullmatch(form.pattern, text, re.ASCII) is None:
        raise Bad("pattern", text, pattern=form.pattern)


def _judge_any(value: object) -> None:
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            if not found.isprintable() and _CONTROL.search(found):
                raise Bad("control-character", found)
        elif isinstance(found, Mapping):
            waiting.extend((*found.keys(), *found.values()))
        elif isinstance(found, list | tuple):
            waiting.extend(found)
        elif not (found is None or isinstance(found, bool)):
            need_number(found)
