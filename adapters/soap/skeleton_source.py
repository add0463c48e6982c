"""From a skeleton to the function that reads whatever matches it; what does not, or has a wrong value, it leaves."""

import re
from collections.abc import Callable, Mapping
from datetime import tzinfo
from itertools import zip_longest
from typing import Any

from adapters.soap.lexical import with_zone
from adapters.soap.plan import TEXT, Field
from adapters.soap.skeleton import Content, Form, Piece, Start, Unlearnable, is_free
from adapters.soap.table import reader_of
from gateway import Document

Read = Callable[[str, int], tuple[Any, int] | None]
"""Reads from a place on; returns the value and where it ended, None where the text is another. ValueError: wrong."""

_PLAIN = r"([^<>&\x00-\x08\x0b-\x1f]{0,2000000})"
_ESCAPED = r"([^<>\x00-\x08\x0b-\x1f]{0,2000000})"
"""Texts without what XML forbids, or gives a meaning; a line's end other than a line feed is another character.

The parser refuses texts of more than ten million octets, and so it must see them.
"""
_PLAIN_INSIDE = r"([^<&{quote}\x00-\x1f]{{0,2000000}})"
_ESCAPED_INSIDE = r"([^<{quote}\x00-\x1f]{{0,2000000}})"
"""The same within an attribute, which ends with its quote, and where every other blank than a space is a space."""
_COUNT = re.compile(r"\\\[[0-9]+\\\]|(?<=arraySize=\")[0-9]+")
_REFERENCE = re.compile(r"&([a-z]+;|#[0-9]{2,6};)?")
_NAMED = {"amp;": "&", "lt;": "<", "gt;": ">", "quot;": '"', "apos;": "'"}


def reads(before: str, content: Content, after: str, *, zone: tzinfo | None, escaped: bool) -> Read:
    """Return what reads an answer whose payload is between these two; raises Unlearnable.

    With `escaped` its texts may have references to characters.
    """
    return _Source(zone, escaped=escaped).function(before, content, after)


def reads_items(piece: Piece) -> Read:
    """Return what goes past all items of a list."""
    source = _Source(None, escaped=True, values=False)
    lines = _Lines(source)
    lines.items(piece, "found")
    return source.made([*lines.flushed(), "return found, pos"])


class _Source:
    """The functions of one skeleton, and what they refer to."""

    def __init__(self, zone: tzinfo | None, *, escaped: bool, values: bool = True) -> None:
        self._zone = zone
        self._escaped = escaped
        self._values = values
        self._space: dict[str, Any] = {"unescaped": unescaped}
        self.text = _ESCAPED if escaped else _PLAIN
        self.inside = _ESCAPED_INSIDE if escaped else _PLAIN_INSIDE

    def function(self, before: str, content: Content, after: str) -> Read:
        """Return a function that reads an object between two texts."""
        lines = _Lines(self)
        lines.literal(before)
        lines.object(content, "found", {})
        lines.literal(after)
        return self.made([*lines.flushed(), "return found, pos"])

    def one(self, piece: Piece) -> Read:
        """Return a function that reads one object of a list."""
        lines = _Lines(self)
        lines.element(piece, "found")
        return self.made([*lines.flushed(), "return found, pos"])

    def made(self, lines: list[str]) -> Read:
        """Return the function of these lines."""
        name = f"read{len(self._space)}"
        source = "\n".join((f"def {name}(text, pos):", *(f"    {line}" for line in lines)))
        exec(compile(source, "<answer>", "exec"), self._space)  # noqa: S102 -- names and texts are literals
        made: Read = self._space[name]
        return made

    def bound(self, value: object) -> str:
        """Return a name for a value."""
        name = f"bound{len(self._space)}"
        self._space[name] = value
        return name

    def value(self, field: Field, group: str) -> str:
        """Return the expression that reads a text."""
        text = f"(unescaped({group}) if '&' in {group} else {group})" if self._escaped and group != "''" else group
        read = _reader(field, self._zone) if self._values else None
        return text if read is None else f"{self.bound(read)}({text})"


class _Lines:
    """One function under way: the expression that is matched next, and what is done with its groups."""

    def __init__(self, source: _Source) -> None:
        self._source = source
        self._done: list[str] = []
        self._pattern = ""
        self._groups: list[str] = []
        self._then: list[str] = []
        self._depth = 0

    def flushed(self) -> list[str]:
        """Return all lines so far."""
        if self._pattern:
            match = self._source.bound(re.compile(self._pattern).match)
            self._done += [f"match = {match}(text, pos)", "if match is None: return None", *self._taken()]
        self._done += self._then
        self._pattern, self._groups, self._then = "", [], []
        return self._done

    def literal(self, text: str) -> None:
        """Match this."""
        self._pattern += _literal(text)

    def element(self, piece: Piece, name: str) -> None:
        """Match an object's element that is there in one form, and make an object of it."""
        if piece.inner is None or len(piece.forms) != 1:
            raise Unlearnable
        self.literal(piece.blank)
        attributes = self._start(piece.forms[0][1], piece.field)
        self.object(piece.inner, name, attributes)
        self.literal(piece.end)

    def object(self, content: Content, name: str, attributes: Mapping[str, str]) -> None:
        """Match what is inside an element, and make an object of it and its attributes."""
        self._say(f"{name} = {_written(attributes, _absent(content))}")
        for piece in content.pieces:
            target = f"{name}[{piece.field.name!r}]"
            if piece.field.many:
                self._list(piece, target, content)
            elif piece.inner is not None and not piece.inner.is_flat:
                self._long(piece, target)
            else:
                self._short(piece, target, optional=not piece.field.least and is_free(content.shape))
        self.literal(content.blank)

    def items(self, piece: Piece, name: str) -> None:
        """Match all items of a list, and make a list of them."""
        done = self.flushed()
        done.append(f"{name} = []")
        if piece.inner is not None and not piece.inner.is_flat:
            one = self._source.bound(self._source.one(piece))
            done += [f"while (one := {one}(text, pos)) is not None:", f"    {name}.append(one[0])", "    pos = one[1]"]
            return
        inner = _Lines(self._source)
        inner._short(piece, "item", optional=False)
        match = self._source.bound(re.compile(inner._pattern).match)
        done += [f"match = {match}(text, pos)", "while match is not None:"]
        body = (*inner._taken(), *inner._then, f"{name}.append(item)", f"match = {match}(text, pos)")
        done += [f"    {line}" for line in body]

    def _list(self, piece: Piece, target: str, content: Content) -> None:
        name = f"items{len(self._done)}"
        self.items(piece, name)
        least = piece.field.least if is_free(content.shape) else max(1, piece.field.least)
        most = "" if piece.field.most is None else f" <= {piece.field.most}"
        self._done += [f"if not ({least} <= len({name}){most}): return None", f"{target} = {name}"]

    def _long(self, piece: Piece, target: str) -> None:
        """An object that has a list somewhere below must be there."""
        name = f"object{self._source.bound(piece)}"
        self.element(piece, name)
        self._say(f"{target} = {name}")

    def _short(self, piece: Piece, target: str, *, optional: bool) -> None:
        self._pattern += "(?:" if optional else ""
        self.literal(piece.blank)
        self._forms(piece, target, told_apart=optional or len(piece.forms) > 1)
        self._pattern += ")?" if optional else ""

    def _forms(self, piece: Piece, target: str, *, told_apart: bool) -> None:
        self._pattern += "(?:" if len(piece.forms) > 1 else ""
        for number, (form, start) in enumerate(piece.forms):
            self._pattern += "|" if number else ""
            attributes = self._start(start, piece.field)
            group = self._group("()") if told_apart and (form != "text" or piece.inner is not None) else ""
            if form == "text" and piece.inner is None:
                group = self._group(self._source.text)
            if told_apart:
                self._say(f"if {group} is not None:")
                self._depth += 1
            self._form(piece, form, group, target, attributes)
            self._depth -= told_apart
        self._pattern += ")" if len(piece.forms) > 1 else ""

    def _form(self, piece: Piece, form: Form, group: str, target: str, attributes: Mapping[str, str]) -> None:
        if form == "null":
            self._say(f"{target} = None")
        elif piece.inner is not None:
            name = f"object{self._source.bound(piece)}"
            self.object(piece.inner, name, attributes)
            self.literal(piece.end)
            self._say(f"{target} = {name}")
        else:
            self.literal("" if form == "empty" else piece.end)
            self._say(f"{target} = {self._simple(piece.field, repr('') if form == 'empty' else group, attributes)}")

    def _simple(self, field: Field, group: str, attributes: Mapping[str, str]) -> str:
        """Return the expression for a text, or for an object of it and what is beside it."""
        if field.shape is None or field.shape.text is None:
            return self._source.value(field, group)
        return _written({**attributes, TEXT: self._source.value(field.shape.text, group)}, {})

    def _start(self, start: Start, field: Field) -> Mapping[str, str]:
        """Match a start tag, and return the expressions for its attributes' values."""
        found: dict[str, str] = {}
        known = {} if field.shape is None else {one.name: one for one in field.shape.attributes}
        for literal, name in zip_longest(start[::2], start[1::2]):
            self.literal(literal)
            if name is not None:
                group = self._group(self._source.inside.format(quote=literal[-1]))
                found[name] = self._source.value(known[name], group)
        return found

    def _group(self, pattern: str) -> str:
        self._pattern += pattern
        self._groups.append(f"group{len(self._groups)}")
        return self._groups[-1]

    def _say(self, line: str) -> None:
        self._then.append("    " * self._depth + line)

    def _taken(self) -> list[str]:
        names = [f"{', '.join(self._groups)}, = match.groups()"] if self._groups else []
        return [*names, "pos = match.end()"]


def unescaped(text: str) -> str:
    """Return text with its references replaced; raises ValueError for those that are better read with all care."""
    return _REFERENCE.sub(_character, text)


def _character(found: re.Match[str]) -> str:
    said = found[1] or ""
    if said in _NAMED:
        return _NAMED[said]
    if not said.startswith("#") or not 0x20 <= int(said[1:-1]) < 0xD800:  # noqa: PLR2004
        raise ValueError(said)
    return chr(int(said[1:-1]))


def _absent(content: Content) -> Document:
    """Return what an object has for lists that are not there."""
    there = {piece.field.name for piece in content.pieces}
    return {found.name: [] for found in content.shape.fields if found.many and found.name not in there}


def _written(expressions: Mapping[str, str], values: Document) -> str:
    """Return the expression for an object."""
    pairs = {**expressions, **{name: repr(value) for name, value in values.items()}}
    return f"{{{', '.join(f'{name!r}: {value}' for name, value in pairs.items())}}}"


def _literal(text: str) -> str:
    """Return an expression for markup; how many items an encoded array says it has is of no account."""
    return _COUNT.sub(lambda found: r"\[[0-9]{1,9}\]" if found[0][0] == "\\" else "[0-9]{1,9}", re.escape(text))


def _reader(field: Field, zone: tzinfo | None) -> Callable[[str], Any] | None:
    read = reader_of(field)
    if field.kind != "datetime" or zone is None or read is None:
        return read

    def in_zone(text: str) -> str:
        try:
            return str(read(text))
        except ValueError:
            return with_zone(str(field.lexical.read(text)), zone)

    return in_zone
