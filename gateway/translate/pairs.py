"""Chooses each rule's converter by its keys and by what is known of the native field; collects what is wrong."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from gateway.errors import Finding
from gateway.ports import NativeField
from gateway.translate import convert
from gateway.translate.convert import Bad, Pair, Step
from gateway.translate.dates import dates, typed
from gateway.translate.numbers import numbers
from gateway.translate.rules import MappingFile, Path, Rule, show

Side = Literal["read", "write"]
"""read: ours is built from theirs (replies, rows); write: theirs from ours (requests, headers)."""

Native = Literal["json", "soap", "csv"]

BLANKS = frozenset({"", "0000-00-00", "0000-00-00 00:00:00"})
"""What `blank = "missing"` takes for missing, beside a date format's own zeros."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where a table stands: its file, which way it is used, what is known of their fields, what counts as missing."""

    mapping: MappingFile
    side: Side
    zone: ZoneInfo
    native: Native = "json"
    blank: bool = False
    fields: Mapping[str, NativeField] | None = None
    root: Path = ()
    by_source: bool = False

    def kind(self, path: Path) -> str | None:
        """Return the kind of a native field, None where the protocol leaves it open."""
        if self.fields is not None and (found := self.fields.get(".".join((*self.root, *path)))):
            return found.kind
        return "text" if self.native == "csv" else None


class Pairs:
    """The converters of one table's rules."""

    def __init__(self, setting: Setting) -> None:
        self.findings: list[Finding] = []
        self._setting = setting
        self._reads = setting.side == "read"

    def pair(self, rule: Rule, above: Path) -> Pair:  # noqa: PLR0911 - one return per converter
        """Return the converter of a rule whose native path starts at `above`."""
        theirs = rule.sources[0] if self._reads else rule.left
        kind = None if rule.join is not None or rule.split is not None else self._setting.kind((*above, *theirs))
        if rule.converter is None:
            return self._native(kind)
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
                return self._codes(rule, argument, number=rule.converter.number or kind in {"integer", "number"})
            case "json":
                return convert.JSON
            case "using":
                return self._using(rule, argument)

    def _native(self, kind: str | None) -> Pair:
        if kind in {"date", "datetime", "time"}:
            return typed(kind, self._setting.zone)
        return convert.NATIVE.get(kind or "text", convert.TEXT)

    def _number(self, argument: str | Literal[True], kind: str | None) -> Pair:
        if argument is True:
            return convert.NATIVE["number"]
        return numbers(argument, number=kind in {"number", "integer"})

    def _codes(self, rule: Rule, name: str, *, number: bool) -> Pair:
        table = self._setting.mapping.codes[name]
        if not self._reads:
            self._two_codes(rule, name)
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
    if rule.pattern is not None:
        steps.append(convert.check_pattern(rule.pattern))
    if rule.max is not None:
        steps.append(convert.check_max(rule.max))
    return tuple(steps)


def pointer(path: Path) -> str:
    """Return a path as a JSON Pointer (RFC 6901)."""
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in path)


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
