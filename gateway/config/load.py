"""Reads gateway.toml: all findings at once, with file:line; fills in ${NAME} from the environment."""

import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from gateway.config.follow import KeyPath, follow
from gateway.config.locate import locate, nearest, suggest
from gateway.config.models import Composite, Config, Gateway
from gateway.errors import ConfigError, Finding

_NAMED = frozenset({"agency", "client", "operation"})
"""The tables that hold a section for each name."""

_LISTS = frozenset({"tuple_type", "list_type", "frozen_set_type", "set_type"})
_KINDS: Mapping[str, str] = {
    **dict.fromkeys(_LISTS, "a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type", "mapping_type"), "a table"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    "string_type": "a text",
}
"""What a setting must be, by how pydantic calls what it is not."""

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A configuration that holds: the lines of its keys, the secrets each agency lacks, and those it was given."""

    config: Config = field(repr=False)
    file: str
    folder: Path
    lines: Mapping[KeyPath, int]
    absent: Collection[tuple[KeyPath, str]]
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    def where(self, *path: str) -> str:
        """Return `gateway.toml:12` for a key, or for the nearest table around it."""
        return place(self.file, self.lines, path)

    def missing(self, agency: str) -> tuple[str, ...]:
        """Return the environment's names that an agency needs and that are not there."""
        return tuple(dict.fromkeys(name for path, name in self.absent if path[:2] == ("agency", agency)))


def place(file: str, lines: Mapping[KeyPath, int], path: KeyPath) -> str:
    """Return `file:line` of a key, or of the nearest table around it."""
    for length in range(len(path), 0, -1):
        if line := lines.get(path[:length]):
            return f"{file}:{line}"
    return file


def load(path: Path, environment: Mapping[str, str]) -> Located:
    """Read and check a gateway.toml; raises ConfigError with every finding of the file itself.

    A variable that is missing inside one agency is no error here: that agency answers 503 and the others start.
    """
    located, findings = examine(path, environment)
    if findings:
        raise ConfigError(*findings)
    return located


def examine(path: Path, environment: Mapping[str, str]) -> tuple[Located, tuple[Finding, ...]]:
    """Read a gateway.toml; return what of it holds, section by section, and every finding of the file itself.

    So that the sections that hold can be looked into further. Raises ConfigError when it can't be read at all.
    """
    text = _read(path)
    lines = locate(text)
    document, absent = _fill(tomllib.loads(text), environment)
    findings = [*_absent_elsewhere(absent, path.name, lines)]
    config, misfits = _validated(document, partial(place, path.name, lines))
    located = Located(
        config=config,
        file=path.name,
        folder=path.absolute().parent,
        lines=lines,
        absent=absent,
        secrets=frozenset(environment[name] for name in _VARIABLE.findall(text) if environment.get(name)),
    )
    return located, (*findings, *misfits, *_shared_keys(located))


def beginning(path: Path, environment: Mapping[str, str]) -> Gateway:
    """Return `[gateway]` of a file that is no TOML, as far as the lines before it breaks have it."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    for count in range(len(lines), 0, -1):
        with suppress(tomllib.TOMLDecodeError, ValidationError):
            document, _ = _fill(tomllib.loads("\n".join(lines[:count])), environment)
            return Gateway.model_validate(document.get("gateway", {}))
    return Gateway()


def without(config: Config, agencies: Collection[str]) -> Config:
    """Return a configuration that never had these agencies: no composite or right of a client mentions them."""

    def mentions(target: str) -> bool:
        return target.partition("/")[0] in agencies

    def targets(composite: Composite) -> Iterator[str]:
        yield from (target for key, target in (composite.route or composite.gather or {}).items() if key != "by")

    rights = {n: tuple(right for right in client.allow if not mentions(right)) for n, client in config.client.items()}
    return config.model_copy(
        update={
            "agency": {name: agency for name, agency in config.agency.items() if name not in agencies},
            "operation": {n: made for n, made in config.operation.items() if not any(map(mentions, targets(made)))},
            "client": {n: client.model_copy(update={"allow": rights[n]}) for n, client in config.client.items()},
        }
    )


def _validated(document: dict[str, Any], where: Callable[[KeyPath], str]) -> tuple[Config, list[Finding]]:
    """Validate; sections that do not hold are left out, and so is what mentions an agency left out."""
    try:
        return Config.model_validate(document), []
    except ValidationError as error:
        details = error.errors()
    findings = [finding(one, Config, section=(), where=where) for one in details]
    left_out = {tuple(map(str, one["loc"][: 2 if one["loc"][0] in _NAMED else 1])) for one in details}
    kept = {
        key: {name: inner for name, inner in table.items() if (key, name) not in left_out} if key in _NAMED else table
        for key, table in document.items()
        if (key,) not in left_out
    }
    return without(Config.model_validate(kept), {path[1] for path in left_out if path[0] == "agency"}), findings


def finding(
    details: ErrorDetails,
    kind: object,
    *,
    section: KeyPath,
    where: Callable[[KeyPath], str],
    beside: tuple[str, ...] = (),
) -> Finding:
    """Translate one pydantic error of `kind` below `section` into a finding; `beside` are more names at its top."""
    below, known = follow(kind, details["loc"])
    path = (*section, *below)
    at, shown = where(path), ".".join(path)
    match details["type"]:
        case "extra_forbidden":
            known = (*known, *beside) if len(below) == 1 else known
            return Finding(where=at, what=f"{shown}: unknown key", remedy=suggest(path[-1], known))
        case "missing":
            return Finding(where=at, what=f"{shown}: is required", remedy=_instead(path[-1], details["input"]))
        case "string_pattern_mismatch":
            return Finding(where=at, what=f"{shown}: is not of the form {_form(path)}", remedy=_example(path))
        case "too_short":
            return Finding(where=at, what=f"{shown}: is empty", remedy="write at least one")
        case _:
            what, remedy = _misfit(details)
            return Finding(where=at, what=f"{shown}: {what}", remedy=remedy)


def _misfit(details: ErrorDetails) -> tuple[str, str]:
    """Return what is wrong with a value in our words, not pydantic's, and what to write."""
    kind, given = details["type"], details["input"]
    known = re.findall(r"'([^']*)'", str(details.get("ctx", {}).get("expected", "")))
    if kind == "literal_error" and known:
        return _not_one_of(given, known)
    if kind in _KINDS:
        remedy = f'write ["{given}"]' if kind in _LISTS and isinstance(given, str) else ""
        return f"must be {_KINDS[kind]}", remedy
    return details["msg"].removeprefix("Value error, "), ""


def _not_one_of(given: object, known: Sequence[str]) -> tuple[str, str]:
    quoted = [f'"{word}"' for word in known]
    near = nearest(given, known) if isinstance(given, str) else ""
    remedy = f'did you mean "{near}"?' if near else ""
    return f"must be {' or '.join(filter(None, (', '.join(quoted[:-1]), quoted[-1])))}", remedy


def _instead(name: str, given: object) -> str:
    written = nearest(name, map(str, given)) if isinstance(given, dict) else ""
    return f'did you mean {name} by "{written}"?' if written else f"write {name} = ..."


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
        tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(
            Finding(where=str(path), what="no such file", remedy="is it called so? --config names it")
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(Finding(where=path.name, what=f"can't be read: {error}")) from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        where = f"{path.name}:{line[1]}" if line else path.name
        raise ConfigError(Finding(where=where, what=f"is not TOML: {error}")) from None
    return text


def _fill(document: dict[str, Any], environment: Mapping[str, str]) -> tuple[dict[str, Any], list[tuple[KeyPath, str]]]:
    absent: list[tuple[KeyPath, str]] = []

    def fill(value: object, path: KeyPath) -> object:
        if isinstance(value, dict):
            return {key: fill(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return tuple(fill(inner, (*path, str(index))) for index, inner in enumerate(value))
        return _VARIABLE.sub(lambda found: get(found[1], path), value) if isinstance(value, str) else value

    def get(name: str, path: KeyPath) -> str:
        if name not in environment:
            absent.append((path, name))
        return environment.get(name, "")

    return cast("dict[str, Any]", fill(document, ())), absent


def _absent_elsewhere(absent: list[tuple[KeyPath, str]], file: str, lines: Mapping[KeyPath, int]) -> Iterator[Finding]:
    for path, name in absent:
        if path[0] != "agency":
            yield Finding(
                where=place(file, lines, path),
                what=f"{'.'.join(path)}: the environment has no {name}",
                remedy=f"set {name} before starting",
            )


def _shared_keys(located: Located) -> Iterator[Finding]:
    """Find keys that stand twice: nobody could tell whose request it is, and a client's must open no control API."""
    seen: dict[str, KeyPath] = {}
    config = located.config
    holders = [(("operator", n), one.keys) for n, one in config.operator.items()]
    holders += [(("client", n), one.keys) for n, one in config.client.items()]
    for holder, keys in holders:
        for index, key in enumerate(keys):
            path = (*holder, "keys", str(index), "sha256")
            if (first := seen.setdefault(key.sha256, path)) is not path:
                yield Finding(
                    where=located.where(*path),
                    what=f"{'.'.join(path[:-1])}: {'.'.join(first[:2])} has this key already, {located.where(*first)}",
                    remedy="make one of its own with: gateway key new",
                )


def _form(path: KeyPath) -> str:
    forms = {
        "expose": '"METHOD /v1/path", a {field} standing for a whole step',
        "listen": '"address:port"',
        "metrics": '"address:port"',
        "ledger": '"sqlite:path" or "postgresql://..."',
        "sha256": "64 hexadecimal digits",
        "url": "an HTTP address",
        "endpoint": "an HTTP address with a path",
    }
    return forms.get(path[-1], "lower-case letters, digits and hyphens")


def _example(path: KeyPath) -> str:
    examples = {
        "expose": 'write e.g. "GET /v1/izin/status"',
        "listen": 'write e.g. "127.0.0.1:8080"',
        "metrics": 'write e.g. "127.0.0.1:9090"',
        "ledger": 'write e.g. "sqlite:var/ledger.db"',
        "sha256": "make one with: gateway key new",
        "url": 'write e.g. "https://sistem.opd.example/api"',
        "endpoint": 'write e.g. "http://127.0.0.1:4318/v1/traces"',
    }
    return examples.get(path[-1], "write e.g. status-izin")
