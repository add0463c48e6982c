"""What outlives a reload: an agency's breaker, slots and pace, a client's pace, a feed's data; knows none of these."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

from gateway.shares import D, Shares

T = TypeVar("T")
Name = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Made:
    settings: object
    state: object


class Kept:
    """The state of the configuration that is in force."""

    __slots__ = ("_made", "_shares")

    def __init__(self, shares: Shares | None = None) -> None:
        self._made: Mapping[Name, _Made] = {}
        self._shares = shares or Shares()

    def draft(self) -> "Draft":
        """Return a place for the state of another configuration, which may never come into force."""
        return Draft(self._made, self._adopt, self._shares)

    def _adopt(self, made: Mapping[Name, _Made]) -> None:
        self._made = made


class Draft:
    """The state of a configuration under construction; until `adopt` nothing of it shows anywhere."""

    __slots__ = ("_acts", "_adopt", "_before", "_made", "_shares")

    def __init__(
        self, before: Mapping[Name, _Made], adopt: Callable[[Mapping[Name, _Made]], None], shares: Shares
    ) -> None:
        self._before = before
        self._adopt = adopt
        self._shares = shares
        self._made: dict[Name, _Made] = {}
        self._acts: list[Callable[[], object]] = []

    def same(self, name: Name, settings: object, make: Callable[[], T]) -> T:
        """Return what is in force under this name if it was made from equal settings, else what `make` makes."""
        made = self._before.get(name)
        if made is None or made.settings != settings:
            made = _Made(settings, make())
        self._made[name] = made
        return cast("T", made.state)

    def shared(self, name: Name, settings: object, make: Callable[[], D]) -> D:
        """Return the same, as `same` does, of which this replica has a part."""
        return self.same(name, settings, lambda: self._shares.part(make()))

    def once_in_force(self, act: Callable[[], object]) -> None:
        """Do something when this configuration comes into force, such as showing its figures."""
        self._acts.append(act)

    def adopt(self) -> None:
        """Come into force; what only the configuration before had is forgotten."""
        self._adopt(self._made)
        for act in self._acts:
            act()
