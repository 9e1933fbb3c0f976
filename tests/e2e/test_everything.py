"""A stack with every property of datasets and stores, and what uses them, on the local cloud."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.labs import Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

EVERYTHING = Path(__file__).parents[1] / "data" / "stacks" / "everything.yaml"
PROJECT = "local-everything"
DATASETS = f"projects/{PROJECT}/locations/europe-west4/datasets"


@pytest.fixture(scope="module")
def everything(lab: Lab) -> Stack:
    config: dict[str, Any] = yaml.safe_load(EVERYTHING.read_text().replace("PROJECT", PROJECT))
    stack = lab.stack(PROJECT)
    stack.file.write_text(yaml.safe_dump({"config": {"gcp:project": PROJECT, **config["config"]}}))
    stack.up()
    return stack


OURS = {"dataset", "name", "location", "project", "deletionPolicy", "labels"}
"""Inputs of a store that are no fields of its body, or are looked at apart."""


def held(wanted: Any, found: Any) -> bool:
    """Whether an answer holds all that was asked for; what is off or empty may be left out."""
    if isinstance(wanted, dict):
        return isinstance(found or {}, dict) and all(
            held(value, (found or {}).get(key)) for key, value in wanted.items() if key[:2] != "__"
        )
    if isinstance(wanted, list):
        return len(wanted) == len(found or []) and all(map(held, wanted, found or []))
    if isinstance(found, dict):  # the schema of messages is sent as text
        return bool(json.loads(wanted) == found)
    return wanted == found or (not wanted and not found)


def test_the_cloud_has_every_property(everything: Stack) -> None:
    stores = [
        state
        for state in everything.resources().values()
        if state["type"].startswith("gcp:healthcare/") and "Iam" not in state["type"]
    ]
    assert len(stores) == 9
    for state in stores:
        body = everything.lab.call("GET", f"v1beta1/{state['id']}")
        for key, value in state["inputs"].items():
            if key not in OURS and not key.startswith("__"):
                assert held(value, body.get(key)), (state["id"], key, value, body)
        labels = {k: v for k, v in state["inputs"].get("labels", {}).items() if k[:2] != "__"}
        assert body.get("labels", {}).items() >= labels.items()


def test_members_have_what_they_were_given_and_no_one_lost_a_role(everything: Stack) -> None:
    store = f"v1/{DATASETS}/identified/dicomStores/ct"
    policy = everything.lab.call("GET", f"{store}:getIamPolicy?options.requestedPolicyVersion=3")
    groups = [m for b in policy["bindings"] for m in b["members"] if m.startswith("group:")]
    assert groups == ["group:radiologists@example.com"]
    version = {"options": {"requestedPolicyVersion": 3}}
    project = everything.lab.call("POST", f"v1/projects/{PROJECT}:getIamPolicy", version)
    runs_jobs = [b for b in project["bindings"] if b["role"] == "roles/bigquery.jobUser"]
    workers, agent = sorted(next(b["members"] for b in runs_jobs if "condition" not in b))
    assert agent.startswith("serviceAccount:service-")
    assert workers.startswith("serviceAccount:pipelines@")
    [conditional] = [b for b in runs_jobs if "condition" in b]
    assert conditional["members"] == ["group:research@example.com"]
    assert conditional["condition"]["title"] == "until-2030"
    [audit] = project["auditConfigs"]
    assert audit["service"] == "healthcare.googleapis.com"
    assert len(audit["auditLogConfigs"]) == 3


def test_the_warehouse_has_its_settings(everything: Stack) -> None:
    body = everything.lab.call("GET", f"bigquery/v2/projects/{PROJECT}/datasets/imaging")
    month = str(30 * 24 * 3600 * 1000)
    assert (body["defaultTableExpirationMs"], body["defaultPartitionExpirationMs"]) == (
        month,
        month,
    )
    assert body["labels"].items() >= {"holds": "metadata", "environment": "test"}.items()


def test_what_uses_the_stores_is_there(everything: Stack) -> None:
    services = everything.lab.call("GET", f"v2/projects/{PROJECT}/locations/europe-west4/services")
    assert {one["name"].rpartition("/")[2]: one["ingress"] for one in services["services"]} == {
        "gateway-reading": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
        "inference-heart": "INGRESS_TRAFFIC_INTERNAL_ONLY",
    }
    at = f"compute/v1/projects/{PROJECT}/global"
    policy = everything.lab.call("GET", f"{at}/securityPolicies/gateway-reading")
    found = {rule["priority"]: rule for rule in policy["rules"]}
    ranges = ["192.0.2.0/24", "2001:db8::/32"]
    assert found[2000]["match"]["config"]["srcIpRanges"] == ranges
    limits = {"count": 3000, "intervalSec": 60}
    assert found[2000]["rateLimitOptions"]["rateLimitThreshold"] == limits
    assert [rule["preview"] for rule in found.values()] == [True, True, True, False, False]
    backend = everything.lab.call("GET", f"{at}/backendServices/gateway-reading")
    assert backend["logConfig"] == {"enable": True, "sampleRate": 0.5}
    tls = everything.lab.call("GET", f"{at}/sslPolicies/gateway-reading")
    assert (tls["profile"], tls["minTlsVersion"]) == ("RESTRICTED", "TLS_1_2")


def test_a_second_up_changes_nothing(everything: Stack) -> None:
    assert everything.plan() == {}, everything.preview("--diff")
    assert "unchanged" in everything.up()


def test_destroying_leaves_nothing(everything: Stack) -> None:
    names = [
        state["id"]
        for state in everything.resources().values()
        if state["type"].endswith((":Dataset", "Store", ":Topic", ":Subscription"))
        and state["id"].startswith("projects/")
        and not state["type"].startswith("gcp:bigquery/")
    ]
    # A store whose deletion policy is ABANDON goes with its dataset all the same.
    everything.change("destroy")
    assert everything.resources() == {}
    assert len(names) == 16
    assert [name for name in names if everything.lab.exists(name)] == []
    policy = everything.lab.call("POST", f"v1/projects/{PROJECT}:getIamPolicy", {})
    assert {binding["role"] for binding in policy["bindings"]} == {"roles/owner"}
    assert policy.get("auditConfigs", []) == []
