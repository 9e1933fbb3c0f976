"""Service agents in a state: the provider can make one, which is harmless, but not import one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripts.adoption.workspace import State

TYPE = "gcp:projects/serviceIdentity:ServiceIdentity"


@dataclass(frozen=True)
class Identity:
    """A service agent that exists, and that the program wants.

    Attributes:
        urn: of its resource.
        parent: URN of the component it stands in.
        id: as the provider writes it.
        project: whose agent it is.
        service: which acts as it.
        email: its address.
    """

    urn: str
    parent: str
    id: str
    project: str
    service: str
    email: str


def enter(state: State, identities: Sequence[Identity]) -> State | None:
    """Write agents into a state as their creation would leave them.

    Returns:
        The new state; None if there is no provider or parent in it yet that they could belong to.
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
