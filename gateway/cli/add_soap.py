"""`gateway add soap`: take in an agency's WSDL once, take it in again, or see whether it has changed."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from gateway import add
from gateway.cli.next_steps import Standing, standing, tell_steps
from gateway.cli.options import config_option, enter
from gateway.config.tls import Tls
from gateway.errors import ConfigError, Finding
from gateway.wording import counted

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@click.command(
    name="soap",
    help="Take in an agency that speaks SOAP, from its WSDL: an address or a file. The WSDL and all that it imports "
    "are pinned under wsdl/AGENCY; a mapping, examples and a section of gateway.toml are written. Nothing is ever "
    "fetched but by this command. An address with a password is 'http://user:${PASSWORD}@...', in single quotes.",
)
@click.argument("agency")
@click.argument("source", required=False, default="")
@click.option("--title", default="", help="The agency as people know it.")
@click.option("--operation", "only", multiple=True, metavar="NAME", help="Only this operation; may be repeated.")
@click.option("--service", default="", help="Which service, where the WSDL has several.")
@click.option("--port", default="", help="Which port, where the service has several.")
@click.option("--url", default="", help="The agency's address, where the WSDL has a wrong one or none.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False), help="The agency's own certificate authority.")
@click.option("--offline", is_flag=True, help="Read files only; what is imported from an address is an error.")
@click.option("--renew", is_flag=True, help="Take the WSDL in again, and show what is different; nothing else changes.")
@click.option(
    "--compare", is_flag=True, help="Show what is different, and change nothing; exits with 1 if anything is."
)
@config_option
def command(  # noqa: PLR0913 - its options
    *,
    config: Path,
    agency: str,
    source: str,
    title: str,
    only: tuple[str, ...],
    service: str,
    port: str,
    url: str,
    ca: str | None,
    offline: bool,
    renew: bool,
    compare: bool,
) -> None:
    """Add, renew or compare."""
    here = standing(config)
    source = _filled(source, os.environ)
    source = source if not source or "://" in source else str(Path(source).resolve())
    if renew and compare:
        raise click.UsageError("--renew and --compare exclude each other")
    if renew or compare:
        if title or only or service or port or url or ca or offline:
            raise click.UsageError("--renew and --compare take nothing but the source; the rest stands in gateway.toml")
        _again(enter(config), agency, source, here, renew=renew)
        return
    if not source:
        raise click.UsageError("name the WSDL: an address or a file")
    click.echo("reading the WSDL and trying each of its operations offline ...", err=True)
    authority = str(Path(ca).resolve()) if ca else None
    wanted = add.Wanted(
        agency=agency,
        location=source,
        title=title,
        service=service,
        port=port,
        url=url,
        only=only,
        tls=Tls(ca=authority),
        offline=offline,
    )
    _tell(add.soap(enter(config), wanted, os.environ), here)


def _filled(source: str, environment: Mapping[str, str]) -> str:
    """Fill in ${NAME} from the environment, as in gateway.toml."""
    for name in _VARIABLE.findall(source):
        if name not in environment:
            what = f"the environment has no {name}"
            raise ConfigError(Finding(where="gateway add", what=what, remedy=f"set {name} before"))
    return _VARIABLE.sub(lambda found: environment[found[1]], source)


def _again(config: Path, agency: str, source: str, here: Standing, *, renew: bool) -> None:
    act = add.renew if renew else add.compare
    found = act(config, agency, source, os.environ)
    for line in found.changes:
        click.echo(line)
    if not found.changes:
        same = "" if found.same_bytes else ", although the files' text does"
        click.echo(f"no operation and no field of {agency} differs from what is pinned{same}")
    if renew:
        then = f"{here.command('gateway check')}, {here.command('gateway reload')}"
        click.echo(f"pinned: {counted(len(found.files), 'file')} under {here.path(str(found.folder))}/; then: {then}")
    sys.exit(bool(found.changes) and not renew)


def _tell(added: add.Added, here: Standing) -> None:
    section = added.section
    click.echo(click.style(f"{section.agency}: {counted(len(section.operations), 'operation')}", bold=True))
    width = max(len(called.call) for called in section.operations)
    for called in section.operations:
        click.echo(f"  {called.call:<{width}}  {section.exposed(called)}")
    for name, why in added.refused.items():
        click.echo(click.style(f"  not {name}: {why}", fg="yellow"))
    click.echo(click.style("written", bold=True))
    for name, origin in added.files.items():
        click.echo(f"  {here.path(f'wsdl/{section.agency}/{name}')}  from {origin}")
    mapping, examples = here.path(section.mapping), here.path(f"examples/{section.agency}")
    click.echo(f"  {mapping}, {examples}/, and the agency's section of {here.toml}")
    tell_steps(_next(added, here))


def _next(added: add.Added, here: Standing) -> list[str]:
    section, first = added.section, added.section.operations[0].name
    steps = [f"read {here.path(section.mapping)}: names, masks and what faults mean are guesses"]
    if added.elsewhere:
        steps.append(f"look at url in {here.toml}: the WSDL came from elsewhere than {added.address}")
    if section.login:
        steps.append(f"set {section.variable} in the environment, and `login` in {here.toml}")
    steps.append(here.command("gateway check"))
    example = here.path(f"examples/{section.agency}/{first}.json")
    steps.append(f"{here.command(f'gateway try {section.agency}/{first} --data @{example}')}   (it is really sent)")
    steps.append(f'let a client call it: allow = ["{section.agency}/*"]; then {here.command("gateway reload")}')
    return steps
