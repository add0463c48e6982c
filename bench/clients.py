"""A whole SOAP operation through the gateway, beside SOAP clients called bare: `python bench/clients.py`.

All call the same agency in turns, from the same JSON to JSON, each on the gateway's core.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import load
import scene
from process import GATEWAY_CORE, LOAD_CORE, Server, ask, free_port, gateway, need, nginx, relay

HERE = Path(__file__).parent
ROUNDS, SECONDS, WARM = 3, 0.4, 0.8
CALLS = 20_000  # the most in one run
SINGLY = 1
AT_ONCE = (SINGLY, load.CONNECTIONS)
PATIENCE = 30.0
WHOLE = "the gateway, all of it"
WRITES = "the same as a write"
RELAY = "bytes passed on, nothing read (uvloop)"

Called = Callable[[str, int, float], float]
"""Calls an operation, so many at once, for some seconds; returns the microseconds of CPU of one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A process that calls as often as a line of its input says, and answers with a line of what that cost it."""

    name: str
    process: subprocess.Popen[str]

    def __call__(self, operation: str, at_once: int, seconds: float) -> float:
        """Call, and see that whole answers came."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = {"operation": operation, "at_once": at_once, "seconds": seconds, "calls": CALLS}
        self.process.stdin.write(f"{json.dumps(asked)}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} ended; what it said is above")
        told = json.loads(line)
        _see(self.name, operation, told["last"])
        cpu: float = told["cpu"]
        return cpu


def _see(name: str, operation: str, answer: str) -> None:
    if answer.count("Pangkalan Kerinci") != scene.RECORDS[operation]:
        raise SystemExit(f"{name}, {operation}: {answer[:2000]}")


@contextmanager
def _client(name: str, command: Sequence[str], folder: Path) -> Iterator[Client]:
    pinned = ["taskset", "-c", str(GATEWAY_CORE), *command]
    process = subprocess.Popen(pinned, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Client(name=name, process=process)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _through(server: Server, path: str, operation: str, at_once: int, seconds: float) -> float:
    """Load the gateway, for a whole second at least, since its CPU is counted in hundredths."""
    asked = load.Asked(method="POST", path=path.format(operation), body=scene.SENT)
    return load.run(server, asked, scene.KEY, seconds=max(1, round(seconds)), connections=at_once).cpu


def _node(folder: Path) -> str:
    """Install what package-lock.json names; returns why that can't be, or nothing."""
    if missing := [program for program in ("node", "npm") if shutil.which(program) is None]:
        return f"there is no {' and no '.join(missing)} here"
    shutil.copytree(HERE / "node", folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=PATIENCE)
    except subprocess.CalledProcessError as error:
        code = re.search(r"npm (?:error|ERR!) code (\S+)", error.stderr)  # more would name a registry
        return f"npm could not install them ({code[1] if code else error.returncode})"
    except subprocess.TimeoutExpired:
        return f"npm did not install them within {PATIENCE:g} s"
    return ""


def _all(folder: Path, running: ExitStack, without: str) -> Iterator[tuple[str, Called]]:
    """Start everything: the agency, the gateway in front of it, and the clients."""
    permits = scene.permits(folder / "permits")
    running.enter_context(nginx(permits.folder / "nginx.conf", permits.port, core=LOAD_CORE))
    place = scene.permit_gateway(folder / "gateway", permits)
    server = running.enter_context(gateway(place.folder, place.port))
    for operation in scene.RECORDS:
        _see(WHOLE, operation, ask(server.address, "POST", f"/v1/{operation}", scene.KEY, scene.SENT))
    yield WHOLE, partial(_through, server, "/v1/{}")
    yield WRITES, partial(_through, server, "/v1/tulis")
    passing = {
        operation: running.enter_context(relay(folder / operation, free_port(), permits.port, operation))
        for operation in scene.RECORDS
    }
    yield RELAY, lambda operation, at_once, seconds: _through(passing[operation], "/{}", operation, at_once, seconds)
    wsdl = str(permits.folder / "codec.wsdl")
    commands = {"zeep's AsyncClient": [sys.executable, str(HERE / "bare.py"), wsdl, scene.SENT]}
    if not without:
        commands |= {
            "node-soap": ["node", "calls.js", "soap", wsdl, scene.SENT],
            "strong-soap": ["node", "calls.js", "strong-soap", wsdl, scene.SENT],
        }
    for name, command in commands.items():
        yield name, running.enter_context(_client(name, command, folder if without else folder / "node"))


def compared(rounds: int = ROUNDS, seconds: float = SECONDS) -> str:
    """Return the tables: what one call costs each, and how many times the gateway's cost that is."""
    with tempfile.TemporaryDirectory(prefix="bench-clients-") as folder, ExitStack() as running:
        Path(folder).chmod(0o755)  # nginx reads the answers as another user, where it is started by root
        without = _node(Path(folder) / "node")
        callers = dict(_all(Path(folder), running, without))
        wanted = [(name, operation) for name in callers for operation in scene.RECORDS if _fits(name, operation)]
        for name, operation in wanted:
            callers[name](operation, SINGLY, WARM)
        found: dict[tuple[str, str, int], list[float]] = {}
        for _ in range(rounds):
            for name, operation in wanted:
                for at_once in AT_ONCE:
                    cost = callers[name](operation, at_once, seconds)
                    found.setdefault((name, operation, at_once), []).append(cost)
    least = {key: min(costs) for key, costs in found.items()}
    text = "".join(_table(list(callers), least, at_once) for at_once in AT_ONCE)
    return text + (f"\nWithout node-soap and strong-soap: {without}.\n" if without else "")


def _fits(name: str, operation: str) -> bool:
    return name != WRITES or operation == "ajukan"


def _table(names: Iterable[str], least: Mapping[tuple[str, str, int], float], at_once: int) -> str:
    how = "one call at a time" if at_once == SINGLY else f"{at_once} calls at once"
    head = (
        f"\n| SOAP, {how} | 12 fields, CPU µs | times the gateway | 100 x 12, CPU µs | times the gateway |\n"
        "|---|---:|---:|---:|---:|\n"
    )
    return head + "".join(f"| {name} | {' | '.join(_cells(name, least, at_once))} |\n" for name in names)


def _cells(name: str, least: Mapping[tuple[str, str, int], float], at_once: int) -> Iterator[str]:
    for operation in scene.RECORDS:
        cost, ours = least.get((name, operation, at_once)), least[WHOLE, operation, at_once]
        yield f"{cost:,.0f}" if cost else ""
        yield f"{cost / ours:.1f}" if cost else ""


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=ROUNDS, help="how often each is called, in turn")
    arguments.add_argument(
        "--seconds", type=float, default=SECONDS, help="how long each time (the gateway: 1 s at least)"
    )
    chosen = arguments.parse_args()
    need("wrk", "nginx", "taskset")
    print(compared(chosen.rounds, chosen.seconds))


if __name__ == "__main__":
    main()
