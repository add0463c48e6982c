"""What a release consists of: that its parts fit each other, how it stops, what it may do."""

import pytest

from tests.chart.release import Release, Values, ci, pilot, released

CASES = {**ci(), "pilot": pilot()}
DISTRIBUTED = {"mode": "distributed", "postgresql": {"secret": "postgresql"}}


@pytest.fixture(params=CASES)
def release(request: pytest.FixtureRequest) -> Release:
    return released(CASES[request.param])


def test_everything_that_selects_pods_selects_ours(release: Release) -> None:
    labels = release.workload["spec"]["template"]["metadata"]["labels"].items()
    selectors = [release.workload["spec"]["selector"]["matchLabels"]]
    selectors += [each["spec"]["selector"] for each in release.all("Service")]
    selectors += [each["spec"]["selector"]["matchLabels"] for each in release.all("PodDisruptionBudget")]
    selectors += [each["spec"]["podSelector"]["matchLabels"] for each in release.all("NetworkPolicy")]
    for spread in release.pod.get("topologySpreadConstraints", []):
        selectors.append(spread["labelSelector"]["matchLabels"])
    assert all(selector.items() <= labels for selector in selectors)
    test = release.one("Pod")["metadata"]["labels"].items()
    assert not any(selector.items() <= test for selector in selectors)


def test_whatever_names_a_port_finds_it(release: Release) -> None:
    ports = {port["name"]: port["containerPort"] for port in release.container["ports"]}
    sftp = {port["targetPort"] for service in release.all("Service") for port in service["spec"]["ports"]} & {"sftp"}
    assert ports == {"http": 8080, "metrics": 9090, **dict.fromkeys(sftp, 2222)}
    for service in release.all("Service"):
        assert all(port["targetPort"] in ports for port in service["spec"]["ports"])
    probes = [release.container[f"{kind}Probe"]["httpGet"]["port"] for kind in ("startup", "readiness", "liveness")]
    assert set(probes) == {"http"}


def test_what_others_name_is_in_the_release(release: Release) -> None:
    services = {each["metadata"]["name"]: each for each in release.all("Service")}
    port = next(iter(services.values()))["spec"]["ports"][0]["port"]
    for ingress in release.all("Ingress"):
        for rule in ingress["spec"]["rules"]:
            assert all(path["backend"]["service"]["name"] in services for path in rule["http"]["paths"])
    for route in release.all("HTTPRoute"):
        (backend,) = route["spec"]["rules"][0]["backendRefs"]
        assert (backend["name"] in services, backend["port"]) == (True, port)
    for scaler in release.all("HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        assert (target["kind"], target["name"]) == (release.workload["kind"], release.workload["metadata"]["name"])
    for monitor in release.all("ServiceMonitor"):
        chosen = monitor["spec"]["selector"]["matchLabels"].items()
        (found,) = [each for each in services.values() if chosen <= each["metadata"]["labels"].items()]
        assert found["spec"]["ports"][0]["name"] == monitor["spec"]["endpoints"][0]["port"]
    mounts = {mount["name"] for mount in release.container["volumeMounts"]}
    volumes = {volume["name"] for volume in release.pod["volumes"]}
    claims = {claim["metadata"]["name"] for claim in release.workload["spec"].get("volumeClaimTemplates", [])}
    assert mounts == volumes | claims


def test_a_stop_waits_for_proxies_and_for_the_longest_request(release: Release) -> None:
    (command,) = release.container["lifecycle"]["preStop"]["exec"]["command"][1:]
    assert release.pod["terminationGracePeriodSeconds"] >= int(command) + 20 + 2


def test_a_longer_deadline_is_a_longer_grace() -> None:
    release = released({"longestDeadline": 120, "preStopSeconds": 10})
    assert release.pod["terminationGracePeriodSeconds"] == 140


def test_large_files_that_are_fetched_have_room() -> None:
    release = released({"tmpSize": "4Gi"})
    (tmp,) = [volume for volume in release.pod["volumes"] if volume["name"] == "tmp"]
    assert tmp["emptyDir"] == {"sizeLimit": "4Gi"}


def test_it_may_do_nothing_that_it_need_not(release: Release) -> None:
    for pod in (release.pod, release.one("Pod")["spec"]):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "privileged": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
    assert all(each["automountServiceAccountToken"] is False for each in release.all("ServiceAccount"))


def test_no_secret_is_made_only_named(release: Release) -> None:
    assert release.all("Secret") == []
    values = {each["name"]: each for each in release.container["env"] if "value" in each}
    assert "GATEWAY_KEY" not in values
    assert values.get("GATEWAY_LEDGER", {}).get("value", "sqlite:").startswith("sqlite:")


def test_probes_are_of_three_kinds(release: Release) -> None:
    paths = {
        kind: release.container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")
    }
    assert paths == {"startup": "/livez", "readiness": "/readyz", "liveness": "/livez"}


@pytest.mark.parametrize(
    "change",
    [
        {"config": pilot()["config"] + "\n"},
        {"mappings": {**pilot()["mappings"], "pln.toml": ""}},
        {"wsdl": {**pilot()["wsdl"], "dpmptsp/more.xsd": "<schema/>"}},
    ],
    ids=["config", "mapping", "wsdl"],
)
def test_another_configuration_starts_the_pods_anew(change: Values) -> None:
    def checksum(values: Values) -> str:
        found: str = released(values).workload["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        return found

    assert checksum(pilot()) == checksum({**pilot(), "replicas": 1, "podLabels": {"a": "b"}})
    assert checksum({**pilot(), **change}) != checksum(pilot())


def test_embedded_is_one_replica_with_a_volume_that_stays() -> None:
    workload = released({}).workload
    assert (workload["kind"], workload["spec"]["replicas"]) == ("StatefulSet", 1)
    assert set(workload["spec"]["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}
    (claim,) = workload["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_distributed_takes_its_ledger_from_a_secret_and_never_has_fewer_replicas_than_it_should() -> None:
    release = released({**DISTRIBUTED, "replicas": 3})
    ledger = next(each for each in release.container["env"] if each["name"] == "GATEWAY_LEDGER")
    assert ledger["valueFrom"]["secretKeyRef"] == {"name": "postgresql", "key": "url"}
    assert release.workload["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    spreads = {each["topologyKey"] for each in release.pod["topologySpreadConstraints"]}
    assert spreads == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}


def test_with_an_autoscaler_nobody_else_says_how_many() -> None:
    assert "replicas" not in released({**DISTRIBUTED, "autoscaling": {"enabled": True}}).workload["spec"]


@pytest.mark.parametrize(
    ("values", "budgets"),
    [
        ({}, 0),
        ({**DISTRIBUTED, "replicas": 1}, 0),
        ({**DISTRIBUTED, "replicas": 2}, 1),
        ({**DISTRIBUTED, "replicas": 2, "podDisruptionBudget": {"enabled": False}}, 0),
        ({**DISTRIBUTED, "autoscaling": {"enabled": True, "minReplicas": 2}}, 1),
        ({**DISTRIBUTED, "autoscaling": {"enabled": True, "minReplicas": 1}}, 0),
    ],
)
def test_a_disruption_budget_never_holds_the_only_replica(values: Values, budgets: int) -> None:
    assert len(released(values).all("PodDisruptionBudget")) == budgets


def test_a_digest_wins_over_a_tag() -> None:
    digest = "sha256:" + "0" * 64
    image = released({"image": {"repository": "r.example/g", "tag": "1", "digest": digest}}).container["image"]
    assert image == f"r.example/g@{digest}"


def test_the_way_out_is_closed_once_it_is_said_where_it_leads() -> None:
    assert released({}).one("NetworkPolicy")["spec"]["policyTypes"] == ["Ingress"]
    policy = released({"networkPolicy": {"allowTo": [{"cidr": "10.14.5.10/32", "ports": [80]}]}}).one("NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    dns, agency = policy["spec"]["egress"]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert agency == {"to": [{"ipBlock": {"cidr": "10.14.5.10/32"}}], "ports": [{"port": 80}]}


def test_nobody_reads_the_figures_unless_named() -> None:
    api, figures = released({}).one("NetworkPolicy")["spec"]["ingress"]
    assert "from" not in api
    assert figures["from"]
    assert len(released({"networkPolicy": {"metricsFrom": []}}).one("NetworkPolicy")["spec"]["ingress"]) == 1


def test_sftp_has_a_service_and_a_way_in_of_its_own_when_it_is_wanted() -> None:
    assert not any("sftp" in str(each) for each in released({}).objects)
    config = """
      [gateway]
      listen     = "0.0.0.0:8080"
      metrics    = "0.0.0.0:9090"
      ledger     = "${GATEWAY_LEDGER}"
      ledger_key = "${GATEWAY_KEY}"
      [gateway.sftp]
      listen = "0.0.0.0:2222"
    """
    wanted = {"config": config, "sftp": {"enabled": True}, "networkPolicy": {"sftpFrom": [{"podSelector": {}}]}}
    release = released(wanted)
    (service,) = [each for each in release.all("Service") if each["metadata"]["name"].endswith("-sftp")]
    assert service["spec"]["ports"] == [{"name": "sftp", "port": 22, "targetPort": "sftp"}]
    assert service["spec"]["externalTrafficPolicy"] == "Local"
    assert {"ports": [{"port": "sftp"}], "from": [{"podSelector": {}}]} in release.one("NetworkPolicy")["spec"][
        "ingress"
    ]
    inside = released({**wanted, "sftp": {"enabled": True, "type": "ClusterIP"}})
    assert not any("externalTrafficPolicy" in each["spec"] for each in inside.all("Service"))


def test_names_stay_within_what_kubernetes_takes() -> None:
    for name in ("a" * 53, "opd-gateway", "x"):
        made = {each["metadata"]["name"] for each in released({}, name=name).objects}
        assert all(len(each) <= 63 for each in made)


def test_a_release_that_is_called_as_the_chart_does_not_say_it_twice() -> None:
    assert released({}, name="opd-gateway").workload["metadata"]["name"] == "opd-gateway"
