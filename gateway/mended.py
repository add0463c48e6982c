"""Which record of which file a row was that comes back mended, and before that of which other; knows no file."""

import re

SHEET = 100_000_000
"""What the lines of a further sheet are counted on from, so that no two of a workbook are one."""
_REFERENCE = re.compile(r"r-[0-9a-f]{12}")
_RECORD = re.compile(r"r-[0-9a-f]{12}:[0-9]{1,12}")
_OF = re.compile(rf"r-[0-9a-f]{{12}}( {_RECORD.pattern})*")
_LINE = re.compile(r"([0-9]{1,8})(?: \(rejected ([0-9]{1,4})\))?")
_LOST = "?"


def reference_mended(of: str) -> str:
    """Return the reference of the receipt whose rejects a row mends, as its column says, "" where it says none."""
    return next(iter(of.split()), "")


def is_reference(of: str) -> bool:
    """Tell whether this is the reference of a receipt, and no rest of one."""
    return bool(_REFERENCE.fullmatch(of))


def records_mended(of: str, line: str) -> tuple[str, ...]:
    """Return which records a mended row was, `r-0123456789ab:5`, the newest first; none where that can't be told."""
    reference, *others = of.split() or [""]
    before = tuple(one for one in others if _RECORD.fullmatch(one))
    return (f"{reference}:{_counted(line)}", *before) if reference and line else before


def handed_back_as(reference: str, records: tuple[str, ...], *, lost: bool = False) -> str:
    """Return what the column says of a row that is handed back by a receipt, which was those records before.

    Of one that is `lost` nobody can tell any more which they were.
    """
    return " ".join((reference, *records, *([_LOST] if lost else [])))


def is_lost(of: str) -> bool:
    """Tell whether a row was one of which nobody can tell any more which records it was."""
    return _LOST in of.split()[1:]


def is_whole(of: str, line: str) -> bool:
    """Tell whether both columns are as they were handed back."""
    return bool(_OF.fullmatch(of) and _LINE.fullmatch(line))


def shown_line(line: int) -> str:
    """Return a line as a clerk finds it: `5`, or `5 (rejected 2)` in the sheet of that name."""
    sheet, row = divmod(line - 1, SHEET)
    return f"{row + 1} (rejected {sheet + 1})" if sheet else str(line)


def _counted(line: str) -> str:
    found = _LINE.fullmatch(line)
    return str((int(found[2]) - 1) * SHEET + int(found[1])) if found and found[2] else line
