"""The only files that loading a WSDL may read: one agency's folder and the schemas shipped here; knows no types."""

import codecs
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lxml import etree

from adapters.soap.override import read_override
from adapters.soap.parsing import doctype
from gateway import ConfigError, Finding

_UTF16 = (codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)
SCHEMAS = Path(__file__).parent / "schemas"

_SHIPPED = {
    "schemas.xmlsoap.org/soap/encoding": "soap-encoding.xsd",
    "schemas.xmlsoap.org/soap/envelope": "soap11-envelope.xsd",
    "schemas.xmlsoap.org/wsdl": "wsdl.xsd",
    "www.w3.org/2003/05/soap-envelope": "soap12-envelope.xsd",
    "www.w3.org/2003/05/soap-encoding": "soap12-encoding.xsd",
    "www.w3.org/XML/1998/namespace": "xml.xsd",
    "www.w3.org/2001/xml.xsd": "xml.xsd",
    "www.w3.org/2001/03/xml.xsd": "xml.xsd",
    "www.w3.org/2009/01/xml.xsd": "xml.xsd",
    "www.w3.org/2005/05/xmlmime": "xmlmime.xsd",
    "ws-i.org/profiles/basic/1.1/xsd": "swaref.xsd",
    "ws-i.org/profiles/basic/1.1/swaref.xsd": "swaref.xsd",
    "www.w3.org/2000/09/xmldsig": "xmldsig.xsd",
    "www.w3.org/TR/2002/REC-xmldsig-core-20020212/xmldsig-core-schema.xsd": "xmldsig.xsd",
    "www.w3.org/TR/xmldsig-core/xmldsig-core-schema.xsd": "xmldsig.xsd",
    "www.w3.org/2005/08/addressing": "addressing.xsd",
    "www.w3.org/2005/08/addressing/ws-addr.xsd": "addressing.xsd",
    "www.w3.org/2006/03/addressing/ws-addr.xsd": "addressing.xsd",
}
_BODIES = ("{http://schemas.xmlsoap.org/wsdl/soap/}body", "{http://schemas.xmlsoap.org/wsdl/soap12/}body")
_MIME = "{http://schemas.xmlsoap.org/wsdl/mime/}"
_IMPORT = "{http://www.w3.org/2001/XMLSchema}import"


class Folder:
    """Hands files to the WSDL loader and keeps each parsed document, for what the loader itself forgets."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._given = root
        self._override = read_override(self.root, root)
        self.documents: list[etree._Element] = []
        self.own: dict[str, etree._Element] = {}
        self.reading = ""

    def load(self, location: str) -> bytes:
        """Return a file's content; raises ConfigError for anything outside the folder, unreadable, or not XML."""
        path = self._find(location)
        self.reading = self.shown(str(path))
        try:
            content = path.read_bytes()
        except OSError as error:
            raise _problem(self.reading, f"can't be read: {error.strerror}", "put the file there") from error
        if path.is_relative_to(self.root):
            content = self._override.apply(path.name, content)
        document = parse(self.reading, content)
        self.documents.append(document)
        if path.is_relative_to(self.root):
            self.own[self.reading] = document
        mended = [_point_to_shipped(document), _drop_empty_namespaces(document), _lift_bodies(document)]
        return etree.tostring(document) if any(mended) else content

    def shown(self, path: str) -> str:
        """Return a path below the folder as the configuration wrote the folder."""
        below = Path(path).is_relative_to(self.root)
        return str(self._given / Path(path).relative_to(self.root)) if below else path

    def _find(self, location: str) -> Path:
        if (found := shipped(location)) is not None:
            return found
        parts = urlsplit(location)
        if parts.scheme in {"http", "https"}:
            raise _problem(
                self.reading, f"imports {location}", "save that file beside the WSDL and import it by its file name"
            )
        path = Path(unquote(parts.path) if parts.scheme == "file" else location).resolve()
        if not path.is_relative_to(self.root):
            raise _problem(
                self.reading,
                f"imports {location}, which is outside {self._given}",
                "copy it beside the WSDL and import it by its name",
            )
        return path


def shipped(location: str) -> Path | None:
    """Return the file shipped here for a well-known namespace or the address of its schema."""
    _, separator, rest = location.partition("://")
    name = _SHIPPED.get(rest.rstrip("/#")) if separator else None
    return SCHEMAS / name if name else None


def parse(where: str, content: bytes) -> etree._Element:
    """Return the root of a document; raises ConfigError unless it is well-formed XML without a DOCTYPE."""
    narrow = content.decode("utf-16", "replace").encode() if content.startswith(_UTF16) else content
    if doctype(narrow) != "none":  # before the parser, which one could keep busy for minutes
        raise _problem(f"{where}:1", "has a DOCTYPE, which is not read", "remove it")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)
    try:
        document = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise _problem(f"{where}:{error.lineno}", f"is not well-formed XML: {error.msg}", "correct the file") from error
    if document.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise _problem(f"{where}:1", "has a DOCTYPE, which is not read", "remove it")
    return document


def _point_to_shipped(document: etree._Element) -> bool:
    """Give imports of well-known namespaces that name no file the address they are shipped under."""
    pointed = False
    for found in document.iter(_IMPORT):
        namespace = found.get("namespace", "")
        if not found.get("schemaLocation") and shipped(namespace) is not None:
            found.set("schemaLocation", namespace)
            pointed = True
    return pointed


def _drop_empty_namespaces(document: etree._Element) -> bool:
    """Take namespace="" off soap:body: it says what saying nothing does, and zeep can't read it."""
    empty = [found for body in _BODIES for found in document.iter(body) if found.get("namespace") == ""]
    for found in empty:
        del found.attrib["namespace"]
    return bool(empty)


def _lift_bodies(document: etree._Element) -> bool:
    """Put a soap:body that has attachments beside it where one without has it: zeep looks nowhere else."""
    related = [found for found in document.iter(_MIME + "multipartRelated") if found.getparent() is not None]
    for found in related:
        for part in found.iterfind(_MIME + "part"):
            for lifted in (one for body in _BODIES for one in part.findall(body)):
                found.addprevious(lifted)
    return bool(related)


def _problem(where: str, what: str, remedy: str) -> ConfigError:
    return ConfigError(Finding(where=where, what=what, remedy=remedy))
