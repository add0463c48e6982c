"""What `gateway check` has to say of the folders through which files come and go: looked at, never touched."""

from collections.abc import Iterator, Mapping
from os.path import exists, isdir  # pathlib's raise where a name is too long
from pathlib import Path

from gateway.config.load import Located
from gateway.errors import Finding

_REMEDY = "make it, or mount it before the gateway starts; then let the gateway's user write there"


def missing(located: Located) -> Iterator[Finding]:
    """Find folders on this machine that are not there, or are no folders; no error, as one may be mounted later."""
    for agency, section in located.config.agency.items():
        for path, place in _places(section.model_extra or {}) if section.adapter == "csv" else ():
            if isinstance(place, str) and place and "://" not in place and not isdir(located.folder / place):  # noqa: PTH112
                yield _finding(located, ("agency", agency, *path), located.folder / place, place)


def _places(settings: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], object]]:
    yield ("drop",), settings.get("drop")
    outs = settings.get("out")
    for name, out in outs.items() if isinstance(outs, Mapping) else ():
        yield ("out", name, "folder"), out.get("folder") if isinstance(out, Mapping) else None


def _finding(located: Located, path: tuple[str, ...], folder: Path, place: str) -> Finding:
    wrong = "is no folder" if exists(folder) else "is not there"  # noqa: PTH110
    what = f"{'.'.join(path)}: {place} {wrong}, so nothing can be taken from or put into it"
    return Finding(where=located.where(*path), what=what, remedy=_REMEDY, warning=True)
