"""Who may log in: the accounts of all feeds, and what is wrong with them or with the server's key; opens nothing."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from gateway.config.load import Located
from gateway.errors import Finding
from gateway.offers import Offer
from gateway.registry import Agency


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One feed's account."""

    agency: str
    offer: Offer


def accounts(agencies: Mapping[str, Agency]) -> dict[str, Account]:
    """Return the accounts by name; an agency that can't be asked has none, as nobody would take its files in."""
    return {name: account for name, account in _named(agencies) if not agencies[account.agency].unready}


def findings(located: Located, agencies: Mapping[str, Agency]) -> Iterator[Finding]:
    """Return why nobody, or the wrong one, could log in; looks at the key's file."""
    named = list(_named(agencies))
    settings = located.config.gateway.sftp
    if settings is None:
        for _, account in named:
            what = f"{_place(account)}: there is no SFTP server to log in to"
            remedy = 'write [gateway.sftp] with listen = "0.0.0.0:2222", or take the account out'
            yield Finding(where=_where(located, account), what=what, remedy=remedy)
        return
    if not named:
        what = "gateway.sftp: no feed has an account, so nobody can log in"
        remedy = 'write account = { password = "${...}" } in a feed\'s section'
        yield Finding(where=located.where("gateway", "sftp"), what=what, remedy=remedy, warning=True)
    if find_spec("asyncssh") is None:
        what = "gateway.sftp: the SFTP server needs asyncssh, which is not installed here"
        yield Finding(where=located.where("gateway", "sftp"), what=what, remedy="install the extra: make .venv/drops")
        return
    yield from _of_the_key(located, Path(settings.host_key))
    yield from _of_accounts(located, named, agencies)


def _named(agencies: Mapping[str, Agency]) -> Iterator[tuple[str, Account]]:
    for agency in agencies.values():
        for offer in agency.offers:
            yield offer.name or f"{agency.name}-{offer.feed}", Account(agency=agency.name, offer=offer)


def _of_the_key(located: Located, file: Path) -> Iterator[Finding]:
    where, what = located.where("gateway", "sftp", "host_key"), f"gateway.sftp.host_key: {file}"
    try:
        state = file.stat()
        file.read_bytes()
    except FileNotFoundError:
        yield Finding(where=where, what=f"{what}: no such file", remedy="make it, once: gateway sftp host-key")
        return
    except OSError as error:
        yield Finding(where=where, what=f"{what}: can't be read: {error.strerror}", remedy="let the gateway read it")
        return
    # A Secret of Kubernetes belongs to root and is the group's to read.
    others = 0o077 if state.st_uid == os.geteuid() and state.st_uid else 0o007
    if stat.S_IMODE(state.st_mode) & others:
        yield Finding(where=where, what=f"{what}: others may read it", remedy=f"chmod 600 {file}")
    from gateway.offered.keys import problem  # noqa: PLC0415 - needs asyncssh

    if why := problem(file):
        yield Finding(where=where, what=f"{what}: {why}", remedy="make one with: gateway sftp host-key")


def _of_accounts(
    located: Located, named: list[tuple[str, Account]], agencies: Mapping[str, Agency]
) -> Iterator[Finding]:
    from gateway.offered.keys import public_key  # noqa: PLC0415 - needs asyncssh

    first: dict[str, Account] = {}
    for name, account in named:
        where, place, offer = _where(located, account), _place(account), account.offer
        if (other := first.setdefault(name, account)) is not account:
            what = f'{place}: "{name}" is the account of {other.agency}/{other.offer.feed} already'
            yield Finding(where=where, what=what, remedy="give it a name of its own")
        if not offer.password and not offer.keys and not agencies[account.agency].unready:
            what = f"{place}: neither password nor key, so nobody can log in"
            yield Finding(where=where, what=what, remedy='write password = "${...}" or keys = ["ssh-ed25519 ..."]')
        for number, line in enumerate(offer.keys, 1):
            try:
                public_key(line)
            except ValueError:
                what = f"{place}.keys: number {number} is no public key"
                yield Finding(where=where, what=what, remedy='write it as in a .pub file: "ssh-ed25519 AAAA..."')


def _place(account: Account) -> str:
    return ".".join(("agency", account.agency, *account.offer.setting))


def _where(located: Located, account: Account) -> str:
    return located.where("agency", account.agency, *account.offer.setting)
