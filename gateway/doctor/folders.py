"""The places through which files come and go: are they there, and may the gateway use them; touches no file."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from adapters.csv.adapter import CsvAdapter
from adapters.csv.files import ARCHIVE
from adapters.csv.place import is_elsewhere
from gateway.doctor.found import Found, error, ok, warning
from gateway.errors import Unavailable
from gateway.wording import counted

_FIRST = 3
"""Names that are told."""
_MOUNT = "make it, or mount it; then let the gateway's user in (ReadWritePaths= under systemd)"


def folders(adapter: CsvAdapter) -> Iterator[tuple[str, Found]]:
    """Look at an agency's folders on this machine; blocks on disks, which may hang."""
    if adapter.drop and not is_elsewhere(adapter.drop):
        yield "folder", _incoming(adapter)
        with suppress(OSError):
            files = [entry.name for entry in os.scandir(adapter.drop) if entry.is_file(follow_symlinks=False)]
            yield from _strays("folder", adapter.drop, adapter, files)
    for name, out in adapter.out.items():
        if not is_elsewhere(out.folder):
            yield "folder", _outgoing(name, Path(out.folder))


async def elsewhere(adapter: CsvAdapter) -> Sequence[tuple[str, Found]]:
    """List where files come from and go to elsewhere: that needs the way there, the server's key and the login."""
    named = {"drop": adapter.drop, **{f"out.{name}.folder": out.folder for name, out in adapter.out.items()}}
    said = []
    for setting, drop in adapter.drops.items():
        if is_elsewhere(named[setting]):
            try:
                names = [entry.name for entry in await drop.list()]
            except Unavailable as failure:
                remedy = "see that its server runs, and lets the gateway in"
                said.append(("drop", error(f"{setting}: {failure}", remedy)))
            else:
                files = counted(len(names), "file")
                said.append(("drop", ok(f"{setting}: {_shown(named[setting])} is there, with {files}")))
                if setting == "drop":
                    said += _strays("drop", _shown(adapter.drop), adapter, names)
    return said


def _strays(check: str, place: str, adapter: CsvAdapter, names: Sequence[str]) -> Iterator[tuple[str, Found]]:
    """Tell of files that are never taken, as their names fit no feed."""
    if found := adapter.strays(names):
        more = f" and {len(found) - _FIRST} more" if len(found) > _FIRST else ""
        what = f"{place} holds {counted(len(found), 'file')} of no feed: {', '.join(found[:_FIRST])}{more}"
        yield check, warning(what, "let the agency give them names that fit `files`, or mend `files`")


def _shown(place: str) -> str:
    """Return an address without who logs in."""
    kind, _, rest = place.partition("://")
    return f"{kind}://{rest.rpartition('@')[2]}"


def _incoming(adapter: CsvAdapter) -> Found:
    folder = Path(adapter.drop)
    if trouble := _trouble(folder, os.R_OK | os.X_OK, "be read"):
        return trouble
    if not os.access(folder, os.W_OK):
        remedy = "let the gateway's user write into it, or each file stays where it is"
        return warning(f"{folder} can be read, but files can't be moved to its archive", remedy)
    names = [name.lower() for below in (folder, *_filed(folder)) for name in os.listdir(below)]  # noqa: PTH208 -- names are all that counts
    lacking = [
        feed for feed, one in adapter.feed.items() if not any(fnmatchcase(name, one.files.lower()) for name in names)
    ]
    if lacking:
        remedy = "has the agency left one yet, and under a name like `files`?"
        return warning(f"{folder} is there, but has no file of {', '.join(lacking)}", remedy)
    return ok(f"{folder} is there, with files of {', '.join(adapter.feed)}")


def _filed(folder: Path) -> Iterator[Path]:
    """Return the folders of files that were taken in before."""
    archive = folder / ARCHIVE
    yield from (each for each in archive.iterdir() if each.is_dir()) if archive.is_dir() else ()


def _outgoing(name: str, folder: Path) -> Found:
    return _trouble(folder, os.W_OK | os.X_OK, "be written to") or ok(f"{folder} is there for {name}")


def _trouble(folder: Path, mode: int, what: str) -> Found | None:
    if not folder.is_dir():
        return error(f"{folder} {'is no folder' if folder.exists() else 'is not there'}", _MOUNT)
    if not os.access(folder, mode):
        return error(f"{folder} can't {what} by this user", "run this as the gateway's user, and let that one in")
    return None
