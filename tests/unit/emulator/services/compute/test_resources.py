"""Resources as they are created, changed, listed and deleted: rules, references, errors."""

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.core.discovery import document
from emulator.services.compute import addresses, locations
from emulator.services.compute.service import API
from emulator.services.compute.type_table import TYPES
from emulator.services.compute.types import Type
from emulator.services.iam import callers
from tests.support.compute_requests import (
    ADDRESSES,
    GROUPS,
    HEALTH_CHECKS,
    MANAGERS,
    PORT,
    PROJECT,
    RULES,
    SERVICES,
    TEMPLATES,
    Json,
    Send,
    health_check,
    manager,
    template,
    url,
)

REGION = "regions/us-central1"
Refused = Callable[..., Json]


@pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.api)
def test_a_type_is_one_of_the_document(type_: Type) -> None:
    schema = document("compute", "v1")["schemas"][type_.message]["properties"]
    methods = document("compute", "v1")["resources"][type_.api]["methods"]
    if "kind" in schema:
        assert schema["kind"]["default"] == type_.json_kind
    assert type_.methods <= methods.keys()
    assert type_.is_aggregated <= ("aggregatedList" in methods)
    assert type_.is_labelled == ("labelFingerprint" in schema and "labels" in schema) or (
        type_.api in ("disks", "instances")
    )
    assert set(type_.defaults) <= schema.keys()
    path = methods["list"]["flatPath"]
    for variable in ("{region}", "{zone}"):
        path = path.replace(variable, "{location}")
    assert path == type_.path


def test_every_project_has_a_default_network(send: Send) -> None:
    network = send("GET", "global/networks/default")
    assert network["autoCreateSubnetworks"] is True
    assert len(network["subnetworks"]) == len(locations.REGIONS)
    subnetwork = send("GET", f"{REGION}/subnetworks/default")
    assert (subnetwork["ipCidrRange"], subnetwork["gatewayAddress"]) == (
        "10.128.0.0/20",
        "10.128.0.1",
    )
    rules = [rule["name"] for rule in send("GET", "global/firewalls")["items"]]
    assert rules == [f"default-allow-{name}" for name in ("icmp", "internal", "rdp", "ssh")]
    for rule in rules:
        send("DELETE", f"global/firewalls/{rule}")
    send("DELETE", "global/networks/default")
    assert send("GET", "global/networks")["items"] == []
    assert send("GET", f"{REGION}/subnetworks")["items"] == []


def test_an_insert_answers_with_an_operation_that_is_done(send: Send) -> None:
    operation = send("POST", ADDRESSES, {"name": "a", "addressType": "INTERNAL"})
    assert (operation["status"], operation["operationType"]) == ("DONE", "insert")
    assert operation["targetLink"].endswith(f"/{PROJECT}/{ADDRESSES}/a")
    assert send("GET", f"{REGION}/operations/{operation['name']}") == operation
    found = send("GET", f"{ADDRESSES}/a")
    assert found["id"] == operation["targetId"]
    assert (found["purpose"], found["status"]) == ("GCE_ENDPOINT", "RESERVED")
    assert found["subnetwork"].endswith("/us-central1/subnetworks/default")
    assert addresses.is_internal(found["address"]) or not addresses.has_own_addresses()


@pytest.mark.parametrize(
    ("path", "body", "reason", "message"),
    [
        ("global/networks", {}, "required", "Required field 'resource.name' not specified"),
        (
            "global/networks",
            {"name": "Lan"},
            "invalid",
            "Invalid value for field 'resource.name': 'Lan'. Must be a match of regex "
            "'(?:[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?)'",
        ),
        ("global/networks", {"name": "a", "colour": 1}, "invalid", 'Unknown name "colour"'),
        (
            f"{REGION}/subnetworks",
            {"name": "s", "ipCidrRange": "10.0.0.0/8"},
            "required",
            "Required field 'resource.network' not specified",
        ),
        (
            f"{REGION}/subnetworks",
            {"name": "s", "ipCidrRange": "10.128.4.0/24", "network": "global/networks/default"},
            "invalid",
            "conflicts with existing subnetwork 'default' in region 'us-central1'",
        ),
        (
            "global/firewalls",
            {"name": "f", "allowed": [{"IPProtocol": "tcp"}], "sourceRanges": ["10.0.0.1/8"]},
            "invalid",
            "Must be a CIDR address range",
        ),
        ("global/firewalls", {"name": "f"}, "required", "'resource.allowed'"),
        (
            "global/firewalls",
            {"name": "f", "allowed": [{"IPProtocol": "tcp"}], "network": "default"},
            "invalid",
            "The URL is malformed.",
        ),
        (
            "global/firewalls",
            {"name": "f", "allowed": [{"IPProtocol": "tcp"}], "network": "global/firewalls/x"},
            "invalid",
            "The URL must refer to one of networks.",
        ),
        (
            ADDRESSES,
            {"name": "a", "addressType": "INTERNAL", "address": "10.128.0.7"},
            "invalid",
            "leave the address out, and one is allotted",
        ),
        (HEALTH_CHECKS, {"name": "c"}, "required", "'resource.type'"),
        (
            HEALTH_CHECKS,
            {"name": "c", "type": "UDP"},
            "invalid",
            "one of GRPC, GRPC_WITH_TLS, HTTP",
        ),
        (
            HEALTH_CHECKS,
            {"name": "c", "type": "TCP", "httpHealthCheck": {"port": 80}},
            "invalid",
            "The type is TCP.",
        ),
        (
            HEALTH_CHECKS,
            {"name": "c", "type": "TCP", "timeoutSec": 9},
            "invalid",
            "It must not be greater than checkIntervalSec.",
        ),
        (
            SERVICES,
            {"name": "b", "loadBalancingScheme": "INTERNAL"},
            "required",
            "'resource.healthChecks'",
        ),
        (RULES, {"name": "r", "loadBalancingScheme": "INTERNAL"}, "required", "backendService"),
        (TEMPLATES, {"name": "t", "properties": {"disks": [{}]}}, "required", "machineType"),
        (MANAGERS, {"name": "g", "targetSize": 1}, "required", "'resource.instanceTemplate'"),
        (
            "global/externalVpnGateways",
            {"name": "p", "interfaces": [{}, {}, {}]},
            "invalid",
            "does not fit the redundancy type None",
        ),
        (
            f"{REGION}/vpnTunnels",
            {"name": "t", "sharedSecret": "s"},
            "required",
            "'resource.vpnGateway'",
        ),
        (
            f"{REGION}/routers",
            {
                "name": "r",
                "network": "global/networks/default",
                "bgpPeers": [{"name": "p", "interfaceName": "i"}],
            },
            "invalid",
            "The router has no such interface.",
        ),
    ],
)
def test_what_is_not_valid_is_refused(
    refused: Refused, path: str, body: Json, reason: str, message: str
) -> None:
    error = refused("POST", path, body)
    assert error["code"] == 400
    assert error["errors"][0]["reason"] == reason
    assert message in error["message"]


def test_errors_have_reasons(send: Send, refused: Refused) -> None:
    path = "global/networks/lan"
    missing = refused("GET", path)
    assert missing["message"] == f"The resource 'projects/{PROJECT}/{path}' was not found"
    assert missing["errors"][0]["reason"] == "notFound"
    send("POST", "global/networks", {"name": "lan", "autoCreateSubnetworks": False})
    taken = refused("POST", "global/networks", {"name": "lan"})
    assert (taken["code"], taken["errors"][0]["reason"]) == (409, "alreadyExists")
    rule = {"name": "f", "network": path, "denied": [{"IPProtocol": "all"}]}
    send("POST", "global/firewalls", rule)
    used = refused("DELETE", path)
    assert used["errors"][0]["reason"] == "resourceInUseByAnotherResource"
    assert used["message"] == (
        f"The network resource 'projects/{PROJECT}/{path}' is already being used by "
        f"'projects/{PROJECT}/global/firewalls/f'"
    )
    send("DELETE", "global/firewalls/f")
    send("DELETE", path)
    assert refused("GET", "regions/mars/addresses")["code"] == 404
    unserved = refused("POST", "global/images", {})
    assert unserved["message"].startswith("compute.images.insert is not served")


def test_a_project_has_to_enable_the_api(compute_client: TestClient) -> None:
    answer = compute_client.get(url("global/networks").replace(PROJECT, "other-project"))
    error = answer.json()["error"]
    assert (answer.status_code, error["errors"][0]["reason"]) == (403, "accessNotConfigured")
    assert error["details"][0]["reason"] == "SERVICE_DISABLED"


def test_changes_check_the_fingerprint(send: Send, refused: Refused) -> None:
    send("POST", f"{REGION}/subnetworks", subnetwork := {
        "name": "s", "ipCidrRange": "192.168.0.0/24", "network": "global/networks/default",
    })  # fmt: skip
    path = f"{REGION}/subnetworks/{subnetwork['name']}"
    before = send("GET", path)
    change = {"privateIpGoogleAccess": True, "fingerprint": before["fingerprint"]}
    send("PATCH", path, change)
    after = send("GET", path)
    assert after["privateIpGoogleAccess"] is True
    assert after["ipCidrRange"] == "192.168.0.0/24"
    stale = refused("PATCH", path, {**change, "privateIpGoogleAccess": False})
    assert (stale["code"], stale["errors"][0]["reason"]) == (412, "conditionNotMet")


def test_a_patch_merges_and_an_update_replaces(send: Send) -> None:
    rule = {
        "name": "f",
        "allowed": [{"IPProtocol": "tcp", "ports": ["2575"]}],
        "sourceRanges": ["10.0.0.0/8"],
        "description": "peers",
    }
    send("POST", "global/firewalls", rule)
    send("PATCH", "global/firewalls/f", {"priority": 5, "description": None})
    found = send("GET", "global/firewalls/f")
    assert (found["priority"], found["description"]) == (5, "")
    assert found["allowed"] == rule["allowed"]
    send("PUT", "global/firewalls/f", {"name": "f", "denied": [{"IPProtocol": "all"}]})
    found = send("GET", "global/firewalls/f")
    assert found["priority"] == 1000
    assert found["sourceRanges"] == ["0.0.0.0/0"]
    assert "allowed" not in found


def test_labels_have_a_call_of_their_own(send: Send, refused: Refused) -> None:
    send("POST", ADDRESSES, {"name": "a", "labels": {"site": "a"}})
    before = send("GET", f"{ADDRESSES}/a")
    change = {"labels": {"site": "b"}, "labelFingerprint": before["labelFingerprint"]}
    assert send("POST", f"{ADDRESSES}/a/setLabels", change)["operationType"] == "setLabels"
    assert send("GET", f"{ADDRESSES}/a")["labels"] == {"site": "b"}
    assert refused("POST", f"{ADDRESSES}/a/setLabels", change)["code"] == 412


def test_lists_are_filtered_and_paged(send: Send, refused: Refused) -> None:
    for name in ("ab", "ac", "b"):
        send("POST", ADDRESSES, {"name": name, "labels": {"site": name}})

    def names(**query: str) -> list[str]:
        return [item["name"] for item in send("GET", ADDRESSES, **query)["items"]]

    assert names(filter="name = ab OR labels.site = b") == ["ab", "b"]
    assert names(filter="name eq a.*") == ["ab", "ac"]
    assert names(filter="(name ne 'a.*')") == ["b"]
    first = send("GET", ADDRESSES, maxResults="2")
    assert [item["name"] for item in first["items"]] == ["ab", "ac"]
    assert names(maxResults="2", pageToken=first["nextPageToken"]) == ["b"]
    everywhere = send("GET", "aggregated/addresses", filter="name = b")["items"]
    assert [one["name"] for one in everywhere[REGION]["addresses"]] == ["b"]
    assert everywhere["regions/us-east1"]["warning"]["code"] == "NO_RESULTS_ON_PAGE"
    assert refused("GET", f"{ADDRESSES}?orderBy=status")["code"] == 501


def test_an_address_in_use_belongs_to_one_rule(send: Send, refused: Refused) -> None:
    send("POST", HEALTH_CHECKS, health_check("c"))
    service = {
        "name": "b",
        "loadBalancingScheme": "INTERNAL",
        "healthChecks": [f"{HEALTH_CHECKS}/c"],
    }
    send("POST", SERVICES, service)
    send("POST", ADDRESSES, {"name": "a", "addressType": "INTERNAL"})
    rule = {
        "name": "r",
        "loadBalancingScheme": "INTERNAL",
        "ports": [str(PORT)],
        "backendService": f"{SERVICES}/b",
        "IPAddress": f"{ADDRESSES}/a",
    }
    send("POST", RULES, rule)
    reserved = send("GET", f"{ADDRESSES}/a")
    assert reserved["status"] == "IN_USE"
    assert reserved["users"] == [send("GET", f"{RULES}/r")["selfLink"]]
    assert send("GET", f"{RULES}/r")["IPAddress"] == reserved["address"]
    error = refused("POST", RULES, {**rule, "name": "other"})
    assert "The address is already being used by" in error["message"]
    error = refused("POST", RULES, {**rule, "name": "o", "IPAddress": "", "ports": ["0"]})
    assert "It must be a port from 1 to 65535." in error["message"]
    error = refused("POST", RULES, {**rule, "name": "o", "IPAddress": "", "IPProtocol": "UDP"})
    assert "The protocol of the backend service is TCP." in error["message"]


def test_groups_with_state_are_not_redistributed(send: Send, refused: Refused) -> None:
    send("POST", TEMPLATES, template("t", "x"))
    body = manager("g", f"{TEMPLATES}/t")
    for change, message in (
        ({"instanceRedistributionType": "PROACTIVE"}, "can't redistribute instances"),
        ({"replacementMethod": "SUBSTITUTE"}, "keep the names of instances"),
    ):
        policy = {**body["updatePolicy"], **change}
        error = refused("POST", MANAGERS, {**body, "updatePolicy": policy})
        assert message in error["message"]
    zones = {"zones": [{"zone": "zones/us-east1-b"}]}
    error = refused("POST", MANAGERS, {**body, "distributionPolicy": zones})
    assert "It must be a zone of regions/us-central1." in error["message"]
    two = [*body["versions"], {"instanceTemplate": f"{TEMPLATES}/t", "targetSize": {"fixed": 1}}]
    assert refused("POST", MANAGERS, {**body, "versions": two})["code"] == 501
    send("POST", MANAGERS, {**body, "targetSize": 0} | {"targetSize": 1})
    used = refused("DELETE", f"{TEMPLATES}/t")
    assert "The instance_template resource" in used["message"]
    other = refused(
        "POST", f"{MANAGERS}/g/recreateInstances", {"instances": ["zones/a/instances/i"]}
    )
    assert "is not a member" in other["message"]
    assert refused("GET", f"{GROUPS}/none")["code"] == 404


def test_vpn(send: Send) -> None:
    network = {"network": "global/networks/default"}
    send("POST", f"{REGION}/vpnGateways", {"name": "v", **network})
    first, second = send("GET", f"{REGION}/vpnGateways/v")["vpnInterfaces"]
    assert first["ipAddress"] != second["ipAddress"]
    interfaces = [{"ipAddress": "203.0.113.5"}, {"ipAddress": "203.0.113.6"}]
    send("POST", "global/externalVpnGateways", {"name": "p", "interfaces": interfaces})
    peer = send("GET", "global/externalVpnGateways/p")
    assert peer["redundancyType"] == "TWO_IPS_REDUNDANCY"
    assert [one["id"] for one in peer["interfaces"]] == [0, 1]
    send("POST", f"{REGION}/routers", {"name": "r", **network, "bgp": {"asn": 65010}})
    tunnel = {
        "name": "t",
        "vpnGateway": f"{REGION}/vpnGateways/v",
        "peerExternalGateway": "global/externalVpnGateways/p",
        "peerExternalGatewayInterface": 1,
        "router": f"{REGION}/routers/r",
        "sharedSecret": "a secret",
    }
    send("POST", f"{REGION}/vpnTunnels", tunnel)
    found = send("GET", f"{REGION}/vpnTunnels/t")
    assert found["peerIp"] == "203.0.113.6"
    assert "a secret" not in str(found)
    assert found["status"] == "FIRST_HANDSHAKE"
    interface = {"name": "i", "ipRange": "169.254.0.1/30", "linkedVpnTunnel": found["selfLink"]}
    peer = {"name": "p", "interfaceName": "i", "peerAsn": 65020}
    send("PATCH", f"{REGION}/routers/r", {"interfaces": [interface], "bgpPeers": [peer]})
    [peer] = send("GET", f"{REGION}/routers/r")["bgpPeers"]
    assert (peer["ipAddress"], peer["enable"]) == ("169.254.0.1", "TRUE")


def test_changes_are_audited_by_their_names(compute_client: TestClient, send: Send) -> None:
    send("POST", ADDRESSES, {"name": "a"})
    body = {"resourceNames": [f"projects/{PROJECT}"]}
    entries = compute_client.post("/v2/entries:list", json=body).json()["entries"]
    payload = entries[-1]["protoPayload"]
    assert payload["methodName"] == "v1.compute.addresses.insert"
    assert payload["resourceName"] == f"projects/{PROJECT}/{ADDRESSES}/a"


@pytest.mark.parametrize(
    ("role", "may_read", "may_write"),
    [
        ("roles/compute.viewer", True, False),
        ("roles/compute.networkAdmin", True, True),
        ("roles/compute.instanceAdmin.v1", True, False),
        ("roles/compute.admin", True, True),
        ("roles/storage.admin", False, False),
    ],
)
def test_access_follows_the_roles(
    open_cloud: Callable[..., Cloud], role: str, may_read: bool, may_write: bool
) -> None:
    cloud = open_cloud(enforce_iam=True)
    cloud.service_usage.services.enable(PROJECT, [API])
    member = "user:anna@example.com"
    binding = {"role": role, "members": [member]}
    cloud.iam.policies.set(f"projects/{PROJECT}", {"bindings": [binding]}, frozenset({"bindings"}))
    headers = {"Authorization": f"Bearer {callers.token_of(member)}"}
    with TestClient(create_app(cloud), "http://127.0.0.1", headers=headers) as client:
        read = client.get(url("global/networks/default"))
        assert read.is_success == may_read
        written = client.post(url(ADDRESSES), json={"name": "a"})
        assert written.is_success == may_write
        if not may_write:
            assert written.json()["error"]["message"] == (
                f"Required 'compute.addresses.create' permission for 'projects/{PROJECT}'"
            )
