"""What several commands share: which configuration, read from where it lies."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from gateway.config.load import Located, load
from gateway.errors import ConfigError, Finding

config_option = click.option(
    "--config",
    "-c",
    "config",
    type=click.Path(path_type=Path),
    default=Path("gateway.toml"),
    show_default=True,
    help="The configuration file.",
)

demo_option = click.option(
    "--demo", is_flag=True, help="With the made-up secrets of the stand-ins that `gateway demo` runs."
)


def environment(*, demo: bool) -> Mapping[str, str]:
    """Return the environment, with the stand-ins' secrets added for a demo."""
    if not demo:
        return os.environ
    from demo import ENVIRONMENT  # noqa: PLC0415 - nothing but the demo needs the stand-ins

    return {**os.environ, **ENVIRONMENT}


def enter(path: Path) -> Path:
    """Go to a configuration's folder, which the paths in it are relative to; raises ConfigError where there is none.

    A link is not followed: a mounted ConfigMap changes by its links, and the folder behind an old one goes away.
    """
    try:
        os.chdir(path.absolute().parent)
    except OSError as error:
        finding = Finding(where=str(path), what="no such file", remedy="is it called so? --config names it")
        raise ConfigError(finding) from error
    return Path(path.name)


def read_config(path: Path, environment: Mapping[str, str] = os.environ) -> Located:
    """Read a gateway.toml and go to its folder; raises ConfigError."""
    return load(enter(path), environment)


def put(folder: Path, files: Mapping[str, str]) -> None:
    """Write files into a folder and name each; raises ConfigError where that can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
            click.echo(str(folder / name))
    except OSError as error:
        what = f"can't be written: {error.strerror}"
        raise ConfigError(Finding(where=str(folder), what=what, remedy="name another folder")) from error
