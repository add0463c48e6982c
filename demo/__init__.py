"""Stand-ins for the agencies, each with switches; they know nothing of the gateway. All data is made up."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from demo.agency import Agency
from demo.bkpsdm import LOGIN as SIMPEG_LOGIN
from demo.bkpsdm import Simpeg
from demo.dinkes import PASSWORD as DINKES_PASSWORD
from demo.dinkes import PelalawanSehat
from demo.disdukcapil import PASSWORD as DUKCAPIL_PASSWORD
from demo.disdukcapil import Dukcapil
from demo.diskominfo import PASSWORD as ADUAN_PASSWORD
from demo.diskominfo import Diskominfo
from demo.dpmptsp import LOGIN as SIPOLAN_LOGIN
from demo.dpmptsp import Sipolan
from demo.dpupr import KEY as DPUPR_KEY
from demo.dpupr import Dpupr
from demo.pln import SECRET as PLN_SECRET
from demo.pln import Pln
from demo.puskesmas import Puskesmas

__all__ = ["CONTROL_PORT", "ENVIRONMENT", "PORTS", "STAND_INS"]

STAND_INS: Mapping[str, Callable[[Path], Agency]] = {
    "dpmptsp": lambda _: Sipolan(),
    "dinkes": lambda _: PelalawanSehat(),
    "disdukcapil": lambda _: Dukcapil(),
    "pln": lambda _: Pln(),
    "bkpsdm": lambda _: Simpeg(),
    "dpupr": lambda _: Dpupr(),
    "diskominfo": lambda _: Diskominfo(),
    "puskesmas": Puskesmas,
}

CONTROL_PORT = int(os.environ.get("DEMO_PORT", "8180"))
"""The switches' port, and the agencies' follow it; where gateway.toml looks for them unless a test moves both."""
PORTS: Mapping[str, int] = {name: CONTROL_PORT + number for number, name in enumerate(STAND_INS, start=1)}

# The stand-ins' credentials, under the names by which the pilot's gateway.toml asks the environment for them.
ENVIRONMENT: Mapping[str, str] = {
    "SIPOLAN_PASSWORD": SIPOLAN_LOGIN[1],
    "DINKES_PASSWORD": DINKES_PASSWORD,
    "DUKCAPIL_PASSWORD": DUKCAPIL_PASSWORD,
    "PLN_SECRET": PLN_SECRET.decode(),
    "SIMPEG_PASSWORD": SIMPEG_LOGIN["Password"],
    "DPUPR_KEY": DPUPR_KEY,
    "ADUAN_PASSWORD": ADUAN_PASSWORD,
}
