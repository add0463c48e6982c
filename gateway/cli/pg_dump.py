"""PostgreSQL's own program for a copy, called where it is installed and said where it is not."""

import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import click

from gateway.cli.desk import plain


def dumped(address: str, copy: Path) -> bool:
    """Copy a database into one file; false when that was said not to be possible."""
    command, password = words(address, copy)
    if shutil.which(command[0]) is None:
        click.echo("pg_dump is not installed here. It makes the copy, to be restored by pg_restore:", err=True)
        click.echo(shlex.join(words(address, Path("ledger.dump"))[0]), err=True)
        return False
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        click.echo(_why(done), err=True)
    return done.returncode == 0


def _why(done: "subprocess.CompletedProcess[str]") -> str:
    """Return its complaint; it had no time for one when a limit, or somebody, ended it."""
    if done.returncode > 0:
        return plain(done.stderr) or f"pg_dump ended with {done.returncode}"
    return f"pg_dump was ended: {(signal.strsignal(-done.returncode) or str(-done.returncode)).lower()}"


def words(address: str, copy: Path) -> tuple[list[str], str]:
    """Return the command that copies this database, and the password that its environment must have.

    Everybody on the machine can read a command, so no password stands in it.
    """
    parts = urlsplit(address)
    pairs = dict(parse_qsl(parts.query))
    password = pairs.pop("password", None) or unquote(parts.password or "")
    schema = pairs.pop("search_path", None)  # the gateway's library knows it, PostgreSQL's does not
    user = f"{parts.username}@" if parts.username else ""
    place = parts._replace(netloc=user + parts.netloc.rpartition("@")[2], query=urlencode(pairs, safe="/"))
    only = [f"--schema={schema}"] if schema else []
    return ["pg_dump", "--format=custom", "--no-owner", f"--file={copy}", *only, urlunsplit(place)], password
