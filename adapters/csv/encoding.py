"""By which encoding a text is read: its BOM's, else the first declared that fits; knows no lines."""

import codecs
from typing import BinaryIO

from adapters.csv.settings import Dialect

BLOCK = 1 << 17
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
HEAD = 4096


def find_encoding(file: BinaryIO, dialect: Dialect) -> tuple[str, bool]:
    """Return the encoding, and whether every byte fits: a BOM's, else the first declared that fits, else the last.

    What is declared decides, as guessing from letters goes wrong on short files.
    """
    candidates = _announced(file.read(HEAD)) or dialect.encodings
    for name in candidates:
        if _fits(file, name):
            return name, True
    return candidates[-1], False


def _announced(head: bytes) -> tuple[str, ...]:
    for bom, name in BOMS:
        if head.startswith(bom):
            return (name,)
    # UTF-16 that lost its BOM: in mostly plain text every second byte is NUL.
    half = len(head) // 2
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[first::2].count(0) > half // 2:
            return (name,)
    return ()


def _fits(file: BinaryIO, encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        while block := file.read(BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True
