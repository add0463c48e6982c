"""What stands in URLs, ours and the agencies': fields that are not there, and personal data; sends nothing."""

from collections.abc import Callable, Iterable, Iterator

from gateway.config.locate import suggest
from gateway.config.models import GATEWAY
from gateway.errors import Finding
from gateway.message import OperationId
from gateway.ports import UrlFields
from gateway.registry import Operation
from gateway.translate.compile import Compiled

_IN_QUERY = frozenset({"GET", "DELETE"})

Where = Callable[..., str]


def section_of(operation: OperationId) -> tuple[str, ...]:
    """Return the keys of an operation's section in gateway.toml."""
    agency, name = operation.split("/", 1)
    return ("operation", name) if agency == GATEWAY else ("agency", agency, "operation", name)


def lost(operations: Iterable[Operation], where: Where) -> Iterator[Finding]:
    """Find what an exposed path takes and no rule of the request reads: every call would be refused."""
    for operation in operations:
        for name in _taken(operation):
            if not operation.request.has(name):
                yield Finding(
                    where=where(*section_of(operation.id), "expose"),
                    what=f"{operation.id}: the path has {{{name}}}, and the request has no such field",
                    remedy=suggest(name, operation.request.fields),
                )


def personal(operations: Iterable[Operation], where: Where) -> Iterator[Finding]:
    """Warn of personal data in an exposed path or query, which servers and proxies write into their logs."""
    for operation in operations:
        taken = _taken(operation)
        names = [
            name
            for name in sorted(operation.request.personal)
            if operation.method in _IN_QUERY or any(_within(name, part) for part in taken)
        ]
        if names:
            yield Finding(
                where=where(*section_of(operation.id), "expose"),
                what=f"{operation.id}: {', '.join(names)} is personal (mask = true) and travels in the URL",
                remedy='expose it as "POST …/cari" with safe = true',
                warning=True,
            )


def called(operation: str, url: UrlFields, compiled: Compiled, where: str) -> Iterator[Finding]:
    """Find personal data in a URL that the gateway would call, and fields of that URL that no rule feeds."""
    for left, sources in compiled.fed.items():
        if not url.query and left[0] not in url.path:
            continue
        if secrets := sorted(source for source in sources if source.startswith("@login.") and source != "@login.user"):
            yield Finding(
                where=where,
                what=f"{operation}: {', '.join(secrets)} would travel in the URL of this call, which servers log",
                remedy="send it as a header ([agency.headers]), or call by a method that takes a body",
            )
        if names := sorted(compiled.request.personal.intersection(sources)):
            yield Finding(
                where=where,
                what=f"{operation}: {', '.join(names)} is personal (mask = true), and {'.'.join(left)} travels in the "
                "URL of this call, which servers write into their logs",
                remedy="call it by a method that takes a body",
            )
    fed = {left[0] for left in compiled.fed if len(left) == 1}
    for name in url.path:
        if name not in fed:
            yield Finding(
                where=where,
                what=f"{operation}: the call has {{{name}}}, and no rule of the request builds {name}",
                remedy=suggest(name, fed),
            )


def _taken(operation: Operation) -> list[str]:
    """Return the names of a path's parameters."""
    return [step[1:-1] for step in (operation.path or "").split("/") if step.startswith("{")]


def _within(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")
