"""The CPU that one call takes."""

import time
from collections.abc import Callable


def microseconds(call: Callable[[], object], *, calls: int, rounds: int) -> float:
    """Return the CPU of one call, in the best of so many rounds of so many calls."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for _ in range(calls):
            call()
        best = min(best, (time.process_time() - started) / calls)
    return best * 1e6
