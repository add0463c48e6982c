"""Where an answer tells its outcome, ready to look up; which of its signs counts first is the channel's business."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from gateway.message import Document, Outcome
from gateway.translate.rules import MappingFile, OutcomeRule, Path, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeTable:
    """An operation's outcome rules; paths start at the whole native answer.

    `code_path` is () where the body has no code; `absent` is what a body without its code means.
    """

    code_path: Path = ()
    message_path: Path = ()
    codes: Mapping[str, Outcome] = field(default_factory=dict)
    absent: Outcome = Outcome.INVALID
    http: Mapping[int, Outcome] = field(default_factory=dict)
    faults: Mapping[str, Outcome] = field(default_factory=dict)

    def code(self, document: Document, /) -> str | None:
        """Return the answer's code as text, None if it has none."""
        return _text(_follow(self.code_path, document)) if self.code_path else None

    def message(self, document: Document, /) -> str:
        """Return the agency's own words, "" if there are none; not masked."""
        return (_text(_follow(self.message_path, document)) or "") if self.message_path else ""


def compile_outcome(mapping: MappingFile, operation: str) -> OutcomeTable:
    """Return the outcome table of an operation: its own `outcome`, else the agency's; `http` and `faults` of both."""
    own = mapping.operations.get(operation, Section(line=1))
    rule: OutcomeRule | None = own.outcome or mapping.agency.outcome
    http = {**mapping.agency.http, **own.http}
    faults = {**mapping.agency.faults, **own.faults}
    if rule is None:
        return OutcomeTable(http=http, faults=faults)
    return OutcomeTable(
        code_path=rule.code,
        message_path=rule.message,
        codes=rule.outcomes,
        absent=rule.absent,
        http=http,
        faults=faults,
    )


def _follow(path: Path, document: object) -> object:
    """Return the value at a path; a list on the way stands for its first element (agencies wrap answers in one)."""
    for step in path:
        while isinstance(document, list):
            document = document[0] if document else None
        document = document.get(step) if isinstance(document, Mapping) else None
    return document


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | Decimal) else None
