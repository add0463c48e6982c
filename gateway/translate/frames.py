"""Writes a table as polars expressions: a block of lines at once, by threads that need no turn of Python's.

Null is whatever is not sure: such a line is left to those who read it cell by cell and say why.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import compress, count
from operator import and_, itemgetter
from typing import Any

import polars as pl

from gateway.columns import LineForm, ReadLines, Row
from gateway.translate.convert import Seen, Step, json_of
from gateway.translate.emit import emit_cells, refuses
from gateway.translate.expressions import Text, applied, is_one_of, shapes, where, written
from gateway.translate.lines import NEVER, SEEN, is_for_lines, sources_of
from gateway.translate.members import Member, Targeted, in_order, key_of
from gateway.translate.plan import OPTIONAL, REQUIRED, Field, Fixed, Listed, Plan

_ALONE = re.compile(r"\r(?!\n)").search
_END = "\x1e"
"""The cell that is put behind every line: where it stands tells how many cells there are."""


def emit_frames(plan: Plan, paths: Sequence[str], form: LineForm) -> ReadLines | None:
    """Return the plan as a function of whole lines, which finds what that of `emit_lines` does, None where it does.

    It leaves more lines to others: what is quoted and has a separator in it, the 29th of February.
    """
    return Frames(plan, paths, form) if is_for_lines(plan, paths, form) else None


@dataclass(frozen=True, slots=True)
class _Made:
    """What Python makes of the cells of each line: a member's text, with its key, and the value."""

    name: str
    columns: tuple[str, ...]
    run: Callable[[Any], tuple[str | None, object]]

    def of(self, cells: pl.DataFrame) -> list[tuple[str | None, object]]:
        """Return it for each line."""
        if not self.columns:
            return [self.run(())] * len(cells)
        if len(self.columns) == 1:
            return [self.run(cell) for cell in cells[self.columns[0]].to_list()]
        return [self.run(row) for row in cells.select(self.columns).iter_rows()]


class Frames:
    """One plan's expressions on `a0` and so on, the cells of a line, null where they are not plain."""

    def __init__(self, plan: Plan, paths: Sequence[str], form: LineForm) -> None:
        self._plan = plan
        self._form = form
        self._cells = {name: f"a{place}" for place, name in enumerate(form.columns)}
        self._schema = dict.fromkeys((*self._cells.values(), "end"), pl.String)
        self._made: list[_Made] = []
        self._values: dict[str, pl.Expr | _Made] = dict.fromkeys(paths, pl.lit(None, pl.String))
        inner, _ = _object([(part.target, self._part(part)) for part in plan.parts])
        self._json = written(("{", *inner, "}")).cast(pl.Binary).alias("json")
        self._plain = [*map(self._cell, self._read()), self._fits().alias("fits")]

    def __call__(self, text: str, first: int, /) -> tuple[int, list[Row], list[tuple[int, str]]]:
        """Return what is known of whole lines."""
        lines = text.split("\n")
        lines.pop()
        try:
            rows, fits = self._rows(text, first)
        # Where polars panics it raises what is no Exception, which would end the feed.
        except (UnicodeEncodeError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
            rows, fits = [], []
        if len(fits) != len(lines):
            rows, fits = [], [False] * len(lines)
        odd = [(number, f"{lines[number - first]}\n") for number, fit in enumerate(fits, first) if not fit]
        return len(lines), rows, odd

    def _rows(self, text: str, first: int) -> tuple[list[Row], list[bool]]:
        """Return the rows, and which lines are one."""
        # A CR alone ends a line, and polars takes one off the end of any cell.
        if _END in text or text.startswith("\ufeff") or _ALONE(text):
            return [], []
        cells = self._frame(text).select(self._plain)
        made = {one.name: one.of(cells) for one in self._made}
        cells = cells.with_columns(
            pl.Series(name, [*map(itemgetter(0), found)], pl.String) for name, found in made.items()
        )
        of_text = {name: value for name, value in self._values.items() if isinstance(value, pl.Expr)}
        found = cells.with_columns(self._json, *(value.alias(f"at {name}") for name, value in of_text.items()))
        fits = (cells["fits"] & found["json"].is_not_null()).fill_null(value=False).to_list()
        values = [
            [*map(itemgetter(1), made[value.name])] if isinstance(value, _Made) else found[f"at {name}"].to_list()
            for name, value in self._values.items()
        ]
        rows = list(compress(zip(count(first), found["json"].to_list(), *values, strict=False), fits))
        return rows, fits

    def _frame(self, text: str) -> pl.DataFrame:
        """Return the cells of lines with their quotes, which mean nothing to polars: so a bad one costs one line."""
        sign = self._form.delimiter
        return pl.read_csv(
            text.encode().replace(b"\n", f"{sign}{_END}\n".encode()),
            separator=sign,
            quote_char=None,
            has_header=False,
            schema=self._schema,
            extra_columns="ignore",
            missing_columns="insert",
            empty_string_is_null=False,
        )

    def _read(self) -> list[str]:
        """Return the columns that are looked at."""
        wanted = {column for part in self._plan.parts for column in sources_of(part)}
        return [column for column in self._cells if column in wanted]

    def _cell(self, column: str) -> pl.Expr:
        """Return a column's cell without its quotes."""
        cell = self._within(column)
        return (cell if self._is_shaped(column) else where(self._is_clean(cell), cell)).alias(self._cells[column])

    def _within(self, column: str) -> pl.Expr:
        quote, name = self._form.quote, self._cells[column]
        cell = pl.col(name).str.strip_suffix("\r") if column == self._form.columns[-1] else pl.col(name)
        if self._form.columns.index(column) not in self._form.quoted:
            return cell
        quoted = cell.str.starts_with(quote) & cell.str.ends_with(quote) & (cell.str.len_bytes() > len(quote))
        return where(quoted, cell.str.strip_prefix(quote).str.strip_suffix(quote))

    def _is_clean(self, cell: pl.Expr) -> pl.Expr:
        return ~cell.str.contains(f"[{self._form.quote}{NEVER}]")

    def _is_shaped(self, column: str) -> bool:
        """Tell whether whatever fits is plain anyway."""
        parts = [part for part in self._plan.parts if column in sources_of(part)]
        return all(
            isinstance(part, Field)
            and part.when is None
            and part.combine is None
            and shapes(_steps_of(part), self._form.quote)
            for part in parts
        )

    def _fits(self) -> pl.Expr:
        """Tell whether a line has its cells, and begins as none that may be no row; its others are plain, too."""
        form, first = self._form, self._within(self._form.columns[0])
        bars = [
            pl.col("end") == _END,
            first.str.contains(rf"\A[^\s{re.escape(form.delimiter)}{form.quote}]"),
            ~first.str.starts_with(form.columns[0]),
            *(self._is_clean(self._within(column)) for column in self._cells.keys() - {*self._read()}),
        ]
        if form.closing:
            bars.append(~first.str.contains(rf"\A(?i:{re.escape(form.closing)})"))
            bars.append(~first.str.contains(rf"\A[ -~]{{0,{len(form.closing)}}}[^ -~]"))
        return reduce(and_, bars)

    def _part(self, part: Field | Fixed | Listed) -> Member[pl.Expr] | None:
        """Return one part; None where it is never there."""
        if isinstance(part, Fixed) and part.when is None:
            return self._constant(part.target, part.value)
        if not isinstance(part, Field) or part.when is not None or part.combine is not None:
            return self._by_cells(part)
        if part.sources[0].path[0] not in self._cells:
            return None if part.absent is OPTIONAL else self._constant(part.target, part.absent)
        return self._field(part) or self._by_cell(part)

    def _constant(self, target: Sequence[str], value: object) -> Member[pl.Expr]:
        if ".".join(target) in self._values:
            self._values[".".join(target)] = self._by_python((), lambda _: ("", value))
        return Member((json_of(value),), sure=True)

    def _by_cells(self, part: Field | Fixed | Listed) -> Member[pl.Expr]:
        """Make a part that looks at several cells as it is compiled for the cells of one row."""
        columns = [name for name in dict.fromkeys(sources_of(part)) if name in self._cells]
        made = emit_cells(Plan(file=self._plan.file, parts=(replace(part, target=("v",)),)), columns)

        def run(cells: Any) -> tuple[str, object]:
            found = made(cells if cells.__class__ is tuple else (cells,), None) if made else {}
            return (_member(part.target, found["v"]), found["v"]) if found else ("", None)

        return self._member_made(part.target, columns, run)

    def _by_cell(self, field: Field) -> Member[pl.Expr]:
        """Make a field of one cell step by step, and remember what was made of it."""
        steps = _steps_of(field)

        def run(cell: Any) -> tuple[str, object]:
            if cell in field.blanks and field.absent is OPTIONAL:
                return "", None
            if cell in field.blanks and field.absent is not REQUIRED:
                return _member(field.target, field.absent), field.absent
            if cell in field.blanks:
                raise ValueError
            value = cell
            for step in steps:
                value = step.run(value)
            return _member(field.target, value), value

        return self._member_made(field.target, [field.sources[0].path[0]], run)

    def _member_made(
        self, target: Sequence[str], columns: Sequence[str], run: Callable[[Any], tuple[str, object]]
    ) -> Member[pl.Expr]:
        def surely(cells: Any) -> tuple[str | None, object]:
            try:
                return (None, None) if cells is None or (cells.__class__ is tuple and None in cells) else run(cells)
            except Exception:  # noqa: BLE001 - whatever it was, the careful way finds it
                return None, None

        made = self._by_python(columns, Seen(surely, SEEN).__getitem__ if len(columns) == 1 else surely)
        if ".".join(target) in self._values:
            self._values[".".join(target)] = made
        return Member((pl.col(made.name),), sure=False)

    def _by_python(self, columns: Sequence[str], run: Callable[[Any], tuple[str | None, object]]) -> _Made:
        made = _Made(f"m{len(self._made)}", tuple(self._cells[column] for column in columns), run)
        self._made.append(made)
        return made

    def _field(self, field: Field) -> Member[pl.Expr] | None:
        """Return a field of one cell, None where it has no expression."""
        path, absent = ".".join(field.target), None if field.absent is OPTIONAL else field.absent
        cell = pl.col(self._cells[field.sources[0].path[0]])
        blank = is_one_of(cell, field.blanks)
        steps = _steps_of(field)
        if field.absent is REQUIRED and field.blanks and not refuses(steps, field.blanks):
            cell = where(~blank, cell)
        found = applied(steps, cell, wanted=path in self._values)
        if found is None:
            return None
        text, value = found
        if field.absent is REQUIRED:
            self._found(path, value)
            return Member(text, sure=True)
        if path in self._values and not isinstance(absent, str | None):
            return None
        self._found(path, pl.when(blank).then(pl.lit(absent, pl.String)).otherwise(value))
        gone = "" if field.absent is OPTIONAL else _member(field.target, absent)
        there = written((*key_of(field.target), *text))
        return Member((pl.when(blank).then(pl.lit(gone)).otherwise(there),), sure=False)

    def _found(self, path: str, value: pl.Expr) -> None:
        if path in self._values:
            self._values[path] = value


def _steps_of(field: Field) -> tuple[Step, ...]:
    return (*field.sources[0].steps, *field.steps)


def _member(target: Sequence[str], value: object) -> str:
    return f"{key_of(target)[0]}{json_of(value)}"


def _object(members: Targeted[pl.Expr]) -> tuple[Text, bool]:
    """Return an object's members in the order of the rules, and whether there is always one."""
    texts = in_order(members, _nested)
    inner, sure = tuple(piece for member in texts for piece in member.text), any(member.sure for member in texts)
    if texts and texts[0].sure:
        return (str(inner[0])[1:], *inner[1:]), sure
    return (written(inner).str.strip_prefix(","),), sure


def _nested(key: str, members: Targeted[pl.Expr]) -> Member[pl.Expr]:
    inner, sure = _object(members)
    if sure:
        return Member(("{", *inner, "}"), sure=True)
    whole = written((*key_of((key,)), "{", *inner, "}"))
    return Member((pl.when(written(inner) == "").then(pl.lit("")).otherwise(whole),), sure=False)
