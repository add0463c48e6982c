"""SFTP, as asyncssh speaks it; the only file that knows that library's client."""

import errno
import posixpath
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import cast

import asyncssh

from adapters.csv.drop import Entry
from adapters.csv.place import HOME, DropLogin, Place
from gateway import ConfigError, Finding

BLOCK = 1 << 20
CONNECTS = 15.0
KEEPALIVE = 15.0
"""Seconds between two signs of life on a silent connection; three that are missed end it."""
_FILES = frozenset({asyncssh.FILEXFER_TYPE_REGULAR})
_MEANS: tuple[tuple[tuple[type[Exception], ...], type[OSError], int], ...] = (
    ((asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath), FileNotFoundError, errno.ENOENT),
    ((asyncssh.SFTPFileAlreadyExists,), FileExistsError, errno.EEXIST),
    ((asyncssh.SFTPPermissionDenied, asyncssh.SFTPWriteProtect), PermissionError, errno.EACCES),
    ((asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded), OSError, errno.ENOSPC),
    ((asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection), ConnectionResetError, errno.ECONNRESET),
)


class SftpServer:
    """A folder behind sshd; raises ConfigError for keys that can't be used."""

    def __init__(self, place: Place, login: DropLogin, setting: str) -> None:
        self.place = place
        self._login = login
        self._known = _known_hosts(place, login, setting)
        self._key = _private_key(login, setting)

    async def connect(self) -> "SftpWire":
        """Open a connection to a server that has the right key, and log in."""
        password = self._login.password
        connection = await asyncssh.connect(
            self.place.host,
            self.place.port,
            username=self.place.user,
            password=password.get_secret_value() if password else None,
            client_keys=[self._key] if self._key else None,
            known_hosts=self._known,
            client_factory=lambda: _Client(self._login.host_key),
            # Nothing of the person's who runs the gateway: neither settings nor keys nor an agent.
            config=None,
            agent_path=None,
            connect_timeout=CONNECTS,
            login_timeout=CONNECTS,
            keepalive_interval=KEEPALIVE,
        )
        try:
            path = self.place.path
            home = path == HOME or path.startswith(f"{HOME}/")
            base = path.removeprefix(HOME).lstrip("/") or "." if home else path or "/"
            return SftpWire(connection, await connection.start_sftp_client(), base)
        except BaseException:
            connection.abort()
            raise

    def trouble(self, error: Exception, /) -> OSError:
        """Say what an exception of asyncssh means."""
        for kinds, means, number in _MEANS:
            if isinstance(error, kinds):
                return means(number, str(error))
        match error:
            case OSError():
                return error
            case asyncssh.HostKeyNotVerifiable():
                text = (
                    "its server shows another key than the one in drop_login: it was set up anew, or somebody stands "
                    "between; ask its owner"
                )
                return ConnectionRefusedError(errno.ECONNREFUSED, text)
            case asyncssh.PermissionDenied():
                return ConnectionRefusedError(errno.ECONNREFUSED, "its server does not accept the login")
            case asyncssh.DisconnectError():
                return ConnectionResetError(errno.ECONNRESET, f"the connection broke: {error.reason}")
        return OSError(errno.EIO, f"its server says: {error}")


class _Client(asyncssh.SSHClient):
    """Tells a server by the fingerprint of its key."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint.rstrip("=")

    def validate_host_public_key(self, _host: str, _addr: str, _port: int, key: asyncssh.SSHKey) -> bool:
        """Tell whether a key that no list has is the one that was named."""
        return bool(self._fingerprint) and key.get_fingerprint() == self._fingerprint


class SftpWire:
    """A connection; OpenSSH's rename takes no other's place, and its posix-rename does."""

    def __init__(self, connection: asyncssh.SSHClientConnection, client: asyncssh.SFTPClient, base: str) -> None:
        self._connection = connection
        self._client = client
        self._base = base

    async def list(self, folder: str, /) -> Sequence[Entry]:
        """Return the files of a folder; links are none, since they may lead anywhere."""
        found = []
        async for each in self._client.scandir(self._path(folder)):
            if each.attrs.type in _FILES and isinstance(each.filename, str):
                size, mtime = each.attrs.size or 0, each.attrs.mtime or 0
                fraction = (each.attrs.mtime_ns or 0) / 1e9
                found.append(Entry(name=each.filename, size=size, mtime=mtime + fraction))
        return found

    async def read(self, name: str, after: int, /) -> AsyncIterator[bytes]:
        """Yield a file's bytes; a block is asked for in several parts at once."""
        async with self._client.open(self._path(name), "rb") as file:
            while block := cast("bytes", await file.read(BLOCK, after)):
                yield block
                after += len(block)

    async def write(self, name: str, blocks: AsyncIterator[bytes], /) -> None:
        """Write a file, and have it synced where the server knows how to."""
        async with self._client.open(self._path(name), "wb") as file:
            async for block in blocks:
                await file.write(block)
            with suppress(asyncssh.SFTPOpUnsupported):
                await file.fsync()

    async def replace(self, name: str, to: str, /) -> None:
        """Rename in one step, by an extension that most servers know."""
        try:
            await self._client.posix_rename(self._path(name), self._path(to))
        except asyncssh.SFTPOpUnsupported:
            await self._client.rename(self._path(name), self._path(to))

    async def move(self, name: str, to: str, _: Entry, /) -> None:
        """Rename, which fails where the name was taken meanwhile."""
        await self._client.rename(self._path(name), self._path(to))

    async def remove(self, name: str, /) -> None:
        """Take a file away."""
        await self._client.remove(self._path(name))

    async def make(self, folder: str, /) -> None:
        """Make a folder."""
        await self._client.mkdir(self._path(folder))

    async def close(self) -> None:
        """Hang up."""
        self.abort()
        await self._connection.wait_closed()

    def abort(self) -> None:
        """Hang up at once."""
        self._connection.abort()

    def _path(self, name: str) -> str:
        return posixpath.join(self._base, name) if name else self._base


def _known_hosts(place: Place, login: DropLogin, setting: str) -> asyncssh.SSHKnownHosts:
    if login.known_hosts is None:
        return asyncssh.import_known_hosts("")
    where = f"{setting}.known_hosts"
    try:
        known = asyncssh.read_known_hosts(str(login.known_hosts))
    except (OSError, ValueError) as error:
        raise ConfigError(Finding(where=where, what=f"{login.known_hosts} can't be read: {error}")) from error
    if not login.host_key and not any(known.match(place.host, "", place.port)[:2]):
        what = f"{login.known_hosts} has no key of {place.host}"
        remedy = f"ask its owner for it; `ssh-keyscan -p {place.port} {place.host}` shows what answers now"
        raise ConfigError(Finding(where=where, what=what, remedy=remedy))
    return known


def _private_key(login: DropLogin, setting: str) -> asyncssh.SSHKey | None:
    if login.key is None:
        return None
    secret = login.key_password.get_secret_value() if login.key_password else None
    try:
        return asyncssh.read_private_key(str(login.key), secret)
    except (OSError, asyncssh.KeyEncryptionError, asyncssh.KeyImportError) as error:
        what = f"{login.key} can't be read as a private key: {error}"
        remedy = "make one with ssh-keygen -t ed25519; a locked one needs key_password, and ssh-keygen -p -m PKCS8"
        raise ConfigError(Finding(where=f"{setting}.key", what=what, remedy=remedy)) from error
