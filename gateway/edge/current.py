"""What is served now: the routes, swapped whole at a reload, and the phase: starting, serving, leaving or stopping."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.edge.auth import Admission, Clients
from gateway.edge.needs import Exposed, Observation, Observe
from gateway.edge.table import Table
from gateway.errors import ClientError
from gateway.message import OperationId

Phase = Literal["starting", "serving", "leaving", "stopping"]
"""While leaving, everything is served still, and whoever asks is told to go elsewhere."""


class Stopping(ClientError):
    """The gateway is shutting down; `began` when the request was under way, so that a write may have been done."""

    code = "stopping"

    def __init__(self, *, began: bool = False) -> None:
        super().__init__(retry_after=5)
        self.began = began


@dataclass(frozen=True, slots=True)
class Bound:
    """An operation and where its figures go."""

    operation: Exposed
    observation: Observation


@dataclass(frozen=True, slots=True)
class Routes:
    """One immutable state of everything that can be asked, and by whom.

    `operations` are those with a path, `own` the gateway's, which every client may ask. `recorded` tells of each
    operation that the ledger may name which operations led to it.
    """

    operations: tuple[Exposed, ...]
    own: tuple[Exposed, ...]
    by_id: Mapping[OperationId, Exposed]
    recorded: Mapping[OperationId, frozenset[OperationId]]
    table: Table[Bound]
    clients: Clients
    elsewhere: Observation
    """Where the figures of requests go that reached no operation."""

    def may_see(self, client: str, operation: OperationId) -> bool:
        """Tell whether a client may still ask what led to a recorded operation."""
        found = self.clients.named(client)
        return found is not None and not found.allowed.isdisjoint(self.recorded.get(operation, ()))


def routes(
    operations: Iterable[Exposed], admissions: Iterable[Admission], observe: Observe, *, own: Iterable[Exposed] = ()
) -> Routes:
    """Build the routes from the operations that have a method and a path, and from the gateway's own."""
    everything, own = tuple(operations), tuple(own)
    exposed = tuple(operation for operation in everything if operation.method and operation.path)
    bound = ((o.method or "", o.path or "", Bound(o, observe(o))) for o in (*exposed, *own))
    return Routes(
        operations=exposed,
        own=own,
        by_id={operation.id: operation for operation in everything},
        recorded=_recorded(exposed),
        table=Table(bound),
        clients=Clients(admissions, [operation.id for operation in exposed], [operation.id for operation in own]),
        elsewhere=observe(None),
    )


def _recorded(exposed: Iterable[Exposed]) -> Mapping[OperationId, frozenset[OperationId]]:
    found: dict[OperationId, frozenset[OperationId]] = {}
    for operation in exposed:
        for name in operation.targets or (operation.id,):
            found[name] = found.get(name, frozenset()) | {operation.id}
    return found


class Current:
    """The routes of this moment; a reload assigns new ones, and requests under way keep theirs."""

    __slots__ = ("phase", "routes")

    def __init__(self, routes: Routes) -> None:
        self.routes = routes
        self.phase: Phase = "starting"
