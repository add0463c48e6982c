"""Ports that a test takes later, or again: nobody else is given them meanwhile."""

import os
import random
import re
import socket
from contextlib import ExitStack

FIRST, EACH = 15_000, 1_000
"""Below those that the system gives away (from 32768 on); each of the workers has its own."""


def free_ports(many: int = 1) -> int:
    """Return the first of so many free ports in a row."""
    worker = int("".join(re.findall(r"\d+", os.environ.get("PYTEST_XDIST_WORKER", ""))) or 15) % 16
    begin = FIRST + worker * EACH
    while True:
        first = random.randrange(begin, begin + EACH - many)
        with ExitStack() as taken:
            try:
                for port in range(first, first + many):
                    taken.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
        return first
