"""The stand-in of Compute Engine on the emulator: created, read, changed, imported, deleted."""

from typing import Any

import pytest

from emulator.server.server_file import ServerInfo
from tests.support.compute_requests import PORT, user_data
from tests.support.compute_standin import REGION, Make, Values, changes, configured, maker
from tests.support.plugin import Engine, RefusedError

pytestmark = pytest.mark.sockets
ADDRESS, FIREWALL, RULE, GATEWAY, TEMPLATE, SERVICE, CHECK, GROUP, ROUTER, SUBNETWORK = (
    f"gcp:compute/{name[0].lower()}{name[1:]}:{name}"
    for name in (
        "Address", "Firewall", "ForwardingRule", "HaVpnGateway", "InstanceTemplate",
        "RegionBackendService", "RegionHealthCheck", "RegionInstanceGroupManager", "Router",
        "Subnetwork",
    )
)  # fmt: skip
TUNNEL, PEER_GATEWAY, INTERFACE, PEER = (
    f"gcp:compute/{name[0].lower()}{name[1:]}:{name}"
    for name in ("VPNTunnel", "ExternalVpnGateway", "RouterInterface", "RouterPeer")
)


@pytest.fixture
def engine(emulator: ServerInfo, project: str) -> Engine:
    return configured(emulator, project)


@pytest.fixture
def make(engine: Engine) -> Make:
    return maker(engine)


def template(prefix: str, text: str) -> Values:
    return {
        "namePrefix": prefix,
        "machineType": "e2-small",
        "disks": [
            {
                "boot": True,
                "sourceImage": "projects/cos-cloud/global/images/family/cos-stable",
                "diskSizeGb": 10,
                "diskType": "pd-balanced",
            },
            {"boot": False, "deviceName": "spool", "diskSizeGb": 20, "labels": {"a": "b"}},
        ],
        "networkInterfaces": [{"network": "default"}],
        "serviceAccount": {"email": "a@example.com", "scopes": ["cloud-platform"]},
        "shieldedInstanceConfig": {"enableSecureBoot": True},
        "metadata": {"user-data": text, "google-logging-enabled": "true"},
        "tags": ["b", "a"],
        "labels": {"site": "a"},
    }


def group(name: str, template_id: str, check: str, **more: Any) -> Values:
    return {
        "name": name,
        "baseInstanceName": name,
        "versions": [{"instanceTemplate": template_id}],
        "targetSize": 1,
        "autoHealingPolicies": {"healthCheck": check, "initialDelaySec": 300},
        "statefulDisks": [{"deviceName": "spool", "deleteRule": "ON_PERMANENT_INSTANCE_DELETION"}],
        "updatePolicy": {
            "type": "PROACTIVE",
            "minimalAction": "REPLACE",
            "replacementMethod": "RECREATE",
            "instanceRedistributionType": "NONE",
            "maxSurgeFixed": 0,
            "maxUnavailableFixed": 3,
        },
        "waitForInstances": True,
        **more,
    }


def test_a_load_balanced_group(engine: Engine, make: Make, project: str) -> None:
    text = user_data("registry.example/unknown:1")
    template_id, known = make(TEMPLATE, template("adapter-", text))
    assert template_id.startswith(f"projects/{project}/global/instanceTemplates/adapter-2")
    assert known["selfLinkUnique"].endswith(f"?uniqueId={known['numericId']}")
    assert known["metadata"]["user-data"] == text
    assert known["tags"] == ["a", "b"]
    check = {"name": "c", "tcpHealthCheck": {"port": PORT}, "checkIntervalSec": 10}
    check_id, checking = make(CHECK, check)
    group_id, state = make(GROUP, group("g", template_id, check_id))
    assert state["statuses"][0]["isStable"] is True
    assert state["instanceGroup"].endswith("/regions/us-central1/instanceGroups/g")
    service = {
        "name": "b",
        "protocol": "TCP",
        "healthChecks": check_id,
        "backends": [{"group": state["instanceGroup"], "balancingMode": "CONNECTION"}],
        "connectionDrainingTimeoutSec": 60,
        "sessionAffinity": "CLIENT_IP",
    }
    service_id, backend = make(SERVICE, service)
    address_id, address = make(ADDRESS, {"name": "a", "addressType": "INTERNAL"})
    rule = {
        "name": "r",
        "loadBalancingScheme": "INTERNAL",
        "ipAddress": address["address"],
        "ports": [str(PORT)],
        "backendService": service_id,
        "network": "default",
        "labels": {"site": "a"},
    }
    rule_id, listening = make(RULE, rule)
    assert listening["ipAddress"] == address["address"]

    changed = {**rule, "labels": {"site": "b"}, "allowGlobalAccess": True}
    wanted = {"labels.site", "allowGlobalAccess"}
    assert wanted <= changes(engine, RULE, rule_id, listening, changed)
    listening = engine.update(RULE, rule_id, listening, changed)
    assert listening["labels"] == {"site": "b"}
    assert listening["allowGlobalAccess"] is True
    changed = {**service, "connectionDrainingTimeoutSec": 30, "description": "adapters"}
    backend = engine.update(SERVICE, service_id, backend, changed)
    assert backend["connectionDrainingTimeoutSec"] == 30
    assert backend["backends"][0]["balancingMode"] == "CONNECTION"

    other_id, _ = make(TEMPLATE, template("adapter-", f"{text}# other"))
    assert other_id != template_id
    news = group("g", other_id, check_id, targetSize=2)
    state = engine.update(GROUP, group_id, state, news)
    assert state["versions"][0]["instanceTemplate"].endswith(other_id)
    assert state["targetSize"] == 2
    with pytest.raises(RefusedError, match="is already being used by"):
        engine.delete(CHECK, check_id, checking)
    engine.delete(TEMPLATE, template_id, known)
    engine.delete(RULE, rule_id, listening)
    engine.delete(SERVICE, service_id, backend)
    engine.delete(ADDRESS, address_id, address)
    engine.delete(GROUP, group_id, state)
    engine.delete(CHECK, check_id, checking)


def test_a_template_is_replaced_before_the_old_one_goes(engine: Engine, make: Make) -> None:
    news = template("adapter-", user_data("registry.example/unknown:1"))
    id_, state = make(TEMPLATE, news)
    for changed in ({**news, "machineType": "e2-medium"}, {**news, "labels": {"site": "b"}}):
        response = engine.diff(TEMPLATE, id_, state, changed)
        assert response.replaces
        assert not response.deleteBeforeReplace


def test_firewalls(engine: Engine, make: Make) -> None:
    rule = {
        "name": "f",
        "network": "default",
        "allows": [{"protocol": "TCP", "ports": ["2575"]}],
        "sourceRanges": ["35.191.0.0/16", "10.0.0.0/8"],
        "logConfig": {"metadata": "INCLUDE_ALL_METADATA"},
    }
    id_, state = make(FIREWALL, rule)
    assert state["priority"] == 1000
    assert state["direction"] == "INGRESS"
    changed = {**rule, "sourceRanges": ["10.0.0.0/8"], "priority": 900}
    state = engine.update(FIREWALL, id_, state, changed)
    assert (state["sourceRanges"], state["priority"]) == (["10.0.0.0/8"], 900)
    engine.delete(FIREWALL, id_, state)


def test_vpn(engine: Engine, make: Make, emulator: ServerInfo, project: str) -> None:
    interfaces = [{"id": 0, "ipAddress": "203.0.113.5"}, {"id": 1, "ipAddress": "203.0.113.6"}]
    peer = {"name": "peer", "interfaces": interfaces, "redundancyType": "TWO_IPS_REDUNDANCY"}
    peer_id, known = make(PEER_GATEWAY, peer)
    gateway_id, gateway = make(GATEWAY, {"name": "g", "network": "default"})
    assert [one["id"] for one in gateway["vpnInterfaces"]] == [0, 1]
    router = {"name": "r", "network": "default", "bgp": {"asn": 65010}}
    router_id, routing = make(ROUTER, router)
    tunnel = {
        "name": "t",
        "vpnGateway": gateway_id,
        "vpnGatewayInterface": 0,
        "peerExternalGateway": peer_id,
        "peerExternalGatewayInterface": 0,
        "router": "r",
        "sharedSecret": "secret",
    }
    tunnel_id, state = make(TUNNEL, tunnel)
    assert state["sharedSecret"] == "secret"
    assert state["peerIp"] == "203.0.113.5"
    interface = {"name": "i", "router": "r", "ipRange": "169.254.0.1/30", "vpnTunnel": "t"}
    interface_id, inside = make(INTERFACE, interface)
    assert interface_id == f"{REGION}/r/i"
    session = {"name": "p", "router": "r", "interface": "i", "peerAsn": 65020}
    session["peerIpAddress"] = "169.254.0.2"
    session_id, bgp = make(PEER, session)
    assert (bgp["ipAddress"], bgp["enable"]) == ("169.254.0.1", True)
    bgp = engine.update(PEER, session_id, bgp, {**session, "enable": False, "peerAsn": 65021})
    assert (bgp["peerAsn"], bgp["enable"]) == (65021, False)
    with pytest.raises(RefusedError, match="already present in the router"):
        engine.create(INTERFACE, interface)
    with pytest.raises(RefusedError, match="is already being used by"):
        engine.delete(GATEWAY, gateway_id, gateway)
    engine.delete(PEER, session_id, bgp)
    engine.delete(INTERFACE, interface_id, inside)
    engine.delete(TUNNEL, tunnel_id, state)
    engine.delete(GATEWAY, gateway_id, gateway)
    engine.delete(PEER_GATEWAY, peer_id, known)
    engine.delete(ROUTER, router_id, routing)


def test_what_others_made_is_imported(engine: Engine, make: Make, project: str) -> None:
    id_, state = make(ADDRESS, {"name": "a", "addressType": "INTERNAL", "description": "x"})
    for short in (id_, f"{project}/{REGION}/a", f"{REGION}/a", "a"):
        found, read, inputs = engine.read(ADDRESS, short)
        assert found == id_
        assert read["address"] == state["address"]
        assert inputs["description"] == "x"


def test_subnetworks(engine: Engine, make: Make, project: str) -> None:
    news: Values = {"name": "workers", "network": "default", "ipCidrRange": "10.64.0.0/23"}
    id_, state = make(SUBNETWORK, {**news, "privateIpGoogleAccess": True})
    assert id_ == f"projects/{project}/regions/{REGION}/subnetworks/workers"
    assert state["privateIpGoogleAccess"] is True
    assert state["gatewayAddress"] == "10.64.0.1"

    larger = {**news, "ipCidrRange": "10.64.0.0/22", "privateIpGoogleAccess": False}
    assert changes(engine, SUBNETWORK, id_, state, larger) == {
        "ipCidrRange",
        "privateIpGoogleAccess",
    }
    state = engine.update(SUBNETWORK, id_, state, larger)
    assert (state["ipCidrRange"], state["privateIpGoogleAccess"]) == ("10.64.0.0/22", False)
    with pytest.raises(RefusedError, match=r"must contain the present one, 10\.64\.0\.0/22"):
        engine.update(SUBNETWORK, id_, state, {**news, "ipCidrRange": "10.65.0.0/22"})
    engine.delete(SUBNETWORK, id_, state)
    assert engine.read(SUBNETWORK, id_, state, {})[0] == ""
