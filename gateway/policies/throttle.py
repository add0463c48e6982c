"""Keeps to the rate and the quota an agency asks for; every attempt counts."""

from gateway.errors import Overloaded
from gateway.message import Message, Reply
from gateway.policies.bucket import TokenBucket
from gateway.policies.quota import Quota
from gateway.ports import Clock, Handler, Policy
from gateway.trail import mark, step


def throttle(clock: Clock, *, bucket: TokenBucket | None = None, quota: Quota | None = None) -> Policy:
    """Pace calls by `bucket` (waiting when the deadline allows it) and stop them when `quota` is spent.

    Raises Overloaded with the seconds until it would pass; then nothing was sent.
    """
    monotonic = clock.monotonic

    def policy(handler: Handler) -> Handler:
        async def call(message: Message) -> Reply:
            if bucket and (wait := bucket.wait(now := monotonic())) and now + wait >= message.deadline:
                raise _overloaded(message, "the agency's rate is used up beyond the deadline", wait)
            if quota and (wait := quota.take()):
                raise _overloaded(message, "the agency's quota is spent", wait)
            if bucket and (wait := bucket.reserve(monotonic())):
                with step(message.trail, "throttle"):
                    await clock.sleep(wait)
                if monotonic() >= message.deadline:  # overslept
                    raise _overloaded(message, "the agency's rate was used up until the deadline", 1.0)
            return await handler(message)

        return call

    return policy


def _overloaded(message: Message, why: str, retry_after: float) -> Overloaded:
    mark(message.trail, "throttle", outcome=Overloaded.code)
    return Overloaded(f"{message.operation}: {why}; nothing was sent, try again later", retry_after=retry_after)
