import pytest

from gateway.message import Message, Reply
from gateway.pipeline import STANDARD, stack
from gateway.ports import Handler, Policy


def named(name: str, way: list[str]) -> Policy:
    def policy(handler: Handler) -> Handler:
        async def call(message: Message) -> Reply:
            way.append(name)
            return await handler(message)

        return call

    return policy


async def channel(_: Message) -> Reply:
    return Reply(body={})


async def test_policies_run_in_the_standard_order_whatever_order_they_are_given_in() -> None:
    way: list[str] = []
    handler = stack({name: named(name, way) for name in sorted(STANDARD)}, channel)
    await handler(None)
    assert tuple(way) == STANDARD


async def test_an_operation_without_a_policy_goes_straight_on() -> None:
    way: list[str] = []
    handler = stack({name: named(name, way) for name in ("breaker", "deadline")}, channel)
    await handler(None)
    assert way == ["deadline", "breaker"]
    assert stack({}, channel) is channel


def test_an_unknown_policy_is_named() -> None:
    with pytest.raises(ValueError, match=r"no such policy: cache \(there are: stale, single_flight"):
        stack({"cache": named("cache", [])}, channel)
