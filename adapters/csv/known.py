"""What a file is known by: its content, how long it is, whose rejects it mends; whoever calls is kept waiting."""

import csv
import hashlib
import os
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from adapters.csv.layout import Layout, Unreadable
from adapters.csv.ours import ours
from adapters.csv.read import BERKAS, opened
from adapters.csv.sheet import is_sheet
from adapters.csv.unpack import unpacked
from gateway import reference_mended

BLOCK = 1 << 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was found of a file, and how it lay there afterwards."""

    sha256: str
    repairs: str
    size: int
    mtime: float


def known(file: BinaryIO, name: str, layout: Layout) -> Known:
    """Read a file, and close it; raises OSError."""
    with closing(file):
        sha256, repairs = _hashed(file), _repairs(file, name, layout)
        stat = os.fstat(file.fileno())
        return Known(sha256=sha256, repairs=repairs, size=stat.st_size, mtime=stat.st_mtime)


def mended(file: BinaryIO, name: str, layout: Layout) -> str:
    """Return the reference of the receipt whose rejects a file mends, and close it."""
    with closing(file):
        return _repairs(file, name, layout)


def length(path: Path) -> int:
    """Count lines, of what is in a packed file too; records may be fewer."""
    try:
        with path.open("rb") as file, unpacked(file, path.name) as (plain, inner):
            if is_sheet(inner):
                return 0
            return max(1, sum(block.count(b"\n") for block in iter(partial(plain.read, BLOCK), b"")) - 1)
    except Unreadable:
        return 0


def _hashed(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _repairs(file: BinaryIO, name: str, layout: Layout) -> str:
    """Return the reference in the first readable row of a file of rows that were handed back, else nothing."""
    try:
        with opened(file, name, layout) as found:
            header = [name.strip() for name in next(found, None) or ()]
            if BERKAS not in header:
                return ""
            told = next((said for cells in found if (said := ours(header, cells, found.raw, layout.dialect))), {})
    except (csv.Error, Unreadable):
        return ""
    return reference_mended(told.get(BERKAS, "")) or "?"
