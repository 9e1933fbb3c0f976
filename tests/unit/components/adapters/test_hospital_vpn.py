"""The VPN to a hospital: two tunnels, the BGP session in each, and secrets that stay secret."""

from typing import Any

import pytest

from components.adapters.hospital_vpn import HospitalVpn, HospitalVpnArgs, TunnelArgs
from components.base import ArgumentError
from tests.unit.components.deployment import Deployment, deploy

SECRET = "projects/vault/secrets/vpn-{}/versions/2"


def tunnel(number: int, **changed: Any) -> TunnelArgs:
    given = {
        "shared_secret": SECRET.format(number),
        "address": f"169.254.{number}.1/30",
        "peer_address": f"169.254.{number}.2",
    }
    return TunnelArgs(**given | changed)


def args(**changed: Any) -> HospitalVpnArgs:
    given: dict[str, Any] = {
        "project": "my-project",
        "region": "europe-west4",
        "vpn": "north",
        "peer_addresses": ["198.51.100.7"],
        "peer_asn": 65_001,
        "tunnels": [tunnel(0), tunnel(1)],
    }
    return HospitalVpnArgs(**given | changed)


def up(**changed: Any) -> Deployment:
    return deploy(lambda: HospitalVpn("vpn", args(**changed)))


def tunnels(deployed: Deployment) -> list[dict[str, Any]]:
    found = deployed.of_type("gcp:compute/vPNTunnel:VPNTunnel")
    return [item.inputs for item in sorted(found, key=lambda item: item.name)]


def test_each_interface_of_the_gateway_has_a_tunnel() -> None:
    deployed = up()
    assert [item["vpnGatewayInterface"] for item in tunnels(deployed)] == [0, 1]
    assert [item["peerExternalGatewayInterface"] for item in tunnels(deployed)] == [0, 0]
    [peer] = deployed.of_type("gcp:compute/externalVpnGateway:ExternalVpnGateway")
    assert peer.inputs["redundancyType"] == "SINGLE_IP_INTERNALLY_REDUNDANT"
    assert deployed.outputs["vpn"] == {"addresses": ["203.0.113.0", "203.0.113.1"]}


def test_a_hospital_with_two_addresses_has_a_tunnel_to_each() -> None:
    deployed = up(peer_addresses=["198.51.100.7", "198.51.100.8"])
    assert [item["peerExternalGatewayInterface"] for item in tunnels(deployed)] == [0, 1]
    [peer] = deployed.of_type("gcp:compute/externalVpnGateway:ExternalVpnGateway")
    assert peer.inputs["redundancyType"] == "TWO_IPS_REDUNDANCY"


def test_routes_come_by_a_session_in_each_tunnel() -> None:
    deployed = up()
    interfaces = deployed.of_type("gcp:compute/routerInterface:RouterInterface")
    assert {item.inputs["ipRange"] for item in interfaces} == {
        "169.254.0.1/30",
        "169.254.1.1/30",
    }
    peers = deployed.of_type("gcp:compute/routerPeer:RouterPeer")
    assert {(item.inputs["peerIpAddress"], item.inputs["peerAsn"]) for item in peers} == {
        ("169.254.0.2", 65_001),
        ("169.254.1.2", 65_001),
    }


def test_shared_secrets_are_read_and_stay_secret() -> None:
    secrets = [item["sharedSecret"] for item in tunnels(up())]
    marker = "4dabf18193072939515e22adb298388d"  # of Pulumi, at a secret
    assert all(marker in secret for secret in secrets)
    assert [secret["value"] for secret in secrets] == ["vpn-0!", "vpn-1!"]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"tunnels": [tunnel(0)]}, "tunnels: 2 are needed"),
        ({"peer_addresses": []}, "one or two are needed"),
        ({"peer_addresses": ["vpn.example"]}, "is not an IPv4 address"),
        ({"asn": 65_001}, "65001 is the hospital's own"),
        ({"region": "eu"}, "is not a region"),
    ],
)
def test_arguments_that_can_not_work_are_refused(changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArgumentError, match=complaint):
        args(**changed)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"address": "10.0.0.1/30"}, "is not an address of a session"),
        ({"address": "169.254.0.1"}, "is not an address of a session"),
        ({"peer_address": "169.254.9.2"}, "is not the other address of 169.254.0.1/30"),
        ({"peer_address": "169.254.0.1"}, "is not the other address of"),
        ({"shared_secret": "plain"}, "is not a version of a secret"),
    ],
)
def test_tunnels_that_can_not_work_are_refused(changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArgumentError, match=complaint):
        tunnel(0, **changed)
