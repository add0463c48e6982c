"""What the schema and the chart's own checks refuse, and that they refuse nothing else."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.chart.release import CHART, Values, helm, pilot, released

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text("utf-8"))
DEFAULTS: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
TEMPLATES = "".join(path.read_text("utf-8") for path in CHART.rglob("templates/**/*") if path.is_file())
DISTRIBUTED = {"mode": "distributed", "postgresql": {"secret": "postgresql"}}
OPEN = {"kubernetes", "texts", "global", "files", "texts by path", "amounts"}
"""Maps whose keys are the user's own, and what is passed on to Kubernetes, whose schemas test_schemas.py asks."""

REFUSED: dict[str, tuple[Values, str]] = {
    "two embedded replicas": ({"replicas": 2}, "/replicas"),
    "no replica": ({**DISTRIBUTED, "replicas": 0}, "/replicas"),
    "embedded autoscaling": ({"autoscaling": {"enabled": True}}, "/autoscaling/enabled"),
    "distributed without PostgreSQL": ({"mode": "distributed"}, "/postgresql/secret"),
    "another mode": ({"mode": "clustered", "postgresql": {"secret": "p"}}, "/mode"),
    "an unknown value": ({"replicaCount": 1}, "replicaCount"),
    "an unknown value inside": ({"image": {"repo": "x"}}, "repo"),
    "a tag that is a number": ({"image": {"tag": 1.0}}, "/image/tag"),
    "a digest of another kind": ({"image": {"digest": "md5:00"}}, "/image/digest"),
    "no ledger key": ({"ledger": {"keySecret": ""}}, "/ledger/keySecret"),
    "many writers of one volume": ({"ledger": {"accessMode": "ReadWriteMany"}}, "/ledger/accessMode"),
    "a size without a unit that is known": ({"ledger": {"size": "8GB"}}, "/ledger/size"),
    "root": ({"podSecurityContext": {"runAsNonRoot": False}}, "/podSecurityContext/runAsNonRoot"),
    "the user root": ({"podSecurityContext": {"runAsUser": 0}}, "/podSecurityContext/runAsUser"),
    "no filter of system calls": (
        {"podSecurityContext": {"seccompProfile": {"type": "Unconfined"}}},
        "/podSecurityContext/seccompProfile/type",
    ),
    "a mapping above its folder": ({"mappings": {"../gateway.toml": ""}}, "gateway.toml"),
    "a mapping that is no text": ({"mappings": {"dinkes.toml": {"a": 1}}}, "/mappings/dinkes.toml"),
    "a hidden file": ({"wsdl": {"dpmptsp/.x": ""}}, "dpmptsp"),
    "a ConfigMap without items": ({"configMaps": [{"name": "more"}]}, "/configMaps/0"),
    "an Ingress without hosts": ({"ingress": {"enabled": True}}, "/ingress/hosts"),
    "a route without a Gateway": ({"httpRoute": {"enabled": True}}, "/httpRoute/parentRefs"),
    "a deadline under the default one": ({"longestDeadline": 5}, "/longestDeadline"),
    "a destination without ports": ({"networkPolicy": {"allowTo": [{"cidr": "10.0.0.0/8"}]}}, "ports"),
    "a port that is none": ({"service": {"port": 70000}}, "/service/port"),
}
UNFIT: dict[str, tuple[Values, str]] = {
    "an address only the pod itself can reach": (
        {**pilot(), "config": pilot()["config"].replace("0.0.0.0:8080", "127.0.0.1:8080")},
        'config: write listen = "0.0.0.0:8080" under [gateway]',
    ),
    "figures nobody can reach": (
        {"config": DEFAULTS["config"].replace("metrics ", "# metrics ")},
        'config: write metrics = "0.0.0.0:9090"',
    ),
    "a ledger that is not on the volume": (
        {"config": DEFAULTS["config"].replace("${GATEWAY_LEDGER}", "sqlite:var/ledger.db")},
        'config: write ledger = "${GATEWAY_LEDGER}"',
    ),
    "a key in the file": (
        {"config": DEFAULTS["config"].replace("${GATEWAY_KEY}", "00" * 32)},
        'config: write ledger_key = "${GATEWAY_KEY}"',
    ),
    "a deadline longer than a stop waits": (
        {"config": DEFAULTS["config"] + '[agency.x.operation.y]\ndeadline = "1.5m"\n', "longestDeadline": 89},
        'longestDeadline: is 89, but gateway.toml has deadline = "1.5m"',
    ),
    "an SFTP server that nobody can reach": (
        {"sftp": {"enabled": True}},
        'config: write listen = "0.0.0.0:2222" under [gateway.sftp]',
    ),
    "no gateway.toml": (
        {"config": "", "configMaps": [{"name": "x", "items": {"gateway.toml": "x/gateway.toml"}}]},
        "one of configMaps must have an item with the path gateway.toml",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_schema_refuses(case: str) -> None:
    values, where = REFUSED[case]
    with pytest.raises(helm.HelmError) as refused:
        released(values)
    assert where in str(refused.value)


@pytest.mark.parametrize("case", UNFIT)
def test_the_chart_refuses_a_configuration_that_does_not_fit_the_pod(case: str) -> None:
    values, said = UNFIT[case]
    with pytest.raises(helm.HelmError) as refused:
        released(values)
    assert said in str(refused.value).replace('\\"', '"')


@pytest.mark.parametrize(
    "values",
    [
        {"config": DEFAULTS["config"].replace("0.0.0.0", "[::]")},
        {"config": DEFAULTS["config"].replace('"', "'")},
        {"config": DEFAULTS["config"] + '[defaults]\ndeadline = "1.5m"\n', "longestDeadline": 90},
        {"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}},
        {"global": {"anything": True}},
    ],
    ids=["ipv6", "quotes", "deadline", "openshift", "global"],
)
def test_what_is_right_is_not_refused(values: Values) -> None:
    assert released(values).objects


def test_two_replicas_are_fine_where_they_share_a_ledger() -> None:
    assert released({**DISTRIBUTED, "replicas": 2}).workload["spec"]["replicas"] == 2


def objects(node: object, name: str = "values") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema of an object, by the name it is declared under."""
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield name, node
        for key, inner in node.items():
            yield from objects(inner, key)
    elif isinstance(node, list):
        for inner in node:
            yield from objects(inner, name)


def test_every_object_of_the_schema_is_closed() -> None:
    assert {name for name, each in objects(SCHEMA) if each.get("additionalProperties") is not False} == OPEN


def paths(node: object, path: str = "") -> Iterator[str]:
    """Yield the path of every value that has one in values.yaml."""
    if isinstance(node, dict) and node and path not in {"resources", "dashboards.labels"}:
        for key, inner in node.items():
            yield from paths(inner, f"{path}.{key}".strip("."))
    else:
        yield path


def declared(node: dict[str, Any], path: str = "") -> Iterator[str]:
    if "$ref" in node:
        node = SCHEMA["definitions"][node["$ref"].rpartition("/")[2]]
    if "properties" in node and path != "resources":
        for key, inner in node["properties"].items():
            yield from declared(inner, f"{path}.{key}".strip("."))
    else:
        yield path


def test_every_value_is_declared_and_every_declared_value_has_a_default() -> None:
    without = {"global", "podSecurityContext.supplementalGroups", "podSecurityContext.seccompProfile.localhostProfile"}
    assert set(paths(DEFAULTS)) == set(declared(SCHEMA)) - without


def test_every_value_is_used() -> None:
    used = set(re.findall(r"\.Values\.([A-Za-z.]+)", TEMPLATES)) | {"mappings", "wsdl"}  # both by `get`
    unused = [path for path in paths(DEFAULTS) if not any(path == one or path.startswith(f"{one}.") for one in used)]
    assert unused == []


def test_every_value_is_explained() -> None:
    readme = (CHART / "README.md").read_text("utf-8")
    assert [path for path in paths(DEFAULTS) if f"| `{path}` |" not in readme] == []
