"""Service agents in a state: the provider can create one, but not import one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripts.lib.pulumi_stack import State

TYPE = "gcp:projects/serviceIdentity:ServiceIdentity"


@dataclass(frozen=True)
class Identity:
    """An existing service agent of the program.

    Attributes:
        urn: of its resource
        parent: URN of its component
        id: as the provider writes it
        project: of the agent
        service: that uses it
        email: of the agent
    """

    urn: str
    parent: str
    id: str
    project: str
    service: str
    email: str


def enter(state: State, identities: Sequence[Identity]) -> State | None:
    """Add agents to a state, as their creation would.

    Returns:
        The new state; None if it has no provider or parent for them.
    """
    deployment = state["deployment"]
    resources: list[dict[str, Any]] = deployment.get("resources") or []
    provider = next(
        (
            resource["provider"]
            for resource in resources
            if resource["type"].startswith("gcp:") and "::default_" in resource.get("provider", "")
        ),
        None,
    )
    known = {resource["urn"] for resource in resources}
    if provider is None or any(identity.parent not in known for identity in identities):
        return None
    entered = [_resource(identity, provider) for identity in identities]
    return {**state, "deployment": {**deployment, "resources": [*resources, *entered]}}


def _resource(identity: Identity, provider: str) -> dict[str, Any]:
    inputs = {"project": identity.project, "service": identity.service}
    return {
        "urn": identity.urn,
        "custom": True,
        "id": identity.id,
        "type": TYPE,
        "inputs": {"__defaults": [], **inputs},
        "outputs": {
            **inputs,
            "id": identity.id,
            "email": identity.email,
            "member": f"serviceAccount:{identity.email}",
        },
        "parent": identity.parent,
        "provider": provider,
    }
