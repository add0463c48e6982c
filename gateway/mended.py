"""Which record of which file a row was that comes back mended, and before that of which other; knows no file."""

import re

_RECORD = re.compile(r"r-[0-9a-f]{12}:[0-9]{1,12}")


def reference_mended(of: str) -> str:
    """Return the reference of the receipt whose rejects a row mends, as its column says, "" where it says none."""
    return next(iter(of.split()), "")


def records_mended(of: str, line: str) -> tuple[str, ...]:
    """Return which records a mended row was, `r-0123456789ab:5`, the newest first; none where that can't be told."""
    reference, *others = of.split() or [""]
    before = tuple(one for one in others if _RECORD.fullmatch(one))
    return (f"{reference}:{line}", *before) if reference and line else before


def handed_back_as(reference: str, records: tuple[str, ...]) -> str:
    """Return what the column says of a row that is handed back by a receipt, which was those records before."""
    return " ".join((reference, *records))
