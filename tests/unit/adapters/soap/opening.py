"""A signed answer on its way through the check."""

from datetime import datetime
from typing import Any

import pytest
from lxml import etree

from adapters.soap.parsing import parse_answer
from adapters.soap.security import secured
from adapters.soap.settings import Security, Verify
from adapters.soap.tolerate import Leniency
from adapters.soap.wrap import Received
from gateway import InvalidAnswer
from tests.unit.adapters.hand_clock import HandClock


class Moved(HandClock):
    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


def parse(content: bytes) -> etree._Element:
    return parse_answer(content, Leniency())


def opened(content: bytes, verify: Verify, *, at: datetime | None = None, asked: str | None = "1") -> bytes:
    clock = Moved(at) if at else HandClock()
    step = secured(Security(verify=verify), clock, "sipolan.wsdl")
    received = step.incoming(Received(root=parse(content), content=content, asked=asked))
    return etree.tostring(received.root)


def refused(content: bytes | str, verify: Verify, **at: Any) -> str:
    with pytest.raises(InvalidAnswer) as caught:
        opened(content.encode() if isinstance(content, str) else content, verify, **at)
    assert caught.value.maybe_done
    return str(caught.value)
