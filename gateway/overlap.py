"""What `gateway check` has to say of feeds whose patterns meet in one drop: who gets which file."""

import posixpath
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import combinations

from gateway.config.load import Located
from gateway.errors import Finding

_MOST = 20_000
"""Pairs of states that are looked at; patterns that people write have a few hundred."""
_States = frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """How two patterns meet: a name that fits both, and whether there are names that fit only one of them."""

    both: str | None
    only_first: bool
    only_second: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pattern:
    """One feed's pattern, in the order in which feeds are asked."""

    agency: str
    feed: str
    drop: str
    files: str


def overlapping(located: Located) -> Iterator[Finding]:
    """Find feeds of one drop whose files can't be told from each other by their names."""
    for first, second in combinations(_patterns(located), 2):
        if first.drop == second.drop:
            met = meeting(first.files.lower(), second.files.lower())
            if met.both is not None:
                yield from _findings(located, first, second, met, met.both)


def _patterns(located: Located) -> Iterator[_Pattern]:
    for agency, section in located.config.agency.items():
        settings: Mapping[str, object] = section.model_extra or {}
        drop, feeds = settings.get("drop"), settings.get("feed")
        for feed, made in feeds.items() if isinstance(feeds, Mapping) else ():
            files = made.get("files") if isinstance(made, Mapping) else None
            if isinstance(files, str) and isinstance(drop, str):
                place = drop if "://" in drop else posixpath.normpath(drop)
                yield _Pattern(agency=agency, feed=feed, drop=place, files=files)


def _findings(located: Located, first: _Pattern, second: _Pattern, met: Meeting, name: str) -> Iterator[Finding]:
    path = ("agency", second.agency, "feed", second.feed, "files")
    where, key = located.where(*path), ".".join(path)
    if first.agency != second.agency:
        what = f'{key}: a file called "{name}" fits {first.agency}/{first.feed} as well, and either may take it'
        yield Finding(where=where, what=what, remedy="give each agency a folder of its own")
    elif not met.only_second:
        what = f'{key}: no file is ever its own: {first.feed} comes first and takes whatever fits "{second.files}"'
        yield Finding(where=where, what=what, remedy=f"let {second.feed} come before {first.feed}")
    elif met.only_first:  # else the narrower one comes first, which is how to say it
        what = f'{key}: a file called "{name}" fits {first.feed} as well, which comes first and takes it'
        yield Finding(where=where, what=what, remedy="let no name fit both", warning=True)


def meeting(first: str, second: str) -> Meeting:
    """Compare all names that two patterns of fnmatch fit, shortest first; exact but for patterns without an end."""
    one, other = _Glob(first), _Glob(second)
    seen = {(one.start, other.start)}
    ahead = deque([(one.start, other.start, "")])
    both, only_first, only_second = None, False, False
    while ahead and len(seen) < _MOST and not (both is not None and only_first and only_second):
        ours, theirs, name = ahead.popleft()
        fits = (one.accepts(ours), other.accepts(theirs))
        if fits == (True, True) and both is None:
            both = name
        only_first, only_second = only_first or fits == (True, False), only_second or fits == (False, True)
        for letter in _letters(first + second):
            after = (one.step(ours, letter), other.step(theirs, letter))
            if after not in seen and any(after):
                seen.add(after)
                ahead.append((*after, name + letter))
    return Meeting(both=both, only_first=only_first, only_second=only_second)


def _letters(patterns: str) -> list[str]:
    """Return letters of which one stands for each that no pattern tells apart, those that people write first."""
    near = {*patterns, *(chr(ord(letter) + 1) for letter in patterns), "\x01"}
    return sorted(near, key=lambda letter: (not letter.isalnum(), letter))


class _Glob:
    """A pattern as a machine: a state is how many of its parts are behind us."""

    def __init__(self, pattern: str) -> None:
        self._parts = [*_parts(pattern)]
        self.start = self._closed(frozenset({0}))

    def step(self, states: _States, letter: str) -> _States:
        """Return where a letter leads."""
        return self._closed(frozenset(after for state in states for after in self._after(state, letter)))

    def accepts(self, states: _States) -> bool:
        """Tell whether a name may end here."""
        return len(self._parts) in states

    def _after(self, state: int, letter: str) -> Iterator[int]:
        if state < len(self._parts):
            if self._parts[state] == "*":
                yield state
            elif fnmatchcase(letter, self._parts[state]):
                yield state + 1

    def _closed(self, states: _States) -> _States:
        """Add what is reached without a letter, as a star may stand for nothing."""
        found = set(states)
        for state in states:
            while state < len(self._parts) and self._parts[state] == "*":
                state += 1  # noqa: PLW2901 - it walks on
                found.add(state)
        return frozenset(found)


def _parts(pattern: str) -> Iterator[str]:
    """Yield letters, `?`, `*` and sets in brackets, as fnmatch takes them; what is no set is a bracket."""
    at = 0
    while at < len(pattern):
        end = _end_of_set(pattern, at) if pattern[at] == "[" else at + 1
        yield "[[]" if pattern[at:end] == "[" else pattern[at:end]
        at = end


def _end_of_set(pattern: str, at: int) -> int:
    begin = at + 2 if pattern[at + 1 : at + 2] == "!" else at + 1
    close = pattern.find("]", begin + 1)
    return at + 1 if close < 0 else close + 1
