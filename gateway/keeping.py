"""How a feed's rows are kept, by its settings and by what its agency's operations ask of it."""

from collections.abc import Iterator, Sequence

from gateway.feeds import Keeping, Mode
from gateway.translate.compile import CompiledRow, fingerprint


def keeping_of(
    row: CompiledRow, asked: Sequence[Sequence[str]], *, mode: Mode, key: tuple[str, ...], newer: str | None
) -> Keeping:
    """Return how rows are kept; `asked` has the fields that each operation asks for."""
    ours = [tuple(name for name in each if name in row.schema.paths) for each in asked]
    indexes = tuple(dict.fromkeys(_indexes(ours)))
    mapping = fingerprint(row.fingerprint, key, newer, indexes)
    return Keeping(mode=mode, key=key, newer=newer, indexes=indexes, mapping=mapping)


def _indexes(asked: Sequence[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Yield by which fields rows are looked up: together as each operation does, and each by itself."""
    yield from filter(None, asked)
    firsts = {index[:1] for index in asked if len(index) > 1}
    yield from ((name,) for index in asked for name in index if (name,) not in firsts)
