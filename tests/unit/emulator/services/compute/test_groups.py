"""Managed groups behind a load balancer: processes that are reached, healed, updated, kept."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.core.processes.ports import free_port
from emulator.services.compute import addresses
from emulator.services.compute.service import API
from tests.support.compute_requests import (
    GROUPS,
    HEALTH_CHECKS,
    MANAGERS,
    PORT,
    RULES,
    SERVICES,
    TEMPLATES,
    Json,
    Send,
    balance,
    health_check,
    make_group,
    manager,
    sender,
    template,
    user_data,
)
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets

TEXT = user_data("registry.example/program:1", str(PORT), "/spool")


def ask(address: str, port: int = PORT, text: bytes = b"count") -> list[str]:
    with socket.create_connection((address, port), 10) as connection:
        connection.sendall(text)
        return connection.recv(1000).decode().split()


def until_stable(send: Send, path: str = f"{MANAGERS}/g") -> Json:
    def look() -> Json:
        group = send("GET", path)
        return group if group["status"]["isStable"] else {}

    return wait_until(look, "the group does not become stable")


def managed(send: Send) -> list[Json]:
    found: list[Json] = send("POST", f"{MANAGERS}/g/listManagedInstances")["managedInstances"]
    return found


def test_a_message_reaches_an_instance_by_the_forwarding_rule(send: Send) -> None:
    make_group(send, TEXT)
    until_stable(send)
    rule = balance(send)
    greeting, count, client, pid = ask(rule["IPAddress"])
    assert (greeting, count) == ("hello", "1"), "of the file of variables, and of the disk"
    assert client == "127.0.0.1", "a passthrough load balancer keeps the address of the client"
    [instance] = managed(send)
    assert instance["instanceHealth"][0]["detailedHealthState"] == "HEALTHY"
    health = send("POST", f"{SERVICES}/b/getHealth", {"group": f"{GROUPS}/g"})["healthStatus"]
    [state] = wait_until(lambda: health, "there is no health")
    assert state["forwardingRuleIp"] == rule["IPAddress"]
    assert psutil.pid_exists(int(pid))
    assert send("GET", f"{GROUPS}/g")["size"] == 1


def test_what_a_group_preserves_survives_that_its_instance_is_made_again(send: Send) -> None:
    make_group(send, TEXT)
    until_stable(send)
    address = balance(send)["IPAddress"]
    _, first, _, pid = ask(address)
    [instance] = managed(send)
    send("POST", f"{MANAGERS}/g/recreateInstances", {"instances": [instance["instance"]]})
    wait_until(lambda: not psutil.pid_exists(int(pid)), "the old process still runs")
    until_stable(send)
    assert [one["name"] for one in managed(send)] == [instance["name"]]
    _, second, _, new_pid = ask(address)
    assert (first, second) == ("1", "2")
    assert new_pid != pid


def test_a_killed_program_is_started_again(send: Send) -> None:
    make_group(send, TEXT)
    until_stable(send)
    address = balance(send)["IPAddress"]
    _, _, _, pid = ask(address)
    psutil.Process(int(pid)).kill()

    def answers() -> list[str]:
        try:
            return ask(address)
        except OSError:
            return []

    assert wait_until(answers, "it does not answer again")[:2] == ["hello", "2"]


def test_an_unhealthy_instance_is_made_again(send: Send) -> None:
    make_group(send, TEXT)
    until_stable(send)
    address = balance(send)["IPAddress"]
    policy = {"healthCheck": f"{HEALTH_CHECKS}/c", "initialDelaySec": 0}
    send("PATCH", f"{MANAGERS}/g", {"autoHealingPolicies": [policy]})
    _, _, _, pid = ask(address)
    send("PATCH", f"{HEALTH_CHECKS}/c", {"tcpHealthCheck": {"port": PORT, "response": "x"}})
    wait_until(lambda: not psutil.pid_exists(int(pid)), "the instance is not made again")


def test_a_new_template_replaces_the_instances(send: Send) -> None:
    make_group(send, TEXT)
    until_stable(send)
    address = balance(send)["IPAddress"]
    assert ask(address)[0] == "hello"
    other = TEXT.replace("GREETING=hello", "GREETING=bye")
    send("POST", TEMPLATES, template("t2", other))
    change = {"versions": [{"instanceTemplate": f"{TEMPLATES}/t2"}]}
    send("PATCH", f"{MANAGERS}/g", change)

    def reached() -> bool:
        status = send("GET", f"{MANAGERS}/g")["status"]
        return bool(status["isStable"] and status["versionTarget"]["isReached"])

    wait_until(reached, "the group does not reach its new template")
    assert ask(address)[:2] == ["bye", "2"], "with the disk of the instance before"
    send("DELETE", f"{TEMPLATES}/t")


def test_groups_run_again_after_a_restart_and_nothing_is_left_of_a_deleted_one(
    begin: Callable[[], Cloud], tmp_path: Path
) -> None:
    first = begin()
    with TestClient(create_app(first), "http://127.0.0.1") as client:
        send = sender(client)
        make_group(send, TEXT)
        until_stable(send)
        address = balance(send)["IPAddress"]
        _, _, _, pid = ask(address)
    assert not psutil.pid_exists(int(pid)), "it ends with the emulator"
    with pytest.raises(ConnectionRefusedError):
        ask(address)
    with TestClient(create_app(begin()), "http://127.0.0.1") as client:
        send = sender(client)
        until_stable(send)
        _, count, _, pid = ask(address)
        assert count == "2"
        for path in (f"{RULES}/r", f"{SERVICES}/b", f"{MANAGERS}/g"):
            assert send("DELETE", path)["status"] == "DONE"
        assert not psutil.pid_exists(int(pid))
        assert send("GET", "aggregated/instances")["items"]["zones/us-central1-a"] == {
            "warning": {"code": "NO_RESULTS_ON_PAGE"}
        }
        assert not [*(tmp_path / "compute").iterdir()], "of no disk"


def test_a_disk_that_is_never_deleted_stays_after_its_group(send: Send, tmp_path: Path) -> None:
    never = {"preservedState": {"disks": {"spool": {"autoDelete": "NEVER"}}}}
    make_group(send, TEXT, statefulPolicy=never)
    until_stable(send)
    [instance] = managed(send)
    [source] = [one["source"] for one in instance["preservedStateFromPolicy"]["disks"].values()]
    disk = source.partition("/local-project/")[2]
    assert send("GET", disk)["users"] == [instance["instance"]]
    send("DELETE", f"{MANAGERS}/g")
    assert send("GET", disk)["users"] == []
    assert len([*(tmp_path / "compute").iterdir()]) == 1
    send("DELETE", disk)
    assert not [*(tmp_path / "compute").iterdir()]


def test_resizing_adds_and_removes_instances_in_several_zones(send: Send) -> None:
    make_group(send, TEXT)
    send("POST", f"{MANAGERS}/g/resize", size="3")
    until_stable(send)
    zones = {one["instance"].split("/")[-3] for one in managed(send)}
    assert zones == {"us-central1-a", "us-central1-b", "us-central1-c"}
    gone = managed(send)[0]["instance"]
    send("POST", f"{MANAGERS}/g/deleteInstances", {"instances": [gone]})
    wait_until(lambda: len(managed(send)) == 2, "no instance is deleted")
    assert send("GET", f"{MANAGERS}/g")["targetSize"] == 2
    assert gone not in [one["instance"] for one in managed(send)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (user_data("registry.example/other:1"), "The image registry.example/other:1 can't run"),
        ("#!/bin/sh\necho", "does not begin with #cloud-config"),
        ("#cloud-config\nwrite_files: []\n", "starts no container by `docker run`"),
        ("#cloud-config\nwrite_files: [{}]\n", "has no path"),
        ("#cloud-config\n{", "is not valid YAML"),
    ],
)
def test_an_instance_that_cannot_run_here_is_stored_and_says_why(
    send: Send, text: str, reason: str
) -> None:
    make_group(send, text)
    until_stable(send)
    [instance] = managed(send)
    assert instance["instanceStatus"] == "TERMINATED"
    assert reason in instance["lastAttempt"]["errors"]["errors"][0]["message"]
    found = send("GET", instance["instance"].partition("/local-project/")[2])
    assert reason in found["statusMessage"]
    [error] = send("GET", f"{MANAGERS}/g/listErrors")["items"]
    assert reason in error["error"]["message"]


def test_a_port_in_use_is_an_error_of_the_operation(send: Send) -> None:
    make_group(send, TEXT)
    address = balance(send)["IPAddress"]
    with socket.create_server((address, 0)) as taken:
        port = taken.getsockname()[1]
        send("DELETE", f"{RULES}/r")
        rule = {
            "name": "r",
            "loadBalancingScheme": "INTERNAL",
            "ports": [str(port)],
            "backendService": f"{SERVICES}/b",
            "IPAddress": address,
        }
        operation = send("POST", RULES, rule)
    [error] = operation["error"]["errors"]
    assert error["code"] == "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE"
    assert f"can't listen at {address}:{port}" in error["message"]
    assert operation["httpErrorStatusCode"] == 409
    assert send("GET", RULES)["items"] == []


def test_a_rule_that_passes_nothing_on_is_stored_with_a_warning(send: Send) -> None:
    make_group(send, TEXT)
    balance(send)
    more = {"name": "all", "loadBalancingScheme": "INTERNAL", "allPorts": True}
    operation = send("POST", RULES, {**more, "backendService": f"{SERVICES}/b"})
    assert "name its ports instead of allPorts" in operation["warnings"][0]["message"]
    assert send("GET", f"{RULES}/all")["allPorts"] is True


def test_a_template_of_a_network_that_is_missing_is_an_error_of_the_group(send: Send) -> None:
    body = template("t", TEXT)
    body["properties"]["networkInterfaces"] = [{"network": "global/networks/none"}]
    send("POST", TEMPLATES, body)
    send("POST", MANAGERS, manager("g", f"{TEMPLATES}/t"))

    def errors() -> list[Json]:
        found: list[Json] = send("GET", f"{MANAGERS}/g/listErrors")["items"]
        return found

    [error] = wait_until(errors, "there is no error")
    assert "projects/local-project/global/networks/none" in error["error"]["message"]
    assert send("GET", f"{MANAGERS}/g")["status"]["isStable"] is False


def test_a_reset_leaves_nothing(send: Send, compute_client: TestClient, tmp_path: Path) -> None:
    make_group(send, TEXT)
    until_stable(send)
    address = balance(send)["IPAddress"]
    _, _, _, pid = ask(address)
    compute_client.post("/_emulator/reset").raise_for_status()
    assert not psutil.pid_exists(int(pid))
    assert not (tmp_path / "compute").exists()
    with pytest.raises(ConnectionRefusedError):
        ask(address)
    compute_client.post(
        f"/v1/projects/local-project/services/{API}:enable", json={}
    ).raise_for_status()
    make_group(send, TEXT)
    until_stable(send)
    assert ask(balance(send)["IPAddress"])[1] == "1"


def test_where_there_is_one_loopback_address_programs_are_reached_there(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "has_own_addresses", lambda: False)
    port = free_port()
    text = user_data("registry.example/program:1", str(port), "/spool")
    send("POST", TEMPLATES, template("t", text))
    send("POST", HEALTH_CHECKS, health_check("c", port))
    send("POST", MANAGERS, manager("g", f"{TEMPLATES}/t", f"{HEALTH_CHECKS}/c"))
    until_stable(send)
    rule = balance(send, (port,))
    assert rule["IPAddress"] == "127.0.0.1"
    assert ask("127.0.0.1", port)[:2] == ["hello", "1"]


def test_a_program_acts_as_the_account_of_its_instance(
    send: Send, compute_client: TestClient
) -> None:
    accounts = "/v1/projects/local-project/serviceAccounts"
    account = compute_client.post(accounts, json={"accountId": "adapter"}).json()
    make_group(send, TEXT, account=account["email"])
    until_stable(send)
    rule = balance(send)
    [key] = ask(rule["IPAddress"], text=b"key")
    assert json.loads(Path(key).read_text())["client_email"] == account["email"]
    send("POST", TEMPLATES, template("other", TEXT))
    change = {"versions": [{"instanceTemplate": f"{TEMPLATES}/other"}]}
    send("PATCH", f"{MANAGERS}/g", change)
    until_stable(send)
    assert ask(rule["IPAddress"], text=b"key") == ["none"]
