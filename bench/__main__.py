"""Measures what a request costs, beside nginx in the same run: `python bench`, or `--write` into bench/README.md."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import clients
import scene
from load import CONNECTIONS, Asked, Run, run
from process import GATEWAY_CORE, LOAD_CORE, ROOT, Server, ask, first_answer, gateway, need, nginx
from report import Row, markdown, starts, telling, write

FEW, MANY = 10, 500
WATCHED = 140  # 6,000 series
SLOTS = 8  # the default
STARTS = 5
TOLD = {
    "nothing": "figures,lines",
    "figures": "lines",
    "figures and a line": "",
    "figures, a line and a trace": "",
}
"""What a gateway tells of each request, and what is taken out of it for that; the third is `gateway run` as it is."""
MICRO = ("translate", "soap", "policies", "edge", "telling", "metrics")

Measured = tuple[str, Server, Asked]


def main() -> None:
    """Measure, print, and write where asked to."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--write", action="store_true", help="put the figures into bench/README.md")
    arguments.add_argument("--rounds", type=int, default=3, help="how often each is loaded, in turn")
    arguments.add_argument("--seconds", type=int, default=2, help="how long each time")
    arguments.add_argument("--only", default="", help="only rows with this in their name, and nothing else")
    chosen = arguments.parse_args()
    need("wrk", "nginx", "taskset")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        text = _loaded(Path(folder), chosen.rounds, chosen.seconds, chosen.only)
        if not chosen.only:
            text += _started(Path(folder)) + clients.compared()
    if not chosen.only:
        text += "".join(_micro(name) for name in MICRO if (ROOT / "bench" / f"{name}.py").exists())
    print(text)
    if chosen.write:
        write(text)


def _loaded(folder: Path, rounds: int, seconds: int, only: str) -> str:
    """Load everything in turn, so that a neighbour's noise meets all alike."""
    with ExitStack() as running:
        rows = [row for row in _rows(folder, running) if only in row[0]]
        runs: dict[str, list[Run]] = {name: [] for name, _, _ in rows}
        _load_once(rows)
        for turn in range(rounds):
            print(f"round {turn + 1} of {rounds}", file=sys.stderr)
            for name, server, asked in rows:
                runs[name].append(run(server, asked, scene.KEY, seconds=seconds))
    return markdown(_compared(runs)) + telling({told: runs[name] for told in TOLD if (name := _told(told)) in runs})


def _told(what: str) -> str:
    return f"REST read (GET), told: {what}"


def _telling(folder: Path, agencies: scene.Place, running: ExitStack) -> Iterator[Measured]:
    """Start the same gateway with less and more to tell of each request."""
    for number, (what, untold) in enumerate(TOLD.items()):
        traced = "trace" in what
        place = scene.gateway(folder / f"telling-{number}", agencies, operations=FEW, traced=traced)
        server = running.enter_context(gateway(place.folder, place.port, untold=untold))
        yield _told(what), server, scene.REST_READ


def _rows(folder: Path, running: ExitStack) -> Iterator[Measured]:
    agencies = scene.agencies(folder / "agencies")
    running.enter_context(nginx(agencies.folder / "nginx.conf", agencies.port, core=LOAD_CORE))
    proxy = scene.proxy(folder / "proxy", agencies)
    plain = running.enter_context(nginx(proxy.folder / "nginx.conf", proxy.port, core=GATEWAY_CORE))
    yield "nginx, GET", plain, scene.REST_READ
    yield "nginx, POST", plain, scene.REST_WRITE
    for operations in (FEW, MANY):
        place = scene.gateway(folder / f"of-{operations}", agencies, operations=operations)
        server = running.enter_context(gateway(place.folder, place.port))
        yield f"REST read (GET), {operations} operations", server, scene.REST_READ
        yield f"REST write (POST), {operations} operations", server, scene.REST_WRITE
        if operations == FEW:
            yield f"SOAP read (GET), {operations} operations", server, scene.SOAP_READ
            yield f"SOAP write (POST), {operations} operations", server, scene.SOAP_WRITE
    yield from _telling(folder, agencies, running)
    place = scene.gateway(folder / "watched", agencies, operations=WATCHED)
    server = running.enter_context(gateway(place.folder, place.port))
    yield f"REST read (GET), {WATCHED} operations, not scraped", server, scene.REST_READ
    watched = replace(server, scraped=f"127.0.0.1:{place.metrics}")
    yield f"REST read (GET), {WATCHED} operations, scraped every second", watched, scene.REST_READ
    place = scene.gateway(folder / "narrow", agencies, operations=FEW, concurrency=SLOTS)
    server = running.enter_context(gateway(place.folder, place.port))
    yield f"REST read (GET), {CONNECTIONS} callers queue for {SLOTS} slots", server, scene.REST_READ


def _load_once(rows: Iterable[Measured]) -> None:
    """Show that each gives a whole answer, and warm it up."""
    for name, server, asked in rows:
        path, body = asked.path.replace("@N", "0"), asked.body and asked.body.replace("@N", "0")
        answer = ask(server.address, asked.method, path, scene.KEY, body)
        if "161/IMB" not in answer:
            raise SystemExit(f"{name}: {answer}")
        run(server, asked, scene.KEY, seconds=1)


def _compared(runs: Mapping[str, Sequence[Run]]) -> Iterator[Row]:
    """Set each row beside nginx with the same method."""
    floors = {
        method: min(run.cpu for run in runs[f"nginx, {method}"])
        for method in ("GET", "POST")
        if f"nginx, {method}" in runs
    }
    for name, given in runs.items():
        yield Row.of(name, given, floors.get("POST" if "POST" in name else "GET"))


def _started(folder: Path) -> str:
    """Start the pilot several times; its first request goes through SOAP to an agency and back."""
    agencies = scene.agencies(folder / "agencies-of-the-pilot")
    with nginx(agencies.folder / "nginx.conf", agencies.port, core=LOAD_CORE):
        pilot = scene.pilot(folder / "pilot", agencies)
        first = [first_answer(pilot.folder, pilot.port, "/v1/izin/status?nomor=1", scene.KEY) for _ in range(STARTS)]
        many = scene.gateway(folder / "many", agencies, operations=MANY)
        grown = [first_answer(many.folder, many.port, "/v1/izin-1?nomor=1", scene.KEY)]
    return starts({"the pilot (gateway.toml)": first, f"{MANY} operations": grown})


def _micro(name: str) -> str:
    """Run one of the scripts that measure inside one process."""
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{name}"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    return f"\n`bench/{name}.py`, microseconds of CPU unless it says otherwise:\n\n```\n{done.stdout.rstrip()}\n```\n"


if __name__ == "__main__":
    main()
