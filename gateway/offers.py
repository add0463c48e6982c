"""What an adapter offers of its folders to those who fill them: accounts, and whose a file is; knows no protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable


class Names(Protocol):
    """Which files of a drop are one feed's; folders are relative to it, "" is the drop itself."""

    @property
    def pattern(self) -> str:
        """What its files are called, for people."""
        ...

    @property
    def folders(self) -> Sequence[str]:
        """The folders below that may be looked into."""
        ...

    def is_folder(self, folder: str, /) -> bool:
        """Tell whether a folder below may be looked into: one of `folders`, or one in them."""
        ...

    def is_own(self, folder: str, name: str, /) -> bool:
        """Tell whether a file in a folder is the feed's: it may be read."""
        ...

    def may_come(self, name: str, /) -> bool:
        """Tell whether a file of this name may be put into the drop, finished or not."""
        ...

    def is_seen(self, name: str, /) -> bool:
        """Tell whether a file of this name is taken in, so that it must not lie there before it is whole."""
        ...

    def in_the_making(self, name: str, /) -> str:
        """Return what such a file is called until it is whole."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A feed's account; `password` is the SHA-256 of one in hex, `keys` are public keys as OpenSSH writes them.

    Without a `name` the account is called by agency and feed. Whoever logs in sees of `folder` what `names` says.
    `setting` is where it is written in its agency's section.
    """

    feed: str
    setting: tuple[str, ...]
    folder: Path
    names: Names
    name: str = ""
    password: str = field(default="", repr=False)
    keys: tuple[str, ...] = ()


@runtime_checkable
class Offers(Protocol):
    """Optional capability of an adapter: its agency may reach the drop by an account of the gateway's own."""

    def offers(self) -> Sequence[Offer]:
        """Return the accounts."""
        ...
