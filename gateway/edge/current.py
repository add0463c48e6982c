"""What is served now: the routes, swapped whole at a reload, and the phase: starting, serving or stopping."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gateway.edge.auth import Admission, Clients
from gateway.edge.needs import Exposed, Observation, Observe
from gateway.edge.table import Table
from gateway.errors import ClientError

Phase = Literal["starting", "serving", "stopping"]


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
    """One immutable state of everything that can be asked, and by whom."""

    operations: tuple[Exposed, ...]
    table: Table[Bound]
    clients: Clients
    elsewhere: Observation
    """Where the figures of requests go that reached no operation."""


def routes(operations: Iterable[Exposed], admissions: Iterable[Admission], observe: Observe) -> Routes:
    """Build the routes from the operations that have a method and a path."""
    exposed = tuple(operation for operation in operations if operation.method and operation.path)
    return Routes(
        operations=exposed,
        table=Table((o.method or "", o.path or "", Bound(o, observe(o))) for o in exposed),
        clients=Clients(admissions, [operation.id for operation in exposed]),
        elsewhere=observe(None),
    )


class Current:
    """The routes of this moment; a reload assigns new ones, and requests under way keep theirs."""

    __slots__ = ("phase", "routes")

    def __init__(self, routes: Routes) -> None:
        self.routes = routes
        self.phase: Phase = "starting"
