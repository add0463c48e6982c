"""One table of a mapping file -> rules: checks every key, value and path, and says what to write instead."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from gateway.config.locate import Key, nearest, suggest
from gateway.errors import Finding
from gateway.translate import dates, numbers
from gateway.translate.patterns import problem as pattern_problem
from gateway.translate.rules import CONTEXT, MISSING, Converter, ConverterKind, Path, Repeat, Rule, Rules, When

_STEP = re.compile(r"[^\s.\[\]{}\"'@][^\s.\[\]{}\"']*")
_NATIVE = re.compile(r"@?[^\s.\[\]{}\"'@][^\s.\[\]{}\"']*")
MARKS = frozenset({"from", "const", "each"})
KEYS: Final[Mapping[str, tuple[type, ...]]] = {
    "from": (str, list),
    "join": (str,),
    "split": (str,),
    "part": (int,),
    "digits": (int,),
    "pattern": (str,),
    "max": (int,),
    "date": (str,),
    "number": (str, bool),
    "integer": (bool, str),
    "bool": (list,),
    "codes": (str,),
    "json": (bool,),
    "using": (str, list),
    "default": (str, int, bool, Decimal),
    "optional": (bool,),
    "null": (bool,),
    "const": (str, int, bool, Decimal),
    "each": (str,),
    "when": (dict,),
    "mask": (bool,),
    "title": (str,),
    "about": (str,),
    "example": (str, int, bool, Decimal, list, dict),
}
_CONVERTERS: Final[tuple[ConverterKind, ...]] = ("date", "number", "integer", "bool", "codes", "json", "using")
_NAMES = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    Decimal: "a number",
    list: "a list",
    dict: "a table",
}
_CONTEXT = {"@id", "@client", "@now"}


class Reader:
    """Reads tables of one file; `findings` collects everything that is wrong."""

    def __init__(self, name: str, lines: Mapping[Key, int], codes: frozenset[str]) -> None:
        self.findings: list[Finding] = []
        self._name = name
        self._lines = lines
        self._codes = codes

    def rules(self, table: object, key: Key, *, context: bool) -> Rules:
        """Return the rules of a table; `context` says whether `@` sources make sense in it."""
        if not isinstance(table, dict):
            self.find(key, f"{key[-1]} must be a table of rules")
            return ()
        return tuple(self._collect(table, key, (), context=context))

    def find(self, key: Key, what: str, remedy: str = "") -> None:
        """Note one finding at a key, or at the nearest table above it."""
        self.findings.append(Finding(where=f"{self._name}:{self.line(key)}", what=what, remedy=remedy))

    def line(self, key: Key) -> int:
        """Return the line of a key, or of the nearest table above it."""
        while key and key not in self._lines:
            key = key[:-1]
        return self._lines.get(key, 1)

    def path(
        self, text: object, key: Key, *, context: bool = False, itself: bool = False, native: bool = False
    ) -> Path | None:
        """Return a path in steps; None, with a finding, if it is none; a native one may name attributes (`@kode`)."""
        if not isinstance(text, str):
            self.find(key, f"{key[-1]} must be a path such as pemohon.nama")
            return None
        if text.startswith(CONTEXT) and not native:
            return self._context(text, key, allowed=context)
        if text == "." and itself:
            return ()
        if native and key[1:2] == ("row",):
            return self._column(text, key)
        steps = tuple(text.split("."))
        if not all((_NATIVE if native else _STEP).fullmatch(step) for step in steps):
            self.find(key, f'"{text}" is not a path', "names joined by dots; lists are entered with each")
            return None
        return steps

    def _column(self, text: str, key: Key) -> Path | None:
        """Return a column's name, whole: spaces and dots are part of it, as in "Tgl. Lahir"."""
        if not text.strip():
            self.find(key, f"{key[-1]} must be the name of a column")
            return None
        return (text.strip(),)

    def _context(self, text: str, key: Key, *, allowed: bool) -> Path | None:
        if not allowed:
            self.find(key, f"{text} can be read in request and headers tables only")
            return None
        name, dot, rest = text.partition(".")
        if text in _CONTEXT:
            return (CONTEXT, text[1:])
        if name == "@login" and dot and rest:
            return (CONTEXT, "login", rest)
        self.find(key, f"{text} is not known here", suggest(text, [*_CONTEXT, "@login.user", "@login.password"]))
        return None

    def _collect(self, table: Mapping[str, Any], key: Key, above: Path, *, context: bool) -> Iterator[Rule | Repeat]:
        for name, value in table.items():
            here = (*key, name)
            left = self.path(name, here, native=context)
            if left is None:
                continue
            left = (*above, *left)
            if isinstance(value, str):
                yield from self._plain(value, here, left, context=context)
            elif not isinstance(value, dict):
                self.find(here, f"{name}: a rule is a path or a table, not {_NAMES.get(type(value), 'this')}",
                          "a constant is { const = ... }")  # fmt: skip
            elif "each" in value and "from" not in value:
                yield from self._repeat(value, here, left, context=context)
            elif MARKS & value.keys():
                yield from self._rule(value, here, left, context=context)
            elif value and value.keys() <= KEYS.keys():
                self.find(here, f"{name}: a rule needs from, const or each")
            elif slip := _slip(value):
                remedy = f'did you mean "{nearest(slip, MARKS)}"? a field of that name: "{name}.{slip}" = ...'
                self.find((*here, slip), f'{name}: unknown key "{slip}"', remedy)
            else:
                yield from self._collect(value, here, left, context=context)

    def _plain(self, text: str, key: Key, left: Path, *, context: bool) -> Iterator[Rule]:
        source = self.path(text, key, context=context, native=not context)
        if source is not None:
            yield Rule(left=left, line=self.line(key), sources=(source,))

    def _repeat(self, table: Mapping[str, Any], key: Key, left: Path, *, context: bool) -> Iterator[Repeat]:
        each = self.path(table["each"], (*key, "each"), native=not context)
        optional = table.get("optional", False)
        own = {"each"} | ({"optional"} if isinstance(optional, bool) else set())
        when = self._when(table, key, context=context) if isinstance(table.get("when"), dict) else None
        own |= {"when"} if when is not None else set()
        rules = tuple(self._collect({k: v for k, v in table.items() if k not in own}, key, (), context=context))
        if not rules:
            self.find(key, f"{key[-1]}: each needs at least one rule for its elements",
                      f'for a list of plain values write {{ each = "{table["each"]}", from = "." }}')  # fmt: skip
        elif each is not None:
            yield Repeat(left=left, line=self.line(key), each=each, rules=rules, optional=optional is True, when=when)

    def _rule(self, table: Mapping[str, Any], key: Key, left: Path, *, context: bool) -> Iterator[Rule]:
        before = len(self.findings)
        self._check_keys(table, key)
        if len(self.findings) > before:
            return
        self._contradictions(table, key)
        sources = self._sources(table, key, context=context)
        each = self.path(table["each"], (*key, "each"), native=not context) if "each" in table else None
        converter = self._converter(table, key)
        when = self._when(table, key, context=context) if "when" in table else None
        if len(self.findings) > before:
            return
        yield Rule(
            left=left,
            line=self.line(key),
            sources=sources,
            converter=converter,
            each=each,
            when=when,
            const=table.get("const", MISSING),
            default=table.get("default", MISSING),
            example=table.get("example", MISSING),
            part=table.get("part", 0),
            optional=table.get("optional", False),
            null=table.get("null", False),
            mask=table.get("mask", False),
            title=table.get("title", ""),
            about=table.get("about", ""),
            **{name: table.get(name) for name in ("join", "split", "digits", "pattern", "max")},
        )

    def _check_keys(self, table: Mapping[str, Any], key: Key) -> None:
        for name, value in table.items():
            if name not in KEYS:
                self.find((*key, name), f'{key[-1]}: unknown rule key "{name}"', suggest(name, KEYS))
                continue
            kinds = KEYS[name]
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                wanted = " or ".join(_NAMES[kind] for kind in kinds)
                self.find((*key, name), f"{key[-1]}: {name} must be {wanted}")

    def _contradictions(self, table: Mapping[str, Any], key: Key) -> None:
        for wrong, what in _contradictions(table):
            if wrong:
                self.find(key, f"{key[-1]}: {what}")

    def _sources(self, table: Mapping[str, Any], key: Key, *, context: bool) -> tuple[Path, ...]:
        given = table.get("from", [])
        itself = "each" in table
        found = [
            self.path(text, (*key, "from"), context=context, itself=itself, native=not context)
            for text in (given if isinstance(given, list) else [given])
        ]
        return tuple(path for path in found if path is not None)

    def _when(self, rule: Mapping[str, Any], above: Key, *, context: bool) -> When | None:
        table, key = rule["when"], (*above, "when")
        path = self.path(table.get("path"), (*key, "path"), native=not context)
        equals = table.get("equals")
        if table.keys() != {"path", "equals"} or not isinstance(equals, str | int | bool):
            self.find(key, 'when is written { path = "jenis", equals = "1" }')
            return None
        return None if path is None else When(path=path, equals=equals)

    def _converter(self, table: Mapping[str, Any], key: Key) -> Converter | None:
        if "pattern" in table and (wrong := pattern_problem(table["pattern"])):
            self.find((*key, "pattern"), f"{key[-1]}: pattern: {wrong}")
        given = [name for name in _CONVERTERS if table.get(name, False) is not False]
        number = given == ["integer", "codes"] and table["integer"] is True
        if number:
            given = ["codes"]
        if len(given) > 1:
            self.find(key, f"{key[-1]}: {' and '.join(given)} exclude each other", "choose one")
        if len(given) != 1:
            return None
        name = given[0]
        argument, wrong, remedy = self._argument(name, table[name])
        if wrong:
            self.find((*key, name), f"{key[-1]}: {name}: {wrong}", remedy)
        return Converter(kind=name, argument=argument, number=number)

    def _argument(self, name: ConverterKind, value: Any) -> tuple[object, str, str]:  # noqa: PLR0911 - one return per converter
        match name:
            case "date":
                return value, dates.problem(value), ""
            case "number":
                return value, "" if value is True else numbers.problem(value), ""
            case "integer":
                return value, "" if value in (True, "text") else 'write true (a JSON number) or "text" (digits)', ""
            case "bool":
                return value, _flags_problem(value), 'write [their true, their false], as in ["Y", "T"]'
            case "codes":
                return (
                    value,
                    "" if value in self._codes else f"there is no [codes.{value}]",
                    suggest(value, self._codes),
                )
            case "using":
                names = value if isinstance(value, list) else [value]
                wrong = not (1 <= len(names) <= 2 and all(isinstance(item, str) and ":" in item for item in names))  # noqa: PLR2004  # read, write
                return (
                    names,
                    "it is not a function's name" if wrong else "",
                    'write "module:function" or ["m:read", "m:write"]',
                )
            case "json":
                return value, "", ""


def _several(table: Mapping[str, Any]) -> bool:
    return isinstance(table.get("from"), list) and len(table["from"]) > 1


def _flags_problem(value: list[Any]) -> str:
    two = len(value) == 2 and type(value[0]) is type(value[1]) and type(value[0]) in {str, int, bool}  # noqa: PLR2004  # a pair
    return "" if two and value[0] != value[1] else "it takes two different values of one kind"


def _contradictions(given: Mapping[str, Any]) -> Iterator[tuple[bool, str]]:
    """Yield what can't be together, and whether it is."""
    keys = given.keys()
    several = _several(given)
    beside_const = {"const", "when", "mask", "title", "about", "example"}
    yield (
        "const" in keys and not keys <= beside_const,
        "const stands alone; only when, title, about, example go with it",
    )
    yield "join" in keys and not several, "join needs a list of several paths in from"
    yield several and not {"join", "using"} & keys, "a list in from needs join or using"
    yield given.get("from") == [], "from must name at least one path"
    yield ("split" in keys) != ("part" in keys), "split and part go together"
    yield given.get("split") == "", "split can't be empty"
    yield "split" in keys and "join" in keys, "split and join exclude each other"
    yield given.get("part", 1) < 1, "part counts from 1"
    yield min(given.get("digits", 1), given.get("max", 1)) < 1, "digits and max are at least 1"
    both = "default" in keys and given.get("optional") is True
    yield both, "default and optional exclude each other: with a default it is always there"
    yield "null" in keys and (given.get("optional") is not True or several), "null goes with optional, and one path"
    yield "each" in keys and bool({"default", "when", "null"} & keys), "a list with each takes no default, when or null"


def _slip(table: Mapping[str, Any]) -> str:
    """Return the key that is a misspelt `from`, `const` or `each`: it stands alone or among a rule's other keys."""
    others = [name for name in table if name not in KEYS]
    alone = others[0] if len(others) == 1 and isinstance(table[others[0]], str) else ""
    return alone if nearest(alone, MARKS) else ""
