"""What a bad answer may cost at most, and what one does."""

import ctypes
import gc
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from gateway import InvalidAnswer

CPU = 0.05
MEMORY = 10 * 1024 * 1024


def memory(field: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def measured(act: Callable[[], Any]) -> tuple[float, int]:
    """Return what something costs: seconds of this thread, and bytes beyond what was there before, at their most."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, started = memory("VmRSS"), time.thread_time()
    with suppress(InvalidAnswer):
        act()
    return time.thread_time() - started, memory("VmHWM") - before


def cheap(act: Callable[[], Any]) -> bool:
    """Measure twice if need be: other processes share the processor's caches."""
    costs = (measured(act) for _ in range(2))
    return any(seconds < CPU and taken < MEMORY for seconds, taken in costs)
