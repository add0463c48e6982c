"""Where an answer tells its outcome, ready to look up; which of its signs counts first is the channel's business."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from gateway.message import Document, Fault, Outcome
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
    faults: Mapping[str, Outcome | OutcomeRule] = field(default_factory=dict)

    def code(self, document: Document, /) -> str | None:
        """Return the answer's code as text, None if it has none."""
        return _text(_follow(self.code_path, document)) if self.code_path else None

    def message(self, document: Document, /) -> str:
        """Return the agency's own words, "" if there are none; not masked."""
        return (_text(_follow(self.message_path, document)) or "") if self.message_path else ""

    def fault(self, fault: Fault, /) -> tuple[Outcome, str, str] | None:
        """Return what a fault means, its words and the code in its detail that says so ("": the fault itself).

        The names of its detail's elements count first, then its code, then the more general ones; None if no one does.
        """
        for name in (*fault.detail, fault.code, *fault.codes):
            meant = self.faults.get(name)
            if isinstance(meant, Outcome):
                return meant, fault.text, ""
            found = None if meant is None else _in_detail(meant, fault.detail.get(name))
            if found is not None:
                return found[0], found[1] or fault.text, found[2]
        return None


def _in_detail(rule: OutcomeRule, detail: object) -> tuple[Outcome, str, str] | None:
    code = _text(_follow(rule.code, detail))
    outcome = rule.absent if code is None else rule.outcomes.get(code)
    if outcome is None or (code is None and outcome is Outcome.INVALID):
        return None
    words = _text(_follow(rule.message, detail)) if rule.message else None
    return outcome, words or "", code or ""


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
    if not path and isinstance(document, list):
        return document[0] if document else None
    for step in path:
        while isinstance(document, list):
            document = document[0] if document else None
        document = document.get(step) if isinstance(document, Mapping) else None
    return document


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | Decimal) else None
