"""How long laws are searched for counter-examples: briefly in `make test`, long in `make chaos`."""

import os

LONGER = int(os.environ.get("LAWS_LONGER", "1"))
"""How many times longer than `make test` does; 40 in `make chaos`."""
