"""Keys of SSH: the server's own, made once and known by its fingerprint, and the public ones of accounts.

The server's key is made by a command and never at a start: a gateway that lost its disk, or one replica of several,
would make another without a word, and teach everybody who connects to click the warning away.
"""

import os
from pathlib import Path

import asyncssh

ALGORITHM = "ssh-ed25519"


def made(file: Path) -> bool:
    """Make a host key where there is none, for nobody but us to read; false when there is one. Raises OSError."""
    key = asyncssh.generate_private_key(ALGORITHM)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(fd, "wb") as target:
        target.write(key.export_private_key("openssh"))
        target.flush()
        os.fsync(target.fileno())
    return True


def host_key(file: Path) -> asyncssh.SSHKey:
    """Read the host key; raises OSError and ValueError."""
    return asyncssh.import_private_key(file.read_bytes())


def fingerprint(file: Path) -> str:
    """Return what clients show of a host key when they meet it; raises OSError and ValueError."""
    return host_key(file).get_fingerprint()


def problem(file: Path) -> str:
    """Return why a file can't be used as host key, nothing when it can."""
    try:
        host_key(file)
    except (OSError, ValueError):
        return "holds no private key without a password"
    return ""


def public_key(line: str) -> bytes:
    """Return what a public key is known by; raises ValueError."""
    return asyncssh.import_public_key(line).public_data
