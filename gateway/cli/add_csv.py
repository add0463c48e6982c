"""`gateway add csv`: take in an agency that leaves CSV files or spreadsheets, from one of them."""

import os
import shlex
from pathlib import Path

import click

from gateway import add_csv
from gateway.cli.bar import Bar
from gateway.cli.next_steps import Standing, standing, tell_steps
from gateway.cli.options import config_option, enter
from gateway.sketch.columns import Column
from gateway.sketch.feed import is_officers
from gateway.wording import counted, say

LARGE = 2 << 20
"""Bytes from which on a sample takes long enough to be told how far it is."""
_WHAT = {"empty": "text", "identifier": "text", "code": "text"}


@click.command(
    name="csv",
    help="Take in an agency that leaves files, from one SAMPLE of them: how they are written, what each column holds, "
    "what makes a row one row. A mapping and a section of gateway.toml with a feed and a look-up are written; no "
    "value of a person goes into them. The sample stays where it is.",
)
@click.argument("agency")
@click.argument("sample", type=click.Path(path_type=Path, resolve_path=True))
@click.option("--title", default="", help="The agency as people know it.")
@click.option("--feed", default="", metavar="NAME", help="The feed's name, where the file's own says nothing.")
@click.option(
    "--drop", default="", metavar="FOLDER", help="Where the agency leaves its files; drops/AGENCY unless said."
)
@click.option("--make-drop", is_flag=True, help="Make that folder.")
@config_option
def command(  # noqa: PLR0913 - its options
    *, config: Path, agency: str, sample: Path, title: str, feed: str, drop: str, make_drop: bool
) -> None:
    """Add."""
    here = standing(config)
    with Bar(sample.name, quiet=_is_small(sample)) as bar:
        wanted = add_csv.Wanted(
            agency=agency,
            sample=sample,
            title=title,
            feed=feed,
            drop=drop,
            make_drop=make_drop,
            progress=bar.at,
        )
        added = add_csv.csv(enter(config), wanted, os.environ)
    _tell(added, here, sample)


def _is_small(sample: Path) -> bool:
    return not sample.is_file() or sample.stat().st_size < LARGE


def _tell(added: add_csv.Added, here: Standing, sample: Path) -> None:
    section, seen = added.section, added.sample
    rows = counted(len(seen.rows), "row") if seen.whole else f"the first {counted(len(seen.rows), 'row')}"
    heading = f"{section.agency}/{added.feed}: {counted(len(added.columns), 'column')}, {rows}, {seen.encoding}"
    if seen.dialect is not None:
        sign = {"\t": "tabs"}.get(seen.dialect.delimiter, f'"{seen.dialect.delimiter}"')
        heading += f", separated by {sign}"
    click.echo(click.style(heading, bold=True))
    width = max(len(column.name) for column in added.columns)
    for column in added.columns:
        click.echo(f"  {column.name:<{width}}  {column.ours}  {click.style(_kind(column), dim=True)}")
    _tell_key(added)
    for doubt in added.doubts:
        click.echo(click.style(f"  {doubt}", fg="yellow"))
    _tell_trial(added, sample)
    click.echo(click.style("written", bold=True))
    click.echo(f"  {here.path(section.mapping)}, and the agency's section of {here.toml}")
    tell_steps(_next(added, here, sample))


def _tell_key(added: add_csv.Added) -> None:
    """Say which fields make a row one row, and that somebody is to say whether they do."""
    if not added.key:
        click.echo("  no key was found: a row is known by all that stands in it")
        return
    named = ", ".join(column.ours for column in added.key)
    unlike = "no two rows of the sample have it alike"
    click.echo(f"  key: {named}   (a guess: {unlike}; is it so in every file? else change key in gateway.toml)")
    if officers := [column.ours for column in added.key if is_officers(column)]:
        what = f"{', '.join(officers)} seems to be the officer's, and not that of whom the row is about"
        click.echo(click.style(f"  {what}: a key only if an officer never has two rows", fg="yellow"))


def _kind(column: Column) -> str:
    name, said = next(iter(column.keys.items()), ("", ""))
    keys = "/".join(said) if isinstance(said, list) else f"{said} digits" if name == "digits" else str(said)
    keys = "" if name == "integer" else keys
    kind = "integer" if name == "integer" else _WHAT.get(column.kind, column.kind)
    marks = [keys, "personal" if column.personal else "", "optional" if column.optional else ""]
    return ", ".join([kind, *filter(None, marks)])


def _tell_trial(added: add_csv.Added, sample: Path) -> None:
    """Say how the sample itself does."""
    tally, refused = added.preview.tally, added.preview.refused
    if refused is not None:
        click.echo(click.style(f"  {sample.name} itself would be refused: {say(refused, 'en')}", fg="red"))
    else:
        counts = f"{counted(tally.accepted, 'row')}, {tally.rejected} rejected, {tally.skipped} skipped"
        click.echo(f"  {sample.name} itself would be taken: {counts}")


def _next(added: add_csv.Added, here: Standing, sample: Path) -> list[str]:
    section = added.section
    operation = f"{section.agency}/{section.operations[0].name}"
    shown = shlex.quote(os.path.relpath(sample, here.here))
    steps = [f"read {here.path(section.mapping)}: names, types, masks and the key are guesses"]
    if not (here.folder / added.drop).is_dir():
        steps.append(f"make {here.path(added.drop)}, the folder in which {section.agency} leaves files {added.files}")
    asked = ", ".join(f'"{column.ours}": "..."' for column in added.key[:1])
    tried = f"gateway try {operation} --data '{{{asked}}}'"
    steps += [
        here.command("gateway check"),
        f"{here.command(f'gateway feed check {shown} --feed {section.agency}/{added.feed}')}   (nothing is moved)",
        f"{here.command(tried)}   (of a file that lies in {here.path(added.drop)})",
        f'let a client call it: allow = ["{operation}"]; then {here.command("gateway reload")}',
        f"put a file into {here.path(added.drop)}, and look: {here.command('gateway feed list')}",
    ]
    return steps
