"""Where a REST call goes: `POST /antrean/{id}` compiled once; knows no agency and sends nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote

from adapters.body import encode
from gateway import ConfigError, Document, FieldError, Finding, TranslationError

IN_QUERY = frozenset({"GET", "DELETE"})
_CALL = re.compile(r"(GET|DELETE|POST|PUT|PATCH) (/[\w\-.~:/?@!$&'()*+,;=%{}]*)", re.ASCII)
_FIELD = re.compile(r"\{([\w-]+)\}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A compiled call: `literals` and the `fields` between them make the URL, the other fields query or body."""

    method: str
    literals: tuple[str, ...]
    fields: tuple[str, ...]
    fixed: str | None

    def request(self, document: Document) -> tuple[str, bytes | None]:
        """Return the URL and the JSON body; raises TranslationError naming every field that does not fit."""
        rest = {name: value for name, value in document.items() if name not in self.fields} if self.fields else document
        if self.method not in IN_QUERY:
            return self.fixed or self._url(document, {}), encode(rest)
        if self.fixed and not rest:
            return self.fixed, None
        return self._url(document, rest), None

    def _url(self, document: Document, query: Document) -> str:
        errors: list[FieldError] = []
        path = self.literals[0]
        for name, literal in zip(self.fields, self.literals[1:], strict=True):
            path += _segment(name, document.get(name), errors) + literal
        pairs = "&".join(_pairs(query, errors))
        if errors:
            raise TranslationError("request", errors)
        separator = "&" if "?" in path else "?"
        return f"{path}{separator}{pairs}" if pairs else path


def compile_target(url: str, call: str) -> Target:
    """Compile `call` below the agency's `url`; raises ConfigError saying how a call is written."""
    found = _CALL.fullmatch(call)
    parts = _FIELD.split(found[2]) if found else []
    if found is None or any(set("{}") & set(literal) for literal in parts[::2]):
        raise ConfigError(
            Finding(
                where=f'call = "{call}"',
                what="is not a method and a path",
                remedy='write it like "GET /antrean/{kode}": GET, DELETE, POST, PUT or PATCH, then a path from "/" on, '
                "percent-encoded, with native fields in braces",
            )
        )
    literals = (url.rstrip("/") + parts[0], *parts[2::2])
    fields = tuple(parts[1::2])
    return Target(
        method=found[1],
        literals=literals,
        fields=fields,
        fixed=None if fields else literals[0],
    )


def plain_text(value: object) -> str | None:
    """Return a value as it stands in a URL or header; None for what has no such form (null, lists, objects)."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if isinstance(value, int) else None


def _segment(name: str, value: object, errors: list[FieldError]) -> str:
    text = plain_text(value)
    if not text:
        errors.append(FieldError(pointer=name, rule="required"))
        return ""
    if text in {".", ".."}:
        # Percent-encoding can't hide these: servers step up a directory for %2E%2E as well.
        errors.append(FieldError(pointer=name, rule="native", params={"expected": "something else than . or .."}))
    return _quoted(name, text, errors)


def _pairs(query: Document, errors: list[FieldError]) -> Iterator[str]:
    for name, value in query.items():
        for item in value if isinstance(value, list | tuple) else (value,):
            if item is None:
                continue
            text = plain_text(item)
            if text is None:
                errors.append(FieldError(pointer=name, rule="type", params={"expected": "text"}))
            else:
                yield f"{quote(name, safe='')}={_quoted(name, text, errors)}"


def _quoted(name: str, text: str, errors: list[FieldError]) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        errors.append(FieldError(pointer=name, rule="encoding", params={"encoding": "UTF-8"}))
        return ""
