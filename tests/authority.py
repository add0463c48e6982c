"""A made-up certificate authority: certificates for 127.0.0.1 that begin and end when a test wants."""

import datetime as dt
import ipaddress
import ssl
import warnings
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(slots=True)
class Authority:
    """`file` is what those who trust it name; certificates are PEM files with their key behind them."""

    folder: Path
    name: str = "Otoritas Uji"
    key: ec.EllipticCurvePrivateKey = field(init=False)
    certificate: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = _signed(self.name, self.key, self.name, self.key, days=400, authority=True)
        self.file.write_bytes(_pem(self.certificate))

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name.replace(' ', '-')}.pem"

    def issue(
        self,
        name: str = "server",
        *,
        days: float = 200,
        since: float = 300,
        host: str = "127.0.0.1",
        key: Key | None = None,
    ) -> Path:
        """Write `name`.pem, good from `since` days ago for `days` more days (less than none: it has ended)."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        made = _signed(name, key, self.name, self.key, days=days, since=since, host=host)
        file = self.folder / f"{name}.pem"
        file.write_bytes(_pem(made) + _key(key))
        file.chmod(0o600)
        return file

    def server(self, certificate: Path, *, asks: bool = False, highest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        """Return what a server needs; one that `asks` wants a certificate of this authority from its clients."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=self.file)
        context.load_cert_chain(certificate)
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
        if highest is not None:
            _allow_old(context, highest)
        return context

    def trusting(self, certificate: Path | None = None) -> ssl.SSLContext:
        """Return what a client needs that trusts this authority, and maybe shows who it is."""
        context = ssl.create_default_context(cafile=self.file)
        if certificate is not None:
            context.load_cert_chain(certificate)
        return context


def _allow_old(context: ssl.SSLContext, highest: ssl.TLSVersion) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = highest
    if highest < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")


def _signed(  # noqa: PLR0913
    name: str,
    key: Key,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    *,
    days: float,
    since: float = 300,
    host: str = "127.0.0.1",
    authority: bool = False,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - since * DAY)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        made = made.add_extension(x509.SubjectAlternativeName([_host(host)]), critical=False)
    return made.sign(signer, hashes.SHA256())


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
