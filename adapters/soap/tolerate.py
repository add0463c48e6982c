"""What an answer may deviate in, by name, where its agency's section allows it; whatever was used is counted."""

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal, get_args

Charset = Literal["utf-8", "iso-8859-1", "windows-1252"]

Tolerance = Literal[
    "leading-junk",
    "undeclared-xsi",
    "missing-required",
    "unknown-fields",
    "any-order",
    "any-namespace",
    "undeclared-null",
    "empty-values",
    "blank-in-datetime",
    "naive-utc",
    "zero-dates",
    "guessed-types",
    "beyond-facets",
]
TOLERANCES: tuple[Tolerance, ...] = get_args(Tolerance)
PARSING: frozenset[Tolerance] = frozenset({"leading-junk", "undeclared-xsi"})
"""What is tolerated before anything is known of types."""
CHARSET = "charset"
"""What is counted where an answer was read by the agency's `charset` and not by what it said itself."""


def known(names: object) -> object:
    """Refuse a name that is no tolerance, with the nearest; raises ValueError."""
    for name in names if isinstance(names, list | tuple) else ():
        if name not in TOLERANCES:
            near = get_close_matches(str(name), TOLERANCES, n=1)
            remedy = f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(TOLERANCES)}"
            raise ValueError(f'"{name}" is no tolerance; {remedy}')
    return names


def uncounted(_tolerance: str, /) -> None:
    """Outside the gateway nobody counts."""


@dataclass(slots=True, kw_only=True)
class Leniency:
    """One answer's: what it may deviate in, the charset that it may really be in, and what was met of it.

    `used` are the deviations that were met and allowed, `missed` those that were not.
    """

    named: frozenset[Tolerance] = frozenset()
    charset: Charset | None = None
    used: set[str] = field(default_factory=set)
    missed: set[str] = field(default_factory=set)

    def allows(self, deviation: Tolerance) -> bool:
        """Tell whether a deviation that was met is allowed, and remember that it was."""
        if deviation not in self.named:
            self.missed.add(deviation)
            return False
        self.used.add(deviation)
        return True

    @property
    def hint(self) -> str:
        """What would have to be named for the deviations that were met, for an error; "" where no name helps."""
        names = ", ".join(f'"{name}"' for name in sorted(self.missed))
        return f" (where that is known to be harmless: tolerate = [{names}])" if names else ""
