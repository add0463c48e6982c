"""Everything a WSDL is made of, read once and made to lie in one folder: flat names, locations rewritten to them."""

import html
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from lxml import etree

from adapters.soap.defects import defects
from adapters.soap.folder import parse, shipped
from adapters.soap.override import Override
from adapters.soap.source import Source, is_url, shown
from gateway import ConfigError, Finding

XSD = "{http://www.w3.org/2001/XMLSchema}"
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_NAMED_BY: Mapping[str, str] = {
    f"{WSDL}import": "location",
    f"{XSD}import": "schemaLocation",
    f"{XSD}include": "schemaLocation",
    f"{XSD}redefine": "schemaLocation",
}
_ROOTS = {f"{WSDL}definitions": ".wsdl", f"{XSD}schema": ".xsd"}
_TAG = re.compile(r"""<(?:[\w.-]+:)?(?:import|include|redefine)\b(?:[^>"']|"[^"]*"|'[^']*')*>""")
_ATTRIBUTE = re.compile(r"""(\s(?:schemaLocation|location)\s*=\s*)("[^"]*"|'[^']*')""")
_NAME = re.compile(r"[^a-z0-9]+")
_USUAL_QUERY = re.compile(r"(?:singlewsdl|wsdl|xsd|xs|schema|part|include|doc)", re.IGNORECASE)
_LONGEST_NAME = 60
_MOST_ATTRIBUTES = 200  # zeep's time for them is quadratic
_HTML = re.compile(rb"\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One file as it is pinned; `origin` is where it came from, without secrets, relative to the WSDL if it is a file.

    `said` is what is read of it, with the overrides' changes made; `root` is that, parsed.
    """

    name: str
    origin: str
    content: bytes
    said: bytes
    root: etree._Element

    @property
    def sha256(self) -> str:
        """The hash of what is pinned."""
        return sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An import or include: what it says, what it means, and what is pinned for it."""

    said: str
    location: str
    use: str = ""


def collect(source: Source, override: Override, *, folder: Path, names: Mapping[str, str] | None = None) -> list[Taken]:
    """Read a WSDL and all that it imports, the WSDL first; blocking. Raises ConfigError with every defect found.

    `names` are those that were given before, by origin, so that a file keeps its name; `folder` is where the files
    are that an override uses instead of others.
    """
    return _Collector(source, override, folder, names or {}).run()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    location: str
    depth: int
    where: str
    use: str = ""


class _Collector:
    def __init__(self, source: Source, override: Override, folder: Path, names: Mapping[str, str]) -> None:
        self._source = source
        self._override = override
        self._folder = folder
        self._before = names
        self._names: dict[str, str] = {}

    def run(self) -> list[Taken]:
        waiting = [_Waiting(location=self._source.start, depth=0, where=shown(self._source.start))]
        known = {self._source.start}
        read: list[tuple[_Waiting, str, bytes, list[Reference]]] = []
        while waiting:
            next_one = waiting.pop(0)
            name, content, references = self._read(next_one)
            read.append((next_one, name, content, references))
            for found in references:
                if found.location and found.location not in known:
                    known.add(found.location)
                    where = self._shown(next_one.location)
                    waiting.append(
                        _Waiting(location=found.location, depth=next_one.depth + 1, where=where, use=found.use)
                    )
        taken = [self._taken(*one) for one in read]
        if wrong := list(defects({one.name: one.root for one in taken}, self._folder)):
            raise ConfigError(*wrong)
        return taken

    def _read(self, wanted: _Waiting) -> tuple[str, bytes, list[Reference]]:
        where = self._shown(wanted.location)
        if wanted.depth > self._source.limits.depth:
            raise _problem(where, "is imported too deeply", "ask the agency for a simpler WSDL")
        try:
            final, content = self._source.read(wanted.location)
        except ConfigError as error:
            if not wanted.depth:
                raise
            (found,) = error.findings
            remedy = f"{found.remedy}; or put it into {self._folder} and name it in override.toml, under [[instead]]"
            raise _problem(wanted.where, f"imports {where}, which {found.what}", remedy) from None
        root, name = self._opened(wanted, where, content)
        base = final if is_url(final) else wanted.location
        return name, content, [self._reference(found, base, where) for found in _imports(root)]

    def _opened(self, wanted: _Waiting, where: str, content: bytes) -> tuple[etree._Element, str]:
        """Parse, with the changes that an override makes to the name the file will have."""
        guess = self._name(wanted, ".wsdl" if _looks_like_wsdl(content) else ".xsd")
        try:
            root = parse(where, self._override.apply(guess, content))
        except ConfigError as error:
            raise ConfigError(
                *(_with_remedy(found, guess, content, self._folder) for found in error.findings)
            ) from None
        if root.tag not in _ROOTS or (not wanted.depth and root.tag != f"{WSDL}definitions"):
            name = etree.QName(root).localname
            kind = "an XML Schema" if name == "schema" else f"<{name[:40]}>"
            raise _problem(
                where, f"is no WSDL 1.1 but {kind}", "name the address that ends in ?wsdl, or the .wsdl file"
            )
        for crowded in (element for element in root.iter() if len(element.attrib) > _MOST_ATTRIBUTES):
            what = f"has an element with more than {_MOST_ATTRIBUTES} attributes"
            raise _problem(f"{where}:{crowded.sourceline}", what, "ask the agency for a plain WSDL")
        return root, guess

    def _reference(self, element: etree._Element, base: str, where: str) -> Reference:
        said = str(element.get(_NAMED_BY[str(element.tag)], "")).strip()
        namespace = str(element.get("namespace", ""))
        if str(element.tag) == f"{XSD}import" and shipped(namespace) is not None:
            return Reference(said=said, location="", use=namespace)
        if shipped(said) is not None:
            return Reference(said=said, location="", use=said)
        absolute = urljoin(base, said).partition("#")[0] if is_url(base) or is_url(said) else said
        if use := self._override.used_for(said, absolute, shown(absolute)):
            return Reference(said=said, location=str((self._folder / use).resolve()), use=use)
        if is_url(absolute):
            return Reference(said=said, location=absolute)
        if is_url(base) or "://" in said or Path(said).is_absolute():
            remedy = "put that file beside the WSDL and name it in override.toml, under [[instead]]"
            raise _problem(f"{where}:{element.sourceline}", f"imports {said}, which is not read", remedy)
        beside = Path(base).parent
        plain = next((path for path in (beside / said, beside / unquote(said)) if path.is_file()), None)
        return Reference(said=said, location=str((plain or beside / unquote(said.partition("?")[0])).resolve()))

    def _taken(self, wanted: _Waiting, name: str, content: bytes, references: list[Reference]) -> Taken:
        targets = {one.said: self._names.get(one.location, "") or one.use for one in references}
        pinned = _rewritten(content, {said: name for said, name in targets.items() if said != name})
        said_in_all = self._override.apply(name, pinned)
        root = parse(name, said_in_all)
        known = {*self._names.values(), ""}
        for found in _imports(root):
            said = str(found.get(_NAMED_BY[str(found.tag)]))
            if said not in known and shipped(said) is None and shipped(str(found.get("namespace", ""))) is None:
                what = f"imports {said} in a way that can't be rewritten"
                raise _problem(f"{name}:{found.sourceline}", what, "save the files, correct them, and give their path")
        return Taken(name=name, origin=self._origin(wanted), content=pinned, said=said_in_all, root=root)

    def _origin(self, wanted: _Waiting) -> str:
        return "override.toml" if wanted.use else self._relative(wanted.location)

    def _relative(self, location: str) -> str:
        if is_url(location):
            return shown(location)
        start = self._source.start
        return Path(location).name if is_url(start) else os.path.relpath(location, Path(start).parent)

    def _shown(self, location: str) -> str:
        return shown(location) if is_url(location) else os.path.relpath(location)

    def _name(self, wanted: _Waiting, suffix: str) -> str:
        name = wanted.use or self._before.get(self._relative(wanted.location), "")
        if not name or (not wanted.use and name in self._names.values()):
            stem = _stem(self._relative(wanted.location))
            taken = {*self._names.values(), *self._before.values()}
            numbered = (f"{stem}{'' if number == 1 else f'-{number}'}{suffix}" for number in range(1, len(taken) + 2))
            name = next(name for name in numbered if name not in taken)
        self._names[wanted.location] = name
        return name


def _imports(root: etree._Element) -> Iterator[etree._Element]:
    """Yield the imports and includes that name a file."""
    for element in root.iter(*_NAMED_BY):
        if str(element.get(_NAMED_BY[str(element.tag)], "")).strip():
            yield element


def _looks_like_wsdl(content: bytes) -> bool:
    return re.search(rb"<(?:[\w.-]+:)?definitions\b", content.replace(b"\x00", b"")) is not None


def _stem(origin: str) -> str:
    """Return a file name's stem for a place: its last step and what tells its query from others."""
    path, query = (urlsplit(origin).path, urlsplit(origin).query) if is_url(origin) else (origin, "")
    last = unquote(path.rstrip("/").rpartition("/")[2]) or "service"
    stem = re.sub(r"\.(?:wsdl|xsd|xml|asmx|svc|php|jws|aspx|cfc)\b", "", last, flags=re.IGNORECASE)
    parts = [part for name, value in parse_qsl(query, keep_blank_values=True) for part in _telling(name, value)]
    return _NAME.sub("-", "-".join([stem, *parts]).lower()).strip("-")[:_LONGEST_NAME].strip("-") or "service"


def _telling(name: str, value: str) -> Iterator[str]:
    if not _USUAL_QUERY.fullmatch(name):
        yield f"{name}-{value}"
    elif value:
        yield value if _USUAL_QUERY.match(value) else f"{name}{value}"


def _rewritten(content: bytes, targets: Mapping[str, str]) -> bytes:
    """Return a file with these locations replaced and every other byte as it was."""
    if not targets:
        return content
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = content.decode("utf-16" if wide else "latin-1")

    def value(found: re.Match[str]) -> str:
        said = found[2][1:-1] if wide else found[2][1:-1].encode("latin-1").decode("utf-8", "replace")
        target = targets.get(html.unescape(said).strip())
        return found[0] if target is None else f'{found[1]}"{html.escape(target)}"'

    text = _TAG.sub(lambda tag: _ATTRIBUTE.sub(value, tag[0]), text)
    return text.encode("utf-16" if wide else "latin-1")


def _with_remedy(found: Finding, name: str, content: bytes, folder: Path) -> Finding:
    if _HTML.match(content):
        where = found.where.rpartition(":")[0] or found.where
        return Finding(where=where, what="is an HTML page, not a WSDL", remedy="add ?wsdl to the address")
    remedy = (
        f'change it in {folder}/override.toml ([[change]] with file = "{name}"), or ask the agency for a correct one'
    )
    return Finding(where=found.where, what=found.what, remedy=remedy)


def _problem(where: str, what: str, remedy: str) -> ConfigError:
    return ConfigError(Finding(where=where, what=what, remedy=remedy))
