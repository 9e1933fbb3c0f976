"""An MLLP adapter that takes messages, and a VPN to a hospital: components by the real engine."""

import base64
import socket
from pathlib import Path

import psutil
import pytest

from emulator.core.processes.ports import free_port
from tests.support.hl7v2_messages import admission
from tests.support.labs import Lab
from tests.support.mllp import exchange
from tests.support.programs import Program
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]
STACK = "local-adapters"
_PROGRAM = """
import pulumi
from pulumi_gcp import healthcare

from components.adapters.mllp_adapter import MllpAdapter, MllpAdapterArgs
from components.project_services import ProjectServices, ProjectServicesArgs

config = pulumi.Config()
project = pulumi.Config("gcp").require("project")
services = ProjectServices(
    "services",
    ProjectServicesArgs(
        project=project,
        services=[f"{name}.googleapis.com" for name in ("healthcare", "compute", "iam")],
    ),
)
ready = pulumi.ResourceOptions(depends_on=[services])
dataset = healthcare.Dataset("d", name="d", location="us-central1", opts=ready)
store = healthcare.Hl7Store(
    "s",
    name="s",
    dataset=dataset.id,
    parser_config={"version": "V3", "segment_terminator": "DQ=="},
)
adapter = MllpAdapter(
    "wards",
    MllpAdapterArgs(
        project=project,
        region="us-central1",
        adapter="wards",
        image="registry.example.com/mllp-adapter:1",
        hl7v2_store=store.id,
        spool=True,
        port=config.require_int("port"),
        source_ranges=["10.0.0.0/8"],
        machine_type=config.get("machineType") or "e2-small",
    ),
    pulumi.ResourceOptions(depends_on=[services]),
)
pulumi.export("address", adapter.address)
pulumi.export("port", adapter.port)
"""
_VPN_STACK = "local-vpn"
_VPN = """
import pulumi

from components.adapters.hospital_vpn import HospitalVpn, HospitalVpnArgs, TunnelArgs

project = pulumi.Config("gcp").require("project")
tunnels = [
    TunnelArgs(
        address=f"169.254.{index}.1/30",
        peer_address=f"169.254.{index}.2",
        shared_secret=f"projects/{project}/secrets/shared/versions/1",
    )
    for index in range(2)
]
vpn = HospitalVpn(
    "clinic",
    HospitalVpnArgs(
        project=project,
        region="us-central1",
        vpn="clinic",
        peer_addresses=["203.0.113.5"],
        peer_asn=65020,
        tunnels=tunnels,
    ),
)
pulumi.export("addresses", vpn.addresses)
"""
_STORE = f"v1/projects/{STACK}/locations/us-central1/datasets/d/hl7V2Stores/s"
_GROUPS = f"compute/v1/projects/{STACK}/regions/us-central1/instanceGroupManagers"


def control_ids(lab: Lab) -> list[str]:
    """The control ids of the messages in the store."""
    found = lab.call("GET", f"{_STORE}/messages?view=RAW_ONLY").get("hl7V2Messages", [])
    texts = [base64.b64decode(one["data"]).decode() for one in found]
    return sorted(text.split("|")[9] for text in texts)


def running(address: str) -> list[int]:
    """The processes that listen at an address."""
    found = psutil.net_connections("tcp")
    return [one.pid or 0 for one in found if one.laddr and one.laddr.ip == address]


def test_messages_go_through_the_load_balancer(lab: Lab, tmp_path: Path) -> None:
    program = Program.create(lab, tmp_path / STACK, "adapters", _PROGRAM, STACK)
    program.configure({"adapters:port": str(free_port())})
    program.change("up")
    outputs = program.outputs()
    address, port = outputs["address"], int(outputs["port"])
    [answer] = exchange(port, [admission("M1")], host=address)
    assert b"MSA|AA|M1" in answer
    wait_until(lambda: control_ids(lab) == ["M1"], "the message is not delivered")
    assert program.plan() == {}
    program.change("refresh", "--expect-no-changes")

    program.configure({"adapters:machineType": "e2-medium"})
    assert program.plan(), "the template is replaced, and the group updated to it"
    program.change("up")
    [answer] = exchange(port, [admission("M2")], host=address)
    assert b"MSA|AA|M2" in answer
    [group] = lab.call("GET", _GROUPS)["items"]
    assert group["status"]["isStable"]
    listed = lab.call("POST", f"{_GROUPS}/{group['name']}/listManagedInstances", {})
    [instance] = listed["managedInstances"]
    found = lab.call("GET", "compute/v1/" + instance["instance"].partition("/compute/v1/")[2])
    inside = found["networkInterfaces"][0]["networkIP"]
    assert found["machineType"].endswith("/e2-medium")
    assert running(inside)

    program.change("destroy")
    assert not running(inside)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, port)).close()


def test_a_vpn_to_a_hospital(lab: Lab, tmp_path: Path) -> None:
    project = f"v1/projects/{_VPN_STACK}"
    for service in ("compute", "secretmanager"):
        lab.call("POST", f"{project}/services/{service}.googleapis.com:enable", {})
    replication: dict[str, object] = {"replication": {"automatic": {}}}
    lab.call("POST", f"{project}/secrets?secretId=shared", replication)
    payload = {"payload": {"data": base64.b64encode(b"key").decode()}}
    lab.call("POST", f"{project}/secrets/shared:addVersion", payload)
    program = Program.create(lab, tmp_path / _VPN_STACK, "vpn", _VPN, _VPN_STACK)
    program.change("up")
    assert len(set(program.outputs()["addresses"])) == 2
    assert program.plan() == {}
    program.change("refresh", "--expect-no-changes")
    routers = f"compute/v1/projects/{_VPN_STACK}/regions/us-central1/routers"
    [router] = lab.call("GET", routers)["items"]
    peers = {one["peerIpAddress"]: one["ipAddress"] for one in router["bgpPeers"]}
    assert peers == {f"169.254.{index}.2": f"169.254.{index}.1" for index in range(2)}
    assert len(router["interfaces"]) == 2
    program.change("destroy")
    assert lab.call("GET", routers)["items"] == []
