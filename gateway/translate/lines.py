"""Compiles a table for whole lines of text: one pattern finds the cells of nearly all, and they are written as JSON.

A line that does not match, or whose values do not fit, is left to those who read it cell by cell and say why.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.columns import LineForm, ReadLines
from gateway.translate.code import Code
from gateway.translate.convert import Plain, Seen, Step, Words, json_of
from gateway.translate.emit import emit_cells, refuses
from gateway.translate.members import Member, Targeted, in_order, key_of
from gateway.translate.plan import OPTIONAL, REQUIRED, Field, Fixed, Listed, Plan

SEEN = 1 << 15
"""Texts of one column that are remembered: as many days as a life of 90 years has."""
MOST_COLUMNS = 256
"""Beyond, a pattern takes longer to make than it spares."""
NEVER = r'"\\\x00-\x1f\x7f'
"""What is no part of a plain text: JSON has another way to write it, or csv may read it in another."""


def emit_lines(plan: Plan, paths: Sequence[str], form: LineForm) -> ReadLines | None:
    """Return the plan as a function of whole lines, None where it wants more than the texts of a plain table.

    Each row is its number, its JSON, and the values at `paths`.
    """
    return _Lines(plan, paths, form).function() if is_for_lines(plan, paths, form) else None


def is_for_lines(plan: Plan, paths: Sequence[str], form: LineForm) -> bool:
    """Tell whether a plan looks at nothing but texts, and all that it needs of lines is there."""
    leaves = {".".join(part.target) for part in plan.parts}
    if not _is_plain(form) or not set(paths) <= leaves or emit_cells(plan, form.columns) is None:
        return False
    return not any(part.absent is REQUIRED and not {*sources_of(part)} <= {*form.columns} for part in _fields(plan))


def _is_plain(form: LineForm) -> bool:
    if len(form.columns) > MOST_COLUMNS:
        return False
    once = len({*form.columns}) == len(form.columns) and form.columns[0] != ""
    return once and form.delimiter in "\t;,|" and form.quote in "\"'" and (form.closing or "").isascii()


def _fields(plan: Plan) -> list[Field]:
    return [part for part in plan.parts if isinstance(part, Field)]


def sources_of(part: Field | Fixed | Listed) -> tuple[str, ...]:
    """Return the columns that a part looks at."""
    own = [source.path[0] for source in part.sources] if isinstance(part, Field) else []
    return (*own, *([part.when.path[0]] if part.when else []))


@dataclass(frozen=True, slots=True)
class _Held:
    """A text that a local of the function holds, or an expression on such locals."""

    name: str


_Text = tuple[str | _Held, ...]
"""What is written one after the other."""


class _Lines:
    """One plan's code: `t` is the text, `n` the number of its first line, `a0` and so on are the cells of a line."""

    def __init__(self, plan: Plan, paths: Sequence[str], form: LineForm) -> None:
        self._plan = plan
        self._form = form
        self._code = Code(plan.file, "t, n", {})
        self._json = self._code.bind(json_of)
        readers = Counter(column for part in plan.parts for column in sources_of(part))
        self._cells = {name: f"a{place}" for place, name in enumerate(form.columns) if name in readers or place == 0}
        self._places = {name: place for place, name in enumerate(form.columns)}
        self._shapes = {
            part.sources[0].path[0]: (part, plain)
            for part in _fields(plan)
            if (plain := _plain(part)) is not None and readers[sources_of(part)[0]] == 1 and not self._ends(part, plain)
        }
        self._values: dict[str, str] = dict.fromkeys(paths, "None")
        self._cuts: dict[tuple[str, object], str] = {}
        self._depth = 0

    def _ends(self, field: Field, plain: Plain) -> bool:
        """Tell whether a sign of what fits may end the cell, so that it is not known by its shape."""
        is_quoted = self._places.get(sources_of(field)[0]) in self._form.quoted
        return self._form.quote in plain.signs or (not is_quoted and self._form.delimiter in plain.signs)

    def function(self) -> ReadLines:
        code = self._code
        code.write(f"found = {code.bind(re.compile(self._pattern()).findall)}(t)")
        code.write("rows, odd = [], []")
        with code.block(f"for n, (line, {', '.join(self._cells.values())}) in enumerate(found, n):"):
            with code.block("if not a0:"):
                code.write("odd.append((n, line))")
                code.write("continue")
            with code.block("try:"):
                self._depth = code.depth
                self._without_quotes()
                inner, _ = self._object([(part.target, self._part(part)) for part in self._plan.parts])
                text = self._written(("{", *inner, "}"))
                code.write(f"rows.append(({', '.join(['n', f'{text}.encode()', *self._values.values()])},))")
            with code.block("except Exception:"):
                code.write("odd.append((n, line))")
        code.write("return len(found), rows, odd")
        run: ReadLines = code.finish()
        return run

    def _without_quotes(self) -> None:
        quote = self._code.key(self._form.quote)
        for name, cell in self._cells.items():
            if self._is_mixed(name):
                self._code.write(f"if {quote} in {cell}: {cell} = {cell}[1:-1]")

    def _is_mixed(self, column: str) -> bool:
        place = self._places[column]
        return place > 0 and place in self._form.mixed and column not in self._shapes

    def _pattern(self) -> str:
        """Return the pattern of a plain line, else of any, with all of it and then each cell that is read as a group.

        What begins as the header or the closing row does, or with a blank, is not plain: it may be no row at all.
        """
        form, quote = self._form, re.escape(self._form.quote)
        first = quote if 0 in form.quoted else ""
        bars = rf"(?!{first}{re.escape(form.columns[0])})(?={first}[^\s{re.escape(form.delimiter)}{quote}])"
        if form.closing:
            bars += rf"(?!{first}(?i:{re.escape(form.closing)}))(?![ -~]{{0,{len(form.closing)}}}[^ -~\t\r\n])"
        cells = re.escape(form.delimiter).join(map(self._cell, range(len(form.columns))))
        return rf"({bars}{cells}\r?\n|[^\n]*\n)"

    def _cell(self, place: int) -> str:
        form, name = self._form, self._form.columns[place]
        quote = re.escape(form.quote) if place in form.quoted else ""
        other = "" if quote else re.escape(form.delimiter)
        shape = rf"[^{other}{re.escape(form.quote)}{NEVER}]*+"
        if self._is_mixed(name):
            sign = re.escape(form.quote)
            shape = rf"{sign}[^{sign}{NEVER}]*+{sign}|{shape}"
        if name in self._shapes:
            part, plain = self._shapes[name]
            may_be_blank = part.absent is not REQUIRED and "" in part.blanks
            shape = f"(?:{plain.shape})?+" if may_be_blank else plain.shape
        group = "(" if name in self._cells else "(?:"
        return f"{quote}{group}{shape}){quote}"

    def _part(self, part: Field | Fixed | Listed) -> Member[_Held] | None:
        """Write one part; None where it is never there."""
        self._code.line = part.line
        if isinstance(part, Fixed) and part.when is None:
            return self._constant(part.target, part.value)
        if isinstance(part, Field) and part.when is None and part.combine is None:
            return self._field(part)
        return self._by_cells(part)

    def _constant(self, target: Sequence[str], value: object) -> Member[_Held]:
        self._found(target, self._code.bind(value))
        return Member((json_of(value),), sure=True)

    def _by_cells(self, part: Field | Fixed | Listed) -> Member[_Held]:
        """Write a part that looks at several cells as it is compiled for the cells of one row."""
        code, columns = self._code, [name for name in dict.fromkeys(sources_of(part)) if name in self._cells]
        run = emit_cells(Plan(file=self._plan.file, parts=(replace(part, target=("v",)),)), columns)
        made = code.name("d")
        code.write(f"{made} = {code.bind(run)}(({''.join(f'{self._cells[name]}, ' for name in columns)}), None)")
        self._found(part.target, f'{made}.get("v")')
        text = code.name("j")
        with code.block(f"if {made}:"):
            code.write(f'{text} = {self._json}({made}["v"])')
            code.write(f"{text} = {self._written((*key_of(part.target), _Held(text)))}")
        with code.block("else:"):
            code.write(f'{text} = ""')
        return Member((_Held(text),), sure=False)

    def _field(self, field: Field) -> Member[_Held] | None:
        code, column = self._code, field.sources[0].path[0]
        if column not in self._cells:
            return None if field.absent is OPTIONAL else self._constant(field.target, field.absent)
        cell = self._cells[column]
        if field.absent is REQUIRED:
            if self._may_be_blank(field):
                code.write(f"if {cell} in {code.bind(field.blanks)}: raise ValueError")
            return Member(self._steps(field, cell), sure=True)
        return self._may_be_absent(field, cell)

    def _may_be_absent(self, field: Field, cell: str) -> Member[_Held]:
        code, key, gone = self._code, key_of(field.target), field.absent is OPTIONAL
        text, value = code.name("j"), code.name("x")
        with code.block(f"if {cell} in {code.bind(field.blanks)}:"):
            code.write(f"{text} = {self._written(() if gone else (*key, json_of(field.absent)))}")
            code.write(f"{value} = {'None' if gone else code.bind(field.absent)}")
        with code.block("else:"):
            code.write(f"{text} = {self._written((*key, *self._steps(field, cell)))}")
            if (name := ".".join(field.target)) in self._values:
                code.write(f"{value} = {self._values[name]}")
                self._values[name] = value
        return Member((_Held(text),), sure=False)

    def _may_be_blank(self, field: Field) -> bool:
        steps = (*field.sources[0].steps, *field.steps)
        if field.sources[0].path[0] in self._shapes:
            shape = re.compile(self._shapes[field.sources[0].path[0]][1].shape).fullmatch
            return any(map(shape, field.blanks))
        return bool(field.blanks) and not refuses(steps, field.blanks)

    def _steps(self, field: Field, cell: str) -> _Text:
        """Write what is done to a cell, and return its JSON."""
        code, steps = self._code, (*field.sources[0].steps, *field.steps)
        wanted = ".".join(field.target) in self._values
        if field.sources[0].path[0] in self._shapes and (first := steps[0].plain) is not None:
            if not first.json:
                steps = steps[1:]
            elif len(steps) == 1 and not wanted:
                return tuple(_Held(self._words(each, cell)) if isinstance(each, Words) else each for each in first.json)
        if steps and isinstance(steps[-1].quick, Mapping):
            return self._remembered(field, steps, cell)
        value, is_text = cell, True
        for step in steps:
            value, is_text = self._step(step, value, is_text=is_text)
        self._found(field.target, value)
        if is_text:
            return ('"', _Held(value), '"')
        text = code.name("j")
        code.write(f"{text} = {self._json}({value})")
        return (_Held(text),)

    def _step(self, step: Step, value: str, *, is_text: bool) -> tuple[str, bool]:
        """Write one step; return the name of what it makes, and whether that is a plain text still."""
        code = self._code
        if is_text and step.fits:
            code.write(f"if not ({self._words(step.fits, value)}): raise ValueError")
            return value, True
        if is_text and step.quick is str:
            return value, True
        if is_text and step.makes and step.makes.cuts:
            return self._cut(step.makes, value), True
        made = code.name("v")
        if is_text and step.makes:
            code.write(f"{made} = {self._words(step.makes, value)}")
            return made, False
        code.write(f"{made} = {code.bind(step.run)}({value})")
        return made, False

    def _cut(self, words: Words, value: str) -> str:
        """Write a part of a text, which is cut once for all its parts."""
        separator, place = words.values
        if (value, separator) not in self._cuts:
            pieces = self._code.name("p")
            self._code.write(f"{pieces} = {value}.split({self._code.key(separator)})")
            if self._code.depth > self._depth:  # not every line comes by here
                return f"{pieces}[{place}]"
            self._cuts[value, separator] = pieces
        return f"{self._cuts[value, separator]}[{place}]"

    def _remembered(self, field: Field, steps: Sequence[Step], cell: str) -> _Text:
        """Look up what was made of the same text before."""
        code = self._code

        def run(text: str) -> object:
            value: object = text
            for step in steps:
                value = step.run(value)
            return (json_of(value), value) if wanted else json_of(value)

        wanted = ".".join(field.target) in self._values
        text, seen = code.name("j"), code.bind(Seen(run, SEEN))
        if wanted:
            value = code.name("v")
            code.write(f"{text}, {value} = {seen}[{cell}]")
            self._found(field.target, value)
        else:
            code.write(f"{text} = {seen}[{cell}]")
        return (_Held(text),)

    def _words(self, words: Words, value: str) -> str:
        return words.code.format(*map(self._code.key, words.values), v=value)

    def _found(self, target: Sequence[str], value: str) -> None:
        """Say which local holds the value of a field, where that is wanted."""
        if ".".join(target) in self._values:
            self._values[".".join(target)] = value

    def _object(self, members: Targeted[_Held]) -> tuple[_Text, bool]:
        """Write an object's members in the order of the rules; return them, and whether there is always one."""
        texts = in_order(members, self._nested)
        inner, sure = tuple(piece for member in texts for piece in member.text), any(member.sure for member in texts)
        if texts and texts[0].sure:
            return (str(inner[0])[1:], *inner[1:]), sure
        name = self._code.name("o")
        self._code.write(f"{name} = {self._written(inner)}[1:]")
        return (_Held(name),), sure

    def _nested(self, key: str, members: Targeted[_Held]) -> Member[_Held]:
        inner, sure = self._object(members)
        if sure:
            return Member(("{", *inner, "}"), sure=True)
        name, whole = self._code.name("o"), (*key_of((key,)), "{", *inner, "}")
        self._code.write(f'{name} = {self._written(whole)} if {self._written(inner)} else ""')
        return Member((_Held(name),), sure=False)

    def _written(self, text: _Text) -> str:
        """Return what is written as one expression."""
        pieces: list[str] = []
        plain = ""
        for piece in (*text, _Held("")):
            if isinstance(piece, str):
                plain += piece
                continue
            if plain:
                pieces.append(f"{{{self._code.key(plain)}}}")
            if piece.name:
                pieces.append(f"{{{piece.name}}}")
            plain = ""
        return f'f"{"".join(pieces)}"'


def _plain(field: Field) -> Plain | None:
    """Return what texts fit a field's first step, where that looks at the cell itself."""
    if field.combine is not None or field.when is not None:
        return None
    return next((step.plain for step in (*field.sources[0].steps, *field.steps)[:1]), None)
