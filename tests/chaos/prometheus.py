"""A real Prometheus in front of a gateway, with the shipped rules on drill: asks it what it knows."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.flows.process import eventually
from tests.ports import free_ports

CONFIG = """
global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: [rules.yml]
scrape_configs:
  - job_name: opd-gateway
    static_configs: [{{ targets: ["{target}"] }}]
"""
START = 30.0
STOP = 20.0


class Prometheus:
    """One that runs."""

    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=f"http://{address}", timeout=10)

    def ready(self) -> bool | None:
        """Tell whether it answers and has scraped its target."""
        try:
            return bool(self.ask("up == 1")) or None
        except httpx.HTTPError:
            return None

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """Return what an expression finds now."""
        answer = self._http.get("/api/v1/query", params={"query": expression})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    def firing(self) -> set[tuple[str, str]]:
        """Return the alerts that fire now, with their agency."""
        found = self._http.get("/api/v1/alerts").json()["data"]["alerts"]
        return {(a["labels"]["alertname"], a["labels"].get("agency", "")) for a in found if a["state"] == "firing"}

    def exemplars(self, expression: str) -> list[dict[str, Any]]:
        """Return the exemplars of a histogram's buckets in the last minutes."""
        when = {"start": "0", "end": "9999999999"}
        found: list[dict[str, Any]] = self._http.get(
            "/api/v1/query_exemplars", params={"query": expression, **when}
        ).json()["data"]
        return [exemplar for series in found for exemplar in series["exemplars"]]

    def close(self) -> None:
        """Hang up."""
        self._http.close()


@contextmanager
def watching(program: str, folder: Path, metrics_url: str, rules: str) -> Iterator[Prometheus]:
    """Run a Prometheus that scrapes a gateway and evaluates rules every second."""
    (folder / "rules.yml").write_text(rules, "utf-8")
    config = folder / "prometheus.yml"
    config.write_text(CONFIG.format(target=metrics_url.removeprefix("http://")), "utf-8")
    address = f"127.0.0.1:{free_ports()}"
    command = [program, f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address={address}", "--log.level=warn", "--enable-feature=exemplar-storage"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    running = Prometheus(address)
    try:
        eventually(running.ready, f"Prometheus scrapes: {folder / 'prometheus.log'}", START)
        yield running
    finally:
        running.close()
        process.terminate()
        process.wait(STOP)
