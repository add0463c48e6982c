"""FTP and FTPS as aioftp speaks them, TLS asked for or there from the start; the only file that knows that library."""

import asyncio
import errno
import posixpath
import ssl
from calendar import timegm
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal

import aioftp

from adapters.csv.drop import Entry
from adapters.csv.ftps_data import TlsData
from adapters.csv.place import HOME, DropLogin, Place
from gateway import ConfigError, Finding

CONNECTS = 15.0
IMPLICIT = 990
"""The port on which TLS is there from the start; on others it is asked for (AUTH TLS)."""
GOODBYE = 1.0
Lists = Literal["MLSD", "LIST"]


class FtpServer:
    """A folder behind an FTP server; raises ConfigError for an authority's file that is none."""

    def __init__(self, place: Place, login: DropLogin, setting: str) -> None:
        self.place = place
        self._login = login
        self._tls = _tls(login, setting) if place.kind == "ftps" else None

    async def connect(self) -> "FtpWire":
        """Connect, be sure of the server where it can be sure of, log in and go to the folder."""
        client = _Client(connection_timeout=CONNECTS, ssl=self._tls if self._is_implicit else None)
        try:
            await client.connect(self.place.host, self.place.port)
            if self._is_implicit:
                await client.command("PBSZ 0", "200")
                await client.command("PROT P", "200")
            elif self._tls is not None:
                await client.upgrade_to_tls(self._tls)
            password = self._login.password.get_secret_value() if self._login.password else ""
            await _log_in(client, self.place.user, password)
            with suppress(aioftp.StatusCodeError):
                await client.command("OPTS UTF8 ON", "2xx")
            return FtpWire(client, await self._base(client), lists=await _lists(client))
        except BaseException:
            client.close()
            raise

    def trouble(self, error: Exception, /) -> OSError:
        """Say what an exception of aioftp means."""
        match error:
            case ssl.SSLCertVerificationError():
                text = f"its server's certificate is not trusted: {error.verify_message}; name its authority as ca"
                return ConnectionRefusedError(errno.ECONNREFUSED, text)
            case ssl.SSLError():
                return ConnectionRefusedError(errno.ECONNREFUSED, f"TLS failed: {error.reason}")
            case aioftp.StatusCodeError():
                return _meant(error)
            case OSError():
                return error
            case UnicodeDecodeError():
                return OSError(errno.EILSEQ, "its server's file names are not written in UTF-8")
        return OSError(errno.EIO, f"its server says what is not understood: {type(error).__name__}")

    @property
    def _is_implicit(self) -> bool:
        asked = self._login.implicit
        return self._tls is not None and (self.place.port == IMPLICIT if asked is None else asked)

    async def _base(self, client: aioftp.Client) -> str:
        path = self.place.path
        if path == HOME or path.startswith(f"{HOME}/"):
            home = str(await client.get_current_directory())
            return posixpath.join(home, path.removeprefix(HOME).lstrip("/")).rstrip("/") or "/"
        return path or "/"


async def _log_in(client: aioftp.Client, user: str, password: str) -> None:
    try:
        await client.login(user, password)
    except aioftp.StatusCodeError as error:
        text = f"its server does not accept the login ({error.received_codes[-1]})"
        raise ConnectionRefusedError(errno.ECONNREFUSED, text) from error


async def _lists(client: aioftp.Client) -> Lists:
    """Return by which command the server lists best."""
    with suppress(aioftp.StatusCodeError):
        _, features = await client.command("FEAT", "211")
        if any(feature.split()[:1] == ["MLST"] for feature in features):
            return "MLSD"
    return "LIST"


class _Client(aioftp.Client):
    """Has data connections of our own where there is TLS, and closes that of a command that was refused."""

    _data: TlsData | asyncio.StreamWriter | None = None

    async def finish(self) -> None:
        """End a file that was sent."""
        if isinstance(self._data, TlsData):
            await self._data.finish()

    async def command(self, *arguments: Any, **more: Any) -> Any:
        try:
            return await super().command(*arguments, **more)
        except aioftp.StatusCodeError:
            if self._data is not None:
                self._data.close()
            raise

    async def _open_connection(self, host: str, port: int) -> Any:
        if self._stream is None:
            return await super()._open_connection(host, port)
        control = self.stream.writer.get_extra_info("ssl_object")
        if control is None:
            reader, self._data = await super()._open_connection(host, port)
            return reader, self._data
        self._data = await TlsData.connect(host, port, self.server_host, control, CONNECTS)
        return self._data, self._data


class FtpWire:
    """A connection, on which one thing is done at a time."""

    def __init__(self, client: _Client, base: str, lists: Lists) -> None:
        self._client = client
        self._base = base
        self._lists = lists

    async def list(self, folder: str, /) -> Sequence[Entry]:
        """Return the files of a folder; of a server without MLSD the times come by MDTM, file by file."""
        await self._client.change_directory(self._path(folder))
        found = await self._client.list("", raw_command=self._lists)
        files = [(path.name, info) for path, info in found if info["type"] == "file"]
        return [
            Entry(name=name, size=int(info["size"]), mtime=await self._written(folder, name, info["modify"]))
            for name, info in files
        ]

    async def read(self, name: str, after: int, /) -> AsyncIterator[bytes]:
        """Yield a file's bytes; the server says at their end whether that was all."""
        async with self._client.download_stream(self._path(name), offset=after) as stream:
            async for block in stream.iter_by_block(1 << 16):
                yield block

    async def write(self, name: str, blocks: AsyncIterator[bytes], /) -> None:
        """Write a file; FTP knows no way to have it synced."""
        try:
            async with self._client.upload_stream(self._path(name)) as stream:
                async for block in blocks:
                    await stream.write(block)
                await self._client.finish()
        except aioftp.StatusCodeError as error:
            raise _denied(error) from error

    async def replace(self, name: str, to: str, /) -> None:
        """Rename; some servers let one take another's place so, and some don't."""
        await self._rename(name, to)

    async def move(self, name: str, to: str, _: Entry, /) -> None:
        """Rename."""
        await self._rename(name, to)

    async def remove(self, name: str, /) -> None:
        """Take a file away."""
        await self._client.remove_file(self._path(name))

    async def make(self, folder: str, /) -> None:
        """Make a folder."""
        try:
            await self._client.command(f"MKD {self._path(folder)}", "257")
        except aioftp.StatusCodeError as error:
            raise _denied(error) from error

    async def close(self) -> None:
        """Hang up; a server that does not say goodbye is not waited for."""
        writer = self._client.stream.writer
        writer.close()
        try:
            async with asyncio.timeout(GOODBYE):
                await writer.wait_closed()
        finally:
            self.abort()

    def abort(self) -> None:
        """Hang up at once."""
        self._client.stream.writer.transport.abort()

    async def _rename(self, name: str, to: str) -> None:
        try:
            await self._client.rename(self._path(name), self._path(to))
        except aioftp.StatusCodeError as error:
            raise _denied(error) from error

    async def _written(self, folder: str, name: str, listed: str) -> float:
        """Return when a file was written: LIST tells no seconds, and the time of a zone that it does not name."""
        if self._lists == "LIST":
            with suppress(aioftp.StatusCodeError):
                _, said = await self._client.command(f"MDTM {self._path(posixpath.join(folder, name))}", "213")
                listed = said[-1].strip()
        return _moment(listed)

    def _path(self, name: str) -> str:
        return posixpath.join(self._base, name) if name else self._base


def _moment(text: str) -> float:
    """Read `20261124075959.123`, which is UTC."""
    whole, _, fraction = text.partition(".")
    seconds = timegm(datetime.strptime(whole, "%Y%m%d%H%M%S").timetuple())  # noqa: DTZ007 - timegm takes UTC
    return seconds + (float(f"0.{fraction}") if fraction.isdecimal() else 0.0)


def _meant(error: aioftp.StatusCodeError) -> OSError:
    """Return what a refusal means where nothing is written: 550 is then no such file, or none for us."""
    code, text = str(error.received_codes[-1]), " ".join(error.info).strip()
    if code == "550":
        return FileNotFoundError(errno.ENOENT, f"its server says: {code} {text}")
    if code in {"421", "425", "426"}:
        return ConnectionResetError(errno.ECONNRESET, f"its server says: {code} {text}")
    if code in {"452", "552"}:
        return OSError(errno.ENOSPC, f"its server says: {code} {text}")
    return OSError(errno.EIO, f"its server says: {code} {text}")


def _denied(error: aioftp.StatusCodeError) -> OSError:
    """Return what a refusal means where something is written whose folder and file are there."""
    meant = _meant(error)
    if str(error.received_codes[-1]) in {"532", "550", "553"}:
        return PermissionError(errno.EACCES, meant.strerror)
    return meant


def _tls(login: DropLogin, setting: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=login.ca)
    except ssl.SSLError as error:
        what, remedy = f"{login.ca} holds no certificate", "write a PEM file of the authority"
        raise ConfigError(Finding(where=f"{setting}.ca", what=what, remedy=remedy)) from error
