"""Compares a mapping with the agency's own contract: names that are not there, lists not entered, gaps."""

from collections.abc import Iterator, Mapping

from gateway.config.locate import suggest
from gateway.errors import Finding
from gateway.native import NativeField
from gateway.translate.rules import CONTEXT, MappingFile, Path, Repeat, Rules, show

Fields = Mapping[str, NativeField]
Opened = tuple[Path, ...]


def unread(
    mapping: MappingFile, rules: Rules, fields: Fields, above: Path = (), *, opened: Opened = ()
) -> Iterator[Finding]:
    """Yield what a reply or row table reads but the contract does not have; what is in `opened` texts is beyond it."""
    for rule in rules:
        where = mapping.at(rule.line)
        inside = above
        if rule.each is not None:
            yield from _named(where, (*above, *rule.each), above, fields, opened, entered=True)
            inside = (*above, *rule.each)
        if rule.when is not None:
            yield from _named(where, (*above, *rule.when.path), above, fields, opened)
        if isinstance(rule, Repeat):
            yield from unread(mapping, rule.rules, fields, inside, opened=opened)
            continue
        for path in rule.sources:
            yield from _named(where, (*inside, *path), inside, fields, opened)


def unwritten(
    mapping: MappingFile, rules: Rules, fields: Fields, line: int, *, opened: Opened = ()
) -> Iterator[Finding]:
    """Yield what a request table writes but the contract lacks, and what the contract requires but nothing feeds."""
    fed: set[Path] = set()
    for where, path, above, entered in _lefts(mapping, rules, ()):
        fed.update(path[:length] for length in range(1, len(path) + 1))
        yield from _named(where, path, above, fields, opened, entered=entered)
    yield from _nulls(mapping, rules, fields, ())
    for name, native in fields.items():
        path = tuple(name.split("."))
        wanted = all(path[:n] in fed or _required(path[:n], fields) for n in range(1, len(path)))
        if native.required and wanted and path not in fed and not _has_children(path, fields):
            remedy = f'add {name} = "..." or {{ const = ... }}'
            yield Finding(
                where=mapping.at(line), what=f"the agency requires {name}, and no rule feeds it", remedy=remedy
            )


def _nulls(mapping: MappingFile, rules: Rules, fields: Fields, above: Path) -> Iterator[Finding]:
    """Yield the fields that are sent as null and may not be that."""
    for rule in rules:
        left = (*above, *rule.left)
        if isinstance(rule, Repeat):
            yield from _nulls(mapping, rule.rules, fields, left)
        elif rule.null and (found := fields.get(show(left))) is not None and not found.null:
            yield Finding(
                where=mapping.at(rule.line), what=f"{show(left)} may not be null", remedy="leave `null = true` out"
            )


def _lefts(mapping: MappingFile, rules: Rules, above: Path) -> Iterator[tuple[str, Path, Path, bool]]:
    for rule in rules:
        left = (*above, *rule.left)
        yield mapping.at(rule.line), left, above, rule.each is not None
        if isinstance(rule, Repeat):
            yield from _lefts(mapping, rule.rules, left)


def _named(  # noqa: PLR0913 - one path, and where it stands
    where: str, path: Path, above: Path, fields: Fields, opened: Opened, *, entered: bool = False
) -> Iterator[Finding]:
    path = next((text for text in opened if path[: len(text)] == text), path)
    if not path[:1] or path[len(above) :][:1] == () or path[len(above)] == CONTEXT:
        return
    name = show(path)
    if _is_free(path, fields):
        return
    if name not in fields and not _has_children(path, fields):
        yield Finding(where=where, what=f"the agency's contract has no field {name}", remedy=suggest(name, fields))
        return
    last = len(path) - entered
    for length in range(len(above) + 1, last + 1):
        found = fields.get(show(path[:length]))
        if found is not None and found.many:
            yield Finding(where=where, what=f"{show(path[:length])} may repeat", remedy="enter it with each")
            return


def _is_free(path: Path, fields: Fields) -> bool:
    """Tell whether the contract lets anything be there."""
    if show(path) in fields:
        return False
    above = [path[:length] for length in range(len(path))]
    return any((found := fields.get(show(one))) is not None and found.kind == "any" for one in above) or any(
        show((*one, "#any")) in fields for one in above
    )


def _required(path: Path, fields: Fields) -> bool:
    found = fields.get(show(path))
    return found is not None and found.required


def _has_children(path: Path, fields: Fields) -> bool:
    start = show(path) + "."
    return any(name.startswith(start) for name in fields)
