"""Where a drop is that is no folder here, and who the gateway is there: read and checked, nothing is opened."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from gateway import ConfigError, Finding

Kind = Literal["sftp", "ftp", "ftps", "s3"]
FORMS: dict[Kind, str] = {
    "sftp": "sftp://user@host/folder",
    "ftp": "ftp://user@host/folder",
    "ftps": "ftps://user@host/folder",
    "s3": "s3://bucket/folder",
}
PORTS: dict[Kind, int] = {"sftp": 22, "ftp": 21, "ftps": 21, "s3": 0}
HOME = "/~"
_KIND = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")


class DropLogin(BaseModel):
    """`[agency.x.drop_login]`: who the gateway is at a drop elsewhere, and by what it knows the drop's server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    password: SecretStr | None = Field(
        None, description="The password (SFTP, FTP, FTPS).", examples=["${RSUD_SFTP_PASSWORD}"]
    )
    key: Path | None = Field(
        None, description="Our private key, a file as ssh-keygen writes it (SFTP).", examples=["keys/rsud"]
    )
    key_password: SecretStr | None = Field(
        None,
        description="What that file is locked with; of such, PKCS#8 is read (`ssh-keygen -p -m PKCS8`).",
        examples=["${RSUD_KEY_PASSWORD}"],
    )
    host_key: str = Field(
        "",
        description="The server's own key, as `ssh-keygen -lf` shows it (SFTP), of several the ED25519 one; a server "
        "that shows another is not talked to.",
        examples=["SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"],
    )
    known_hosts: Path | None = Field(
        None, description="Instead: a file of servers' keys, as ssh keeps it (SFTP).", examples=["keys/known_hosts"]
    )
    ca: Path | None = Field(
        None,
        description="The authority that vouches for the server, a PEM file, where it is none of the system's "
        "(FTPS, S3).",
        examples=["tls/pemda-ca.pem"],
    )
    implicit: bool | None = Field(
        None,
        description="Whether TLS is there from the start and not asked for (FTPS); when not set, on port 990 only.",
        examples=[True],
    )
    access_key: str = Field("", description="The name of our key (S3).", examples=["${MINIO_ACCESS_KEY}"])
    secret_key: SecretStr | None = Field(None, description="The key (S3).", examples=["${MINIO_SECRET_KEY}"])
    endpoint: str = Field(
        "", description="The store's address, where it is not Amazon's (S3).", examples=["https://minio.pemda.go.id"]
    )
    region: str = Field("us-east-1", description="Its region; most stores of one's own know only this one (S3).")


_OF: dict[Kind, frozenset[str]] = {
    "sftp": frozenset({"password", "key", "key_password", "host_key", "known_hosts"}),
    "ftp": frozenset({"password"}),
    "ftps": frozenset({"password", "ca", "implicit"}),
    "s3": frozenset({"ca", "access_key", "secret_key", "endpoint", "region"}),
}
"""What each kind of place has use for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A folder elsewhere; `host` is the bucket for S3, `path` without "/" at its end, relative to the login's home."""

    kind: Kind
    host: str
    port: int
    user: str
    path: str

    def __str__(self) -> str:
        return f"{self.kind}://{self.host}" + (f":{self.port}" if self.port else "")


def is_elsewhere(place: str) -> bool:
    """Tell whether a place is named by its address, and is no folder here."""
    return _KIND.match(place) is not None


def place_of(text: str, setting: str) -> Place:
    """Read `sftp://user@host:22/folder` and the like; raises ConfigError."""
    kind = _kind(text, setting)
    try:
        url = urlsplit(text)
        port = url.port or PORTS[kind]
    except ValueError as error:
        raise _not_one(setting, kind, f"is no address: {error}") from error
    if url.password is not None:
        raise _not_one(setting, kind, "has a password in it", remedy="write it under drop_login, from the environment")
    if not url.hostname or (kind != "s3" and not url.username) or url.query or url.fragment:
        raise _not_one(setting, kind, "is not of the form of such an address")
    user, path = unquote(url.username or ""), unquote(url.path)
    if _CONTROL.search(user + path) or ".." in path.split("/"):
        raise _not_one(setting, kind, "has signs in it that no folder has")
    return Place(kind=kind, host=url.hostname, port=port, user=user, path=path.rstrip("/"))


def login_of(place: Place, login: DropLogin | None, setting: str) -> DropLogin:
    """Return a login that has all that the place needs and nothing else; raises ConfigError."""
    found = login or DropLogin()
    findings = [*_unfit(place, found, setting), *_lacking(place, found, setting), *_unread(found, setting)]
    if findings:
        raise ConfigError(*findings)
    return found


def _unfit(place: Place, login: DropLogin, setting: str) -> list[Finding]:
    return [
        Finding(where=f"{setting}.{name}", what=f"is nothing that {place.kind}:// has use for", remedy="leave it out")
        for name in sorted(login.model_fields_set - _OF[place.kind])
    ]


def _lacking(place: Place, login: DropLogin, setting: str) -> list[Finding]:
    if place.kind == "s3":
        known = login.access_key or "access_key" in login.model_fields_set
        what, remedy = "s3:// needs a key", 'write access_key = "${...}" and secret_key = "${...}"'
        return [] if known and login.secret_key is not None else [Finding(where=setting, what=what, remedy=remedy)]
    findings = []
    if login.password is None and login.key is None:
        own = ' or key = "keys/..."' if place.kind == "sftp" else ""
        what, remedy = f"{place.kind}:// needs a login", f'write password = "${{...}}"{own} under it'
        findings.append(Finding(where=setting, what=what, remedy=remedy))
    if place.kind == "sftp":
        findings += _unknown_host(place, login, setting)
    return findings


def _unknown_host(place: Place, login: DropLogin, setting: str) -> list[Finding]:
    if not (login.host_key or login.known_hosts):
        remedy = (
            f"ask its owner for it and write host_key; `ssh-keyscan -p {place.port} {place.host} | ssh-keygen -lf -` "
            "shows what answers now"
        )
        return [Finding(where=setting, what=f"by which key is {place.host} known?", remedy=remedy)]
    if login.host_key and not _FINGERPRINT.fullmatch(login.host_key):
        remedy = 'write it as ssh-keygen -lf shows it: "SHA256:..."'
        return [Finding(where=f"{setting}.host_key", what="is no fingerprint of a key", remedy=remedy)]
    return []


def _unread(login: DropLogin, setting: str) -> list[Finding]:
    files = (("key", login.key), ("known_hosts", login.known_hosts), ("ca", login.ca))
    return [
        Finding(where=f"{setting}.{name}", what=f"{file}: no such file", remedy="put it there, or name it")
        for name, file in files
        if file is not None and not file.is_file()
    ]


def _kind(text: str, setting: str) -> Kind:
    found = _KIND.match(text)
    name = found[1] if found else ""
    for kind in FORMS:
        if kind == name:
            return kind
    remedy = f"mount it and name the folder here, or write {', '.join(FORMS.values())}"
    raise ConfigError(Finding(where=setting, what=f"{name}:// is not supported", remedy=remedy))


def _not_one(setting: str, kind: Kind, what: str, *, remedy: str = "") -> ConfigError:
    return ConfigError(Finding(where=setting, what=what, remedy=remedy or f"write {FORMS[kind]}"))
