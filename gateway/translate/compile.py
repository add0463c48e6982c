"""A mapping's tables -> what the gateway runs: translators, row readers and their canonical schemas."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from gateway.columns import Spell
from gateway.config.locate import suggest
from gateway.errors import ConfigError, Finding
from gateway.message import Context, Document
from gateway.native import Contract, NativeField
from gateway.translate.agreed import unread, unwritten
from gateway.translate.backward import Backward
from gateway.translate.explain import from_context
from gateway.translate.forward import Forward
from gateway.translate.inner import Closing, Opening, unopened
from gateway.translate.outcome import OutcomeTable, compile_outcome
from gateway.translate.pairs import Native, Pairs, Setting, Side, pointer
from gateway.translate.plan import Plan, inexact, is_context
from gateway.translate.program import Program
from gateway.translate.rules import MISSING, Inner, MappingFile, OutcomeRule, Path, Repeat, Rule, Rules, Section, show
from gateway.translate.schema import CanonicalSchema, schema
from gateway.translate.shape import Clash, Record, built, needed
from gateway.translate.spell import spells

T = TypeVar("T")


def as_it_came(document: Document, /) -> Document:
    """Return an answer in which no text is to be opened."""
    return document


_SORTED = msgspec.json.Encoder(decimal_format="number", order="deterministic", enc_hook=str)


class TableTranslator:
    """The Translator of one operation; safe to share between tasks and threads."""

    __slots__ = ("_context", "_pointers", "to_canonical", "to_headers", "to_native")

    def __init__(
        self, request: Program | Closing, headers: Program, reply: Program, rules: Rules, header_rules: Rules
    ) -> None:
        self.to_native = request
        self.to_headers = headers
        self.to_canonical = reply
        self._pointers = dict(_pointers(rules))
        self._context = tuple(sorted({path for path in _sources((*rules, *header_rules)) if is_context(path)}))

    @property
    def context(self) -> tuple[str, ...]:
        """The `@` values that the mapping uses, as it writes them."""
        return tuple(show(path) for path in self._context)

    def pointer(self, native_path: str, /) -> str:
        """Return the JSON Pointer of the field that feeds a native one; steps that are numbers are indexes."""
        steps = native_path.replace("[", ".").replace("]", "").split(".")
        indexes = [step for step in steps if step.isdigit()]
        found = self._pointers.get(".".join(step for step in steps if not step.isdigit()), "")
        for index in indexes:
            found = found.replace("*", index, 1)
        return found.partition("/*")[0]

    def key(self, body: Document, context: Context, /) -> bytes:
        """Return what makes two requests the same: canonical body and every `@` value the mapping uses."""
        values = [from_context(path, context) for path in self._context]
        return _SORTED.encode([body, [None if value is MISSING else value for value in values]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """All that one operation needs; `native_of` and `request_of` undo the tables, None where that can't be done.

    `fed` has the native request fields, each with the canonical fields, by dotted path, and `@` values it is made of.
    `opened` is done to every answer before anything else is read of it. `fingerprint` changes with whatever may change
    how a request is judged.
    """

    translator: TableTranslator
    fed: Mapping[Path, tuple[str, ...]]
    request: CanonicalSchema
    reply: CanonicalSchema
    outcomes: OutcomeTable
    native_of: Program | None
    request_of: Program | None
    fingerprint: str
    opened: Callable[[Document], Document] = as_it_came


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRow:
    """A feed's row table: `read` builds the canonical row of a native one, `write` undoes it, None where it can't.

    `fingerprint` changes with whatever may change a row; `spell` is for the cells of spreadsheets. `sources` has the
    column, by dotted path, of each field.
    """

    read: Program
    write: Program | None
    schema: CanonicalSchema
    columns: tuple[str, ...]
    fingerprint: str
    sources: Mapping[str, str] = field(default_factory=dict)
    spell: Mapping[str, Spell]


def compile_operation(
    mapping: MappingFile,
    operation: str,
    *,
    contract: Contract | None = None,
    timezone: str = "Asia/Jakarta",
    native: Native = "json",
) -> Compiled:
    """Compile the tables of one operation; raises ConfigError with every finding, each at its file and line."""
    section = _section(mapping, operation)
    blank = _nearest(section.blank, mapping.agency.blank, native == "csv")
    root = _nearest(section.root, mapping.agency.root, ())
    header_rules = tuple({rule.left: rule for rule in (*mapping.agency.headers, *section.headers)}.values())
    request_rules, reply_rules = section.request or (), section.reply or ()
    inner = section.json or mapping.agency.json or Inner(line=section.line)
    compiler = _Compiler(mapping, ZoneInfo(timezone), blank=blank)
    compiler.findings += unopened(mapping, inner, contract)
    request = compiler.table(request_rules, "write", contract.request if contract else None)
    headers = compiler.table(header_rules, "write", contract.headers if contract else None)
    reply = compiler.table(reply_rules, "read", contract.reply if contract else None, root=root)
    if contract is not None:
        compiler.findings += unwritten(mapping, request_rules, contract.request, section.line, opened=inner.request)
        compiler.findings += unread(mapping, reply_rules, contract.reply, root, opened=inner.reply)
        if contract.reply:
            told = _told(section.outcome or mapping.agency.outcome)
            compiler.findings += unread(mapping, told, contract.reply, opened=inner.reply)
        compiler.findings += unread(mapping, _in_details(mapping, section, contract), contract.faults)
        if contract.headers:
            declared = {name.partition(".")[0] for name in contract.headers}
            parts = tuple(rule for rule in header_rules if rule.left[0] in declared)
            compiler.findings += unwritten(mapping, parts, contract.headers, section.line)
    wanted = compiler.shape(lambda: needed(Plan(file=mapping.name, parts=(*request[0].parts, *headers[0].parts))))
    given = compiler.shape(lambda: built(reply[0]))
    compiler.finish()
    to_native, to_headers = Program(request[0], "request"), Program(headers[0], "request")
    trials = (Program(inexact(table[0]), "request").errors for table in (request, headers) if inexact(table[0]).parts)
    at, asked = mapping.at(inner.line), schema(wanted, *trials, nulls=False)
    written = Closing(to_native, inner.request, at) if inner.request else to_native
    return Compiled(
        translator=TableTranslator(written, to_headers, Program(reply[0], "reply"), request_rules, header_rules),
        fed=dict(_fed(request_rules)),
        request=asked,
        reply=schema(given),
        outcomes=compile_outcome(mapping, operation),
        native_of=Program(reply[1], "reply", rare=True) if reply[1] and not inner.reply else None,
        request_of=Program(request[1], "request", rare=True) if request[1] and not inner.request else None,
        fingerprint=_fingerprint(mapping, (*request_rules, *header_rules), blank, timezone, str(asked.json)),
        opened=Opening(inner.reply, at) if inner.reply else as_it_came,
    )


def compile_row(mapping: MappingFile, feed: str, *, timezone: str = "Asia/Jakarta") -> CompiledRow:
    """Compile the `[feed.row]` table; its errors point at columns. Raises ConfigError with every finding."""
    section = _section(mapping, feed)
    if section.row is None:
        remedy = f"add [{feed}.row]: left our field, right their column"
        raise ConfigError(Finding(where=mapping.at(section.line), what=f"{feed} has no row table", remedy=remedy))
    compiler = _Compiler(mapping, ZoneInfo(timezone), blank=section.blank is not False, row=True)
    forward, backward = compiler.table(section.row, "read", None)
    shape = compiler.shape(lambda: built(forward))
    compiler.finish()
    return CompiledRow(
        read=Program(forward, "reply"),
        write=Program(backward, "reply", rare=True) if backward else None,
        schema=schema(shape),
        columns=tuple(dict.fromkeys(path[0] for path in _sources(section.row) if path)),
        fingerprint=_fingerprint(mapping, section.row, section.blank is not False, timezone),
        sources={
            ".".join(rule.left): rule.sources[0][0]
            for rule in section.row
            if isinstance(rule, Rule) and rule.sources and rule.sources[0] and not is_context(rule.sources[0])
        },
        spell=spells(section.row, ZoneInfo(timezone)),
    )


def _fingerprint(mapping: MappingFile, rules: Rules, *also: object) -> str:
    """Return a hash of the rules and the words they use; lines may move, nothing else."""
    words = sorted((name, sorted(table.words.items())) for name, table in mapping.codes.items())
    return fingerprint(re.sub(r"\bline=\d+", "", repr((rules, words, also))))


def fingerprint(*what: object) -> str:
    """Return a short hash of what has one form only."""
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]


class _Compiler:
    """Compiles the tables of one section and collects their findings."""

    def __init__(self, mapping: MappingFile, zone: ZoneInfo, *, blank: bool, row: bool = False) -> None:
        self.findings: list[Finding] = []
        self._mapping = mapping
        self._zone = zone
        self._blank = blank
        self._row = row

    def table(
        self, rules: Rules, side: Side, fields: Mapping[str, NativeField] | None, root: Path = ()
    ) -> tuple[Plan, Plan | None]:
        setting = Setting(
            mapping=self._mapping, side=side, zone=self._zone, blank=self._blank,
            fields=fields, root=root, cells=self._row, by_source=self._row,
        )  # fmt: skip
        pairs = Pairs(setting)
        forward = Forward(setting, pairs).plan(rules, root)
        self.findings += pairs.findings
        return forward, None if pairs.findings else Backward(setting, pairs).plan(rules)

    def shape(self, make: Any) -> Record:
        try:
            shape: Record = make()
        except Clash as clash:
            self.findings.append(Finding(where=self._mapping.at(clash.line), what=str(clash)))
            return Record()
        return shape

    def finish(self) -> None:
        if self.findings:
            raise ConfigError(*dict.fromkeys(self.findings))


def _section(mapping: MappingFile, name: str) -> Section:
    if name not in mapping.operations:
        what = f"{mapping.name} has no tables for {name}"
        raise ConfigError(Finding(where=mapping.name, what=what, remedy=suggest(name, mapping.operations)))
    return mapping.operations[name]


def _nearest(own: T | None, agency: T | None, default: T) -> T:
    return own if own is not None else agency if agency is not None else default


def _told(outcome: OutcomeRule | None) -> Rules:
    """Return the paths that an outcome is read from, as rules."""
    paths = (outcome.code, outcome.message) if outcome else ()
    return tuple(Rule(left=("outcome",), line=outcome.line, sources=(path,)) for path in paths if outcome and path)


def _in_details(mapping: MappingFile, section: Section, contract: Contract) -> Rules:
    """Return the paths that are read in the details of faults that the contract declares, as rules."""
    return tuple(
        Rule(left=("faults",), line=rule.line, sources=((name, *path),))
        for name, rule in {**mapping.agency.faults, **section.faults}.items()
        if isinstance(rule, OutcomeRule) and name in contract.faults
        for path in (rule.code, rule.message)
        if path
    )


def _sources(rules: Iterable[Rule | Repeat]) -> Iterator[Path]:
    for rule in rules:
        if isinstance(rule, Repeat):
            yield from _sources(rule.rules)
        else:
            yield from rule.sources


def _fed(rules: Rules, above: Path = (), ours: Path = ()) -> Iterator[tuple[Path, tuple[str, ...]]]:
    for rule in rules:
        left, here = (*above, *rule.left), (*ours, *(rule.each or ()))
        if isinstance(rule, Repeat):
            yield from _fed(rule.rules, left, here)
        else:
            own = (".".join((*here, *path)) for path in rule.sources if not is_context(path))
            yield left, (*own, *(show(path) for path in rule.sources if is_context(path)))


def _pointers(rules: Rules, above: Path = (), ours: str = "") -> Iterator[tuple[str, str]]:
    for rule in rules:
        left = (*above, *rule.left)
        if isinstance(rule, Repeat):
            here = f"{ours}{pointer(rule.each)}/*"
            yield ".".join(left), here
            yield from _pointers(rule.rules, left, here)
            continue
        source = next((path for path in rule.sources if not is_context(path)), None)
        if source is not None:
            each = f"{pointer(rule.each)}/*" if rule.each else ""
            yield ".".join(left), ours + each + pointer(source)
