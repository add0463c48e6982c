"""override.toml beside the pinned files: what is read differently from how the agency wrote it; knows no XML."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway import ConfigError, Finding

FILE = "override.toml"
_CHANGE = {"file": str, "find": str, "replace": str, "times": int, "why": str}
_INSTEAD = {"of": str, "use": str, "why": str}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """In `file`, `find` stands exactly `times` times and is read as `replace`."""

    file: str
    find: str
    replace: str
    times: int = 1
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Every change that is declared, and the files (by name) that are used instead of what an import names."""

    changes: tuple[Change, ...] = ()
    instead: tuple[tuple[str, str], ...] = ()

    def apply(self, name: str, content: bytes) -> bytes:
        """Return a file's content with its changes made; raises ConfigError for one that does not fit."""
        for change in self.changes:
            if change.file == name:
                content = _changed(change, content)
        return content

    def used_for(self, *locations: str) -> str:
        """Return the file to use instead of the first of these locations that has one, else ""."""
        return next((use for of, use in self.instead if of in locations), "")


def read_override(folder: Path, shown: Path | None = None) -> Override:
    """Read a folder's override.toml, which need not be there; raises ConfigError with every finding."""
    path = folder / FILE
    where = str((shown or folder) / FILE)
    try:
        text = path.read_text(encoding="utf-8-sig")
        declared = tomllib.loads(text)
    except FileNotFoundError:
        return Override()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(Finding(where=where, what=f"can't be read: {error}", remedy="write it as TOML")) from None
    reader = _Reader(where, text)
    changes = tuple(Change(where=at, **_without_why(given)) for at, given in reader.tables(declared, "change", _CHANGE))
    instead = tuple((given["of"], given["use"]) for _, given in reader.tables(declared, "instead", _INSTEAD))
    reader.unknown(declared)
    if reader.findings:
        raise ConfigError(*reader.findings)
    return Override(changes=changes, instead=instead)


class _Reader:
    """Checks the two kinds of tables; `findings` collects what is wrong."""

    def __init__(self, where: str, text: str) -> None:
        self.findings: list[Finding] = []
        self._where = where
        self._lines = text.splitlines()

    def tables(self, declared: dict[str, Any], kind: str, keys: Mapping[str, type]) -> list[tuple[str, dict[str, Any]]]:
        given = declared.get(kind, [])
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            self._find(self._where, f"{kind} is no list of tables", f"write [[{kind}]]")
            return []
        placed = zip((line for line in self._headers(kind)), given, strict=False)
        found = [(f"{self._where}:{line}", one) for line, one in placed]
        return [(at, one) for at, one in found if self._fits(at, kind, one, keys)]

    def unknown(self, declared: dict[str, Any]) -> None:
        for name in declared.keys() - {"change", "instead"}:
            self._find(self._where, f'unknown key "{name}"', "it takes [[change]] and [[instead]]")

    def _headers(self, kind: str) -> list[int]:
        found = [number for number, line in enumerate(self._lines, 1) if line.strip().startswith(f"[[{kind}]]")]
        return found or [1] * len(self._lines)  # written as an array of inline tables

    def _fits(self, at: str, kind: str, given: dict[str, Any], keys: Mapping[str, type]) -> bool:
        before = len(self.findings)
        for name, value in given.items():
            if name not in keys:
                self._find(at, f'{kind}: unknown key "{name}"', f"it takes {', '.join(keys)}")
            elif type(value) is not keys[name] or (value in ("", 0) and name not in {"replace", "why"}):
                self._find(at, f"{kind}: {name} must be {'a number' if keys[name] is int else 'a text'}, not empty", "")
        for name in ("file", "find", "replace", "of", "use"):
            if name in keys and name not in given:
                self._find(at, f"{kind}: {name} is required", f"write {name} = ...")
        for name in ("file", "use"):
            if "/" in str(given.get(name, "")) or "\\" in str(given.get(name, "")):
                self._find(at, f"{kind}: {name} must be a file's name", "the file lies beside this one")
        return len(self.findings) == before

    def _find(self, where: str, what: str, remedy: str) -> None:
        self.findings.append(Finding(where=where, what=what, remedy=remedy))


def _without_why(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != "why"}


def _changed(change: Change, content: bytes) -> bytes:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    find, replace = change.find, change.replace
    if encoding == "utf-16":
        text = content.decode(encoding)
        count, changed = text.count(find), text.replace(find, replace).encode(encoding)
    else:
        old = find.encode()
        count, changed = content.count(old), content.replace(old, replace.encode())
    if count != change.times:
        what = f"{change.file} holds what is to be found {count} times, not {change.times}"
        remedy = "it changed? find a longer piece of it, write times = ..., or delete this change"
        raise ConfigError(Finding(where=change.where, what=what, remedy=remedy))
    return changed
