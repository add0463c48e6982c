"""Who calls: from a key to a client and what it may ask; knows no paths and keeps no keys, only their hashes."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase
from hashlib import sha256

from gateway.edge.needs import Bucket
from gateway.errors import Unauthorized
from gateway.message import OperationId


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyHash:
    """A key as the configuration holds it: SHA-256 in hex, and the last day on which it counts."""

    sha256: str
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A client as configured; `allow` holds operation ids and patterns such as `dpmptsp/*`."""

    name: str
    title: str = ""
    keys: tuple[KeyHash, ...]
    allow: tuple[str, ...]
    bucket: Bucket | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Client:
    """A client that showed a valid key, and the operations it may ask."""

    name: str
    allowed: frozenset[OperationId]
    bucket: Bucket | None


class Clients:
    """Everyone who may call, by the hash of their key: one hash and one look-up, whoever asks.

    `common` are the operations that need no right.
    """

    __slots__ = ("_by_hash", "_by_name")

    def __init__(
        self,
        admissions: Iterable[Admission],
        operations: Collection[OperationId],
        common: Iterable[OperationId] = (),
    ) -> None:
        self._by_hash: dict[bytes, tuple[Client, date | None]] = {}
        self._by_name: dict[str, Client] = {}
        everybody = frozenset(common)
        for admission in admissions:
            allowed = frozenset(o for o in operations if any(fnmatchcase(o, pattern) for pattern in admission.allow))
            client = self._by_name[admission.name] = Client(admission.name, allowed | everybody, admission.bucket)
            for key in admission.keys:
                self._by_hash[bytes.fromhex(key.sha256)] = (client, key.until)

    def find(self, key: bytes | None, now: datetime) -> Client:
        """Return the client this key belongs to; `now` is in the gateway's zone; raises Unauthorized."""
        if key:
            client, until = self._by_hash.get(sha256(key).digest(), (None, None))
            if client is not None and (until is None or now.date() <= until):
                return client
        raise Unauthorized

    def named(self, name: str) -> Client | None:
        """Return a client by its name."""
        return self._by_name.get(name)


def key_of(headers: dict[bytes, bytes]) -> bytes | None:
    """Return the key a request shows: `Authorization: Bearer`, else `X-API-Key`."""
    bearer = headers.get(b"authorization")
    if bearer is not None and bearer[:7].lower() == b"bearer ":
        return bearer[7:].strip()
    return headers.get(b"x-api-key")
