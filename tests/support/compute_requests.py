"""Requests to Compute Engine: bodies of the parts of a load-balanced group."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.testclient import TestClient

from emulator.core.processes.ports import free_port

PROJECT = "local-project"
REGION = "us-central1"
TEMPLATES = "global/instanceTemplates"
HEALTH_CHECKS = f"regions/{REGION}/healthChecks"
MANAGERS = f"regions/{REGION}/instanceGroupManagers"
GROUPS = f"regions/{REGION}/instanceGroups"
SERVICES = f"regions/{REGION}/backendServices"
RULES = f"regions/{REGION}/forwardingRules"
ADDRESSES = f"regions/{REGION}/addresses"
PORT = free_port()
"""Of the program of the instances, at an address of its own."""

Json = dict[str, Any]
Send = Callable[..., Json]
"""Takes method, path below the project, and body; returns the answer."""


def url(path: str) -> str:
    """The path of a request about the project."""
    return f"/compute/v1/projects/{PROJECT}/{path}"


def sender(client: TestClient) -> Send:
    """Make a function that sends requests about the project, which have to succeed."""

    def send(method: str, path: str, body: Any = None, **query: str) -> Json:
        answer = client.request(method, url(path), json=body, params=query)
        assert answer.is_success, answer.text
        found: Json = answer.json()
        return found

    return send


def user_data(image: str, *arguments: str, options: str = "", restart: str = "always") -> str:
    """The text of cloud-init that runs an image by a unit of systemd, with a disk for /spool."""
    words = " ".join(arguments)
    return f"""#cloud-config
write_files:
- path: /etc/systemd/system/mnt-disks-spool.mount
  content: |
    [Mount]
    What=/dev/disk/by-id/google-spool
    Where=/mnt/disks/spool
- path: /etc/adapter/settings.env
  content: |
    # settings
    GREETING=hello
- path: /etc/systemd/system/adapter.service
  permissions: "0644"
  content: |
    [Unit]
    Requires=docker.service

    [Service]
    Environment=HOME=/home/adapter
    ExecStartPre=-/usr/bin/docker rm -f adapter
    ExecStart=/usr/bin/docker run --rm --name=adapter --network host {options} \\
      --env-file /etc/adapter/settings.env -v /mnt/disks/spool:/spool \\
      {image} {words}
    ExecStop=/usr/bin/docker stop adapter
    Restart={restart}
runcmd:
- systemctl daemon-reload
- [systemctl, start, mnt-disks-spool.mount, adapter.service]
"""


def template(name: str, text: str, account: str = "") -> Json:
    """The body of an instance template."""
    properties: Json = {
        "machineType": "e2-small",
        "disks": [
            {
                "boot": True,
                "autoDelete": True,
                "initializeParams": {
                    "sourceImage": "projects/cos-cloud/global/images/family/cos-stable"
                },
            },
            {
                "deviceName": "spool",
                "autoDelete": False,
                "initializeParams": {"diskSizeGb": "20"},
            },
        ],
        "networkInterfaces": [{"network": "global/networks/default"}],
        "metadata": {"items": [{"key": "user-data", "value": text}]},
    }
    if account:
        scopes = ["https://www.googleapis.com/auth/cloud-platform"]
        properties["serviceAccounts"] = [{"email": account, "scopes": scopes}]
    return {"name": name, "properties": properties}


def health_check(name: str, port: int = PORT) -> Json:
    """The body of a health check by TCP."""
    return {
        "name": name,
        "type": "TCP",
        "tcpHealthCheck": {"port": port},
        "checkIntervalSec": 1,
        "timeoutSec": 1,
        "unhealthyThreshold": 1,
    }


def manager(name: str, template_path: str, check: str = "", **fields: Any) -> Json:
    """The body of a managed group that keeps the disk `spool`."""
    body: Json = {
        "name": name,
        "versions": [{"instanceTemplate": template_path}],
        "targetSize": 1,
        "updatePolicy": {
            "type": "PROACTIVE",
            "minimalAction": "REPLACE",
            "replacementMethod": "RECREATE",
            "instanceRedistributionType": "NONE",
            "maxSurge": {"fixed": 0},
            "maxUnavailable": {"fixed": 3},
        },
        "statefulPolicy": {
            "preservedState": {"disks": {"spool": {"autoDelete": "ON_PERMANENT_INSTANCE_DELETION"}}}
        },
        **fields,
    }
    if check:
        body["autoHealingPolicies"] = [{"healthCheck": check, "initialDelaySec": 60}]
    return body


def make_group(send: Send, text: str, *, account: str = "", **fields: Any) -> str:
    """Create a template, a health check and a group called `g`; return the path of the group."""
    send("POST", TEMPLATES, template("t", text, account))
    send("POST", HEALTH_CHECKS, health_check("c"))
    body = manager("g", f"{TEMPLATES}/t", f"{HEALTH_CHECKS}/c", **fields)
    send("POST", MANAGERS, body)
    return f"{MANAGERS}/g"


def balance(send: Send, ports: tuple[int, ...] = (PORT,), **fields: Any) -> Mapping[str, Any]:
    """Put a load balancer before the group `g`; return its forwarding rule."""
    service = {
        "name": "b",
        "loadBalancingScheme": "INTERNAL",
        "protocol": "TCP",
        "healthChecks": [f"{HEALTH_CHECKS}/c"],
        "backends": [{"group": f"{GROUPS}/g"}],
    }
    send("POST", SERVICES, service)
    rule = {
        "name": "r",
        "loadBalancingScheme": "INTERNAL",
        "IPProtocol": "TCP",
        "ports": [str(port) for port in ports],
        "backendService": f"{SERVICES}/b",
        **fields,
    }
    operation = send("POST", RULES, rule)
    assert "error" not in operation, operation
    return send("GET", f"{RULES}/r")
