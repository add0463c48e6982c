"""TLS of the API's own listener: its files made into what a server needs; reads no request."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from gateway import certificates
from gateway.config.load import Located
from gateway.config.tls import ListenerTls
from gateway.errors import ConfigError, Finding

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """What whoever connects is met with, and when its certificate ends, in seconds since 1970."""

    context: ssl.SSLContext
    ends: float


def listener_tls(located: Located) -> Secured | None:
    """Return what `[gateway.tls]` says, None where it says nothing; raises ConfigError. Blocks on disk."""
    tls = located.config.gateway.tls
    if tls is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[tls.minimum]
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION
    _show(context, tls, located)
    if tls.client_ca is not None:
        _ask(context, tls.client_ca, located)
    return Secured(context=context, ends=certificates.of_file(Path(tls.certificate)).ends.timestamp())


def _show(context: ssl.SSLContext, tls: ListenerTls, located: Located) -> None:
    """Take certificate and key; one that needs a password would ask for it on a terminal."""
    for setting, file in (("certificate", tls.certificate), ("key", tls.key)):
        if file is not None and not Path(file).is_file():
            raise _refused(located, setting, f"{file}: no such file", "put the PEM file there, or name it")
    try:
        context.load_cert_chain(tls.certificate, tls.key, password="")
    except OSError as error:
        files = " and ".join(filter(None, (tls.certificate, tls.key)))
        remedy = (
            "give PEM files that the gateway's user can read: the chain, and the key of its first, without password"
        )
        raise _refused(located, "certificate", f"{files} can't be used: {_reason(error)}", remedy) from error


def _ask(context: ssl.SSLContext, authority: str, located: Located) -> None:
    """Let in only whom this authority signed."""
    try:
        context.load_verify_locations(cafile=authority)
    except OSError as error:
        remedy = "give the PEM file of the authority that signs the clients' certificates"
        raise _refused(located, "client_ca", f"{authority} can't be used: {_reason(error)}", remedy) from error
    context.verify_mode = ssl.CERT_REQUIRED


def _refused(located: Located, setting: str, what: str, remedy: str) -> ConfigError:
    where = located.where("gateway", "tls", setting)
    return ConfigError(Finding(where=where, what=f"gateway.tls.{setting}: {what}", remedy=remedy))


def _reason(error: OSError) -> str:
    """Return what OpenSSL, or the system, has to say in words."""
    said = error.reason if isinstance(error, ssl.SSLError) else None
    return (said or error.strerror or type(error).__name__).replace("_", " ").lower()
