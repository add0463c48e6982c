"""Chooses each rule's converter by its keys and by what is known of the native field; collects what is wrong."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from zoneinfo import ZoneInfo

from gateway.errors import Finding
from gateway.native import NativeField
from gateway.translate import convert
from gateway.translate.convert import Bad, Form, Pair, Step
from gateway.translate.dates import dates, typed
from gateway.translate.numbers import numbers
from gateway.translate.patterns import LONGEST, of_one_length
from gateway.translate.rules import Converter, MappingFile, Path, Rule, show

Side = Literal["read", "write"]
"""read: ours is built from theirs (replies, rows); write: theirs from ours (requests, headers)."""

BLANKS = frozenset({"", "0000-00-00", "0000-00-00 00:00:00"})
"""What `blank = "missing"` takes for missing, beside a date format's own zeros."""


Native = Literal["json", "soap", "csv"]
"""What kind of system is behind an operation: with CSV, empty text is missing unless the mapping says otherwise."""

_CELL = NativeField()
_FLAGS = {"text": (str, '["1", "0"]'), "integer": (int, "[1, 0]"), "boolean": (bool, "[true, false]")}
_MOMENTS = frozenset({"date", "datetime", "time"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a table stands: its file, which way it is used, what is known of their fields, what counts as missing."""

    mapping: MappingFile
    side: Side
    zone: ZoneInfo
    cells: bool = False
    blank: bool = False
    fields: Mapping[str, NativeField] | None = None
    root: Path = ()
    by_source: bool = False

    def field(self, path: Path) -> NativeField | None:
        """Return what is known of a native field, None where the protocol leaves it open."""
        if self.fields is not None:
            return self.fields.get(".".join((*self.root, *path)))
        return _CELL if self.cells else None


class Pairs:
    """The converters of one table's rules."""

    def __init__(self, setting: Setting) -> None:
        self.findings: list[Finding] = []
        self._setting = setting
        self._reads = setting.side == "read"

    def pair(self, rule: Rule, above: Path) -> Pair:  # noqa: PLR0911 - one return per converter
        """Return the converter of a rule whose native path starts at `above`."""
        theirs = rule.sources[0] if self._reads else rule.left
        whole = rule.join is None and rule.split is None
        native = self._setting.field((*above, *theirs)) if whole else None
        kind = native.kind if native else None
        if rule.converter is None:
            return self._native(native)
        self._mistyped(rule, kind)
        text = rule.converter.argument == "text" or kind == "text"
        argument: Any = rule.converter.argument
        match rule.converter.kind:
            case "date":
                return dates(argument, self._setting.zone, text=text)
            case "number":
                return self._number(argument, kind)
            case "integer":
                return convert.integer(text=text)
            case "bool":
                return convert.flags(*argument)
            case "codes":
                return self._codes(
                    rule, argument, native, number=rule.converter.number or kind in {"integer", "number"}
                )
            case "json":
                return convert.JSON
            case "using":
                return self._using(rule, argument)

    def _native(self, native: NativeField | None) -> Pair:
        if native is None:
            return convert.TEXT
        if native.kind in _MOMENTS:
            return typed(native.kind, self._setting.zone)
        pair = convert.NATIVE[native.kind]
        return replace(pair, form=Form(words=native.allowed)) if pair is convert.TEXT and native.allowed else pair

    def _mistyped(self, rule: Rule, kind: str | None) -> None:
        """Refuse a converter for values that the field's own type can't have."""
        converter = rule.converter
        if converter is None or kind is None:
            return
        moment = converter.kind == "date" and kind in _MOMENTS and converter.argument != "iso"
        wanted = _FLAGS.get(kind) if converter.kind == "bool" else None
        if moment or (wanted and not all(type(flag) is wanted[0] for flag in _list(converter))):
            path = show(rule.sources[0] if self._reads else rule.left)
            remedy = f"write bool = {wanted[1]}" if wanted else f"leave out {converter.kind}"
            self.find(rule.line, f"{path} is {kind} by the contract", remedy)

    def _number(self, argument: str | Literal[True], kind: str | None) -> Pair:
        if argument is True:
            return convert.NATIVE["number"]
        return numbers(argument, number=kind in {"number", "integer"})

    def _codes(self, rule: Rule, name: str, native: NativeField | None, *, number: bool) -> Pair:
        table = self._setting.mapping.codes[name]
        if not self._reads:
            self._two_codes(rule, name)
            strange = sorted(table.words.keys() - native.allowed) if native and native.allowed else []
            if strange and native:
                self.find(
                    rule.line,
                    f"{show(rule.left)}: the contract does not allow {', '.join(strange)} of codes.{name}",
                    f"it allows {', '.join(native.allowed)}",
                )
        if number and not all(code.isascii() and code.isdigit() for code in table.words):
            self.find(
                rule.line, f"{show(rule.left)}: the codes of {name} are not all whole numbers", "leave out integer"
            )
            return convert.codes(table.words)
        return convert.codes(table.words, number=number)

    def _two_codes(self, rule: Rule, name: str) -> None:
        table = self._setting.mapping.codes[name]
        first: dict[str, str] = {}
        for code, word in table.words.items():
            if word in first:
                lines = f"lines {table.lines[first[word]]} and {table.lines[code]}"
                self.find(
                    rule.line,
                    f'{show(rule.left)}: codes.{name} can\'t be written: "{word}" has two codes, '
                    f'"{first[word]}" and "{code}" ({lines})',
                    "use a table with one code per word for requests",
                )
            first.setdefault(word, code)

    def _using(self, rule: Rule, names: Sequence[str]) -> Pair:
        functions = [self._function(rule, name) for name in names]
        if len(functions) == 2:  # noqa: PLR2004  # the two directions
            return convert.pure(*functions)
        return convert.pure(functions[0], None) if self._reads else convert.pure(None, functions[0])

    def _function(self, rule: Rule, name: str) -> Callable[..., Any] | None:
        module, _, attribute = name.partition(":")
        try:
            function = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            self.find(rule.line, f'using: there is no function "{name}" ({error})', 'write "package.module:function"')
            return None
        if not callable(function):
            self.find(rule.line, f'using: "{name}" is not a function')
            return None
        found: Callable[..., Any] = function
        return found

    def find(self, line: int, what: str, remedy: str = "") -> None:
        """Note one finding."""
        self.findings.append(Finding(where=self._setting.mapping.at(line), what=what, remedy=remedy))


def checks(rule: Rule) -> tuple[Step, ...]:
    """Return the checks of a rule's text as the agency sees it."""
    steps = []
    if rule.digits is not None:
        steps.append(convert.check_digits(rule.digits))
    if (most := longest(rule)) is not None:
        steps.append(convert.check_max(most))
    if rule.pattern is not None:
        steps.append(convert.check_pattern(rule.pattern))
    return tuple(steps)


def longest(rule: Rule) -> int | None:
    """Return how long a rule's text may be; an open pattern is never tried on a long one (see patterns.py)."""
    if rule.pattern is None or (rule.max is None and of_one_length(rule.pattern)):
        return rule.max
    return min(rule.max or LONGEST, LONGEST)


def pointer(path: Path) -> str:
    """Return a path as a JSON Pointer (RFC 6901)."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in path)


def overlap(one: Path, other: Path) -> bool:
    """Return whether two paths are the same, or one leads into the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def joiner(separator: str, *, strict: bool) -> Callable[[tuple[Any, ...]], str]:
    """Return the function that joins texts; `strict` when they must come apart again."""
    join = separator.join

    def run(values: tuple[Any, ...]) -> str:
        try:
            joined = join(values)
        except TypeError:
            joined = join(map(convert.need_text, values))
        if strict and joined.count(separator) != len(values) - 1:
            raise Bad("split", joined, part=str(len(values)), split=separator)
        return joined

    return run


def _list(converter: Converter) -> list[object]:
    return list(converter.argument) if isinstance(converter.argument, list) else []
