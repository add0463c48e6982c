"""A mapping file -> frozen rules with their lines; every mistake is found at once, with its line and what to write."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path as FilePath
from typing import Any

from gateway.config.locate import Key, locate, suggest
from gateway.errors import ConfigError, Finding
from gateway.message import Outcome
from gateway.translate.rules import CodeTable, Inner, MappingFile, OutcomeRule, Path, Rules, Section
from gateway.translate.tables import Reader

_TABLES = ("request", "reply", "headers", "row")
_KEYS = ("root", "blank", "outcome", "http", "faults", "json", *_TABLES)
_AGENCY_KEYS = ("root", "blank", "outcome", "http", "faults", "json", "headers")


def load_mapping(path: FilePath, name: str = "") -> MappingFile:
    """Read a mapping file; `name` is how errors call it, the path by default. Raises ConfigError with all findings."""
    shown = name or str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else f"can't be read: {error.strerror}"
        raise ConfigError(Finding(where=shown, what=f"the mapping {reason}")) from error
    return parse_mapping(text, shown)


def parse_mapping(text: str, name: str) -> MappingFile:
    """Read a mapping's text; raises ConfigError with all findings."""
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(Finding(where=f"{name}:{_toml_line(str(error), text)}", what=f"not TOML: {error}")) from error
    return _Loader(data, name, locate(text.replace("\r\n", "\n"))).file()


def _toml_line(message: str, text: str) -> int:
    _, found, rest = message.partition("(at line ")
    return int(rest.partition(",")[0]) if found else text.count("\n") + 1


class _Loader:
    def __init__(self, data: Mapping[str, Any], name: str, lines: Mapping[Key, int]) -> None:
        self._data = data
        self._name = name
        codes = data.get("codes")
        self._read = Reader(name, lines, frozenset(codes if isinstance(codes, dict) else ()))

    def file(self) -> MappingFile:
        codes = self._codes()
        agency = self._section("agency", _AGENCY_KEYS)
        operations = {name: self._section(name, _KEYS) for name in self._data if name not in {"agency", "codes"}}
        if self._read.findings:
            raise ConfigError(*sorted(self._read.findings, key=_position))
        return MappingFile(name=self._name, agency=agency, operations=operations, codes=codes)

    def _codes(self) -> dict[str, CodeTable]:
        tables = self._table(self._data.get("codes", {}), ("codes",))
        return {name: self._code_table(name, table) for name, table in tables.items()}

    def _code_table(self, name: str, table: object) -> CodeTable:
        key = ("codes", name)
        words = {}
        for code, word in self._table(table, key).items():
            if isinstance(word, str) and word:
                words[code] = word
            else:
                self._read.find((*key, code), f'codes.{name}: the word for "{code}" must be a text', 'write "..."')
        if not words:
            self._read.find(key, f"codes.{name} is empty")
        return CodeTable(words=words, lines={code: self._read.line((*key, code)) for code in words})

    def _section(self, name: str, known: tuple[str, ...]) -> Section:
        table = self._table(self._data.get(name, {}), (name,))
        for key in table:
            if key not in known:
                self._read.find((name, key), f'[{name}]: unknown key "{key}"', suggest(key, known))
        tables = {key: self._rules(table, (name, key)) for key in _TABLES if key in table}
        return Section(
            line=self._read.line((name,)),
            root=self._root(table, (name, "root")),
            blank=self._blank(table, (name, "blank")),
            outcome=self._outcome(table, (name, "outcome")),
            http=self._http(table, (name, "http")),
            faults=self._faults(table.get("faults", {}), (name, "faults")),
            headers=tables.get("headers", ()),
            request=tables.get("request"),
            reply=tables.get("reply"),
            row=tables.get("row"),
            json=self._json(table, (name, "json")),
        )

    def _rules(self, table: Mapping[str, Any], key: Key) -> Rules:
        return self._read.rules(table[key[-1]], key, context=key[-1] in {"request", "headers"})

    def _json(self, table: Mapping[str, Any], key: Key) -> Inner | None:
        if "json" not in table:
            return None
        given = self._table(table["json"], key)
        for side, paths in given.items():
            if side not in {"request", "reply"} or not isinstance(paths, list):
                remedy = 'write json = { request = ["data"], reply = ["return"] }'
                self._read.find(
                    (*key, side), "json names the texts that hold JSON, in the request and in the reply", remedy
                )
                return None
        request, reply = (
            tuple(path for text in given.get(side, ()) if (path := self._read.path(text, (*key, side), native=True)))
            for side in ("request", "reply")
        )
        return Inner(line=self._read.line(key), request=request, reply=reply)

    def _root(self, table: Mapping[str, Any], key: Key) -> Path | None:
        if "root" not in table:
            return None
        return () if table["root"] == "" else self._read.path(table["root"], key)

    def _blank(self, table: Mapping[str, Any], key: Key) -> bool | None:
        value = table.get("blank")
        if value not in (None, "missing", "text"):
            self._read.find(key, "blank is not known", 'write "missing" (empty text means: not there) or "text"')
        return None if value is None else value == "missing"

    def _outcome(self, table: Mapping[str, Any], key: Key) -> OutcomeRule | None:
        if "outcome" not in table:
            return None
        given = self._table(table["outcome"], key)
        rule = self._outcome_rule(given, key)
        if given and not rule.code:
            self._read.find(key, "outcome needs from, the path of the code in the answer")
        return rule

    def _outcome_rule(self, given: Mapping[str, Any], key: Key) -> OutcomeRule:
        outcomes: dict[str, Outcome] = {}
        for word, codes in given.items():
            if word not in {"from", "message", "absent"}:
                self._codes_of(word, codes, (*key, word), outcomes)
        code = self._read.path(given["from"], (*key, "from")) if "from" in given else ()
        message = self._read.path(given["message"], (*key, "message")) if "message" in given else ()
        absent = self._word(given.get("absent", Outcome.INVALID), (*key, "absent")) or Outcome.INVALID
        return OutcomeRule(
            line=self._read.line(key), code=code or (), outcomes=outcomes, message=message or (), absent=absent
        )

    def _faults(self, table: object, key: Key) -> dict[str, Outcome | OutcomeRule]:
        """Read what faults mean: by their names alone, or by a code in the detail of that name."""
        given = self._table(table, key)
        plain = self._words({name: said for name, said in given.items() if not isinstance(said, dict)}, key)
        coded = {name: self._outcome_rule(said, (*key, name)) for name, said in given.items() if isinstance(said, dict)}
        return {**plain, **coded}

    def _codes_of(self, word: str, codes: object, key: Key, outcomes: dict[str, Outcome]) -> None:
        outcome = self._word(word, key)
        if not isinstance(codes, list):
            self._read.find(key, f"outcome: {word} must be a list of codes", 'write ["200"]')
            return
        for code in map(str, codes):
            if code in outcomes:
                self._read.find(key, f'outcome: the code "{code}" is both {outcomes[code]} and {word}')
            elif outcome is not None:
                outcomes[code] = outcome

    def _http(self, table: Mapping[str, Any], key: Key) -> dict[int, Outcome]:
        found: dict[int, Outcome] = {}
        for status, outcome in self._words(table.get("http", {}), key).items():
            if status.isascii() and status.isdigit() and len(status) == len("404"):
                found[int(status)] = outcome
            else:
                self._read.find((*key, status), f'http: "{status}" is no HTTP status')
        return found

    def _words(self, table: object, key: Key) -> dict[str, Outcome]:
        words = {name: self._word(word, (*key, name)) for name, word in self._table(table, key).items()}
        return {name: word for name, word in words.items() if word is not None}

    def _word(self, word: object, key: Key) -> Outcome | None:
        try:
            return Outcome(str(word))
        except ValueError:
            self._read.find(key, f'"{word}" is no outcome', suggest(str(word), [outcome.value for outcome in Outcome]))
            return None

    def _table(self, table: object, key: Key) -> Mapping[str, Any]:
        if isinstance(table, dict):
            return table
        self._read.find(key, f"{'.'.join(key)} must be a table")
        return {}


def _position(finding: Finding) -> int:
    return int(finding.where.rpartition(":")[2])
