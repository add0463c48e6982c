"""XML Schema's regular expressions (part 2, appendix F), matched in time linear in the text; knows no facets.

Python's `re` backtracks: a pattern in an agency's WSDL could take hours. Here a pattern becomes an automaton whose
states are made as texts need them, so that a text costs one look-up a character, and no pattern is catastrophic.
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

CharSet = Callable[[str], bool]

MOST_STATES = 10_000
_MOST_NESTED = 50
_MOST_STEPS = 20_000
"""How many look-ups one pattern remembers before it begins anew."""

_START = (
    (0x3A, 0x3A), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x2FF), (0x370, 0x37D),
    (0x37F, 0x1FFF), (0x200C, 0x200D), (0x2070, 0x218F), (0x2C00, 0x2FEF), (0x3001, 0xD7FF), (0xF900, 0xFDCF),
    (0xFDF0, 0xFFFD), (0x10000, 0xEFFFF),
)  # fmt: skip
_NAME = (*_START, (0x2D, 0x2E), (0x30, 0x39), (0xB7, 0xB7), (0x300, 0x36F), (0x203F, 0x2040))
_BLOCKS = {
    "BasicLatin": (0x0, 0x7F),
    "Latin-1Supplement": (0x80, 0xFF),
    "LatinExtended-A": (0x100, 0x17F),
    "LatinExtended-B": (0x180, 0x24F),
    "Greek": (0x370, 0x3FF),
    "Cyrillic": (0x400, 0x4FF),
    "Hebrew": (0x590, 0x5FF),
    "Arabic": (0x600, 0x6FF),
    "Javanese": (0xA980, 0xA9DF),
    "LatinExtendedAdditional": (0x1E00, 0x1EFF),
    "GeneralPunctuation": (0x2000, 0x206F),
    "CurrencySymbols": (0x20A0, 0x20CF),
    "CJKUnifiedIdeographs": (0x4E00, 0x9FFF),
}
_USUAL = "1A0a2b .-_/:,@" + "".join(map(chr, range(0x21, 0x7F)))
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}


_QUANTIFIERS: dict[str, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}


class Unreadable(ValueError):
    """A pattern that is none of XML Schema's, or too large; says what."""


def _within(*ranges: tuple[int, int]) -> CharSet:
    return lambda c: any(low <= ord(c) <= high for low, high in ranges)


def _not(inner: CharSet) -> CharSet:
    return lambda c: not inner(c)


def _either(sets: Iterable[CharSet]) -> CharSet:
    known = tuple(sets)
    return lambda c: any(one(c) for one in known)


_ESCAPES: dict[str, CharSet] = {
    "d": lambda c: unicodedata.category(c) == "Nd",
    "s": lambda c: c in " \t\n\r",
    "w": lambda c: unicodedata.category(c)[0] not in "PZC",
    "i": _within(*_START),
    "c": _within(*_NAME),
}
_DOT: CharSet = lambda c: c not in "\n\r"  # noqa: E731 -- one of many sets


@dataclass(frozen=True, slots=True)
class _One:
    taken: CharSet


@dataclass(frozen=True, slots=True)
class _Cat:
    parts: "tuple[_Node, ...]"


@dataclass(frozen=True, slots=True)
class _Alt:
    parts: "tuple[_Node, ...]"


@dataclass(frozen=True, slots=True)
class _Repeat:
    inner: "_Node"
    least: int
    most: int | None


_Node = _One | _Cat | _Alt | _Repeat


class _Reader:
    """One pattern's way to a tree."""

    def __init__(self, text: str) -> None:
        # A pattern holds for the whole value as it is; many that were tried elsewhere say so with anchors as well.
        text = text.removeprefix("^")
        self.text = text[:-1] if text.endswith("$") and not text.endswith("\\$") else text
        self.at = 0
        self.depth = 0

    def read(self) -> _Node:
        found = self._alternatives()
        if self.at < len(self.text):
            raise Unreadable("an unopened )")
        return found

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _take(self) -> str:
        if not (found := self._peek()):
            raise Unreadable("it ends too early")
        self.at += 1
        return found

    def _alternatives(self) -> _Node:
        parts = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else _Alt(tuple(parts))

    def _sequence(self) -> _Node:
        parts: list[_Node] = []
        while self._peek() not in {"", "|", ")"}:
            parts.append(self._repeated(self._atom()))
        return parts[0] if len(parts) == 1 else _Cat(tuple(parts))

    def _repeated(self, inner: _Node) -> _Node:
        sign = self._peek()
        if sign == "{":
            return self._counted(inner)
        if sign not in _QUANTIFIERS:
            return inner
        self.at += 1
        return self._once(_Repeat(inner, *_QUANTIFIERS[sign]))

    def _counted(self, inner: _Node) -> _Node:
        end = self.text.find("}", self.at)
        least, comma, most = self.text[self.at + 1 : end].partition(",")
        if end < 0 or not least.isdecimal() or (most and not most.isdecimal()):
            raise Unreadable("a { that counts nothing")
        self.at = end + 1
        low, high = int(least), int(most) if most else (None if comma else int(least))
        if high is not None and high < low:
            raise Unreadable(f"{{{low},{high}}}")
        return self._once(_Repeat(inner, low, high))

    def _once(self, found: _Node) -> _Node:
        if self._peek() in {"?", "*", "+", "{"}:
            raise Unreadable("a quantifier after a quantifier")
        return found

    def _atom(self) -> _Node:
        match char := self._take():
            case "(":
                return self._group()
            case "[":
                return _One(self._class())
            case ".":
                return _One(_DOT)
            case "\\":
                return _One(self._escape()[1])
            case "?" | "*" | "+" | "{" | "}" | "]":
                raise Unreadable(f"a {char} that belongs to nothing")
            case _:
                return _One(char.__eq__)

    def _group(self) -> _Node:
        self.depth += 1
        if self.depth > _MOST_NESTED:
            raise Unreadable("too many ( in each other")
        found = self._alternatives()
        if self._peek() != ")":
            raise Unreadable("an unclosed (")
        self.at += 1
        self.depth -= 1
        return found

    def _escape(self) -> tuple[str, CharSet]:
        """Return what stands after a backslash: a character by itself, or "" and a set."""
        char = self._take()
        if char in _CONTROLS:
            return _CONTROLS[char], _CONTROLS[char].__eq__
        if char.lower() in _ESCAPES:
            inner = _ESCAPES[char.lower()]
            return "", inner if char.islower() else _not(inner)
        if char in "pP":
            inner = self._category()
            return "", inner if char == "p" else _not(inner)
        if char.isalnum():
            raise Unreadable(f"\\{char}")
        return char, char.__eq__

    def _category(self) -> CharSet:
        end = self.text.find("}", self.at)
        if self._peek() != "{" or end < 0:
            raise Unreadable("a \\p without {}")
        name = self.text[self.at + 1 : end]
        self.at = end + 1
        if name.startswith("Is"):
            if name[2:] not in _BLOCKS:
                raise Unreadable(f"\\p{{{name}}}")
            return _within(_BLOCKS[name[2:]])
        if not 1 <= len(name) <= 2 or name[0] not in "LMNPZSC":  # noqa: PLR2004 -- as L or Lu
            raise Unreadable(f"\\p{{{name}}}")
        return lambda c: unicodedata.category(c).startswith(name)

    def _class(self) -> CharSet:
        negated = self._peek() == "^"
        self.at += negated
        sets: list[CharSet] = []
        without: CharSet | None = None
        while (char := self._take()) != "]" or not sets:
            if char == "-" and self._peek() == "[" and sets:
                self.at += 1
                without = self._class()
                if self._take() != "]":
                    raise Unreadable("something after a subtraction")
                break
            sets.append(self._range(char))
        inner = _either(sets)
        taken = _not(inner) if negated else inner
        return taken if without is None else _minus(taken, without)

    def _range(self, char: str) -> CharSet:
        if char == "[":
            raise Unreadable("a [ within []")
        one, taken = self._escape() if char == "\\" else (char, char.__eq__)
        follows = self.text[self.at : self.at + 2]
        if not one or not follows.startswith("-") or follows[1:] in {"", "]", "["}:
            return taken
        self.at += 1
        last = self._take()
        other = self._escape()[0] if last == "\\" else last
        if not other or other < one:
            raise Unreadable(f"a range from {one}")
        return _within((ord(one), ord(other)))


def _minus(taken: CharSet, without: CharSet) -> CharSet:
    return lambda c: taken(c) and not without(c)


class _Place:
    """A place in the automaton: where characters lead, as far as texts have asked, and whether a text may end."""

    __slots__ = ("ends", "leads", "states")

    def __init__(self, states: frozenset[int], *, ends: bool) -> None:
        self.states = states
        self.ends = ends
        self.leads: dict[str, _Place] = {}


class Pattern:
    """One pattern, ready to match; threads may share it. Raises Unreadable."""

    def __init__(self, text: str) -> None:
        self._free: list[list[int]] = []  # by state: where it leads without a character
        self._takes: list[tuple[CharSet, int] | None] = []
        self._tree = _Reader(text).read()
        start, self._end = self._state(), self._state()
        self._lay(self._tree, start, self._end)
        self._first = self._closed({start})
        self._forget()

    def matches(self, text: str) -> bool:
        """Tell whether the whole text is one that the pattern means."""
        place = self._start
        for char in text:
            following = place.leads.get(char)
            if following is None:
                following = self._step(place, char)
            if not following.states:
                return False
            place = following
        return place.ends

    def example(self) -> str:
        """Return a short text that the pattern means, as far as simple characters make one."""
        return _example(self._tree)

    def _step(self, place: _Place, char: str) -> _Place:
        taken = {found[1] for one in place.states if (found := self._takes[one]) is not None and found[0](char)}
        if self._made >= _MOST_STEPS:
            self._forget()
        self._made += 1
        following = place.leads[char] = self._place(self._closed(taken))
        return following

    def _place(self, states: frozenset[int]) -> _Place:
        return self._places.setdefault(states, _Place(states, ends=self._end in states))

    def _forget(self) -> None:
        self._made = 0
        self._places: dict[frozenset[int], _Place] = {}
        self._start = self._place(self._first)

    def _closed(self, states: set[int]) -> frozenset[int]:
        waiting, found = list(states), set(states)
        while waiting:
            for state in self._free[waiting.pop()]:
                if state not in found:
                    found.add(state)
                    waiting.append(state)
        return frozenset(one for one in found if self._takes[one] is not None or one == self._end)

    def _state(self) -> int:
        if len(self._takes) >= MOST_STATES:
            raise Unreadable("it counts too far")
        self._free.append([])
        self._takes.append(None)
        return len(self._takes) - 1

    def _lay(self, node: _Node, start: int, end: int) -> None:
        match node:
            case _One(taken):
                one = self._state()
                self._free[start].append(one)
                self._takes[one] = (taken, end)
            case _Cat(parts):
                for part in parts[:-1]:
                    following = self._state()
                    self._lay(part, start, following)
                    start = following
                if parts:
                    self._lay(parts[-1], start, end)
                else:
                    self._free[start].append(end)
            case _Alt(parts):
                for part in parts:
                    self._lay(part, start, end)
            case _Repeat(inner, least, most):
                self._lay_repeat(inner, least, most, start, end)

    def _lay_repeat(self, inner: _Node, least: int, most: int | None, start: int, end: int) -> None:
        for _ in range(least):
            following = self._state()
            self._lay(inner, start, following)
            start = following
        if most is None:
            turn = self._state()
            self._free[start].append(turn)
            self._lay(inner, turn, turn)
            start = turn
        for _ in range(0 if most is None else most - least):
            self._free[start].append(end)
            following = self._state()
            self._lay(inner, start, following)
            start = following
        self._free[start].append(end)


def _example(node: _Node) -> str:
    match node:
        case _One(taken):
            return next(filter(taken, _USUAL), "")
        case _Cat(parts):
            return "".join(map(_example, parts))
        case _Alt(parts):
            return _example(parts[0])
        case _Repeat(inner, least, most):
            return _example(inner) * (least or int(most != 0))


@lru_cache(maxsize=1_000)
def pattern(text: str) -> Pattern:
    """Return a pattern, made once; raises Unreadable."""
    return Pattern(text)
