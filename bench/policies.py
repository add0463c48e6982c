"""CPU of the policies around a handler that does nothing: `python -m bench.policies`.

Prints microseconds per call, the best of several rounds: each policy alone, then the stacks a write and a read get.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count

import msgspec
import uvloop

from gateway.clock import SystemClock
from gateway.message import Message, MessageId, OperationId, Reply
from gateway.pipeline import stack
from gateway.policies.breaker import Breaker, breaker
from gateway.policies.bucket import TokenBucket
from gateway.policies.budget import RetryBudget
from gateway.policies.bulkhead import Bulkhead, bulkhead
from gateway.policies.deadline import deadline
from gateway.policies.retry import Retry
from gateway.policies.single_flight import single_flight
from gateway.policies.stale import Shelf, stale
from gateway.policies.throttle import throttle
from gateway.ports import Handler, Policy

CALLS = 20_000
ROUNDS = 9
FAST = 1e9

REPLY = Reply(body={f"field_{n}": f"value {n}" for n in range(12)})
KEY = msgspec.json.encode(dict(REPLY.body))


async def answer(_: Message) -> Reply:
    """Answer at once."""
    return REPLY


async def waiting_answer(_: Message) -> Reply:
    """Answer after one turn of the loop, as anything that talks to a socket does."""
    await asyncio.sleep(0)
    return REPLY


def same_key(_: Message) -> bytes:
    """Return a key without the work of making one, which is the translator's."""
    return KEY


def policies(*, safe: bool, keep: bool = False, rate: bool = False) -> dict[str, Policy]:
    """Build the policies of an operation with the defaults."""
    clock = SystemClock()
    made: dict[str, Policy] = {
        "deadline": deadline(clock, safe=safe),
        "retry": Retry(clock=clock, budget=RetryBudget(clock), repeatable=safe),
        "breaker": breaker(Breaker(clock=clock)),
        "bulkhead": bulkhead(Bulkhead(clock)),
    }
    if safe:
        made["single_flight"] = single_flight(clock, same_key, deadline=20.0)
    if keep:
        made["stale"] = stale(clock, same_key, Shelf())
    if rate:
        made["throttle"] = throttle(clock, bucket=TokenBucket(FAST))
    return made


def stacks() -> Iterator[tuple[str, Handler]]:
    """Yield what is measured, by name."""
    everything = policies(safe=True, keep=True, rate=True)
    yield "nothing", answer
    yield "deadline of a write", policies(safe=False)["deadline"](answer)
    for name in reversed(everything):
        yield f"{name} (read)" if name == "deadline" else name, everything[name](answer)
    yield "stack of a write", stack(policies(safe=False), answer)
    yield "stack of a write, with a rate", stack(policies(safe=False, rate=True), answer)
    yield "stack of a read", stack(policies(safe=True), answer)
    yield "stack of a read, with a rate and stale", stack(everything, answer)
    yield "one turn of the loop", waiting_answer
    yield "stack of a read, over one turn", stack(policies(safe=True), waiting_answer)


async def microseconds(handler: Handler) -> float:
    """Return the CPU of one call, in the best of the rounds."""
    message = Message(
        id=MessageId("018f"),
        operation=OperationId("dinkes/faskes"),
        body={},
        client="bench",
        correlation_id="bench",
        traceparent="",
        accepted_at=datetime.now(UTC),
        deadline=time.monotonic() + 3600,
    )
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(CALLS):
            await handler(message)
        best = min(best, (time.process_time() - started) / CALLS)
    return best * 1e6


def plain() -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the parts that are no policies."""
    ticks = count()
    bucket = TokenBucket(0.5, 10)
    yield "TokenBucket.take, taken or not", lambda: bucket.take(next(ticks))


async def main() -> None:
    """Measure and print."""
    for name, call in plain():
        started = time.process_time()
        for _ in range(CALLS * ROUNDS):
            call()
        print(f"{name:42}{(time.process_time() - started) / CALLS / ROUNDS * 1e6:7.2f}")
    for name, handler in stacks():
        print(f"{name:42}{await microseconds(handler):7.2f}")


if __name__ == "__main__":
    uvloop.run(main())
