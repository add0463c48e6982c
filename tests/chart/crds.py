"""The schemas of custom objects, read from the Go modules that declare them; `make chart` has fetched those."""

import functools
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

PINNED = dict(line.split() for line in Path(__file__).with_name("crds.txt").read_text("ascii").splitlines())
OPERATOR, GATEWAY_API = PINNED
PLACES = {
    "monitoring.coreos.com/v1": (OPERATOR, "example/prometheus-operator-crd/monitoring.coreos.com_{}s.yaml"),
    "gateway.networking.k8s.io/v1": (GATEWAY_API, "config/crd/standard/gateway.networking.k8s.io_{}s.yaml"),
}


@functools.cache
def schema_of(version: str, kind: str) -> dict[str, Any]:
    """Return the schema of a kind; a field that it does not name is an error."""
    module, path = PLACES[version]
    crd = yaml.safe_load((fetched(module) / path.format(kind.lower())).read_text("utf-8"))
    assert crd["spec"]["names"]["kind"] == kind
    (found,) = [each for each in crd["spec"]["versions"] if f"{crd['spec']['group']}/{each['name']}" == version]
    schema: dict[str, Any] = closed(found["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object"}  # Kubernetes' own; kubernetes-validate knows it
    return schema


@functools.cache
def fetched(module: str) -> Path:
    """Return the folder of a pinned module in Go's cache, without asking the network; it must be what was pinned."""
    if shutil.which("go") is None:
        pytest.skip("go is not installed: it fetches the schemas of custom objects")
    told = subprocess.run(
        ["go", "mod", "download", "-json", module],
        env={**os.environ, "GOPROXY": "off", "GOFLAGS": "-mod=mod", "GOSUMDB": "off"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        pytest.skip(f"{module} is not in Go's cache: `make chart` fetches it")
    answer = json.loads(told.stdout)
    assert answer["Sum"] == PINNED[module]
    return Path(answer["Dir"])


def closed(node: Any) -> Any:
    """Forbid fields that are not declared; drop what JSON Schema does not know."""
    if isinstance(node, list):
        return [closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {key: closed(value) for key, value in node.items() if not _only_go(key, value)}
    declares = isinstance(node.get("properties"), dict) and "type" in node
    if declares and "additionalProperties" not in node and not node.get("x-kubernetes-preserve-unknown-fields"):
        made["additionalProperties"] = False
    return made


def _only_go(key: str, value: object) -> bool:
    return key.startswith("x-kubernetes-") or (key == "pattern" and isinstance(value, str) and "(?i)" in value)
