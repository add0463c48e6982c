"""The adapter that the author's guide shows keeps what every adapter promises."""

import re
import sys
from pathlib import Path
from types import ModuleType

from pydantic import SecretStr

from adapters.http import HttpClient
from gateway import Adapter, Call
from tests.contract.adapter import HttpAdapterContract
from tests.contract.calls import a_call

GUIDE = Path(__file__).parents[2] / "docs/adapters.md"


def shown() -> ModuleType:
    found = re.search(r"^```python adapter\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found
    module = ModuleType("documented_adapter")
    sys.modules[module.__name__] = module
    exec(compile(found[1], str(GUIDE), "exec"), module.__dict__)
    return module


class TestSikap(HttpAdapterContract):
    good = b'{"nomor": "12"}'

    def adapter(self, http: HttpClient, url: str) -> Adapter:
        made: Adapter = shown().SikapAdapter(http=http, url=url, token=SecretStr("rahasia"))
        return made

    def call(self, *, timeout: float = 5.0, safe: bool = False) -> Call:
        return a_call("uji-kir", {"nopol": "BM 9001 XX"}, timeout=timeout, safe=safe)
