"""An address to listen at, as settings write it."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

LAST_PORT = 65535


def _there_is_its_port(address: str) -> str:
    if int(address.rpartition(":")[2]) > LAST_PORT:
        raise ValueError(f"there is no such port; the last is {LAST_PORT}")
    return address


Address = Annotated[
    str, StringConstraints(pattern=r"^(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}$"), AfterValidator(_there_is_its_port)
]
