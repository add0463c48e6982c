"""JSON that an agency wraps in a text (nuSOAP's habit): opened before a reply is translated, closed in a request."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.config.locate import suggest
from gateway.errors import FieldError, Finding, TranslationError
from gateway.message import Context, Document
from gateway.native import Contract
from gateway.translate.convert import Bad, close_json, open_json, picture
from gateway.translate.pairs import pointer
from gateway.translate.program import Program
from gateway.translate.rules import Inner, MappingFile, Path, show


@dataclass(frozen=True, slots=True)
class Opening:
    """Opens the texts of a reply; what is not there, or null, stays so."""

    paths: tuple[Path, ...]
    where: str

    def __call__(self, document: Document, /) -> Document:
        """Return the document with values in place of the texts; raises TranslationError (side "reply")."""
        document, errors = _through(self.paths, document, open_json, self.where)
        if errors:
            raise TranslationError("reply", errors)
        return document


@dataclass(frozen=True, slots=True)
class Closing:
    """A request table whose values at some paths become texts in the end."""

    table: Program
    paths: tuple[Path, ...]
    where: str

    def __call__(self, document: object, context: Context | None = None) -> Document:
        """Build the native document; raises TranslationError (side "request")."""
        native, errors = _through(self.paths, self.table(document, context), close_json, self.where)
        if errors:
            raise TranslationError("request", errors)
        return native


def unopened(mapping: MappingFile, inner: Inner, contract: Contract | None) -> Iterator[Finding]:
    """Yield the paths that the contract lacks, or that are no texts there."""
    sides = () if contract is None else ((inner.request, contract.request), (inner.reply, contract.reply))
    for paths, fields in sides:
        for path in paths:
            found = fields.get(show(path))
            if found is None:
                what, remedy = f"the agency's contract has no field {show(path)}", suggest(show(path), fields)
                yield Finding(where=mapping.at(inner.line), what=what, remedy=remedy)
            elif found.kind not in {"text", "any"}:
                what = f"{show(path)} is {found.kind} by the contract, so it holds no JSON in a text"
                yield Finding(where=mapping.at(inner.line), what=what)


def _through(
    paths: tuple[Path, ...], document: Document, run: Callable[[Any], Any], where: str
) -> tuple[Document, list[FieldError]]:
    errors: list[FieldError] = []
    for path in paths:
        try:
            document = _at(path, document, run)
        except Bad as bad:
            value = picture(bad, personal=True)
            at = pointer(path)
            errors.append(FieldError(pointer=at, rule=bad.rule, params=bad.params, where=where, value=value))
    return document, errors


def _at(path: Path, found: Any, run: Callable[[Any], Any]) -> Any:
    """Return a copy with the value at a path run through; a list on the way stands for each of its elements."""
    if not path:
        return None if found is None else run(found)
    if isinstance(found, list | tuple):
        return [_at(path, item, run) for item in found]
    if not isinstance(found, Mapping) or path[0] not in found:
        return found
    return {**found, path[0]: _at(path[1:], found[path[0]], run)}
