"""What a deliverer has seen of its agency: whether it is there, whether to go carefully, which message is a poison."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.errors import AgencyError, BreakerOpen, GatewayError, Overloaded, Unreachable
from gateway.message import MessageId
from gateway.ports import Clock
from gateway.records import Claim

LONGEST_REST = 300.0
"""Seconds; an agency that asks for longer is asked again after these."""
POISON_FAILURES = 10
SEVERAL = 2
MOST_WATCHED = 10_000
"""Failing messages whose failures are remembered; one that somebody else cancels or lets expire is never heard of."""


@dataclass(slots=True, kw_only=True)
class Condition:
    """One lane's own view of its agency, forgotten at a restart; `news` hears once of an outage and once of its end.

    `down`: nothing is claimed until a probe passes. `careful`: one message at a time until the agency answers one.
    `probes` counts those since it answered last, so that they come further and further apart.
    """

    clock: Clock
    news: Callable[[bool], None]
    down: bool = field(default=False, init=False)
    careful: bool = field(default=False, init=False)
    probes: int = field(default=0, init=False)
    told: bool = field(default=False, init=False)
    _rest_until: float = field(default=float("-inf"), init=False)
    _failing: set[MessageId] = field(default_factory=set, init=False)
    _through: int = field(default=0, init=False)
    _since: dict[MessageId, tuple[int, int]] = field(default_factory=dict, init=False)

    def rest(self) -> float:
        """Return the seconds for which the agency wants, or needs, to be left alone."""
        return max(0.0, self._rest_until - self.clock.monotonic())

    def answered(self, claim: Claim, *, through: bool) -> None:
        """The agency answered; `through` when that settled the message, whether it took it or refused it."""
        if through:
            self._through += 1
            self._since.pop(claim.ticket.id, None)
        self._failing.clear()
        self.over()

    def over(self) -> None:
        """The agency is there, or nothing is left by which to find out."""
        self.down = self.careful = False
        self.probes = 0
        if self.told:
            self.told = False
            self.news(False)

    def reached(self) -> None:
        """A probe passed: messages may find out whether it does its work too."""
        self.down, self.careful = False, True

    def failed(self, claim: Claim, error: GatewayError) -> None:
        """Take in a failure: whose it is, and what it says of the agency.

        A refused connection, or a breaker that at least two messages fed, is an outage of the whole lane. While an
        outage lasts, whatever else goes wrong belongs to it.
        """
        self._rest_until = max(self._rest_until, self.clock.monotonic() + rest_asked(error))
        if isinstance(error, BreakerOpen):
            self.careful = True
            self._outage(started=len(self._failing) >= SEVERAL)
        elif isinstance(error, AgencyError) and error.ill:
            if len(self._failing) < SEVERAL:
                self._failing.add(claim.ticket.id)
            self._outage(started=isinstance(error, Unreachable) or self.told)

    def poisonous(self, claim: Claim, error: GatewayError | None) -> bool:
        """Tell whether this one failed ten times while others got through; failures of an outage don't count."""
        failures = claim.failures + 1
        if isinstance(error, Unreachable):
            self._watch(claim.ticket.id, (self._through, failures))
            return False
        through, before = self._since.get(claim.ticket.id, (self._through, 0))
        self._watch(claim.ticket.id, (through, before))
        return failures - before >= POISON_FAILURES and self._through > through

    def _watch(self, message: MessageId, since: tuple[int, int]) -> None:
        """Remember from when on a message's failures count, and let go of the one that has not failed for longest."""
        self._since.pop(message, None)
        self._since[message] = since
        if len(self._since) > MOST_WATCHED:
            del self._since[next(iter(self._since))]

    def forget(self, message: MessageId) -> None:
        """Let go of what is kept about a message that is settled."""
        self._since.pop(message, None)

    def _outage(self, *, started: bool) -> None:
        if not started:
            return
        self.down = True
        if not self.told:
            self.told = True
            self.news(True)


def rest_asked(error: GatewayError | None) -> float:
    """Return the seconds for which an error asks to be left alone; nobody is believed that it takes for ever."""
    asked = error.retry_after if isinstance(error, AgencyError | Overloaded) else None
    return min(asked or 0.0, LONGEST_REST)
