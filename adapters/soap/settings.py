"""What a section may say about the security, addressing and attachments of SOAP; reads no file."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, SecretStr, model_validator
from pydantic import Field as Setting

from adapters.soap.addressing import Version
from gateway import Duration


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Sign(_Settings):
    """Our signature: of the Body, the Timestamp where there is one, and `headers`."""

    certificate: Path = Setting(description="Our certificate, a PEM file.", examples=["tls/gateway.pem"])
    key: Path | None = Setting(
        None,
        description="Its key, a PEM file without a password; in the certificate's file when not set.",
        examples=["tls/gateway-key.pem"],
    )
    headers: tuple[str, ...] = Setting(
        (),
        description="Header blocks that are signed too where they are sent, by name; `UsernameToken` is one.",
        examples=[["To", "Action", "UsernameToken"]],
    )
    hash: Literal["sha1", "sha256", "sha384", "sha512"] = Setting(
        "sha256",
        description="The hash; with RSA or ECDSA, as the key is. `sha1` is broken: for systems that know no other.",
    )
    show: Literal["token", "issuer", "thumbprint"] = Setting(
        "token",
        description="How our certificate is shown: whole (`token`), or named by its issuer and serial number "
        "or by its thumbprint, where the agency has it.",
    )


class Verify(_Settings):
    """The agency's signature, which every answer must bear."""

    certificate: Path | None = Setting(
        None,
        description="The agency's certificate, a PEM file; several where one follows another. "
        "Nothing else counts, whatever an answer brings along, and not its end either.",
        examples=["tls/sipolan.pem"],
    )
    ca: Path | None = Setting(
        None,
        description="Instead: the authorities, a PEM file, one of which must have issued an answer's certificate.",
        examples=["tls/pemda-ca.pem"],
    )
    subject: str = Setting(
        "",
        description="With `ca`: the common name that the certificate must be for.",
        examples=["sipolan.pelalawankab.go.id"],
    )
    headers: tuple[str, ...] = Setting(
        (), description="Header blocks that must be there and signed too, by name.", examples=[["RelatesTo"]]
    )
    timestamp: bool = Setting(True, description="Whether a signed Timestamp must be there.", examples=[False])
    tolerance: Duration = Setting(
        300.0, description="By how much the agency's clock may differ from ours.", examples=["1m"]
    )
    sha1: bool = Setting(
        False, description="Let in signatures and digests with SHA-1, which is broken.", examples=[True]
    )
    unsigned_faults: bool = Setting(
        False,
        description="Take faults without a signature; else nobody knows who says so, and the outcome stays unknown.",
        examples=[True],
    )

    @model_validator(mode="after")
    def _one_anchor(self) -> Self:
        if (self.certificate is None) == (self.ca is None):
            raise ValueError("needs either `certificate` or `ca`: without one, anybody's signature would do")
        if self.subject and self.ca is None:
            raise ValueError("`subject` goes with `ca`; `certificate` already says whose signature counts")
        return self


class Security(_Settings):
    """WS-Security."""

    user: str = Setting("", description="The user in a UsernameToken; none is sent when not set.", examples=["gateway"])
    password: SecretStr | None = Setting(
        None, description='Its password; `""` where the agency wants none.', examples=["${SIPOLAN_PASSWORD}"]
    )
    digest: bool = Setting(
        False, description="Send a digest of the password, with nonce and time, not itself.", examples=[True]
    )
    nonce: bool = Setting(False, description="Send nonce and time beside a password in clear too.", examples=[True])
    timestamp: Duration | None = Setting(
        None, description="Send a Timestamp, which ends after this time.", examples=["5m"]
    )
    must_understand: bool = Setting(
        True, description="Let the agency refuse a message whose security it does not read.", examples=[False]
    )
    sign: Sign | None = Setting(
        None, description="Sign every message.", examples=[{"certificate": "tls/gateway.pem", "headers": ["To"]}]
    )
    verify: Verify | None = Setting(
        None, description="Check the signature of every answer.", examples=[{"certificate": "tls/sipolan.pem"}]
    )

    @property
    def shows(self) -> bool:
        """Whether messages say who we are."""
        return bool(self.user) or self.sign is not None

    @model_validator(mode="after")
    def _whole_user(self) -> Self:
        if (self.digest or self.nonce or self.password is not None) and not self.user:
            raise ValueError("has a password, digest or nonce but no `user`")
        if self.digest and self.password is None:
            raise ValueError("has no `password` to make a digest of")
        return self


class AddressingSettings(_Settings):
    """WS-Addressing."""

    version: Version = Setting("2005/08", description="Which edition, by the date in its namespace.")
    to: str = Setting(
        "",
        description="What the agency calls itself; the address that is called when not set.",
        examples=["urn:sipolan"],
    )
