"""Stacks policies around a channel; knows their order and their names, not what they do."""

from collections.abc import Mapping

from gateway.ports import Handler, Policy

STANDARD = ("stale", "single_flight", "deadline", "retry", "breaker", "bulkhead", "throttle")
"""Outermost first. A wait between attempts holds no slot, and every attempt counts towards the agency's rate."""

SHARING = frozenset({"stale", "single_flight"})
"""Those that may answer with what was asked for another caller, or before."""


def stack(policies: Mapping[str, Policy], channel: Handler) -> Handler:
    """Wrap `channel` in the policies an operation has, in the order of STANDARD; ValueError names an unknown one."""
    if unknown := policies.keys() - set(STANDARD):
        raise ValueError(f"no such policy: {', '.join(sorted(unknown))} (there are: {', '.join(STANDARD)})")
    handler = channel
    for name in reversed(STANDARD):
        if name in policies:
            handler = policies[name](handler)
    return handler
