"""The folder of one agency's pinned WSDL: its record (pinned.toml), writing it, renewing it; reads no network."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from adapters.soap.collect import Taken
from adapters.soap.override import FILE as OVERRIDE
from gateway import ConfigError, Finding

FILE = "pinned.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One pinned file: its name, where it came from, and the hash of what was written."""

    name: str
    origin: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was taken in, from where and when; the first file is the WSDL."""

    source: str
    taken: datetime
    pins: tuple[Pin, ...] = field(default=())

    @property
    def names(self) -> Mapping[str, str]:
        """The names that were given, by origin."""
        return {pin.origin: pin.name for pin in self.pins}

    def edited(self, folder: Path) -> list[str]:
        """Return the files that are gone or were changed since."""
        return [pin.name for pin in self.pins if _hash(folder / pin.name) != pin.sha256]


def record_of(source: str, taken: datetime, files: Sequence[Taken]) -> Record:
    """Return the record of files that were just read."""
    pins = tuple(Pin(name=one.name, origin=one.origin, sha256=one.sha256) for one in files if not _own(one))
    return Record(source=source, taken=taken, pins=pins)


def read_record(folder: Path) -> Record | None:
    """Return a folder's record, None where there is none; raises ConfigError when it can't be understood."""
    path = folder / FILE
    try:
        said: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        pins = (Pin(name=one["name"], origin=one["from"], sha256=one["sha256"]) for one in said.get("file", ()))
        record = Record(source=said["source"], taken=said["taken"], pins=tuple(pins))
        if strange := [pin.name for pin in record.pins if Path(pin.name).name != pin.name]:
            raise ValueError(f"{strange[0]} is no file's name")  # noqa: TRY301 -- one answer to whatever is wrong
        return record  # noqa: TRY300 -- as above
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "delete it, and renew with the WSDL's address: gateway add soap AGENCY URL --renew"
        raise ConfigError(Finding(where=str(path), what=f"can't be understood: {error}", remedy=remedy)) from None


def write(folder: Path, files: Sequence[Taken], record: Record, *, agency: str) -> None:
    """Write the files and then the record, each whole or not at all; delete those that an old record had beside."""
    folder.mkdir(parents=True, exist_ok=True)
    before = read_record(folder)
    for one in files:
        if not _own(one):
            _replace(folder / one.name, one.content)
    _replace(folder / FILE, _text(record, agency).encode())
    kept = {pin.name for pin in record.pins}
    for pin in before.pins if before else ():
        if pin.name not in kept:
            (folder / pin.name).unlink(missing_ok=True)


def _own(file: Taken) -> bool:
    """Files that an override brought are the operator's."""
    return file.origin == OVERRIDE


def _text(record: Record, agency: str) -> str:
    lines = [
        f"# Written by `gateway add soap {agency}`; `gateway add soap {agency} --renew` takes the WSDL in again.",
        "# What must be read differently from what is written belongs into override.toml, not into these files.",
        f"source = {quoted(record.source)}",
        f"taken  = {record.taken.isoformat(timespec='seconds')}",
    ]
    for pin in record.pins:
        lines += ["", "[[file]]", f"name   = {quoted(pin.name)}", f"from   = {quoted(pin.origin)}"]
        lines += [f"sha256 = {quoted(pin.sha256)}"]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Return a text as TOML writes it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
