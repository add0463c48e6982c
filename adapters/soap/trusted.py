"""Which certificates count: those of a file, or those that an authority of a file has issued; knows no XML."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from gateway import ConfigError, Finding


class Untrusted(Exception):
    """Why a certificate does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """Who issues certificates that count, and for whom (`subject`: a common name, "" for anybody)."""

    roots: list[x509.Certificate]
    subject: str = ""

    def check(self, shown: bytes, between: Sequence[bytes], now: datetime) -> None:
        """Raise Untrusted unless a certificate was issued by one of the authorities, is valid now and for whom it must.

        What a certificate may be used for is left open: agencies sign messages with whatever they have.
        """
        try:
            certificate = x509.load_der_x509_certificate(shown)
            issuers = [x509.load_der_x509_certificate(der) for der in between]
            policies = PolicyBuilder().extension_policies(ca_policy=_ISSUER, ee_policy=ExtensionPolicy.permit_all())
            policies.store(Store(self.roots)).time(now).build_client_verifier().verify(certificate, issuers)
        except ValueError as error:
            raise Untrusted("can't be read") from error
        except VerificationError as error:
            raise Untrusted("was not issued by `ca`, or is not valid now") from error
        if self.subject and self.subject not in _common_names(certificate):
            raise Untrusted("is not for `subject`")


def _is_authority(_policy: Policy, _certificate: x509.Certificate, extension: x509.BasicConstraints) -> None:
    if not extension.ca:
        raise ValueError("no authority")


_ISSUER = ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_authority)


def _common_names(certificate: x509.Certificate) -> list[str]:
    return [str(found.value) for found in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is said of a certificate in a message."""

    der: bytes
    key: str
    issuer: str
    serial: int
    thumbprint: bytes


def shown(certificate: x509.Certificate) -> Shown:
    """Return what is said of a certificate; raises ValueError for a key that no signature here is made with."""
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise ValueError("has a key that is neither RSA nor on an elliptic curve")  # noqa: TRY004 -- it is the file's fault
    return Shown(
        der=der(certificate),
        key="rsa" if isinstance(public, rsa.RSAPublicKey) else "ec",
        issuer=certificate.issuer.rfc4514_string(),
        serial=certificate.serial_number,
        thumbprint=certificate.fingerprint(SHA1()),  # noqa: S303 - a name for it, which the standard makes so
    )


def der(certificate: x509.Certificate) -> bytes:
    """Return a certificate's bytes."""
    return certificate.public_bytes(Encoding.DER)


def certificates(file: Path) -> list[x509.Certificate]:
    """Return the certificates of a PEM file, one at least; raises ConfigError. Blocks on disk."""
    try:
        return x509.load_pem_x509_certificates(read(file))
    except ValueError as error:
        raise unusable(file, "holds no certificate", "give certificates in PEM") from error


def read(file: Path) -> bytes:
    """Return what is in a file; raises ConfigError. Blocks on disk."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise unusable(file, f"can't be read: {error.strerror}", "let the gateway's user read it") from error


def unusable(file: Path, what: str, remedy: str) -> ConfigError:
    """Return what is wrong with a file."""
    return ConfigError(Finding(where=str(file), what=what, remedy=remedy))
