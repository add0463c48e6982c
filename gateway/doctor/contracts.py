"""Has the agency changed its WSDL since it was pinned? Reads it again where it came from, and writes nothing."""

from collections.abc import Mapping
from pathlib import Path

from adapters.soap.adapter import SoapAdapter
from adapters.soap.adopt import source_of
from gateway import add
from gateway.doctor.found import Found, error, foreign, ok, skipped
from gateway.errors import ConfigError

_SHOWN = 3


def drift(config: Path, agency: str, adapter: SoapAdapter, environment: Mapping[str, str]) -> Found:
    """Compare; blocks on the network."""
    renew = f"gateway add soap {agency} --renew takes it in; then adapt the mapping, gateway check"
    try:
        written = source_of(adapter.wsdl.parent)
        location = written or f"{adapter.address}?wsdl"
        found = add.compare(config, agency, location, environment)
    except ConfigError as failure:
        first = failure.findings[0]
        says = f"could not be read again: {foreign(f'{first.where} {first.what}')}"
        return skipped(says, f"gateway add soap {agency} ADDRESS --compare, with the address at which it is now")
    if found.changes:
        more = f"; and {len(found.changes) - _SHOWN} more" if len(found.changes) > _SHOWN else ""
        return error(f"has changed: {foreign('; '.join(found.changes[:_SHOWN]))}{more}", renew)
    return ok("is still what was pinned")
