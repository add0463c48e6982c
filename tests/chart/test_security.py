"""checkov's opinion of what is rendered; what it may say after all stands here with the reason."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.chart.release import ci, pilot, released

ACCEPTED = {
    ("CKV_K8S_11", "StatefulSet"): "a CPU limit would only make requests late; memory is limited",
    ("CKV_K8S_11", "Deployment"): "a CPU limit would only make requests late; memory is limited",
    ("CKV_K8S_11", "Pod"): "the test's pod asks one question and ends",
    ("CKV_K8S_8", "Pod"): "the test's pod asks one question and ends",
    ("CKV_K8S_9", "Pod"): "the test's pod asks one question and ends",
    ("CKV2_K8S_6", "Pod"): "the test's pod asks one question and ends",
    ("CKV_K8S_15", "StatefulSet"): "a version is never changed once it is pushed",
    ("CKV_K8S_15", "Deployment"): "a version is never changed once it is pushed",
    ("CKV_K8S_15", "Pod"): "a version is never changed once it is pushed",
    ("CKV_K8S_35", "StatefulSet"): "${NAME} in gateway.toml is a variable of the environment",
    ("CKV_K8S_35", "Deployment"): "${NAME} in gateway.toml is a variable of the environment",
    ("CKV_K8S_43", "StatefulSet"): "whoever builds the image knows its digest: image.digest",
    ("CKV_K8S_43", "Deployment"): "whoever builds the image knows its digest: image.digest",
    ("CKV_K8S_43", "Pod"): "whoever builds the image knows its digest: image.digest",
}


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    folder = tmp_path_factory.mktemp("rendered")
    for name, values in {**ci(), "pilot": pilot()}.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump_all(released(values).objects), "utf-8")
    checkov = Path(sys.executable).with_name("checkov")
    options = ("--framework", "kubernetes", "--compact", "--quiet", "--skip-download", "--output", "json")
    told = subprocess.run([checkov, "-d", folder, *options], capture_output=True, text=True, check=False)
    answer = json.loads(told.stdout)
    assert answer["summary"]["passed"] > 500
    assert answer["summary"]["parsing_errors"] == 0
    return {(each["check_id"], each["resource"].partition(".")[0]) for each in answer["results"]["failed_checks"]}


def test_checkov_finds_nothing_but_what_is_meant(failed: set[tuple[str, str]]) -> None:
    assert failed - ACCEPTED.keys() == set()


def test_nothing_is_accepted_that_is_not_found(failed: set[tuple[str, str]]) -> None:
    assert ACCEPTED.keys() == failed
