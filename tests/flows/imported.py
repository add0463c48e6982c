"""What a gateway imports from its start to its end, for the process that others are forked from."""

import gc
import importlib

from gateway.cli import _COMMANDS

for name in _COMMANDS:
    importlib.import_module(f"gateway.cli.{name}_command")
gc.collect()
gc.freeze()
