"""Whether an agency's WSDL is still the one that is pinned: fetched again from where it came, compared, not kept."""

from pathlib import Path

from adapters.http import Tls
from adapters.soap.adopt import source_of, staged
from adapters.soap.collect import collect
from adapters.soap.difference import difference
from adapters.soap.override import read_override
from adapters.soap.pins import read_record
from adapters.soap.planning import read_plans
from adapters.soap.source import Source, is_url, shown


def origin(wsdl: Path) -> str:
    """Return the address that a pinned WSDL was taken in from, "" where nobody wrote one down."""
    source = source_of(wsdl.parent)
    return source if is_url(source) else ""


def changed(wsdl: Path, *, service: str, port: str, tls: Tls) -> tuple[str, ...]:
    """Return how the WSDL at its origin differs from the pinned one, in plain words; blocking. Raises ConfigError.

    Files that are the same to the byte are not even planned: that is how nearly every comparison ends.
    """
    folder, start = wsdl.parent, origin(wsdl)
    record = read_record(folder)
    names = {**(record.names if record else {}), shown(start): wsdl.name}
    files = tuple(collect(Source(start=start, tls=tls), read_override(folder), folder=folder, names=names))
    if all(_same(folder / one.name, one.content) for one in files):
        return ()
    return difference(read_plans(wsdl, service=service, port=port), staged(files, folder, service, port))


def _same(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content
