"""Conditions of resources: whether they are ready, and why they are not.

Documented: https://cloud.google.com/run/docs/reference/rest/v2/Condition. Observed in public
reports: the texts about containers that do not start.
"""

from collections.abc import Mapping
from typing import Any

from emulator.core import timestamps
from emulator.core.errors import ApiError

READY, CONTAINER_HEALTHY, COMPLETED = "Ready", "ContainerHealthy", "Completed"
CONFIGURATIONS_READY, ROUTES_READY = "ConfigurationsReady", "RoutesReady"
STARTED = "Started"
CANCELLED = "CANCELLED"
"""The reason of an execution that ended by a request to cancel it."""
SUCCEEDED, FAILED, RECONCILING = (
    "CONDITION_SUCCEEDED",
    "CONDITION_FAILED",
    "CONDITION_RECONCILING",
)

Condition = dict[str, Any]


def condition(type_: str, state: str, message: str = "", **fields: str) -> Condition:
    """Return a condition of this moment.

    Args:
        type_: such as `Ready`
        state: such as `CONDITION_SUCCEEDED`
        message: for people
        fields: further ones, such as a reason
    """
    present = {
        "type": type_,
        "state": state,
        "message": message,
        "lastTransitionTime": timestamps.now(),
        **fields,
    }
    return {key: value for key, value in present.items() if value}


def cannot_run(type_: str, reason: str) -> Condition:
    """Return the condition of a resource that is kept, although it can't run here."""
    return condition(type_, SUCCEEDED, reason, severity="WARNING")


def state_of(body: Mapping[str, Any], type_: str) -> str:
    """Return the state of a condition of a resource; empty if it has none of the type."""
    found = [one["state"] for one in body.get("conditions", []) if one["type"] == type_]
    return found[0] if found else ""


def failure(body: Mapping[str, Any]) -> ApiError | None:
    """Return the error that the operations on a resource end with, if it has failed."""
    ended = [one for one in body.get("conditions", []) if one["type"] == COMPLETED]
    for one in (body.get("terminalCondition", {}), *ended):
        if one.get("executionReason") == CANCELLED:
            return ApiError(499, "CANCELLED", one["message"])
        if one.get("state") == FAILED:
            return ApiError(400, "FAILED_PRECONDITION", one.get("message", ""))
    return None


def not_listening(revision: str, port: int) -> str:
    """Return why a revision has not become ready: its container does not listen.

    Args:
        revision: its id
        port: the port of its template
    """
    return (
        f"Revision '{revision}' is not ready and cannot serve traffic. The user-provided container "
        f"failed to start and listen on the port defined provided by the PORT={port} environment "
        "variable within the allocated timeout. This can happen when the container port is "
        "misconfigured or if the timeout is too short."
    )


def not_started(revision: str, reason: str) -> str:
    """Return why a revision has not become ready: its container has ended.

    Args:
        revision: its id
        reason: a sentence
    """
    return f"Revision '{revision}' is not ready and cannot serve traffic. {reason}"
