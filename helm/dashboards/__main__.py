"""Makes the dashboards' JSON: `python helm/dashboards FOLDER`; needs requirements/watch.txt (`make watch`)."""

import sys
from pathlib import Path

from agency import agency
from delivery import delivery
from feeds import feeds
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from overview import overview
from runtime import runtime

DASHBOARDS = (overview, agency, delivery, feeds, runtime)


def main() -> None:
    """Write each dashboard, its panels numbered, into the folder that is named."""
    folder = Path(sys.argv[1])
    for make in DASHBOARDS:
        made = make().build()
        for number, panel in enumerate(made.panels or [], 1):
            panel.id_val = number
        text = JSONEncoder(sort_keys=True, indent=2).encode(made)
        (folder / f"{make.__name__}.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
