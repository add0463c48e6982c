"""Seals again what an older encryption key sealed, the same for every store; knows no SQL."""

from collections.abc import Callable

from gateway.ledger.keys import Keys, Unreadable, sealed_with
from gateway.message import MessageId

Resealer = Callable[[str, bytes | None], bytes | None]
"""Takes a field's name and what was sealed; returns it as it is to be stored."""


def resealer(keys: Keys, message: MessageId) -> Resealer:
    """Return what seals a message's fields with the current key."""

    def again(field: str, sealed: bytes | None) -> bytes | None:
        if sealed is None or sealed_with(sealed) == keys.current:
            return sealed
        try:
            return keys.seal(message, field, keys.unseal(message, field, sealed))
        except Unreadable:
            return sealed  # of a lost master key: nothing can be done for it, and nothing is thrown away

    return again
