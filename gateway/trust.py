"""What `gateway check` has to say about TLS: what a setting lets in, and which certificates of ours end."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from gateway import certificates
from gateway.config.follow import KeyPath
from gateway.config.load import Located
from gateway.errors import ConfigError, Finding

SOON = timedelta(days=30)
"""From here on somebody should get a new one."""


def trusted(located: Located, now: datetime) -> Iterator[Finding]:
    """Warn, of each agency and of the API's listener. Blocks on disk; what can't be read is told by who uses it."""
    tls = located.config.gateway.tls
    if tls is not None:
        yield from _lasting(located, ("gateway", "tls", "certificate"), tls.certificate, now)
    for name, agency in located.config.agency.items():
        path = ("agency", name, "tls")
        if not agency.tls.verify:
            remedy = "name the authority that signed its certificate in `tls.ca`, and take `verify = false` away"
            what = "whoever is in between can read and change everything, for its certificate is not checked"
            yield _warning(located, (*path, "verify"), what, remedy)
        if agency.tls.minimum in {"1.0", "1.1"}:
            what = f"TLS {agency.tls.minimum} is broken: whoever is in between may read what is sent, passwords too"
            remedy = "have the agency renew its server, or reach it through a VPN; then take `minimum` away"
            yield _warning(located, (*path, "minimum"), what, remedy)
        if agency.tls.certificate is not None:
            yield from _lasting(located, (*path, "certificate"), agency.tls.certificate, now)
        if agency.tls.ca is not None:
            yield from _lasting(located, (*path, "ca"), agency.tls.ca, now)


def _lasting(located: Located, path: KeyPath, file: str, now: datetime) -> Iterator[Finding]:
    try:
        found = certificates.of_file(Path(file))
    except ConfigError:
        return
    remedy = "get a new one, put it there, then gateway reload"
    if found.begins > now:
        yield _warning(
            located, path, f"{file} holds only from {found.begins:%Y-%m-%d} on", "look at this machine's clock"
        )
    elif found.ends <= now:
        yield _warning(located, path, f"{file} has ended on {found.ends:%Y-%m-%d}, so nobody trusts it", remedy)
    elif found.ends - now < SOON:
        yield _warning(located, path, f"{file} ends on {found.ends:%Y-%m-%d}", remedy)


def _warning(located: Located, path: KeyPath, what: str, remedy: str) -> Finding:
    return Finding(where=located.where(*path), what=f"{'.'.join(path)}: {what}", remedy=remedy, warning=True)
