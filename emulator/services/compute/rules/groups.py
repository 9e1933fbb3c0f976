"""Rules for managed instance groups: additions to their bodies, and refusals.

Documented: https://cloud.google.com/compute/docs/instance-groups and, for groups with state,
https://cloud.google.com/compute/docs/instance-groups/stateful-migs.
"""

from typing import Any

from emulator.core.errors import unimplemented
from emulator.services.compute.errors import invalid, required
from emulator.services.compute.locations import region_in, zones_of
from emulator.services.compute.names import Parts, last, link
from emulator.services.compute.resources import Resources

MAX_NAME = 63
_SPREAD_ZONES = 3
_SUFFIX_LENGTH = len("-abcd")

Json = dict[str, Any]


def group_manager(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a managed instance group."""
    versions = _versions(body, before)
    spread = body.get("distributionPolicy") or {}
    wanted = [last(one["zone"]) for one in spread.get("zones", [])] or _zones(own)
    zones = [{"zone": link(f"projects/{own.project}/zones/{zone}")} for zone in wanted]
    surge = {"calculated": len(zones), "fixed": len(zones)}
    policy = {
        "instanceRedistributionType": "PROACTIVE",
        "maxSurge": surge,
        "maxUnavailable": surge,
        "minimalAction": "REPLACE",
        "replacementMethod": "SUBSTITUTE",
        "type": "OPPORTUNISTIC",
        **(body.get("updatePolicy") or {}),
    }
    whole = {
        "baseInstanceName": own.id[: MAX_NAME - _SUFFIX_LENGTH],
        "instanceLifecyclePolicy": {
            "defaultActionOnFailure": "REPAIR",
            "forceUpdateOnRepair": "NO",
        },
        "listManagedInstancesResults": "PAGELESS",
        "targetStoppedSize": 0,
        "targetSuspendedSize": 0,
        **body,
        "distributionPolicy": {"targetShape": "EVEN", **spread, "zones": zones},
        "instanceGroup": link(own.name.replace("/instanceGroupManagers/", "/instanceGroups/")),
        "instanceTemplate": versions[0]["instanceTemplate"],
        "targetSize": int(body["targetSize"]),
        "updatePolicy": policy,
        "versions": versions,
    }
    _check(whole, own)
    return whole


def _versions(body: Json, before: Json | None) -> list[Json]:
    """Return the versions of a body, which names one template as a version or alone."""
    template, versions = body.get("instanceTemplate"), body.get("versions") or []
    if before is not None and template != before["instanceTemplate"]:
        versions = []  # a change of the template alone
    if len(versions) > 1:
        raise unimplemented(
            "Groups with more than one version are not served by the local Google Cloud yet."
        )
    if not versions and not template:
        raise required("resource.instanceTemplate")
    return versions or [{"instanceTemplate": template}]


def _zones(own: Parts) -> list[str]:
    return zones_of(region_in(own.location))[:_SPREAD_ZONES]


def _check(body: Json, own: Parts) -> None:
    known = zones_of(region_in(own.location))
    for index, one in enumerate(body["distributionPolicy"]["zones"]):
        if last(one["zone"]) not in known:
            field = f"resource.distributionPolicy.zones[{index}].zone"
            raise invalid(field, one["zone"], f"It must be a zone of {own.location}.")
    if body["targetSize"] < 0:
        reason = "It must be greater than or equal to 0."
        raise invalid("resource.targetSize", body["targetSize"], reason)
    if len(body.get("autoHealingPolicies", [])) > 1:
        raise invalid("resource.autoHealingPolicies", "2", "At most one policy is allowed.")
    if not has_state(body):
        return
    policy = body["updatePolicy"]
    if policy["instanceRedistributionType"] != "NONE":
        raise invalid(
            "resource.updatePolicy.instanceRedistributionType",
            policy["instanceRedistributionType"],
            "Stateful regional managed instance groups can't redistribute instances: set NONE.",
        )
    if policy["replacementMethod"] != "RECREATE" and policy["type"] == "PROACTIVE":
        raise invalid(
            "resource.updatePolicy.replacementMethod",
            policy["replacementMethod"],
            "Stateful managed instance groups keep the names of instances: set RECREATE.",
        )


def has_state(body: Json) -> bool:
    """Whether a group preserves disks or addresses of its instances."""
    state = (body.get("statefulPolicy") or {}).get("preservedState") or {}
    return any(state.values())


def preserved_disks(body: Json) -> dict[str, str]:
    """Return the device names of the disks that a group preserves, and when they are deleted."""
    state = (body.get("statefulPolicy") or {}).get("preservedState") or {}
    disks = state.get("disks") or {}
    return {device: (rule or {}).get("autoDelete", "NEVER") for device, rule in disks.items()}
