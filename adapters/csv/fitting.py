"""The name under which a file is put aside and away: on one line, in UTF-8, with room for what is put behind it."""

import re
from collections.abc import Callable
from hashlib import sha256

LONGEST = 180
"""Bytes of a name: disks take 255, and behind it stand what tells it from others and what a paper is."""
_TAILS = (60, 30, 100, 140, 15)
_TOLD = 10
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def fitting(name: str, suits: Callable[[str], bool]) -> str | None:
    """Return a name as it is where that will do, else with signs escaped (`%E9`) and the middle left out.

    None where no such name `suits`.
    """
    plain = readable(name)
    if len(plain.encode()) <= LONGEST:
        return plain if plain == name or suits(plain) else None
    told = sha256(plain.encode()).hexdigest()[: _TOLD - 2]
    return next((one for tail in _TAILS if suits(one := _shortened(plain, told, tail))), None)


def readable(name: str) -> str:
    """Return a name without line breaks, and without bytes that are no UTF-8."""
    return _UNFIT.sub(lambda sign: f"%{ord(sign[0]) & 0xFF:02X}", name)


def _shortened(name: str, told: str, tail: int) -> str:
    signs = name.encode()
    head, end = signs[: LONGEST - _TOLD - tail], signs[-tail:]
    return f"{head.decode(errors='ignore')}~{told}~{end.decode(errors='ignore')}"
