"""What comes with the gateway for those who watch it, rules of alerts and dashboards, as text; knows no Prometheus."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

Kind = Literal["rules", "dashboards"]

_PACKAGED = Path(__file__).parent / "shipped"
_REPOSITORY = Path(__file__).parent.parent / "helm" / "opd-gateway"
RUNBOOKS = "runbooks/"
"""What the address of a runbook begins with, in the files as they lie there."""

_DURATION = re.compile(r"(?<=\[)\d+[smhd](?=\])|(?<=for: )\d+[smhd]\b|\b\d+(?=  # seconds$)", re.MULTILINE)
_SECONDS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def shipped(kind: Kind) -> Mapping[str, str]:
    """Return each file by its name; they lie in the package when it was installed, else in the repository's chart."""
    folder = _PACKAGED if _PACKAGED.is_dir() else _REPOSITORY
    return {file.name: file.read_text("utf-8") for file in sorted((folder / kind).iterdir())}


def as_one(files: Mapping[str, str]) -> str:
    """Return rule files as one, which Prometheus takes as well."""
    groups = (text.partition("groups:\n")[2].strip("\n") for text in files.values())
    return "groups:\n" + "\n\n".join(groups) + "\n"


def with_runbooks(text: str, address: str) -> str:
    """Let the links to runbooks begin with an address."""
    return text.replace(f"runbook_url: {RUNBOOKS}", f"runbook_url: {address.rstrip('/')}/")


def hurried(text: str, times: int) -> str:
    """Make every duration of the rules so many times shorter, for a drill; none gets shorter than a second."""
    return _DURATION.sub(lambda found: _shorter(found[0], times), text) if times > 1 else text


def _shorter(duration: str, times: int) -> str:
    if duration.isdigit():
        return str(max(1, int(duration) // times))
    seconds = int(duration[:-1]) * _SECONDS[duration[-1]]
    return f"{max(1, seconds // times)}s"
