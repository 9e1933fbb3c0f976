"""The gateway example with a load balancer: who gets through, and down to nothing."""

import json
from typing import Any

import psutil
import pytest
import yaml

from tests.support.labs import ROOT, Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

FILE = ROOT / "examples" / "gateway" / "Pulumi.local-gateway.yaml"
NAME = "local-gateway-test"
PARENT = f"projects/{NAME}/locations/us-central1"
GATEWAYS = "gcp-healthcare-dicom:gateways"
BALANCER = {
    "domains": ["images.hospital.example"],
    "armor": {"allowedRanges": ["192.0.2.0/24"], "banSeconds": 600},
}
PARTS = (
    "addresses", "backendServices", "forwardingRules", "securityPolicies", "sslCertificates",
    "sslPolicies", "targetHttpProxies", "targetHttpsProxies", "urlMaps",
)  # fmt: skip


@pytest.fixture(scope="module")
def gateway(lab: Lab) -> Stack:
    """The stack of the example, with a load balancer; not deployed."""
    stack = Stack(lab, NAME, NAME)
    lab.create_stack(lab.program, NAME)
    stack.configure(config_with(BALANCER))
    return stack


def config_with(balancer: dict[str, Any]) -> dict[str, Any]:
    config = yaml.safe_load(FILE.read_text())["config"]
    [one] = config[GATEWAYS]
    return {**config, "gcp:project": NAME, GATEWAYS: [{**one, "loadBalancer": balancer}]}


def parts(lab: Lab) -> dict[str, list[dict[str, Any]]]:
    """The parts of load balancers of the project."""
    found = {
        name: lab.call("GET", f"compute/v1/projects/{NAME}/global/{name}").get("items", [])
        for name in PARTS
    }
    return {name: items for name, items in found.items() if items}


def test_members_get_through_and_nothing_is_left(gateway: Stack) -> None:
    lab = gateway.lab
    where = ["--stack", NAME, "--cwd", str(lab.program), "--json"]
    done = lab.python("examples/gateway/run.py", *where)
    outcome = json.loads(done.stdout)
    assert all(check["right"] for check in outcome["checks"])
    got = {(check["who"], check["what"]): check["got"] for check in outcome["checks"]}
    assert got["ana@hospital.example", "the studies"] == 200
    assert got["ana@hospital.example", "another store"] == 404
    assert len(got) >= 9

    policy = lab.call(
        "POST",
        f"v1/projects/{NAME}/iap_web/cloud_run-us-central1/services/gateway-reading:getIamPolicy",
        {},
    )
    accessor = {"role": "roles/iap.httpsResourceAccessor", "members": ["domain:hospital.example"]}
    assert policy["bindings"] == [accessor]
    [bound] = lab.call("GET", f"v1/{PARENT}/datasets/hospital/dicomStores/radiology:getIamPolicy")[
        "bindings"
    ]
    account = f"serviceAccount:gateway-reading@{NAME}.iam.gserviceaccount.com"
    assert bound == {"role": "roles/healthcare.dicomEditor", "members": [account]}
    assert gateway.plan() == {}
    gateway.change("refresh", "--expect-no-changes")
    assert _workloads()
    _check_balancer(gateway)

    done = lab.script("teardown", *where, "--keep-running")
    assert done.returncode == 0, done.stdout + done.stderr
    assert gateway.resources() == {}, done.stdout
    assert not lab.exists(f"{PARENT}/datasets/hospital")
    assert lab.call("GET", f"v2/{PARENT}/services") == {}
    assert _workloads() == []
    assert parts(lab) == {}


def _check_balancer(gateway: Stack) -> None:
    """Compare the parts with the settings; change the domains and the rules, and compare again."""
    lab = gateway.lab
    [output] = gateway.outputs()["gateways"].values()
    address = output["loadBalancer"]["address"]
    found = parts(lab)
    rules = {(rule["IPAddress"], rule["portRange"]) for rule in found["forwardingRules"]}
    assert rules == {(address, "443-443"), (address, "80-80")}
    [backend] = found["backendServices"]
    [policy] = found["securityPolicies"]
    assert backend["securityPolicy"] == policy["selfLink"]
    assert policy["rules"][-1]["action"] == "deny(403)"
    service = lab.call("GET", f"v2/{PARENT}/services/gateway-reading")
    assert service["ingress"] == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"

    armor = {"requestsPerMinute": 600, "wafRuleSets": ["lfi"]}
    gateway.configure(config_with({"domains": ["pictures.hospital.example"], "armor": armor}))
    gateway.up()
    assert gateway.plan() == {}
    changed = parts(lab)
    [certificate] = changed["sslCertificates"]
    assert certificate["managed"]["domains"] == ["pictures.hospital.example"]
    [proxy] = changed["targetHttpsProxies"]
    assert proxy["sslCertificates"] == [certificate["selfLink"]]
    [policy] = changed["securityPolicies"]
    actions = [(rule["priority"], rule["action"]) for rule in policy["rules"]]
    assert actions == [(1000, "deny(403)"), (2500, "throttle"), (2147483647, "allow")]


def _workloads() -> list[int]:
    """The processes of gateways of the stack."""
    found = psutil.process_iter(["cmdline", "environ"])
    return [
        one.pid
        for one in found
        if "workloads.gateway" in " ".join(one.info["cmdline"] or [])
        and NAME in str((one.info["environ"] or {}).get("GATEWAY_SETTINGS"))
    ]
