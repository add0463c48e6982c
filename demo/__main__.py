"""`python -m demo`: the stand-ins on their usual ports until SIGINT or SIGTERM.

Those named by `--down=AGENCY` are switched off; with `--kept` the clerk's first file is not dropped a second time.
With `--beside` also until its standard input ends: that is the other end of a pipe, and whoever holds it is gone.
"""

import asyncio
import logging
import signal
import sys
from pathlib import Path

from demo import CONTROL_PORT, PORTS
from demo.serve import serve


async def main() -> None:
    """Serve, quietly."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    until = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, until.set)
    if "--beside" in sys.argv[1:]:
        loop.add_reader(sys.stdin.fileno(), until.set)  # nothing is ever written there: readable means ended
    down = [name for name in PORTS if f"--down={name}" in sys.argv[1:]]
    kept = "--kept" in sys.argv[1:]
    await serve(PORTS, CONTROL_PORT, Path("var/drops/puskesmas"), until=until, down=down, kept=kept)


if __name__ == "__main__":
    asyncio.run(main())
