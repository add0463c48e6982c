"""Sequences, choices and groups made into one list of fields, and what the flattening would lose."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any as Zeep

from zeep import xsd
from zeep.xsd.elements.builtins import Schema

from adapters.soap.plan import ANY, ANYTHING, Choice, Field, Option, Shape

if TYPE_CHECKING:
    from adapters.soap.types import Types

GROUP = "#group"
"""The field of a group of elements that repeats as a whole; a second one is #group2."""


class Particles:
    """One content model under way: its fields in order, the choices among them, and `odd` where that is not all."""

    def __init__(self, types: "Types") -> None:
        self._types = types
        self.fields: list[Field] = []
        self.choices: list[Choice] = []
        self.open = False
        self.ordered = True
        self.scattered = False
        self.odd = ""

    def add(self, particle: Zeep) -> None:
        """Take in a particle of zeep's."""
        if not isinstance(particle, xsd.Element | Schema) and particle.max_occurs == 0:
            return
        if isinstance(particle, xsd.Group):
            self._sequence(particle, [particle.child])
        elif isinstance(particle, xsd.Choice):
            self._choice(particle)
        elif isinstance(particle, xsd.Sequence | xsd.All):
            self.ordered = self.ordered and not isinstance(particle, xsd.All)
            self._sequence(particle, list(particle))
        elif isinstance(particle, xsd.Element):
            self._element(particle)
        elif isinstance(particle, xsd.Any | Schema):
            self._any(particle)
        else:
            self.odd = f"holds {type(particle).__name__}, which no plan knows"

    def _any(self, particle: Zeep) -> None:
        self.open = True
        if isinstance(particle, Schema):
            self._place(ANYTHING)
            return
        self._place(replace(ANYTHING, least=int(particle.min_occurs), most=most_of(particle)))

    def _element(self, element: Zeep) -> None:
        """One of a substitution group is one of several fields."""
        known = self._types.alternatives(element)
        if len(known) == 1:
            self._place(known[0])
            return
        for one in known:
            self._place(replace(one, least=0))
        if known[0].many:
            self.ordered = False
        else:
            names = [frozenset({one.name}) for one in known]
            options = tuple(Option(names=name, needed=name) for name in names)
            self.choices.append(Choice(options=options, least=min(known[0].least, 1)))

    def _sequence(self, particle: Zeep, parts: list[Zeep]) -> None:
        inner = Particles(self._types)
        for part in parts:
            inner.add(part)
        if _repeats(particle):
            self._repeat(particle, inner)
            return
        needed = inner.needed()
        if int(particle.min_occurs) == 0:
            inner.be_optional()
            if needed:
                option = Option(names=frozenset(found.name for found in inner.fields), needed=needed)
                inner.choices.append(Choice(options=(option,)))
        self._join(inner)

    def _choice(self, particle: Zeep) -> None:
        inner = Particles(self._types)
        options = tuple(inner.alternative(part) for part in particle)
        # zeep forgets whether an alternative may be empty: only where all have needed ones must one be there.
        least = int(int(particle.min_occurs) > 0 and all(option.needed for option in options))
        if not _repeats(particle):
            inner.choices.append(Choice(options=options, least=least))
            self._join(inner)
        elif all(len(option.names) <= 1 for option in options):
            # The alternatives mix freely: only their order among each other is lost.
            inner.fields = [replace(found, most=None) for found in inner.fields]
            inner.ordered = False
            self._join(inner)
        else:
            inner.choices.append(Choice(options=options, least=1))
            self._repeat(particle, inner)

    def alternative(self, particle: Zeep) -> Option:
        """Take in one alternative of a choice; a field that another one has, too, is the same field."""
        inner = Particles(self._types)
        inner.add(particle)
        needed = inner.needed()
        inner.be_optional()
        last, renamed = -1, {}
        for found in inner.fields:
            same = next((at for at, one in enumerate(self.fields) if one.tag == found.tag and found.tag), None)
            if same is None:
                last = len(self.fields)
                renamed[found.name] = self._place(found)
            elif same <= last or not _alike(self.fields[same], found):
                self.odd = self.odd or f"has '{found.name}' at different places of its alternatives"
            else:
                last = same
                renamed[found.name] = self.fields[same].name
                self.fields[same] = _wider(self.fields[same], found)
        self._take(inner, renamed)
        names = frozenset(renamed.values())
        return Option(names=names, needed=frozenset(renamed[name] for name in needed if name in renamed))

    def needed(self) -> frozenset[str]:
        """Return the fields that must be there once the whole is."""
        return frozenset(found.name for found in self.fields if found.least)

    def be_optional(self) -> None:
        """Need nothing any more."""
        self.fields = [replace(found, least=0) for found in self.fields]
        self.choices = [replace(choice, least=0) for choice in self.choices]

    def _repeat(self, particle: Zeep, inner: "Particles") -> None:
        """A repeated group of one field is a list, one of several a list of objects."""
        least = int(particle.min_occurs)
        if len(inner.fields) == 1 and not inner.open and not inner.choices:
            inner.fields = [replace(inner.fields[0], least=least * inner.fields[0].least, most=None)]
            self._join(inner)
            return
        if inner.open or any(not found.tag for found in inner.fields):
            self.odd = "repeats a group that holds any element, or another such group"
            return
        shape = Shape(name=GROUP, fields=tuple(inner.fields), choices=tuple(inner.choices))
        group = Field(name=GROUP, tag="", kind="object", least=least, most=most_of(particle), shape=shape)
        self.odd = self.odd or inner.odd
        self._place(group)

    def _join(self, inner: "Particles") -> None:
        renamed = {found.name: self._place(found) for found in inner.fields}
        self._take(inner, renamed)

    def _take(self, inner: "Particles", renamed: Mapping[str, str]) -> None:
        self.choices += [_renamed(choice, renamed) for choice in inner.choices]
        self.open = self.open or inner.open
        self.ordered = self.ordered and inner.ordered
        self.scattered = self.scattered or inner.scattered
        self.odd = self.odd or inner.odd

    def _place(self, found: Field) -> str:
        """Add a field, under another name where its own is taken; return the name."""
        last = self.fields[-1] if self.fields else None
        if found.tag and any(one.tag == found.tag for one in self.fields):
            if last is None or last.tag != found.tag or not _alike(last, found):
                self.odd = self.odd or f"has two elements named '{found.name}' with others between them"
                return found.name
            self.fields[-1] = _both(last, found)
            return last.name
        known = next((at for at, one in enumerate(self.fields) if one.name == ANY == found.name), None)
        if known is not None:
            self.scattered = True
            self.fields[known] = _both(self.fields[known], found)
            return ANY
        names = {one.name for one in self.fields}
        apart = "" if found.name == GROUP else "_"
        numbered = (f"{found.name}{apart}{number}" for number in range(2, len(names) + 3))
        name = found.name if found.name not in names else next(one for one in numbered if one not in names)
        self.fields.append(replace(found, name=name))
        return name


def most_of(particle: Zeep) -> int | None:
    """Return how often a particle may be there, None if any number of times."""
    return None if particle.max_occurs == "unbounded" else int(particle.max_occurs)


def _both(one: Field, other: Field) -> Field:
    most = None if one.most is None or other.most is None else one.most + other.most
    return replace(one, least=one.least + other.least, most=most)


def _alike(one: Field, other: Field) -> bool:
    return (one.type, one.kind, one.shape) == (other.type, other.kind, other.shape)


def _wider(one: Field, other: Field) -> Field:
    most = None if one.most is None or other.most is None else max(one.most, other.most)
    return replace(one, most=most)


def _renamed(choice: Choice, names: Mapping[str, str]) -> Choice:
    options = (
        Option(
            names=frozenset(names.get(name, name) for name in option.names),
            needed=frozenset(names.get(name, name) for name in option.needed),
        )
        for option in choice.options
    )
    return replace(choice, options=tuple(options))


def _repeats(particle: Zeep) -> bool:
    return particle.max_occurs == "unbounded" or int(particle.max_occurs) > 1
