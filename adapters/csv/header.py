"""The first line of a file against the columns that are read; the cheapest detector of a changed export there is."""

from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches

from gateway import LINE, OF, FieldError, mask_text

OURS = (LINE, "_alasan", OF)
"""Columns of rows that were handed back, which no mapping names."""

LONGEST_NAME = 40
MOST_NAMES = 12


def header_errors(found: Sequence[str], wanted: Sequence[str], *, only: bool = False) -> tuple[FieldError, ...]:
    """Return one error that names every difference that matters, none when all `wanted` are there exactly once.

    With `only` there may be no others.

    The difference reads `no_bacth -> no_batch; -posyandu; +catatan; nik_anak x2`: renamed, missing, added, repeated.
    Of a line that is no header at all nothing is told: a person's data may stand there.
    """
    missing = [name for name in wanted if name not in found]
    repeated = [name for name, times in Counter(found).items() if times > 1 and name in wanted]
    added = [name for name in dict.fromkeys(found) if name and name not in wanted and name not in OURS]
    if not missing and not repeated and not (only and added):
        return ()
    renamed = _nearest(missing, added)
    if len(missing) == len(wanted) > 2 * len(renamed) and not (renamed and len(found) == 1):
        return (FieldError(pointer="", rule="no-header", params={"columns": ", ".join(_short(wanted))}),)
    parts = [f"{_shown(renamed[name])} -> {name}" if name in renamed else f"-{name}" for name in missing]
    parts += [f"+{_shown(name)}" for name in added if name not in renamed.values()]
    parts += [f"{name} x{found.count(name)}" for name in repeated]
    return (FieldError(pointer="", rule="header", params={"difference": "; ".join(_short(parts))}),)


def _short(parts: Sequence[str]) -> Sequence[str]:
    return parts if len(parts) <= MOST_NAMES else [*parts[:MOST_NAMES], "…"]


def _nearest(missing: Sequence[str], added: Sequence[str]) -> dict[str, str]:
    """Return, for each missing name that has one, the added name most like it, whatever its letters' case."""
    left = {name.casefold(): name for name in reversed(added)}
    pairs = {}
    for name in missing:
        for near in get_close_matches(name.casefold(), left, n=1, cutoff=0.5):
            pairs[name] = left.pop(near)
    return pairs


def _shown(name: str) -> str:
    """Return a name fit to be read: where the header line is missing, a person's data stands in its place."""
    readable = "".join(letter if letter.isprintable() else "?" for letter in name)
    masked = mask_text(readable)
    return masked if len(masked) <= LONGEST_NAME else masked[:LONGEST_NAME] + "…"
