"""Which store a ledger's address names; imports only that one."""

from pathlib import Path

from gateway.ledger import Ledger
from gateway.ledger.keys import KeySource
from gateway.ports import Clock

SQLITE = "sqlite:"


async def open_ledger(address: str, keys: KeySource, clock: Clock) -> Ledger:
    """Open `sqlite:PATH` or `postgresql://...`; raises ConfigError when the place or the key can't be used."""
    if address.startswith(SQLITE):
        from gateway.ledger.sqlite import SqliteLedger  # noqa: PLC0415 - the other store's library is not needed

        return await SqliteLedger.open(Path(address.removeprefix(SQLITE)), keys, clock)
    from gateway.ledger.postgres import PostgresLedger  # noqa: PLC0415 - its library is slow to import

    return await PostgresLedger.open(address, keys, clock)


def beside(path: Path) -> Path:
    """Return the folder beside an SQLite ledger in which its feeds' snapshots are."""
    return path.with_name(f"{path.stem}-feeds")


def folder_of(address: str) -> Path:
    """Return where the gateway keeps what it writes beside its ledger: in the same folder, where that is a file."""
    return Path(address.removeprefix(SQLITE)).parent if address.startswith(SQLITE) else Path("var")
