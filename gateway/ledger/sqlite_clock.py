"""Leases on SQLite are times of the machine's clock: when that is set, they move with it; knows no queue."""

from pathlib import Path

from gateway.ledger.sqlite_upkeep import keep, setting
from gateway.ledger.transaction import Transaction
from gateway.ports import Clock

_AHEAD = "clock ahead"
"""How far the wall clock was ahead of the one that nobody can set, which all processes of a machine share."""
_BOOT = "clock boot"
"""The run of the machine in which that was so: in another one the clock that nobody can set begins anew."""
BOOT = Path("/proc/sys/kernel/random/boot_id")
SET = 1.0
"""Seconds by which they must have moved apart for the clock to have been set, and not only steered."""

_HELD = """
UPDATE message INDEXED BY message_leased SET leased_until = leased_until + :by
WHERE lane = :lane AND state = 'delivering'
"""
_NAMED = "UPDATE lease SET until = until + :by"
_DUE = """
UPDATE message INDEXED BY message_state SET due = due + :by
WHERE lane = :lane AND state = 'pending' AND state <> 'delivered' AND due > :now
"""


def begun(tx: Transaction, clock: Clock, boot: Path = BOOT) -> None:
    """Note how the clocks stand as the first process of a run of the machine begins; what was before says nothing.

    Those that begin later leave it alone: the clock may have been set since, with messages held meanwhile. Where
    nobody can tell one run from another, each process notes it.
    """
    run = _run(boot)
    if run is None or run != setting(tx.db, _BOOT):
        keep(tx.db, _AHEAD, repr(tx.now - clock.monotonic()))
        keep(tx.db, _BOOT, run or "")


def _run(boot: Path) -> str | None:
    try:
        return boot.read_text("utf-8").strip() or None
    except OSError:
        return None


def followed(tx: Transaction, clock: Clock) -> Transaction:
    """Move what is held if the clock was set since somebody last looked; to be asked before any lease is judged.

    Without this a clock set forward ends the leases of calls that are under way, and they are sent again; set back, it
    keeps a dead process's messages, and what was postponed, for so much longer.
    """
    ahead = tx.now - clock.monotonic()
    by = ahead - float(setting(tx.db, _AHEAD) or ahead)
    if abs(by) >= SET:
        tx.db.execute(_NAMED, {"by": by})
        for row in tx.db.execute("SELECT name FROM lane").fetchall():
            tx.db.execute(_HELD, {"by": by, "lane": row["name"]})
            if by < 0:
                tx.db.execute(_DUE, {"by": by, "lane": row["name"], "now": tx.now})
        keep(tx.db, _AHEAD, repr(ahead))
    return tx
