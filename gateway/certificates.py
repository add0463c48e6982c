"""When a certificate ends and for which names it is; checks nothing, trusts nobody."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from gateway.errors import ConfigError, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What a certificate says of itself."""

    begins: datetime
    ends: datetime
    names: tuple[str, ...]


def of_bytes(der: bytes) -> Certificate:
    """Read a certificate as a server shows it; raises ValueError."""
    return _read(x509.load_der_x509_certificate(der))


def of_file(path: Path) -> Certificate:
    """Read the first certificate of a PEM file, which is the one shown; raises ConfigError. Blocks on disk."""
    try:
        return _read(x509.load_pem_x509_certificates(path.read_bytes())[0])
    except OSError as error:
        what = f"can't be read: {error.strerror}"
        raise ConfigError(Finding(where=str(path), what=what, remedy="let the gateway's user read it")) from error
    except ValueError as error:
        remedy = "give the certificate in PEM, with the chain behind it"
        raise ConfigError(Finding(where=str(path), what="holds no certificate", remedy=remedy)) from error


def _read(certificate: x509.Certificate) -> Certificate:
    return Certificate(
        begins=certificate.not_valid_before_utc, ends=certificate.not_valid_after_utc, names=_names(certificate)
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        return ()
    assert isinstance(found, x509.SubjectAlternativeName)  # noqa: S101 -- what this extension is
    hosts = found.get_values_for_type(x509.DNSName)
    return (*hosts, *map(str, found.get_values_for_type(x509.IPAddress)))
