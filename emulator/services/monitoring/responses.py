"""Requests and answers of Cloud Monitoring.

Documented (https://cloud.google.com/monitoring/api/ref_v3/rest): the fields, names that the service
gives, the numbers of conditions, the limit of the rate of notifications that a condition on logs
needs, and that a channel in use is deleted by force alone. Inferred (conformance:
monitoring-missing-text): the texts of refusals.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from emulator.core import timestamps
from emulator.core.discovery import api
from emulator.core.errors import bad_field, failed_precondition
from emulator.core.resources.field_mask import FieldMask
from emulator.core.resources.stored import StoredResources
from emulator.core.rest import Call
from emulator.services.iam import callers
from emulator.services.monitoring.service import Monitoring

_MAX_CONDITIONS = 6
_DEFAULT_PAGE = 100
_OUTPUT = frozenset({"creationRecord", "mutationRecord", "mutationRecords", "name", "validity"})

Json = dict[str, Any]


@dataclass(frozen=True)
class Collection:
    """A collection of resources of a project.

    Attributes:
        message: the name of the resource's message
        field: of a list's answer, and the last part of the collection's path
        stored: returns the resources
        check: refuses a resource that is not valid, and returns it as it is kept
    """

    message: str
    field: str
    stored: Callable[[Monitoring], StoredResources]
    check: Callable[[Json, Json], Json]


def create(collection: Collection, call: Call[Monitoring]) -> Json:
    """Create a resource, which the service names by a number."""
    stored = collection.stored(call.service)
    name = stored.name_of(_project(call), _number())
    given = _given(collection, call)
    record = _record()
    whole = {**given, "name": name, "enabled": call.body.get("enabled", True)}
    kept = collection.check(whole, {"creationRecord": record, "mutationRecord": record})
    return stored.create(name, kept)


def list_page(collection: Collection, call: Call[Monitoring]) -> Json:
    """Return the resources of a project."""
    stored = collection.stored(call.service)
    return stored.list_page(_project(call), call.query, collection.field, default=_DEFAULT_PAGE)


def get(collection: Collection, call: Call[Monitoring]) -> Json:
    """One resource."""
    return collection.stored(call.service).get(_name(collection, call))


def patch(collection: Collection, call: Call[Monitoring]) -> Json:
    """Change the fields that the mask names; without a mask, replace the resource."""
    messages = api("monitoring", "v3")
    given = {**_given(collection, call), "enabled": call.body.get("enabled", True)}
    mask = FieldMask.parse(call.query.get("updateMask", ""), messages, collection.message)

    def change(present: Json) -> Json:
        changed = mask.apply(present, given) if mask.paths else given
        kept: Json = {key: present[key] for key in ("name", "creationRecord")}
        return collection.check({**changed, **kept}, {"mutationRecord": _record()})

    return collection.stored(call.service).update(_name(collection, call), change)


def delete_policy(call: Call[Monitoring]) -> Json:
    """Delete an alert policy."""
    call.service.policies.delete(_name(POLICIES, call))
    return {}


def delete_channel(call: Call[Monitoring]) -> Json:
    """Delete a notification channel; by force also from the policies that use it."""
    name = _name(CHANNELS, call)
    call.service.channels.get(name)
    users = {
        policy: body
        for policy, body in call.service.policies.everywhere().items()
        if name in body.get("notificationChannels", [])
    }
    if users and call.query.get("force", "").lower() != "true":
        raise failed_precondition(
            f"The notification channel {name} is in use by {', '.join(sorted(users))}; "
            "delete it with force, or remove it from them first."
        )
    for policy in users:
        call.service.policies.update(policy, partial(_without_channel, name))
    call.service.channels.delete(name)
    return {}


def _without_channel(channel: str, policy: Json) -> Json:
    others = [one for one in policy["notificationChannels"] if one != channel]
    return {**policy, "notificationChannels": others}


def _check_policy(policy: Json, records: Mapping[str, Any]) -> Json:
    conditions = policy.get("conditions", [])
    if not policy.get("displayName"):
        raise bad_field("alert_policy.display_name", "display_name is required")
    if "combiner" not in policy:
        raise bad_field("alert_policy.combiner", "combiner is required")
    if not 1 <= len(conditions) <= _MAX_CONDITIONS:
        raise bad_field(
            "alert_policy.conditions", f"1 to {_MAX_CONDITIONS} conditions are required"
        )
    for condition in conditions:
        tests = [key for key in condition if key.startswith("condition")]
        if len(tests) != 1:
            raise bad_field("alert_policy.conditions", "a condition has exactly one test")
        on_logs = "conditionMatchedLog" in tests
        if on_logs and "notificationRateLimit" not in policy.get("alertStrategy", {}):
            raise bad_field(
                "alert_policy.alert_strategy",
                "a condition on logs needs alert_strategy.notification_rate_limit",
            )
        condition.setdefault("name", f"{policy['name']}/conditions/{_number()}")
    return {**policy, **records}


def _check_channel(channel: Json, records: Mapping[str, Any]) -> Json:
    if not channel.get("type"):
        raise bad_field("notification_channel.type", "type is required")
    if channel["type"] == "email" and not channel.get("labels", {}).get("email_address"):
        raise bad_field("notification_channel.labels", "labels.email_address is required")
    changed = {"mutationRecords": [records["mutationRecord"]]}
    created = {key: records[key] for key in ("creationRecord",) if key in records}
    return {**channel, **created, **changed}


POLICIES = Collection("AlertPolicy", "alertPolicies", lambda s: s.policies, _check_policy)
CHANNELS = Collection(
    "NotificationChannel", "notificationChannels", lambda s: s.channels, _check_channel
)


def _given(collection: Collection, call: Call[Monitoring]) -> Json:
    messages = api("monitoring", "v3")
    sent = {field: value for field, value in call.body.items() if field not in _OUTPUT}
    messages.check(collection.message, sent)
    return messages.normal(collection.message, sent)


def _record() -> Json:
    return {"mutateTime": timestamps.now(), "mutatedBy": callers.OWNER.partition(":")[2]}


def _number() -> str:
    return str(10**18 + secrets.randbelow(9 * 10**18))


def _project(call: Call[Monitoring]) -> str:
    return call.service.projects.id_of(call.path["project"])


def _name(collection: Collection, call: Call[Monitoring]) -> str:
    return collection.stored(call.service).name_of(_project(call), call.path["id"])
