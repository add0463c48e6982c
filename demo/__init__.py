"""Stand-ins for the agencies, each with switches; they know nothing of the gateway. All data is made up."""

from collections.abc import Callable, Mapping
from pathlib import Path

from demo.agency import Agency
from demo.bkpsdm import Simpeg
from demo.dinkes import PelalawanSehat
from demo.disdukcapil import Dukcapil
from demo.diskominfo import Diskominfo
from demo.dpmptsp import Sipolan
from demo.dpupr import Dpupr
from demo.pln import Pln
from demo.puskesmas import Puskesmas

__all__ = ["CONTROL_PORT", "PORTS", "STAND_INS"]

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

CONTROL_PORT = 8180
PORTS: Mapping[str, int] = {name: CONTROL_PORT + number for number, name in enumerate(STAND_INS, start=1)}
