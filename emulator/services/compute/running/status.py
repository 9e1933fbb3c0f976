"""The status of a managed group and of its instances, as answers show it.

Documented: https://cloud.google.com/compute/docs/instance-groups/verifying-migs.
"""

from collections.abc import Sequence
from typing import Any

from emulator.services.compute.rules.groups import has_state, preserved_disks
from emulator.services.compute.running.members import Member

CREATING, DELETING, NONE, RECREATING, VERIFYING = (
    "CREATING",
    "DELETING",
    "NONE",
    "RECREATING",
    "VERIFYING",
)
_ACTIONS = (
    "abandoning", "creating", "creatingWithoutRetries", "deleting", "none", "recreating",
    "refreshing", "restarting", "resuming", "starting", "stopping", "suspending", "verifying",
)  # fmt: skip

Json = dict[str, Any]


def of_manager(body: Json, members: Sequence[Member]) -> Json:
    """Return the fields of a group that depend on its instances."""
    actions = dict.fromkeys(_ACTIONS, 0)
    for member in members:
        actions[member.action.lower()] += 1
    actions["creating"] += max(body["targetSize"] - len(members), 0)
    is_reached = all(one.template == body["instanceTemplate"] for one in members)
    is_updated = is_reached or body["updatePolicy"]["type"] != "PROACTIVE"
    is_stable = actions["none"] == len(members) == body["targetSize"] and is_updated
    return {
        "currentActions": actions,
        "status": {
            "isStable": is_stable,
            "allInstancesConfig": {"effective": True},
            "stateful": {
                "hasStatefulConfig": has_state(body),
                "perInstanceConfigs": {"allEffective": True},
            },
            "versionTarget": {"isReached": is_reached},
        },
    }


def of_instance(body: Json, member: Member, health: str) -> Json:
    """Return an instance as the list of a group's managed instances shows it.

    Args:
        body: of the group
        member: the instance
        health: `HEALTHY` or `UNHEALTHY`; empty if nothing checks it
    """
    shown: Json = {
        "id": member.body["id"],
        "instance": member.body["selfLink"],
        "name": member.body["name"],
        "instanceStatus": member.body["status"],
        "currentAction": member.action,
        "targetStatus": "RUNNING",
        "version": {"instanceTemplate": member.template},
    }
    if health:
        [policy] = body["autoHealingPolicies"]
        state = {"detailedHealthState": health, "healthCheck": policy["healthCheck"]}
        shown["instanceHealth"] = [state]
    if failure := member.local.get("failure"):
        shown["lastAttempt"] = {"errors": {"errors": [{"code": "INTERNAL", "message": failure}]}}
    rules = preserved_disks(body)
    kept = {
        disk["deviceName"]: {
            "autoDelete": rules[disk["deviceName"]],
            "mode": disk["mode"],
            "source": disk["source"],
        }
        for disk in member.body["disks"]
        if disk["deviceName"] in rules
    }
    return {**shown, "preservedStateFromPolicy": {"disks": kept}} if kept else shown
