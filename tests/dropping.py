"""A gateway with its own SFTP server and one feed behind it: its files, and how it stands."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.flows.command import gateway
from tests.flows.pilot import KEY
from tests.flows.process import Gateway, running
from tests.ports import free_ports

ACCOUNT, PASSWORD = "puskesmas-imunisasi", "imunisasi-2026"
FILE = "imunisasi_20261124.csv"
ROWS = b"nik_anak;jenis\n1405029001180001;BCG\n1405029001180002;Polio\n14050290;BCG\n"
TOML = """
[gateway]
listen  = "127.0.0.1:0"
metrics = "127.0.0.1:0"
ledger  = "sqlite:{folder}/ledger.db"

[gateway.sftp]
listen   = "127.0.0.1:{port}"
host_key = "{folder}/host.key"

[client.klik]
keys  = [{{ sha256 = "{key}" }}]
allow = ["puskesmas/*"]

[agency.puskesmas]
adapter = "csv"
drop    = "{folder}/drop"
every   = "50ms"
mapping = "puskesmas.toml"

[agency.puskesmas.feed.imunisasi]
files      = "imunisasi_*.csv"
ready      = "rename"
key        = ["nik", "jenis"]
max_reject = "row-wise"
account    = {account}

[agency.puskesmas.operation.cari]
expose = "GET /v1/imunisasi"
call   = "imunisasi"
"""
MAPPING = """
[imunisasi.row]
nik   = { from = "nik_anak", pattern = "[0-9]{16}" }
jenis = "jenis"

[cari.request]
nik = "nik"

[cari.reply.imunisasi]
each  = "rows"
jenis = "jenis"
"""


@dataclass(frozen=True, slots=True)
class Site:
    """Where it all lies, and the port of its SFTP server."""

    folder: Path
    port: int
    password: str = PASSWORD

    @property
    def config(self) -> Path:
        return self.folder / "gateway.toml"

    def configured(self, account: str = '{ password = "${IMUNISASI}" }') -> "Site":
        """Write it all, anew as well."""
        (self.folder / "drop").mkdir(exist_ok=True)
        key = hashlib.sha256(KEY.encode()).hexdigest()
        self.config.write_text(TOML.format(folder=self.folder, port=self.port, key=key, account=account))
        (self.folder / "puskesmas.toml").write_text(MAPPING)
        return self

    def with_key(self) -> "Site":
        """Make the server's key."""
        done = gateway("sftp", "host-key", "--config", self.config)
        assert done.returncode == 0, done.stderr
        return self

    @contextmanager
    def running(self) -> Iterator[Gateway]:
        """Run the gateway."""
        with running(self.config, {"IMUNISASI": self.password}) as gateway:
            yield gateway


def site(folder: Path) -> Site:
    return Site(folder, free_ports())
