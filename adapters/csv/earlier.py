"""What lies of a file already where its papers go: told apart by whose it is, never written over."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import PurePosixPath
from typing import BinaryIO

from adapters.csv.drop import Drop
from gateway import Filing

RECEIPT = ".receipt.json"


def names_apart(name: str, reference: str, number: int) -> list[str]:
    """Return what a file may be called where another has its name, the best first: by its content and its receipt."""
    path = PurePosixPath(name)
    own = f"{path.stem}.{reference}-{number}"
    return [f"{own}{path.suffix}", *(f"{own}.{again}{path.suffix}" for again in range(2, 100))]


async def keep_earlier(drop: Drop, place: PurePosixPath, filing: Filing, rejects: Sequence[str]) -> None:
    """Rename what an earlier receipt said of the file at `place`, and the `rejects` that it handed back.

    The receipt itself comes last: where this broke off it is gone on with.
    """
    there = {entry.name for entry in await drop.list(str(place.parent))}
    if place.name + RECEIPT not in there:
        return
    file = await drop.open(f"{place}{RECEIPT}")
    number, reference = await drop.disk.do(_whose, file, filing.reference)
    if number == filing.number:
        return
    moved = [*rejects, *(f"{place}{ending}" for ending in filing.papers if ending != RECEIPT), f"{place}{RECEIPT}"]
    folders = {str(PurePosixPath(one).parent) for one in moved}
    taken = {f"{folder}/{entry.name}" for folder in folders for entry in await drop.list(folder)}
    for own in names_apart(place.name, reference, number):
        renamed = [f"{PurePosixPath(one).parent}/{own}{PurePosixPath(one).name[len(place.name) :]}" for one in moved]
        if taken.isdisjoint(renamed):
            for one, to in zip(moved, renamed, strict=True):
                await drop.move(one, to)
            return


def _whose(file: BinaryIO, reference: str) -> tuple[int, str]:
    """Return the number and the reference of the receipt; 0 of one that can't be read any more."""
    with closing(file):
        try:
            told = json.load(file)
            return int(told["receipt"]), str(told["reference"])
        except (ValueError, LookupError, TypeError):
            return 0, reference
