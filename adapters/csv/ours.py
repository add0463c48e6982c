"""Our own columns in a row that comes back mended, read though its quotes are broken; knows no receipt."""

import csv
from collections.abc import Mapping, Sequence

from adapters.csv.settings import Dialect
from gateway import LINE, OF, is_whole


def ours(header: Sequence[str], cells: Sequence[str] | None, raw: str, dialect: Dialect) -> Mapping[str, str]:
    """Return what a row says of the line and the file that it was in, nothing where that can't be trusted.

    Of a row that is no cells `raw` is its first line: our columns are mostly before what broke.
    """
    if cells is not None:
        return _named(header, cells)
    try:
        found = _named(header, next(csv.reader([raw], delimiter=dialect.delimiter, quotechar=dialect.quote), ()))
    except csv.Error:
        return {}
    return found if is_whole(found.get(OF, ""), found.get(LINE, "")) else {}


def _named(header: Sequence[str], cells: Sequence[str]) -> Mapping[str, str]:
    return {name: cell.strip() for name, cell in zip(header, cells, strict=False) if name in {LINE, OF}}
