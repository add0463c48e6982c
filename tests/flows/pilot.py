"""The pilot's own gateway.toml, pointed at stand-ins on free ports; what is tested is the file that ships."""

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from demo import PORTS

ROOT = Path(__file__).parents[2]
KEY = "kunci-uji-alur-yang-panjang"
RESTRICTED_KEY = "kunci-uji-terbatas-yang-panjang"

CLIENTS = f"""
[client.uji]
title = "Tests of the whole way"
keys  = [{{ sha256 = "{hashlib.sha256(KEY.encode()).hexdigest()}" }}]
allow = ["*"]

[client.terbatas]
title = "May read facilities, and not often"
keys  = [{{ sha256 = "{hashlib.sha256(RESTRICTED_KEY.encode()).hexdigest()}" }}]
allow = ["dinkes/daftar-faskes"]
rate  = "3/h"
"""

# A breaker that opened in one test would fail the next; test_resilience_flow.py has its own gateways.
UNBREAKABLE = "breaker  = { failures = 100000, minimum = 100000, window = 100000 }"
QUICK_RETRIES = 'retry    = { attempts = 2, wait = "10ms", max_wait = "20ms", budget = 1.0 }'

EVERYWHERE: Mapping[str, str] = {
    'listen   = "127.0.0.1:8080"': 'listen   = "127.0.0.1:0"\nmetrics  = "127.0.0.1:0"',
    'every   = "1s"': 'every   = "50ms"',
    'stable_for = "2s"': 'stable_for = "200ms"',
}
# For tests in which an agency keeps silent.
IMPATIENT: Mapping[str, str] = {
    'timeout  = "10s" ': 'timeout  = "600ms" ',
    'deadline = "20s" ': 'deadline = "1s" ',
    'timeout = "8s"\n': "",
    'mapping = "mappings/disdukcapil.toml"\ntimeout = "5s"': 'mapping = "mappings/disdukcapil.toml"',
    'mapping = "mappings/pln.toml"\ntimeout = "5s"': 'mapping = "mappings/pln.toml"',
}


_LEDGER_KEYS = ("deliver", "wait", "expires", "order_by", "subject", "repeat", "ask", "answer_within", "hours")
_RECORDED = re.compile(rf"(?m)^(?:{'|'.join(_LEDGER_KEYS)})\s*=.*\n")


def direct(text: str) -> str:
    """Return the pilot's configuration as if every agency were asked directly, at any hour."""
    return _RECORDED.sub("", text)


def changed(text: str, changes: Mapping[str, str]) -> str:
    """Return `text` with each change made once; a change that doesn't fit means that the file has moved on."""
    for old, new in changes.items():
        assert text.count(old) == 1, f"{text.count(old)} times in the file: {old!r}"
        text = text.replace(old, new)
    return text


def defaults(*lines: str) -> dict[str, str]:
    """Return the change that adds lines to `[defaults]`."""
    return {"[defaults]\n": "\n".join(["[defaults]", *lines, ""])}


def shipped(folder: Path, changes: Mapping[str, str] | None = None) -> Path:
    """Copy the pilot's files into `folder`, changed; returns the gateway.toml there."""
    for name in ("mappings", "wsdl"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("puskesmas", "puskesmas-masuk"):
        (folder / "var/drops" / name).mkdir(parents=True)
    config = folder / "gateway.toml"
    config.write_text(changed((ROOT / "gateway.toml").read_text("utf-8"), changes or {}), "utf-8")
    return config


def dropped_in(folder: Path) -> dict[str, str]:
    """Return the change that lets the gateway look for the puskesmas' files in `folder`."""
    return {'drop    = "var/drops/puskesmas" ': f'drop    = "{folder}" '}


def pilot(
    folder: Path, ports: Mapping[str, int], changes: Mapping[str, str] | None = None, *, stored: bool = False
) -> Path:
    """Like `shipped`, with the agencies at `ports`, two known clients, and folders that exist.

    Unless `stored`, every agency is asked directly: what an agency does is then the answer's own.
    """
    addresses = {f"127.0.0.1:{PORTS[name]}": f"127.0.0.1:{port}" for name, port in ports.items() if name != "puskesmas"}
    config = shipped(folder, {**EVERYWHERE, **(changes or {}), **addresses})
    text = config.read_text("utf-8").replace(
        "[gateway]\n", f'[gateway]\nledger   = "sqlite:{folder}/var/ledger.db"\n', 1
    )
    config.write_text((text if stored else direct(text)) + CLIENTS, "utf-8")
    for drop in ("puskesmas", "puskesmas-masuk"):
        (folder / "var" / "drops" / drop).mkdir(parents=True, exist_ok=True)
    return config
