"""What the edge needs of the others, as Protocols; knows none of them."""

from collections.abc import Callable
from typing import Protocol

from gateway.message import OperationId
from gateway.ports import Handler, Schema

REQUESTS = "/v1/requests"
"""Where clients see how their recorded requests stand."""


class Described(Protocol):
    """What there is to know of an operation; without a method and a path it can't be asked from outside."""

    @property
    def id(self) -> OperationId: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def about(self) -> str: ...  # noqa: D102
    @property
    def agency(self) -> str: ...  # noqa: D102
    @property
    def agency_title(self) -> str: ...  # noqa: D102
    @property
    def safe(self) -> bool: ...  # noqa: D102
    @property
    def method(self) -> str | None: ...  # noqa: D102
    @property
    def path(self) -> str | None: ...  # noqa: D102
    @property
    def stored(self) -> bool:
        """Whether it is recorded and delivered afterwards, so that 202 is its answer while that takes."""
        ...

    @property
    def targets(self) -> tuple[OperationId, ...]:
        """The operations that answer for it, where it is a composite."""
        ...

    @property
    def deadline(self) -> float:
        """Seconds for everything, from the message's acceptance to its reply."""
        ...

    @property
    def request(self) -> Schema: ...  # noqa: D102
    @property
    def reply(self) -> Schema: ...  # noqa: D102


class Exposed(Described, Protocol):
    """An operation as the edge sees it: described, and answered by its handler."""

    @property
    def handler(self) -> Handler: ...  # noqa: D102


class Bucket(Protocol):
    """A client's allowance."""

    def take(self, now: float, /) -> float:
        """Take one at monotonic `now`; return 0 when there was one, else the seconds until there is."""
        ...


class Observation(Protocol):
    """Where the figures of one operation go, bound at load."""

    def done(  # noqa: PLR0913, PLR0917 -- one call per request, by position, is the cheap way
        self,
        method: str,
        client: str,
        status: int,
        outcome: str,
        seconds: float,
        agency_seconds: float,
        request_bytes: int,
        response_bytes: int,
        traceparent: str = "",
        /,
    ) -> None:
        """Count one answered request; `outcome` is the reply's outcome, "stale", or an error's code.

        `seconds` are all it took, `agency_seconds` those of them that agencies took. Its `traceparent` makes it an
        example of its figures.
        """
        ...


Observe = Callable[[Exposed | None], Observation]
"""Bind an operation's figures; None stands for requests that reached no operation."""
