"""The exposed paths: exact ones in a dict, templates in a tree of segments; knows nothing of clients or bodies."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import quote, unquote_to_bytes

T = TypeVar("T")

_SEGMENT_SAFE = "-._~!$&'()*+,;=:@"  # RFC 3986 pchar, so a literal in the table equals what a client sends raw


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """What is found at a path under one method; `names` are the template's parameters, left to right."""

    value: T
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit(Generic[T]):
    """An entry's value with the path's raw parameters, still percent-encoded."""

    value: T
    params: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class _Segment(Generic[T]):
    literal: dict[bytes, "_Segment[T]"] = field(default_factory=dict)
    any: "_Segment[T] | None" = None
    methods: dict[str, Entry[T]] = field(default_factory=dict)


class Table(Generic[T]):
    """Exposed paths, built once; `{x}` matches one segment that is not empty, and a literal wins over it.

    Matching is by the raw path and strict: no trailing slash, no `//`, and `%2F` inside a segment stays inside it.
    """

    __slots__ = ("_exact", "_root")

    def __init__(self, routes: Iterable[tuple[str, str, T]]) -> None:
        self._root: _Segment[T] = _Segment()
        self._exact: dict[bytes, dict[str, Entry[T]]] = {}
        for method, path, value in routes:
            self._add(method, path, value)

    def _add(self, method: str, path: str, value: T) -> None:
        segment, names = self._root, []
        for part in path.split("/")[1:]:
            if part.startswith("{") and part.endswith("}"):
                names.append(part[1:-1])
                segment.any = segment.any or _Segment()
                segment = segment.any
            else:
                segment = segment.literal.setdefault(quote(part, safe=_SEGMENT_SAFE).encode(), _Segment())
        segment.methods[method] = Entry(value, tuple(names))
        if method == "GET":
            segment.methods.setdefault("HEAD", segment.methods["GET"])
        if not names:
            self._exact[b"/" + b"/".join(quote(p, safe=_SEGMENT_SAFE).encode() for p in path.split("/")[1:])] = (
                segment.methods
            )

    def find(self, method: str, raw_path: bytes) -> Hit[T] | None:
        """Return what answers this method at this path."""
        exact = self._exact.get(raw_path)
        if exact is not None and (entry := exact.get(method)) is not None:
            return Hit(entry.value)
        for methods, values in self._walk(self._root, raw_path.split(b"/"), 1, ()):
            if (entry := methods.get(method)) is not None:
                return Hit(entry.value, tuple(zip(entry.names, values, strict=True)))
        return None

    def methods(self, raw_path: bytes) -> Mapping[str, T]:
        """Return everything at this path, by method."""
        found: dict[str, T] = {}
        for methods, _values in self._walk(self._root, raw_path.split(b"/"), 1, ()):
            for method, entry in methods.items():
                found.setdefault(method, entry.value)
        return found

    def _walk(
        self, segment: _Segment[T], parts: list[bytes], at: int, values: tuple[bytes, ...]
    ) -> Iterable[tuple[dict[str, Entry[T]], tuple[bytes, ...]]]:
        if at == len(parts):
            if segment.methods:
                yield segment.methods, values
            return
        part = parts[at]
        if (literal := segment.literal.get(part)) is not None:
            yield from self._walk(literal, parts, at + 1, values)
        if part and segment.any is not None:
            yield from self._walk(segment.any, parts, at + 1, (*values, part))


def decode(raw: bytes) -> str:
    """Return a raw path parameter as text; raises UnicodeDecodeError when it is not UTF-8."""
    return unquote_to_bytes(raw).decode() if b"%" in raw else raw.decode()
