"""Loads a pinned WSDL with zeep, from files only; the one place where zeep's exceptions become findings."""

import re
import threading
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree
from zeep.exceptions import Error as ZeepError
from zeep.settings import Settings
from zeep.wsdl import Document
from zeep.wsdl.bindings import Soap11Binding, Soap12Binding

from adapters.soap.facts import Facts, collect
from adapters.soap.folder import Folder
from adapters.soap.override import FILE as OVERRIDE
from gateway import ConfigError, Finding

if TYPE_CHECKING:
    from zeep.wsdl.definitions import Port
    from zeep.xsd import Schema

_warnings = threading.Lock()
_NAMES = re.compile(r"\{[^}]*\}([\w.-]+)|'(?:[\w.-]+:)?([\w.-]+)'")
_REFERRING = ("type", "ref", "base", "element", "message", "binding", "itemType")


class _Transport(Folder):
    """What zeep takes for a transport; of bindings it may know SOAP's only."""

    binding_classes = (Soap11Binding, Soap12Binding)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One port of a WSDL: zeep's graph behind `port`, what zeep forgets in `facts`, why it dropped operations."""

    port: "Port"
    address: str
    facts: Facts
    dropped: tuple[str, ...]
    schema: "Schema"


def load(path: Path, *, service: str = "", port: str = "") -> Loaded:
    """Read a WSDL and choose its port; blocking, offline; raises ConfigError with one finding."""
    folder = _Transport(path.parent)
    document, dropped = _read(path, folder)
    chosen = _choose(path, document, service, port)
    address = str(chosen.binding_options.get("address") or "")
    return Loaded(port=chosen, address=address, facts=collect(folder.documents), dropped=dropped, schema=document.types)


def _read(path: Path, folder: _Transport) -> tuple[Document, tuple[str, ...]]:
    settings = Settings(forbid_dtd=True, force_https=False, xml_huge_tree=False)
    # zeep warns where it drops an operation; `warnings` has one state for all threads.
    with _warnings, warnings.catch_warnings(record=True) as dropped:
        warnings.simplefilter("always")
        try:
            document = Document(str(path.resolve()), folder, settings=settings)  # type: ignore[arg-type]
        except ConfigError:
            raise
        except Exception as error:  # bare AttributeError, KeyError, RecursionError, ... come out of zeep too
            raise ConfigError(_finding(folder, error, _texts(dropped))) from error
    return document, _texts(dropped)


def _texts(caught: Iterable[warnings.WarningMessage]) -> tuple[str, ...]:
    return tuple(str(found.message) for found in caught)


def _finding(folder: Folder, error: Exception, dropped: Iterable[str]) -> Finding:
    named = getattr(error, "filename", None) or getattr(error, "location", None)
    line = getattr(error, "sourceline", None)
    said = str(error) if isinstance(error, ZeepError | etree.LxmlError) else f"{type(error).__name__}: {error}"
    said = " ".join(said.split()).replace(f"{folder.root}/", "")
    if named:
        where = f"{folder.shown(str(named))}:{line}" if line else folder.shown(str(named))
    else:
        where = _mentioned(folder, said) or next(iter(folder.own), folder.reading)
    what = "; ".join([f"can't be understood: {said}", *dropped])
    remedy = f"change it in {folder.shown(str(folder.root / OVERRIDE))}, or ask the agency for one that validates"
    return Finding(where=where, what=what, remedy=remedy)


def _mentioned(folder: Folder, said: str) -> str:
    """Return where the first name of a complaint is used in the agency's files, "" if it can't be found."""
    names = {(clark or quoted).rstrip(".") for clark, quoted in _NAMES.findall(said)}
    for where, document in folder.own.items():
        for element in document.iter(etree.Element):
            used = {str(element.get(name, "")).rpartition(":")[2] for name in _REFERRING}
            if names & {*used, etree.QName(element).localname}:
                return f"{where}:{element.sourceline}"
    return ""


def _choose(path: Path, document: Document, service: str, port: str) -> "Port":
    """One service, or the named one; its first SOAP port, or the named one (a .asmx has one per SOAP version)."""
    services = {name: found for name, found in document.services.items() if found.ports}
    if not services:
        raise ConfigError(Finding(where=str(path), what="declares no SOAP port", remedy="ask for the full WSDL"))
    if service not in services and (service or len(services) > 1):
        raise ConfigError(_one_of(path, "service", service, services))
    ports = services[service or next(iter(services))].ports
    if port and port not in ports:
        raise ConfigError(_one_of(path, "port", port, ports))
    chosen: Port = ports[port or next(iter(ports))]
    return chosen


def _one_of(path: Path, what: str, asked: str, known: Iterable[str]) -> Finding:
    said = f"has no {what} '{asked}'" if asked else f"has several {what}s"
    return Finding(where=str(path), what=said, remedy=f"set {what} to one of: {', '.join(known)}")
