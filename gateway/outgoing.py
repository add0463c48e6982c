"""What an agency's operations hand over together, and the files in which it acknowledges that, as feeds."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from gateway import registry
from gateway.acks import read_ack
from gateway.config.models import Operation
from gateway.errors import Finding
from gateway.feeds import Keeping
from gateway.handover import AckColumns, Acknowledged, BatchEnd, Batches
from gateway.message import Message, OperationId
from gateway.ports import Adapter
from gateway.translate.compile import fingerprint

SendMany = Callable[[Sequence[Message]], Awaitable[Sequence[BatchEnd]]]


class Outgoing:
    """One agency's operations that hand over, as they are built; `where` finds an operation's place in the file."""

    def __init__(self, agency: str, adapter: Adapter, where: Callable[[str], str]) -> None:
        self._agency = agency
        self._adapter = adapter
        self._where = where
        self._acks: dict[str, tuple[AckColumns, list[OperationId]]] = {}
        self.findings: list[Finding] = []
        self.patience = 0.0

    def together(self, name: str, section: Operation, send: SendMany) -> registry.Together | None:
        """Return how an operation's messages go over together; nobody can wait for that directly."""
        batching = self._adapter.batching(section.call) if isinstance(self._adapter, Batches) else None
        if batching is None:
            return None
        self._stored_only(name, section, "goes over in batches")
        self.patience = max(self.patience, batching.every)
        return registry.Together(batching=batching, send=send)

    def within(self, name: str, section: Operation) -> float | None:
        """Return the seconds within which the agency acknowledges an operation's messages; None where it does not."""
        acks = self._adapter.acknowledgement(section.call) if isinstance(self._adapter, Acknowledged) else None
        if acks is None:
            return None
        self._stored_only(name, section, "is acknowledged later")
        self._acks.setdefault(section.call, (acks, []))[1].append(OperationId(f"{self._agency}/{name}"))
        return acks.seconds

    def feeds(self) -> dict[str, registry.Feed]:
        """Return the files in which the agency acknowledges, each named by what it is about."""
        return {
            target: registry.Feed(
                read=partial(read_ack, acks),
                keeping=Keeping(mode="snapshot", mapping=fingerprint(acks)),
                max_reject=1.0,
                acknowledges=frozenset(operations),
            )
            for target, (acks, operations) in self._acks.items()
        }

    def _stored_only(self, name: str, section: Operation, what: str) -> None:
        if section.deliver != "store-and-forward" or section.reads:
            self.findings.append(
                Finding(
                    where=self._where(name),
                    what=f"{self._agency}/{name}: {section.call} {what}, so nobody can wait for its answer",
                    remedy='write deliver = "store-and-forward"',
                )
            )
