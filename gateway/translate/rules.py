"""What a mapping file says, as frozen data; knows neither TOML nor how rules are run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal

from gateway.message import Outcome

Path = tuple[str, ...]
"""Steps into a document; () is the element itself, a first step CONTEXT leads into what the gateway itself knows."""

CONTEXT: Final = "@"
"""`@id` is ("@", "id"); a native step such as "@kode" is an attribute's name."""


class Missing(Enum):
    """The third state beside null and "": not there."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING

ConverterKind = Literal["date", "number", "integer", "bool", "codes", "json", "using"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Converter:
    """What their side looks like: a date or number format, a pair of flags, a code table's name, functions.

    `number` when their codes are JSON numbers.
    """

    kind: ConverterKind
    argument: object
    number: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The rule applies only if the value at `path`, on the side that is read, is exactly `equals`."""

    path: Path
    equals: str | int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of a table: `left` is built from `sources`; `each` makes it a list of such values."""

    left: Path
    line: int
    sources: tuple[Path, ...] = ()
    join: str | None = None
    split: str | None = None
    part: int = 0
    digits: int | None = None
    pattern: str | None = None
    max: int | None = None
    converter: Converter | None = None
    const: object = MISSING
    default: object = MISSING
    optional: bool = False
    null: bool = False
    when: When | None = None
    each: Path | None = None
    mask: bool = False
    title: str = ""
    about: str = ""
    example: object = MISSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A list of objects: `left` holds one object per element found at `each`; paths inside start at the element."""

    left: Path
    line: int
    each: Path
    rules: tuple["Rule | Repeat", ...]
    optional: bool = False
    when: When | None = None


Rules = tuple[Rule | Repeat, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTable:
    """Their code -> our word, with the line of each."""

    words: Mapping[str, str]
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRule:
    """How a native answer tells its outcome in the body, or a fault in its detail; `absent` is what no code means."""

    line: int
    code: Path
    outcomes: Mapping[str, Outcome]
    message: Path = ()
    absent: Outcome = Outcome.INVALID


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """Native texts that hold JSON: paths lead on into them."""

    line: int
    request: tuple[Path, ...] = ()
    reply: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """`[agency]` or one operation: what is not said (None) is the agency's."""

    line: int
    root: Path | None = None
    blank: bool | None = None
    outcome: OutcomeRule | None = None
    http: Mapping[int, Outcome] = field(default_factory=dict)
    faults: Mapping[str, Outcome | OutcomeRule] = field(default_factory=dict)
    headers: Rules = ()
    request: Rules | None = None
    reply: Rules | None = None
    row: Rules | None = None
    json: Inner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingFile:
    """A mapping file; `name` is how people know it (`mappings/dinkes.toml`)."""

    name: str
    agency: Section
    operations: Mapping[str, Section]
    codes: Mapping[str, CodeTable]

    def columns(self, operation: str) -> tuple[str, ...]:
        """Return the native request fields of an operation at the top level, in the order of its table."""
        rules = self.operations[operation].request if operation in self.operations else None
        return tuple(dict.fromkeys(rule.left[0] for rule in rules or ()))

    def asked(self, operation: str) -> tuple[str, ...]:
        """Return the native request fields of an operation by dotted path, each once, last those it asks beginnings of.

        So an index on all of them has what begins so in order behind the others' values.
        """
        rules = self.operations[operation].request if operation in self.operations else None
        names = sorted((".".join(rule.left) for rule in rules or ()), key=lambda name: name.endswith(".starts"))
        return tuple(dict.fromkeys(name.removesuffix(".starts") for name in names))

    def at(self, line: int) -> str:
        """Return `mappings/dinkes.toml:12`."""
        return f"{self.name}:{line}"


def show(path: Path) -> str:
    """Return a path as it is written in a mapping."""
    return CONTEXT + ".".join(path[1:]) if path[:1] == (CONTEXT,) else ".".join(path) or "."
