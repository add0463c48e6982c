"""What all operations of one agency share, breaker, slots, pace, retry budget, and the policies made from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args
from zoneinfo import ZoneInfo

from gateway.config.models import Agency, Defaults, Retry
from gateway.kept import Draft
from gateway.message import Message
from gateway.metrics import Metrics
from gateway.policies.breaker import Breaker, BreakerState, breaker
from gateway.policies.bucket import TokenBucket
from gateway.policies.budget import RetryBudget
from gateway.policies.bulkhead import Bulkhead, bulkhead
from gateway.policies.deadline import deadline
from gateway.policies.quota import Quota
from gateway.policies.retry import Retry as RetryPolicy
from gateway.policies.single_flight import single_flight
from gateway.policies.stale import Shelf, stale
from gateway.policies.throttle import throttle
from gateway.ports import Clock, Policy

Key = Callable[[Message], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """One agency's shared state; `serves` tells whether it is within its service hours."""

    agency: str
    clock: Clock
    metrics: Metrics
    retry: Retry
    breaker: Breaker
    slots: Bulkhead
    budget: RetryBudget
    shelf: Shelf
    bucket: TokenBucket | None
    quota: Quota | None
    serves: Callable[[], bool] = lambda: True

    def policies(  # noqa: PLR0913 - what differs between operations
        self,
        operation: str,
        *,
        safe: bool,
        repeatable: bool,
        deadline_seconds: float,
        stale_seconds: float | None,
        key: Key,
    ) -> dict[str, Policy]:
        """Return an operation's policies by name; sharing and stale answers are for reads only."""
        made: dict[str, Policy] = {
            "deadline": deadline(self.clock, safe=safe),
            "retry": self._retry(repeatable=repeatable),
            "breaker": breaker(self.breaker, self.serves),
            "bulkhead": bulkhead(self.slots),
        }
        if self.bucket is not None or self.quota is not None:
            made["throttle"] = throttle(self.clock, bucket=self.bucket, quota=self.quota)
        if safe:
            cached = self.metrics.by_last_label("gateway_cache_requests_total", operation)
            made["single_flight"] = single_flight(
                self.clock, key, deadline=deadline_seconds, on_shared=lambda: cached("shared")
            )
            if stale_seconds is not None:
                made["stale"] = stale(self.clock, key, self.shelf, keep=stale_seconds, on_stale=lambda: cached("stale"))
        return made

    def _retry(self, *, repeatable: bool) -> Policy:
        exhausted = self.metrics.counter("gateway_agency_retry_budget_exhausted_total", self.agency)
        return RetryPolicy(
            clock=self.clock,
            budget=self.budget,
            repeatable=repeatable,
            attempts=self.retry.attempts,
            shortest=self.retry.wait,
            longest=self.retry.max_wait,
            on_retry=self.metrics.by_last_label("gateway_agency_retries_total", self.agency),
            on_exhausted=lambda: exhausted(1),
        )


def limits(  # noqa: PLR0913 - what state is made of
    agency: str,
    section: Agency,
    defaults: Defaults,
    *,
    clock: Clock,
    zone: ZoneInfo,
    metrics: Metrics,
    draft: Draft,
    on_breaker: Callable[[BreakerState], None],
    serves: Callable[[], bool] = lambda: True,
) -> Limits:
    """Make one agency's shared state; what its section does not say comes from the defaults.

    Breaker, slots, pace, quota and retry budget outlive a reload that leaves their settings as they are: calls under
    way still count, and what an agency's terms allow is not counted from nought. Slots, pace and quota are divided
    among the replicas.
    """
    retry = section.retry or defaults.retry
    return Limits(
        agency=agency,
        clock=clock,
        metrics=metrics,
        retry=retry,
        breaker=_breaker(agency, section, defaults, clock, metrics, draft, on_breaker),
        slots=_slots(agency, section, defaults, clock, metrics, draft),
        budget=draft.same((agency, "budget"), retry.budget, lambda: RetryBudget(clock, share=retry.budget)),
        shelf=Shelf(),
        bucket=_bucket(agency, section, draft),
        quota=_quota(agency, section, clock, zone, metrics, draft),
        serves=serves,
    )


def _bucket(agency: str, section: Agency, draft: Draft) -> TokenBucket | None:
    rate = section.rate
    if rate is None:
        return None
    return draft.shared((agency, "rate"), rate, lambda: TokenBucket(rate.per_second, burst=1))


def _quota(  # noqa: PLR0913, PLR0917 - as limits
    agency: str, section: Agency, clock: Clock, zone: ZoneInfo, metrics: Metrics, draft: Draft
) -> Quota | None:
    settings = section.quota
    if settings is None:
        draft.once_in_force(lambda: metrics.forget("gateway_agency_quota", agency))
        return None
    spent = metrics.counter("gateway_agency_quota_exhausted_total", agency)

    def make() -> Quota:
        return Quota(clock, limit=settings.limit, period=settings.period, zone=zone, on_quota=lambda: spent(1))

    quota = draft.shared((agency, "quota"), (settings, zone), make)

    def show() -> None:
        metrics.gauge("gateway_agency_quota_limit", agency).set_function(lambda: quota.limit)
        metrics.gauge("gateway_agency_quota_left", agency).set_function(lambda: quota.left)

    draft.once_in_force(show)
    return quota


def _slots(  # noqa: PLR0913, PLR0917 - as limits
    agency: str, section: Agency, defaults: Defaults, clock: Clock, metrics: Metrics, draft: Draft
) -> Bulkhead:
    limit = section.concurrency or defaults.concurrency
    waiting = section.waiting if section.waiting is not None else defaults.waiting

    def make() -> Bulkhead:
        return Bulkhead(clock, concurrency=limit, waiting=waiting)

    slots = draft.shared((agency, "slots"), (limit, waiting), make)

    def show() -> None:
        metrics.gauge("gateway_agency_slots_limit", agency).set_function(lambda: slots.limit)
        metrics.gauge("gateway_agency_slots_in_use", agency).set_function(lambda: slots.busy)
        metrics.gauge("gateway_agency_waiting", agency).set_function(lambda: slots.waiting)

    draft.once_in_force(show)
    return slots


def _breaker(  # noqa: PLR0913, PLR0917 - as limits
    agency: str,
    section: Agency,
    defaults: Defaults,
    clock: Clock,
    metrics: Metrics,
    draft: Draft,
    on_breaker: Callable[[BreakerState], None],
) -> Breaker:
    chosen = section.breaker or defaults.breaker

    def make() -> Breaker:
        return Breaker(
            clock=clock,
            failures=chosen.failures,
            share=chosen.share,
            window=chosen.window,
            minimum=chosen.minimum,
            open_for=chosen.open_for,
            on_change=_watched(agency, metrics, on_breaker),
        )

    made = draft.same((agency, "breaker"), chosen, make)
    draft.once_in_force(lambda: metrics.gauge("gateway_agency_breaker_open", agency).set(made.state != "closed"))
    return made


def _watched(
    agency: str, metrics: Metrics, on_breaker: Callable[[BreakerState], None]
) -> Callable[[BreakerState], None]:
    # Bound before the first: what is born with a 1 has not increased, as Prometheus sees it.
    changed = {
        state: metrics.counter("gateway_agency_breaker_transitions_total", agency, state)
        for state in get_args(BreakerState)
    }

    def on_change(state: BreakerState) -> None:
        metrics.gauge("gateway_agency_breaker_open", agency).set(0 if state == "closed" else 1)
        changed[state](1)
        on_breaker(state)

    return on_change
