"""Finds the line of every key of a TOML document, which tomllib does not tell; reads no values and judges nothing."""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

Key = tuple[str, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'')
_TEXT = re.compile(
    r'"""(?:[^\\]|\\.)*?"""(?:"{1,2}(?!"))?|\'\'\'.*?\'\'\'(?:\'{1,2}(?!\'))?|' + _QUOTED.pattern, re.DOTALL
)
_OTHER = re.compile(r"[^,\]}\n#]+")
_SHOWN = 12


def locate(text: str) -> Mapping[Key, int]:
    """Return the line, from 1, of every key path of a document that tomllib accepts.

    Dotted keys and tables record their parents too; elements of arrays have their index, as text, as a step.
    """
    scan = _Scan(text)
    scan.document()
    return scan.lines


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that looks most like this one, "" when none does."""
    return next(iter(get_close_matches(name, list(known), n=1, cutoff=0.6)), "")


def suggest(name: str, known: Iterable[str]) -> str:
    """Return what to write instead of an unknown name: the nearest one, else a list of those there are."""
    names = sorted(known)
    if found := nearest(name, names):
        return f'did you mean "{found}"?'
    if not names:
        return "there are none"
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"known: {', '.join(names[:_SHOWN])}{more}"


class _Scan:
    """One pass over a document that is known to be valid."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Key, int] = {}
        self._text = text
        self._at = 0
        self._ends = [found.start() for found in re.finditer("\n", text)]
        self._last: dict[Key, int] = {}

    def document(self) -> None:
        table: Key = ()
        while self._skip(_BLANK):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _header(self) -> Key:
        several = self._text.startswith("[[", self._at)
        line = self._line()
        self._at += 1 + several
        *parents, name = self._key()
        self._at = self._text.index("]", self._at) + 1 + several
        path: Key = ()
        for step in parents:
            path = self._enter((*path, step))
        path = (*path, name)
        if several:
            self._last[path] = self._last.get(path, -1) + 1
        self.lines.setdefault(path, line)
        path = self._enter(path)
        self._record(path, line)
        return path

    def _enter(self, path: Key) -> Key:
        return (*path, str(self._last[path])) if path in self._last else path

    def _pair(self, table: Key) -> None:
        line = self._line()
        path = (*table, *self._key())
        self._record(path, line, above=len(table))
        self._at = self._text.index("=", self._at) + 1
        self._value(path)

    def _record(self, path: Key, line: int, above: int = 0) -> None:
        for length in range(above + 1, len(path) + 1):
            self.lines.setdefault(path[:length], line)

    def _key(self) -> Key:
        parts = []
        while True:
            self._skip(_SPACE)
            if self._text[self._at] in "\"'":
                parts.append(tomllib.loads(f"key = {self._take(_QUOTED)}")["key"])
            else:
                parts.append(self._take(_BARE))
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return tuple(parts)
            self._at += 1

    def _value(self, path: Key) -> None:
        self._skip(_SPACE)
        match self._text[self._at]:
            case '"' | "'":
                self._take(_TEXT)
            case "[":
                self._array(path)
            case "{":
                self._inline(path)
            case _:
                self._take(_OTHER)

    def _array(self, path: Key) -> None:
        index = 0
        self._at += 1
        while self._next("]"):
            self.lines.setdefault((*path, str(index)), self._line())
            self._value((*path, str(index)))
            index += 1
        self._at += 1

    def _inline(self, path: Key) -> None:
        self._at += 1
        while self._next("}"):
            self._pair(path)
        self._at += 1

    def _next(self, end: str) -> bool:
        self._skip(_BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_BLANK)
        return self._text[self._at] != end

    def _skip(self, what: re.Pattern[str]) -> bool:
        found = what.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._at < len(self._text)

    def _take(self, what: re.Pattern[str]) -> str:
        found = what.match(self._text, self._at)
        if found is None:
            raise ValueError(f"not TOML at line {self._line()}")
        self._at = found.end()
        return found.group()

    def _line(self) -> int:
        return bisect_right(self._ends, self._at - 1) + 1
