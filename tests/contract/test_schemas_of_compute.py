"""Every answer of Compute Engine is of its document's schema: a walk calls each served method."""

from collections.abc import Mapping
from typing import Any

import pytest

from emulator.api_coverage import offline_cloud
from emulator.server.server_file import ServerInfo
from emulator.services.compute.routes import routes
from tests.support import balancer_requests, schema_walk
from tests.support.balancer_requests import rule
from tests.support.compute_requests import (
    GROUPS,
    HEALTH_CHECKS,
    PORT,
    REGION,
    SERVICES,
    TEMPLATES,
    health_check,
    manager,
    template,
    user_data,
)
from tests.support.schema_walk import Walk
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets
Json = dict[str, Any]

NETWORK = "global/networks/lan"
SUBNETWORK = f"regions/{REGION}/subnetworks/lan"
LABELS = {"site": "a"}
BODIES: Mapping[str, Json] = {
    "networks": {"name": "lan", "autoCreateSubnetworks": False},
    "subnetworks": {"name": "lan", "network": NETWORK, "ipCidrRange": "10.1.0.0/24"},
    "firewalls": {
        "name": "f",
        "network": NETWORK,
        "allowed": [{"IPProtocol": "tcp", "ports": ["2575"]}],
        "sourceRanges": ["35.191.0.0/16"],
    },
    "addresses": {"name": "a", "addressType": "INTERNAL", "subnetwork": SUBNETWORK},
    "instanceTemplates": template("t", user_data("registry.example/unknown:1")),
    "regionInstanceTemplates": template("t", user_data("registry.example/unknown:1")),
    "healthChecks": health_check("c"),
    "regionHealthChecks": health_check("c"),
    "regionInstanceGroupManagers": manager("g", f"{TEMPLATES}/t", f"{HEALTH_CHECKS}/c"),
    "regionBackendServices": {
        "name": "b",
        "loadBalancingScheme": "INTERNAL",
        "healthChecks": [f"{HEALTH_CHECKS}/c"],
        "backends": [{"group": f"{GROUPS}/g"}],
    },
    "forwardingRules": {
        "name": "r",
        "loadBalancingScheme": "INTERNAL",
        "ports": [str(PORT)],
        "backendService": f"{SERVICES}/b",
    },
    "vpnGateways": {"name": "v", "network": NETWORK},
    "externalVpnGateways": {"name": "p", "interfaces": [{"ipAddress": "203.0.113.5"}]},
    "routers": {"name": "r", "network": NETWORK, "bgp": {"asn": 65010}},
    "vpnTunnels": {
        "name": "t",
        "vpnGateway": f"regions/{REGION}/vpnGateways/v",
        "peerExternalGateway": "global/externalVpnGateways/p",
        "router": f"regions/{REGION}/routers/r",
        "sharedSecret": "secret",
    },
    **balancer_requests.BODIES,
}
"""Resource of the discovery document -> what is created, in an order that references allow."""
CHANGES: Mapping[str, Json] = {
    "networks": {"routingConfig": {"routingMode": "GLOBAL"}},
    "subnetworks": {"privateIpGoogleAccess": True},
    "firewalls": {"disabled": True},
    "healthChecks": {"checkIntervalSec": 10},
    "regionHealthChecks": {"checkIntervalSec": 10},
    "regionInstanceGroupManagers": {"namedPorts": [{"name": "mllp", "port": 2575}]},
    "regionBackendServices": {"timeoutSec": 10},
    "forwardingRules": {"allowGlobalAccess": True},
    "securityPolicies": {"description": "Who may call."},
    "backendServices": {"logConfig": {"enable": True, "sampleRate": 1}},
    "urlMaps": {"description": "The gateway."},
    "sslPolicies": {"profile": "RESTRICTED"},
    "targetHttpProxies": {"httpKeepAliveTimeoutSec": 60},
    "targetHttpsProxies": {"quicOverride": "DISABLE"},
    "globalForwardingRules": {"networkTier": "PREMIUM"},
    "routers": {
        "interfaces": [
            {
                "name": "i",
                "ipRange": "169.254.0.1/30",
                "linkedVpnTunnel": f"regions/{REGION}/vpnTunnels/t",
            }
        ],
        "bgpPeers": [
            {
                "name": "p",
                "interfaceName": "i",
                "peerAsn": 65020,
                "peerIpAddress": "169.254.0.2",
            }
        ],
    },
}


def walk_compute(walk: Walk) -> None:
    walk_locations(walk)
    for api, body in BODIES.items():
        walk(f"{api}.insert", body=body)
    for api, body in BODIES.items():
        name = body["name"]
        found = walk(f"{api}.get", name).json()
        assert set(body) <= set(found), api
        if f"{api}.aggregatedList" in walk.methods and api in AGGREGATED:
            walk(f"{api}.aggregatedList")
        if f"{api}.setLabels" in walk.methods and "labelFingerprint" in found:
            labels = {"labels": LABELS, "labelFingerprint": found["labelFingerprint"]}
            walk(f"{api}.setLabels", name, body=labels)
            assert walk(f"{api}.get", name).json()["labels"] == LABELS
        if api in CHANGES:
            walk(f"{api}.patch", name, body=CHANGES[api])
            changed = walk(f"{api}.get", name).json()
            assert {key: changed[key] for key in CHANGES[api]}.keys() == CHANGES[api].keys()
            if api in REPLACED:
                walk(f"{api}.update", name, body={**body, **CHANGES[api]})
    for api in BODIES:
        listed = walk(f"{api}.list").json()
        assert BODIES[api]["name"] in [item["name"] for item in listed["items"]]
    walk_instances(walk)
    walk_balancer(walk)
    walk_subnetwork(walk)
    walk("routers.patch", "r", body={"interfaces": [], "bgpPeers": []})
    for api in ("vpnTunnels", *reversed([one for one in BODIES if one != "vpnTunnels"])):
        walk(f"{api}.delete", BODIES[api]["name"])
    walk("disks.delete", "kept")


AGGREGATED = (
    "addresses", "backendServices", "forwardingRules", "healthChecks", "instanceTemplates",
    "routers", "securityPolicies", "sslCertificates", "sslPolicies", "subnetworks",
    "targetHttpProxies", "targetHttpsProxies", "urlMaps", "vpnGateways", "vpnTunnels",
)  # fmt: skip
REPLACED = (
    "backendServices", "firewalls", "healthChecks", "regionBackendServices", "regionHealthChecks",
    "routers", "urlMaps",
)  # fmt: skip


def walk_balancer(walk: Walk) -> None:
    policies = "securityPolicies"
    walk(f"{policies}.addRule", "s", body=rule(900, "deny(403)", "192.0.2.0/24"))
    walk(f"{policies}.patchRule", "s", body={"preview": True}, params={"priority": "900"})
    found = walk(f"{policies}.getRule", "s", params={"priority": "900"}).json()
    assert (found["preview"], found["action"]) == (True, "deny(403)")
    walk(f"{policies}.removeRule", "s", params={"priority": "900"})
    assert len(walk(f"{policies}.get", "s").json()["rules"]) == 2
    policy = {"securityPolicy": "global/securityPolicies/s"}
    walk("backendServices.setSecurityPolicy", "gb", body=policy)
    assert walk("backendServices.get", "gb").json()["securityPolicy"].endswith("/s")
    for proxy, name in (("targetHttpProxies", "hp"), ("targetHttpsProxies", "tp")):
        walk(f"{proxy}.setUrlMap", name, body={"urlMap": "global/urlMaps/u"})
    certificates = {"sslCertificates": ["global/sslCertificates/sc"]}
    walk("targetHttpsProxies.setSslCertificates", "tp", body=certificates)
    walk("targetHttpsProxies.setSslPolicy", "tp", body={"sslPolicy": "global/sslPolicies/sp"})
    walk("targetHttpsProxies.setQuicOverride", "tp", body={"quicOverride": "NONE"})
    target = {"target": "global/targetHttpsProxies/tp"}
    walk("globalForwardingRules.setTarget", "gr", body=target)


def walk_subnetwork(walk: Walk) -> None:
    walk("subnetworks.expandIpCidrRange", "lan", body={"ipCidrRange": "10.1.0.0/23"})
    walk("subnetworks.setPrivateIpGoogleAccess", "lan", body={"privateIpGoogleAccess": False})
    found = walk("subnetworks.get", "lan").json()
    assert (found["ipCidrRange"], found["privateIpGoogleAccess"]) == ("10.1.0.0/23", False)


def walk_locations(walk: Walk) -> None:
    assert walk("projects.get").json()["name"] == walk.project
    assert walk("regions.get").json()["name"] == REGION
    assert len(walk("regions.list").json()["items"]) > 30
    assert walk("zones.get").json()["name"] == f"{REGION}-a"
    assert len(walk("zones.list").json()["items"]) > 100


def walk_instances(walk: Walk) -> None:
    groups = "regionInstanceGroupManagers"

    def stable() -> Json:
        group: Json = walk(f"{groups}.get", "g").json()
        return group if group["status"]["isStable"] else {}

    wait_until(stable, "the group is not stable")
    [managed] = walk(f"{groups}.listManagedInstances", "g").json()["managedInstances"]
    instance = {"instances": [managed["instance"]]}
    assert walk(f"{groups}.listErrors", "g").json()["items"]
    walk(f"{groups}.applyUpdatesToInstances", "g", body={"allInstances": True})
    walk(f"{groups}.setInstanceTemplate", "g", body={"instanceTemplate": f"{TEMPLATES}/t"})
    walk(f"{groups}.recreateInstances", "g", body=instance)
    name = managed["name"]

    def has_ended() -> bool:  # its image is one that can't run here
        return bool(walk("instances.get", name).json()["status"] == "TERMINATED")

    wait_until(has_ended, "the instance is not terminated")
    assert len(walk("instances.list").json()["items"]) == 1
    walk("instances.aggregatedList")
    assert walk("disks.get", f"{name}-1").json()["sizeGb"] == "20"
    assert walk("disks.list").json()["items"]
    walk("disks.aggregatedList")
    walk("regionInstanceGroups.get", "g")
    walk("regionInstanceGroups.list")
    walk("regionInstanceGroups.listInstances", "g", body={"instanceState": "ALL"})
    health = walk("regionBackendServices.getHealth", "b", body={"group": f"{GROUPS}/g"}).json()
    assert health["healthStatus"][0]["healthState"] == "UNHEALTHY"
    # A disk that is kept when its instance is deleted.
    never = {"preservedState": {"disks": {"spool": {"autoDelete": "NEVER"}}}}
    other = template("other", user_data("registry.example/unknown:1"))
    other["properties"]["disks"][1]["initializeParams"]["diskName"] = "kept"
    walk("instanceTemplates.insert", body=other)
    body = manager("h", f"{TEMPLATES}/other", statefulPolicy=never)
    walk("regionInstanceGroupManagers.insert", body=body)
    wait_until(lambda: walk.send("disks.get", "kept").is_success, "there is no disk")
    walk("regionInstanceGroupManagers.resize", "h", params={"size": "2"})
    listed = walk(f"{groups}.listManagedInstances", "h").json()["managedInstances"]
    walk(f"{groups}.deleteInstances", "h", body={"instances": [listed[0]["instance"]]})
    walk("regionInstanceGroupManagers.delete", "h")
    walk("instanceTemplates.delete", "other")
    walk("autoscalers.list")
    walk("regionAutoscalers.list")
    walk_operations(walk)


def walk_operations(walk: Walk) -> None:
    for scope in ("region", "global"):
        listed = walk(f"{scope}Operations.list").json()["items"]
        name = listed[0]["name"]
        assert walk(f"{scope}Operations.get", name).json() == listed[0]
        walk(f"{scope}Operations.wait", name)
        walk(f"{scope}Operations.delete", name)
    walk("zoneOperations.list")


with offline_cloud() as _cloud:
    METHODS = schema_walk.served("compute", "v1", [*routes(_cloud.compute)])
_OF_ZONES = {"zoneOperations.get", "zoneOperations.wait", "zoneOperations.delete"}
"""Methods about the deletion of a disk, the only operation of a zone."""


@pytest.fixture(scope="module")
def walked(emulator: ServerInfo) -> Walk:
    project = "schemas-compute"
    schema_walk.begin(emulator.url, project, "compute")
    segments = {"project": project, "region": REGION, "zone": f"{REGION}-a"}
    walk = Walk(emulator.url, "compute", "v1", project, segments)
    walk_compute(walk)
    images = Walk(emulator.url, "compute", "v1", "cos-cloud", {"project": "cos-cloud"})
    family = images("images.getFromFamily", "cos-stable").json()
    assert images("images.get", family["name"]).json() == family
    walk.answers |= images.answers
    [operation] = walk("zoneOperations.list").json()["items"]
    for method in sorted(_OF_ZONES - {"zoneOperations.delete"}):
        walk(method, operation["name"])
    walk("zoneOperations.delete", operation["name"])
    return walk


@pytest.mark.parametrize("method", METHODS)
def test_answers_are_of_the_schema(walked: Walk, method: str) -> None:
    assert walked.answers[method], f"{method} is served, but the walk does not call it"
    assert walked.faults(method) == []
    assert walked.says_something(method), "of all answers, one must say something"
