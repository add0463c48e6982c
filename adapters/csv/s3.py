"""S3 and what speaks like it, such as MinIO, by obstore; the only file that knows that library.

There is no renaming: a file is written under its new name and taken away under its old one. The time it was written
and where it came from go along as its metadata, so that it stays the same file, and one that was left behind is found.
"""

import errno
import posixpath
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from adapters.csv.drop import Entry
from adapters.csv.place import DropLogin, Place
from adapters.csv.remote import Changed
from gateway import ConfigError, Finding

if TYPE_CHECKING:
    from obstore import GetResult, ObjectMeta
    from obstore.store import ClientConfig, S3Config

BLOCK = 1 << 20
PART = 5 << 20
"""The least that a part of a file may have, by S3's own rule."""
PARTS_AT_ONCE = 2
WRITTEN, FROM = "gateway-written", "gateway-from"
FOLDERS = 8
"""Of how many folders it is remembered when each file was written."""
_LONGEST = 300


class S3Server:
    """A bucket, or what begins with a path in it; raises ConfigError for an authority's file that is none."""

    def __init__(self, place: Place, login: DropLogin, setting: str) -> None:
        self.place = place
        self._store = _store(place, login, setting)

    async def connect(self) -> "S3Wire":
        """Each request is for itself; the library keeps the connections."""
        return S3Wire(self._store)

    def trouble(self, error: Exception, /) -> OSError:
        """Say what an exception of obstore means."""
        match error:
            case OSError():
                return error
            case PermissionDeniedError() | UnauthenticatedError():
                return PermissionError(errno.EACCES, f"its server does not allow it: {_said(error)}")
            case BaseError():
                return ConnectionResetError(errno.ECONNRESET, _said(error))
        return OSError(errno.EIO, f"its server says what is not understood: {type(error).__name__}")


class S3Wire:
    """The store, one thing at a time."""

    def __init__(self, store: S3Store) -> None:
        self._store = store
        self._written: dict[str, dict[tuple[str, datetime], float]] = {}

    async def list(self, folder: str, /) -> Sequence[Entry]:
        """Return the objects of a folder; below the drop's own, files are as old as they were when they came."""
        prefix = f"{folder}/" if folder else None
        found = await obstore.list_with_delimiter_async(self._store, prefix=prefix)
        files = [each for each in found["objects"] if each["path"] != folder]
        times = await self._times(folder, files) if folder else {}
        return [
            Entry(
                name=posixpath.basename(each["path"]),
                size=each["size"],
                mtime=times.get(_version(each), each["last_modified"].timestamp()),
            )
            for each in files
        ]

    async def read(self, name: str, after: int, /) -> AsyncIterator[bytes]:
        """Yield an object's bytes."""
        async for block in self._blocks(name, after):
            yield block

    async def write(self, name: str, blocks: AsyncIterator[bytes], /) -> None:
        """Write an object: it is there whole, or not at all."""
        await self._put(name, blocks, {})

    async def move(self, name: str, to: str, entry: Entry, /) -> None:
        """Copy, and take the old one away, and what an earlier move that broke off left of it.

        What is copied is what was seen; one that is written in its place meanwhile is not taken away.
        """
        got = await obstore.get_async(self._store, name)
        before, meta = got.attributes, got.meta
        if meta["size"] != entry.size or not _is_of(entry.mtime, meta, before):
            raise Changed(errno.EBUSY, "it changed before it was moved")
        await self._put(to, _bytes(got), {WRITTEN: repr(entry.mtime), FROM: quote(name)})
        if _content(await obstore.head_async(self._store, name)) == _content(meta):
            await self.remove(name)
        if (left := unquote(before.get(FROM, ""))) and await self._is_left(left, entry):
            await self.remove(left)

    async def remove(self, name: str, /) -> None:
        """Take an object away."""
        await obstore.delete_async(self._store, name)

    async def make(self, folder: str, /) -> None:
        """Folders are there as soon as something is in them."""

    async def close(self) -> None:
        """Nothing is kept open that would not close by itself."""

    def abort(self) -> None:
        """Requests end when they are given up."""

    async def _blocks(self, name: str, after: int) -> AsyncIterator[bytes]:
        meta = await obstore.head_async(self._store, name)
        if after >= meta["size"]:
            return
        got = await obstore.get_async(self._store, name, options={"range": {"offset": after}} if after else {})
        async for block in _bytes(got):
            yield block

    async def _put(self, name: str, blocks: AsyncIterator[bytes], noted: dict[str, str]) -> None:
        first = b""
        async for block in blocks:
            first += block
            if len(first) >= PART:
                parts = _joined(first, blocks)
                await obstore.put_async(
                    self._store, name, parts, attributes=noted, chunk_size=PART, max_concurrency=PARTS_AT_ONCE
                )
                return
        await obstore.put_async(self._store, name, first, attributes=noted, use_multipart=False)

    async def _is_left(self, name: str, entry: Entry) -> bool:
        folder, base = posixpath.split(name)
        there = next((each for each in await self.list(folder) if each.name == base), None)
        return there is not None and (there.size, there.mtime) == (entry.size, entry.mtime)

    async def _times(self, folder: str, files: "Sequence[ObjectMeta]") -> Mapping[tuple[str, datetime], float]:
        known = self._written.pop(folder, {})
        times = {}
        for each in files:
            version = _version(each)
            if version not in known:
                noted = await self._noted(each["path"])
                known[version] = _written(each, noted)
            times[version] = known[version]
        self._written[folder] = times
        if len(self._written) > FOLDERS:
            del self._written[next(iter(self._written))]
        return times

    async def _noted(self, name: str) -> Mapping[str, str]:
        got = await obstore.get_async(self._store, name, options={"head": True})
        return got.attributes


def _version(meta: "ObjectMeta") -> tuple[str, datetime]:
    return posixpath.basename(meta["path"]), meta["last_modified"]


def _written(meta: "ObjectMeta", noted: Mapping[str, str]) -> float:
    """Return when an object was written, before it was moved."""
    return float(noted.get(WRITTEN, meta["last_modified"].timestamp()))


def _is_of(moment: float, meta: "ObjectMeta", noted: Mapping[str, str]) -> bool:
    """Tell whether an object was written then; what is asked for singly tells whole seconds, and listings parts."""
    times = (meta["last_modified"].timestamp(), _written(meta, noted))
    return any(abs(moment - each) < 1 for each in times)


def _content(meta: "ObjectMeta") -> tuple[object, ...]:
    """Return what tells one object of a name from another."""
    return meta["size"], meta["last_modified"], meta["e_tag"]


async def _bytes(got: "GetResult") -> AsyncIterator[bytes]:
    async for block in got.stream(BLOCK):
        yield bytes(block)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for block in rest:
        yield block


def _said(error: Exception) -> str:
    return " ".join(str(error).partition("Debug source")[0].split())[:_LONGEST]


def _store(place: Place, login: DropLogin, setting: str) -> S3Store:
    options: ClientConfig = {
        "connect_timeout": "15s",
        "timeout": "10m",
        "allow_http": login.endpoint.startswith("http://"),
    }
    if login.ca is not None:
        options["root_certificate"] = login.ca.read_bytes()
    config: S3Config = {
        "access_key_id": login.access_key,
        "secret_access_key": login.secret_key.get_secret_value() if login.secret_key else "",
        "region": login.region,
    }
    if login.endpoint:
        config["endpoint"] = login.endpoint
    try:
        return S3Store(
            place.host,
            prefix=place.path.strip("/") or None,
            config=config,
            client_options=options,
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=20)},
        )
    except (BaseError, ValueError) as error:
        where = f"{setting}.ca" if login.ca is not None else setting
        raise ConfigError(Finding(where=where, what=f"can't be used: {_said(error)}")) from error
