"""Which files a configuration names, to be copied with it; knows no adapter: a text that is a file's path names it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.config.load import Located

_CONTRACTS = frozenset({".wsdl", ".xsd"})
_PRIVATE = b"PRIVATE KEY-----"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Paths below the configuration's folder; `apart` are private keys, and `outside` what lies elsewhere."""

    files: tuple[Path, ...]
    apart: tuple[Path, ...]
    outside: tuple[Path, ...]


def named(located: Located) -> Named:
    """Return the files that gateway.toml names, itself first, and what lies beside a WSDL that it may import."""
    found = dict.fromkeys([Path(located.file)])
    outside: dict[Path, None] = {}
    for text in _texts([located.config.gateway.model_dump(include={"tls"}), *_sections(located)]):
        path = Path(os.path.normpath(located.folder / text))
        if not _is_file(path):
            continue
        if not path.is_relative_to(located.folder):
            outside[path] = None
        else:
            found |= dict.fromkeys(each.relative_to(located.folder) for each in _with_imports(path))
    apart = [path for path in found if _PRIVATE in (located.folder / path).read_bytes()]
    return Named(files=tuple(path for path in found if path not in apart), apart=tuple(apart), outside=tuple(outside))


def _sections(located: Located) -> Iterator[object]:
    return (agency.model_dump() for agency in located.config.agency.values())


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _is_file(path: Path) -> bool:
    with suppress(OSError, ValueError):  # a text that could be no path at all
        return path.is_file()
    return False


def _with_imports(path: Path) -> Iterator[Path]:
    yield path
    if path.suffix in _CONTRACTS:
        yield from (each for each in sorted(path.parent.rglob("*")) if each.suffix in _CONTRACTS and each.is_file())
