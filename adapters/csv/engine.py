"""Whether what a feed's lines are to be read by is installed; reads none."""

from importlib.util import find_spec

from adapters.csv.settings import Feed
from gateway import ConfigError, Finding


def check_engine(where: str, feed: Feed) -> None:
    """Tell what to install for a feed whose lines polars is to read; raises ConfigError."""
    if feed.engine == "polars" and not _has_polars():
        what = "polars is not installed here"
        remedy = "install the extra: make .venv/csv-fast; or leave `engine` out, which is slower and does the same"
        raise ConfigError(Finding(where=f"{where}.engine", what=what, remedy=remedy))


def _has_polars() -> bool:
    try:
        return find_spec("polars") is not None
    except ValueError:  # it was put out of reach
        return False
