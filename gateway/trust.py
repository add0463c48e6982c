"""What `gateway check` has to say of TLS and signatures: what is let in, who can read keys, which certificates end."""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from gateway import certificates
from gateway.config.follow import KeyPath
from gateway.config.load import Located
from gateway.config.models import Agency
from gateway.errors import ConfigError, Finding

SOON = timedelta(days=30)
"""From here on somebody should get a new one."""
_KEY = b"PRIVATE KEY-----"


def trusted(located: Located, now: datetime) -> Iterator[Finding]:
    """Warn, of each agency and of the API's listener. Blocks on disk; what can't be read is told by who uses it."""
    tls = located.config.gateway.tls
    if tls is not None:
        yield from _lasting(located, ("gateway", "tls", "certificate"), tls.certificate, now)
        yield from _hidden(located, ("gateway", "tls"), tls.certificate, tls.key)
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
            yield from _hidden(located, path, agency.tls.certificate, agency.tls.key)
        if agency.tls.ca is not None:
            yield from _lasting(located, (*path, "ca"), agency.tls.ca, now)
        yield from _signatures(located, ("agency", name, "security"), agency, now)
        yield from _drops(located, ("agency", name), agency, now)


def _signatures(located: Located, path: KeyPath, agency: Agency, now: datetime) -> Iterator[Finding]:
    """Warn of what an adapter that signs messages says about it, if it says so in these words."""
    said = _table(agency.model_extra, "security")
    signs, verifies = _table(said, "sign"), _table(said, "verify")
    remedy = "have the agency renew its system, and take it away"
    if signs.get("hash") == "sha1":
        yield _warning(located, (*path, "sign", "hash"), "SHA-1 is broken: signatures can be forged", remedy)
    if verifies.get("sha1") is True:
        yield _warning(located, (*path, "verify", "sha1"), "SHA-1 is broken: answers can be forged", remedy)
    certificate, key = signing_certificate(agency), signs.get("key")
    if certificate is not None:
        yield from _lasting(located, (*path, "sign", "certificate"), certificate, now)
        yield from _hidden(located, (*path, "sign"), certificate, key if isinstance(key, str) else None)
    if isinstance(authorities := verifies.get("ca"), str):
        yield from _lasting(located, (*path, "verify", "ca"), authorities, now)


def signing_certificate(agency: Agency) -> str | None:
    """Return the certificate by which an adapter signs messages, if its section says so in these words."""
    found = _table(_table(agency.model_extra, "security"), "sign").get("certificate")
    return found if isinstance(found, str) else None


def _drops(located: Located, path: KeyPath, agency: Agency, now: datetime) -> Iterator[Finding]:
    """Warn of what an adapter that exchanges files elsewhere says about it, if it says so in these words."""
    said = agency.model_extra or {}
    outs = _table(said, "out")
    places = [((*path, "drop"), said.get("drop"), (*path, "drop_login"), _table(said, "drop_login"))]
    for name in outs:
        at, out = (*path, "out", name), _table(outs, name)
        places.append(((*at, "folder"), out.get("folder"), (*at, "login"), _table(out, "login")))
    for where, place, login, secrets in places:
        if isinstance(place, str) and place.startswith("ftp://"):
            what, remedy = "whoever is in between can read the password and every file", "have it offer sftp or ftps"
            yield _warning(located, where, what, remedy)
        if isinstance(key := secrets.get("key"), str):
            yield from _hidden(located, login, key, key)
        if isinstance(authority := secrets.get("ca"), str):
            yield from _lasting(located, (*login, "ca"), authority, now)


def _table(tables: Mapping[str, object] | None, name: str) -> Mapping[str, object]:
    found = (tables or {}).get(name)
    return found if isinstance(found, Mapping) else {}


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


def _hidden(located: Located, path: KeyPath, certificate: str, key: str | None) -> Iterator[Finding]:
    """Warn of a private key for more eyes than its owner's; one without a file of its own stands behind its chain."""
    setting, file = ("certificate", certificate) if key is None else ("key", key)
    try:
        found = Path(file).stat()
        if not exposed(found.st_mode, owner=found.st_uid, us=os.geteuid()) or _KEY not in Path(file).read_bytes():
            return
    except OSError:
        return
    what = f"others than its owner can read the private key in {file} (mode {found.st_mode & 0o777:o})"
    yield _warning(located, (*path, setting), what, f"chmod 600 {file}, and let the gateway's user own it")


def exposed(mode: int, *, owner: int, us: int) -> bool:
    """Whether a file is open to others; one of root's that we read as its group is not: Kubernetes mounts them so."""
    return bool(mode & (0o007 if owner == 0 != us else 0o077))


def _warning(located: Located, path: KeyPath, what: str, remedy: str) -> Finding:
    return Finding(where=located.where(*path), what=f"{'.'.join(path)}: {what}", remedy=remedy, warning=True)
