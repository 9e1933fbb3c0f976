"""State of a project that the APIs show in many calls alone, or in none."""

from typing import Any

from emulator.control.models import Inspected
from emulator.core.rest import Call


def containers(call: Call[Inspected]) -> dict[str, Any]:
    """Return the containers of a project: what runs, where it listens and where it logs."""
    found = call.service.containers.of_project(call.path["project"])
    return {
        "containers": [
            {
                "name": container.name,
                "image": container.image,
                "address": container.address,
                "port": container.port,
                "phase": state.phase,
                "reason": state.reason,
                "restarts": state.restarts,
                "resource": {
                    "type": container.logs.resource_type,
                    "labels": container.logs.resource_labels,
                },
            }
            for container, state in found
        ]
    }


def datasets(call: Call[Inspected]) -> dict[str, Any]:
    """Return the names of a project's Healthcare datasets in all locations."""
    prefix = f"{_project(call)}/"
    names = [name for name in call.service.resources.datasets() if name.startswith(prefix)]
    return {"datasets": sorted(names)}


def policies(call: Call[Inspected]) -> dict[str, Any]:
    """Return the policies that were set in a project; buckets and BigQuery have their own."""
    found = call.service.policies.below(_project(call))
    return {"policies": [{"resource": name, **policy} for name, policy in found]}


def messages(call: Call[Inspected]) -> dict[str, Any]:
    """Return the last messages of a topic, and what each of its subscriptions has not received.

    No message is leased or acknowledged.
    """
    pubsub = call.service.pubsub
    topic = pubsub.topics.get(f"{_project(call)}/topics/{call.path['topic']}")["name"]
    names = [each["name"] for each in pubsub.subscriptions.of_topic(topic)]
    return {
        "messages": pubsub.messages.recent(topic),
        "subscriptions": [
            {"name": name, "undelivered": pubsub.messages.undelivered(name)} for name in names
        ],
    }


def _project(call: Call[Inspected]) -> str:
    return f"projects/{call.path['project']}"
