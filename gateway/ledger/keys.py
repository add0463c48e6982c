"""What the ledger seals bodies and hashes names with, all from one master key; knows no SQL.

Encryption keys are numbered and derived from the master key; a new number is a rotation. The index key, which makes the
keyed hashes that are searched by, never changes: hashes can't be made anew without the plain values.
"""

import base64
import binascii
import hmac
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import ConfigError, Finding
from gateway.message import MessageId

MASTER_BYTES = 32
_FORM, _NONCE_BYTES = 1, 12
_HEADER = struct.Struct(">BH")  # form of the seal, number of the encryption key
_ENVIRONMENT = "${GATEWAY_KEY}"
GIVEN_UP = "start once with --lost-key: everything sealed with the old key then stays unreadable for ever"
"""The way out for whoever has lost a key."""


class Unreadable(Exception):
    """What was sealed can't be opened: another master key made it, or it was changed."""


class Keys:
    """Seals with the encryption key `current`, opens with any; makes keyed hashes."""

    __slots__ = ("_ciphers", "_hmac", "_master", "current")

    def __init__(self, master: bytes, *, current: int = 1) -> None:
        self._master = master
        self._hmac = hmac.new(self._derive("index"), digestmod="sha256")
        self._ciphers: dict[int, AESGCM] = {}
        self.current = current

    @property
    def check(self) -> str:
        """What a ledger keeps to recognise its master key by."""
        return self.hashed("check").hex()

    def seal(self, message: MessageId, field: str, data: bytes) -> bytes:
        """Encrypt a field of a message (AES-256-GCM); it opens only as that field of that message."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher(self.current).encrypt(nonce, data, f"{message}:{field}".encode())
        return _HEADER.pack(_FORM, self.current) + nonce + sealed

    def unseal(self, message: MessageId, field: str, sealed: bytes) -> bytes:
        """Decrypt what `seal` made; raises Unreadable."""
        try:
            _, number = _HEADER.unpack_from(sealed)
            nonce, data = sealed[_HEADER.size : _HEADER.size + _NONCE_BYTES], sealed[_HEADER.size + _NONCE_BYTES :]
            return self._cipher(number).decrypt(nonce, data, f"{message}:{field}".encode())
        except (InvalidTag, ValueError, struct.error) as error:
            raise Unreadable(f"{field} of {message} can't be opened with this master key") from error

    def hashed(self, what: str, *parts: str | bytes) -> bytes:
        """Return the keyed hash (HMAC-SHA256) of values of one kind; kinds and parts never run into each other."""
        made = self._hmac.copy()  # a new one for each value would cost several times as much
        for part in (what, *parts):
            data = part.encode() if isinstance(part, str) else part
            made.update(len(data).to_bytes(4, "big") + data)
        return made.digest()

    def _cipher(self, number: int) -> AESGCM:
        if number not in self._ciphers:
            self._ciphers[number] = AESGCM(self._derive(f"encryption {number}"))
        return self._ciphers[number]

    def _derive(self, purpose: str) -> bytes:
        info = f"opd-gateway ledger {purpose}".encode()
        return HKDF(algorithm=SHA256(), length=MASTER_BYTES, salt=None, info=info).derive(self._master)


def sealed_with(sealed: bytes) -> int:
    """Return the number of the encryption key that sealed this."""
    return int(_HEADER.unpack_from(sealed)[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySource:
    """Where the master key is: `value` from the environment (hex or base64), else the file at `path`.

    With `lost`, a key that is not the ledger's is taken all the same; what the old one sealed stays unreadable.
    """

    value: str | None = None
    path: Path = Path("var/ledger.key")
    lost: bool = False

    def load(self, check: str | None) -> Keys:
        """Return the keys of the ledger that keeps this check value, None for a new ledger, whose key may be made here.

        Raises ConfigError saying what to do when there is no key, it can't be read, or it isn't the ledger's.
        """
        if self.value is not None:
            keys, where = Keys(_decoded(self.value, _ENVIRONMENT)), _ENVIRONMENT
        elif self.path.exists():
            keys, where = Keys(_from_file(self.path)), str(self.path)
        elif check is None or self.lost:
            return Keys(_made(self.path))
        else:
            raise _refusal(str(self.path), "the ledger's key is missing", "put the key file back from its backup, ")
        if check is not None and not self.lost and not hmac.compare_digest(keys.check, check):
            raise _refusal(where, "this is not the key of this ledger", "use the key that it was made with, ")
        return keys


def _refusal(where: str, what: str, remedy: str) -> ConfigError:
    return ConfigError(Finding(where=where, what=what, remedy=f"{remedy}or {GIVEN_UP}"))


def _decoded(text: str, where: str) -> bytes:
    text = text.strip()
    for decode in (bytes.fromhex, _base64):
        try:
            master = decode(text)
        except (ValueError, binascii.Error):
            continue
        if len(master) == MASTER_BYTES:
            return master
    remedy = f"write {MASTER_BYTES} random bytes as hex (`openssl rand -hex {MASTER_BYTES}`) or base64"
    raise ConfigError(Finding(where=where, what="the ledger's key has the wrong form", remedy=remedy))


def _base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _from_file(path: Path) -> bytes:
    try:
        loose = path.stat().st_mode & 0o077
        text = path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        remedy = "let the gateway's user read it"
        raise ConfigError(Finding(where=str(path), what="the ledger's key can't be read", remedy=remedy)) from error
    if loose:
        what, remedy = "others may read the ledger's key", f"chmod 600 {path}"
        raise ConfigError(Finding(where=str(path), what=what, remedy=remedy))
    return _decoded(text, str(path))


def _made(path: Path) -> bytes:
    """Make a master key that is complete as soon as it is there, so that processes starting at once take the same."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(os.urandom(MASTER_BYTES).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            """Another process was quicker; its key is the ledger's."""
        finally:
            fresh.unlink()
        _synced(path.parent)
    except OSError as error:
        remedy = f"let the gateway write in {path.parent}, or give the key as {_ENVIRONMENT}"
        raise ConfigError(Finding(where=str(path), what="the ledger's key can't be made", remedy=remedy)) from error
    return _from_file(path)


def _synced(folder: Path) -> None:
    """A key lost in a power cut takes the ledger with it, so its name must be on disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
