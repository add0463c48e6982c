"""Operations that are gone while the ledger has messages of theirs (design, 11.22): they wait until it is back."""

from collections.abc import Collection, Iterator

from gateway.census import Unsettled
from gateway.config.load import Located
from gateway.errors import Finding
from gateway.message import OperationId


def dropped(unsettled: Unsettled, known: Collection[OperationId]) -> Iterator[tuple[OperationId, str]]:
    """Yield each operation that nobody knows, with how many messages of it are not settled, in words."""
    for operation, counts in sorted(unsettled.items()):
        if operation not in known:
            count = sum(counts.values())
            states = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
            yield operation, f"{count} message{'s' if count > 1 else ''} ({states})"


def findings(unsettled: Unsettled, located: Located) -> Iterator[Finding]:
    """Find what gateway.toml does not declare any more, or declares as a read, though the ledger has messages of it.

    An operation whose section is there and does not hold has its own findings.
    """
    sections = located.config.agency.items()
    declared = {f"{name}/{own}": made for name, section in sections for own, made in section.operation.items()}
    writes = {OperationId(name) for name, made in declared.items() if not made.reads}
    for operation, count in dropped(unsettled, writes):
        agency, _, own = operation.partition("/")
        if operation not in declared and ("agency", agency, "operation", own) in located.lines:
            continue
        why = "it only reads now" if operation in declared else "there is no such operation any more"
        yield Finding(
            where=_where(located, agency, own),
            what=f"{operation}: {why}, and the ledger has {count} of it that nothing would deliver",
            remedy=f"keep it as it was until they are settled, see gateway messages list --operation {operation}",
        )


def _where(located: Located, agency: str, own: str) -> str:
    """Return the line of the operation, else of its agency, else of the ledger."""
    paths = (("agency", agency, "operation", own), ("agency", agency))
    return located.where(*next((path for path in paths if path in located.lines), ("gateway", "ledger")))
