"""A running gateway's file: which process it is and how its last load went; a lock on it shows that it lives."""

import fcntl
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from gateway.errors import Finding
from gateway.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the file says: the process, where it listens and by which configuration, and how its last load went.

    `loads` counts them; `refused` says why the last was, `unready` which agencies of what is in force can't be asked.
    """

    pid: int
    loads: int
    at: datetime
    refused: Sequence[str] = ()
    unready: Sequence[str] = ()
    listen: str = ""
    config: str = ""


class Presence:
    """The file while its gateway runs; where it can't be written the gateway runs all the same, and SIGHUP is left."""

    def __init__(self, file: BinaryIO | None, clock: Clock, *, listen: str, config: str) -> None:
        self._file = file
        self._clock = clock
        self._listen = listen
        self._config = config
        self._loads = 0

    @classmethod
    def open(cls, folder: Path, listen: str, clock: Clock, *, config: str = "") -> "Presence":
        """Take the file of the gateway that listens there, by that configuration."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = place(folder, listen).open("a+b")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return cls(None, clock, listen=listen, config=config)
        return cls(file, clock, listen=listen, config=config)

    def __enter__(self) -> Self:
        self.tell()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with suppress(OSError):
                Path(self._file.name).unlink()
            self._file.close()

    def tell(self, refused: Iterable[Finding] = (), *, unready: Sequence[str] = ()) -> None:
        """Write how a load went, and which agencies can't be asked."""
        self._loads += 1
        if self._file is None:
            return
        standing = Standing(
            pid=os.getpid(),
            loads=self._loads,
            at=self._clock.now(),
            refused=[str(finding) for finding in refused],
            unready=unready,
            listen=self._listen,
            config=self._config,
        )
        with suppress(OSError):
            self._file.truncate(0)
            self._file.write(msgspec.json.encode(standing))
            self._file.flush()


def place(folder: Path, listen: str) -> Path:
    """Return where the file of the gateway is that listens there: several may share a ledger's folder."""
    return folder / f"gateway-{listen.rpartition(':')[2]}.json"


def look(folder: Path, listen: str) -> Standing | None:
    """Return what a running gateway's file says, None when none runs or it is being written."""
    return _read(place(folder, listen))


def find(folder: Path, listen: str, config: str) -> Standing | None:
    """Return the gateway that runs by a configuration, though its file may name another address by now.

    Of several, which take their addresses from the environment, the one that listens there; where none runs by this
    file, whoever listens there: the file may have moved.
    """
    running = [standing for path in sorted(folder.glob("gateway-*.json")) if (standing := _read(path)) is not None]
    there = look(folder, listen)
    own = [standing for standing in running if standing.config == config]
    if there is not None and (there in own or not own):
        return there
    return next(iter(own), None)


def _read(path: Path) -> Standing | None:
    try:
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return msgspec.json.decode(file.read(), type=Standing)
    except (OSError, msgspec.DecodeError):
        pass
    return None
