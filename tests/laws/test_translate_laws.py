"""Laws of the translator: total on what its schema allows, never anything but TranslationError on anything else."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import ConfigError, TranslationError
from gateway.message import Context, MessageId
from gateway.translate.compile import Compiled, compile_operation
from gateway.translate.convert import Form
from gateway.translate.examine import examine
from gateway.translate.explain import explain
from gateway.translate.load import load_mapping, parse_mapping
from gateway.translate.program import Program
from gateway.translate.rules import MISSING
from gateway.translate.shape import Leaf, Record, Series, Shape
from gateway.wording import say

CONTEXT = Context(
    id=MessageId("018f"),
    client="klik",
    now=datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC),
    login={"user": "gateway", "password": "rahasia"},
)
MAPPINGS = sorted(Path("mappings").glob("*.toml"))
CODES = """
[codes.status]
"1" = "diajukan"
"2" = "terbit"
[codes.angka]
1 = "satu"
20 = "dua puluh"
"""
RULES = (
    '"x"',
    '{ from = "x", optional = true }',
    '{ from = "x", default = "-" }',
    '{ from = "x", digits = 3 }',
    "{ from = \"x\", pattern = '[a-z]{1,4}', optional = true }",
    '{ from = "x", max = 5 }',
    '{ from = "x", date = "dd-mm-yyyy" }',
    '{ from = "x", date = "yyyymmdd", optional = true }',
    '{ from = "x", date = "dd/mm/yyyy HH:MM:SS" }',
    '{ from = "x", date = "iso" }',
    '{ from = "x", date = "epoch-ms" }',
    '{ from = "x", date = "epoch-s", optional = true }',
    '{ from = "x", date = "HH:MM" }',
    '{ from = "x", number = "1.234,56" }',
    '{ from = "x", number = "Rp1.234,56", default = 0 }',
    '{ from = "x", number = true }',
    '{ from = "x", integer = true }',
    '{ from = "x", integer = "text", optional = true }',
    '{ from = "x", bool = ["Y", "T"] }',
    '{ from = "x", bool = [1, 0], optional = true }',
    '{ from = "x", codes = "status" }',
    '{ from = "x", codes = "angka", integer = true, optional = true }',
    '{ from = "x", json = true }',
    '{ from = ["x", "x2"], join = " " }',
    '{ from = ["x", "x2"], join = "/", optional = true }',
    '{ from = "x", when = { path = "syarat", equals = "1" } }',
    '{ const = "tetap" }',
    '{ each = "x.item", from = "." }',
    '{ each = "x", from = "nilai", integer = true }',
    '{ each = "x.item", nama = "n", tgl = { from = "t", date = "dd-mm-yyyy", optional = true } }',
    '{ each = "x", optional = true, anak = { each = "y.item", kode = { from = "k", codes = "status" } } }',
)


def written(rules: list[str], *, blank: bool, root: bool) -> str:
    """Write a mapping whose request and reply tables both hold these rules; nested and split ones among them."""
    lines = [
        f"{f'bagian{number}.' if number % 3 == 0 else ''}kiri{number} = "
        + rule.replace('"x', f'"{"dalam." if number % 2 else ""}x{number}')
        for number, rule in enumerate(rules)
    ]
    lines += ['rt = { from = "rt_rw", split = "/", part = 1 }', 'rw = { from = "rt_rw", split = "/", part = 2 }']
    head = f'[agency]\nblank = "{"missing" if blank else "text"}"\n' + ('root = "data"\n' if root else "")
    body = "\n".join(lines)
    return f"{head}[op.request]\n{body}\n[op.reply]\n{body}\n{CODES}"


@st.composite
def compiled(draw: st.DrawFn) -> Compiled:
    rules = draw(st.lists(st.sampled_from(RULES), min_size=1, max_size=6))
    text = written(rules, blank=draw(st.booleans()), root=draw(st.booleans()))
    return compile_operation(parse_mapping(text, "mappings/hukum.toml"), "op")


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=8)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=2)
DATES = st.dates().map(str)
MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1)).map(  # noqa: DTZ001 - the zone is added as text
    lambda moment: moment.replace(microsecond=0).isoformat() + "+07:00"
)
TIMES = st.times().map(lambda time: time.isoformat("minutes"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
BY_KIND: Mapping[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-(10**15), 10**15),
    "number": DECIMALS | st.integers(-(10**9), 10**9),
    "boolean": st.booleans(),
    "date": DATES,
    "datetime": MOMENTS,
    "time": TIMES,
    "binary": st.binary(max_size=6).map(lambda raw: b64encode(raw).decode()),
    "any": JSON.filter(lambda value: value is not None),
}


def values(form: Form) -> st.SearchStrategy[Any]:
    if form.words:
        return st.sampled_from(form.words)
    if form.kind != "text":
        return BY_KIND[form.kind]
    if form.pattern is not None:
        return st.from_regex(form.pattern, fullmatch=True)
    if form.digits is not None:
        return st.text("0123456789", min_size=form.digits, max_size=form.digits)
    return TEXT if form.max is None else TEXT.map(lambda text: text[: form.max])


def bodies(shape: Shape, *, nulls: bool) -> st.SearchStrategy[Any]:
    match shape:
        case Leaf():
            found = values(shape.form) if shape.const is MISSING else st.just(shape.const)
            return st.none() | found if nulls and shape.null else found
        case Series():
            return st.lists(bodies(shape.item, nulls=nulls), max_size=3)
        case Record():
            there = {name: bodies(child, nulls=nulls) for name, child in shape.fields.items() if child.required}
            maybe = {name: bodies(child, nulls=nulls) for name, child in shape.fields.items() if not child.required}
            return st.fixed_dictionaries(there, optional=maybe)


GARBAGE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.binary()
    | st.integers(4999, 5000).map(lambda zeros: 10**zeros)
    | st.sampled_from(["1" * 5000, "\ud800", Decimal("1e999999"), Decimal("sNaN"), object(), ("", "")]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=3) | st.sampled_from(["x0", "x1", "dalam", "item", "data"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


def only_translation_errors(call: Callable[[], object]) -> None:
    try:
        call()
    except TranslationError as error:
        found = error.errors
    else:
        return
    assert found
    assert all(error.where for error in found)
    assert all(say(error, language) for error in found for language in ("id", "en"))


def without_empty(value: Any) -> Any:
    """Drop nulls, and objects that hold nothing: they say no more than their absence."""
    if isinstance(value, dict):
        kept = {name: without_empty(inner) for name, inner in value.items() if inner is not None}
        return {name: inner for name, inner in kept.items() if inner != {}}
    return [without_empty(inner) for inner in value] if isinstance(value, list) else value


def plan_of(program: Program) -> Any:
    return program._plan


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_a_request_that_passes_its_check_is_always_translated(data: st.DataObject) -> None:
    table = data.draw(compiled())
    body = data.draw(bodies(table.request.shape, nulls=True))
    errors = table.request.check(body)
    if not errors:
        native = table.translator.to_native(body, CONTEXT)
        again, found = explain(plan_of(table.translator.to_native), body, CONTEXT)
        assert (again, found) == (native, [])
        assert table.translator.to_headers(body, CONTEXT) == {}
        assert table.translator.key(body, CONTEXT)
    else:
        assert {error.rule for error in errors} <= {"split", "number", "date", "required", "null"}, errors


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_what_was_written_reads_the_same_again(data: st.DataObject) -> None:
    rules = data.draw(st.lists(st.sampled_from([rule for rule in RULES if "when" not in rule]), min_size=1, max_size=6))
    table = compile_operation(parse_mapping(written(rules, blank=False, root=data.draw(st.booleans())), "x.toml"), "op")
    body = data.draw(bodies(table.reply.shape, nulls=False))
    assert table.native_of is not None
    if refusals := table.native_of.errors(body):
        assert {error.rule for error in refusals} <= {"split", "number", "date"}
        return
    native = table.native_of(body)
    answer = {"data": native, **native}
    again = table.translator.to_canonical(answer)
    assert without_empty(again) == without_empty(body)
    assert explain(plan_of(table.translator.to_canonical), answer, None) == (again, [])


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_garbage_gets_a_translation_error_and_nothing_else(data: st.DataObject) -> None:
    table = data.draw(compiled())
    garbage = data.draw(GARBAGE)
    assert all(say(error, "en") for error in table.request.check(garbage))
    only_translation_errors(lambda: table.translator.to_native(garbage, CONTEXT))
    only_translation_errors(lambda: table.translator.to_canonical(garbage))
    only_translation_errors(lambda: table.translator.to_canonical({"data": garbage}))
    if table.native_of is not None and table.request_of is not None:
        only_translation_errors(lambda: table.native_of(garbage))  # type: ignore[misc]
        only_translation_errors(lambda: table.request_of(garbage))  # type: ignore[misc]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_what_is_checked_and_quickly_passed_is_passed_by_the_walk_too(data: st.DataObject) -> None:
    table = data.draw(compiled())
    body = data.draw(bodies(table.request.shape, nulls=True) | GARBAGE)
    if table.request.fits(body):
        assert list(examine(table.request.shape, body)) == []


@pytest.mark.parametrize("path", MAPPINGS, ids=lambda path: path.stem)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_the_pilots_requests_are_translated_and_undone(path: Path, data: st.DataObject) -> None:
    mapping = load_mapping(path)
    names = [name for name, section in mapping.operations.items() if section.request is not None]
    table = compile_operation(mapping, data.draw(st.sampled_from(names)))
    body = data.draw(bodies(table.request.shape, nulls=False))
    assert table.request.check(body) == ()
    native = table.translator.to_native(body, CONTEXT)
    assert native is not None
    only_translation_errors(lambda: table.translator.to_canonical(data.draw(GARBAGE)))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200) | st.text("[]{}=\"'.,#\n abcxyz019", max_size=80))
def test_any_text_is_a_mapping_or_a_config_error(text: str) -> None:
    try:
        parse_mapping(text, "x.toml")
    except ConfigError as error:
        findings = error.findings
    else:
        return
    assert findings
