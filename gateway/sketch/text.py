"""Writes TOML as the pilot's files are written: aligned, one rule a line; knows no meaning."""

import re
from collections.abc import Iterable, Mapping

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def these(words: str) -> frozenset[str]:
    """Return a set of words written as one text."""
    return frozenset(words.split())


def quoted(text: str) -> str:
    """Return a basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def value(given: object) -> str:
    """Return a value as TOML writes it; a text with backslashes as a literal one."""
    match given:
        case bool():
            return "true" if given else "false"
        case int():
            return str(given)
        case str() if "\\" in given and "'" not in given and given.isprintable():
            return f"'{given}'"
        case list():
            return "[" + ", ".join(map(value, given)) + "]"
        case Mapping():
            return "{ " + ", ".join(f"{step(str(name))} = {value(inner)}" for name, inner in given.items()) + " }"
        case _:
            return quoted(str(given))


def remark(text: str) -> str:
    """Return a text as a comment can hold it."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def step(name: str) -> str:
    """Return one step of a key."""
    return name if _BARE.fullmatch(name) else quoted(name)


def key(path: Iterable[str]) -> str:
    """Return a dotted key."""
    return ".".join(map(step, path))


def aligned(lines: Iterable[tuple[str, str]]) -> list[str]:
    """Return `key = value` lines with their equals signs below each other; one without a key is a comment."""
    pairs = list(lines)
    width = max((len(name) for name, _ in pairs), default=0)
    return [f"{name:<{width}} = {said}" if name else f"# {said}" for name, said in pairs]
