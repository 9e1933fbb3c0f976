"""That a stack adds to a project's IAM policy and takes nothing from it."""

from collections.abc import Iterator

from policy import resource_types
from policy.model import UNKNOWN, Config, Finding, Resource
from policy.properties import look

_MEMBER_HINT = "Use an IAMMember for each member and role: it adds one grant and takes none away."
_AUDIT_HINT = (
    "Use an IAMAuditConfig of the one service that the stack is about, or leave audit "
    "logging to those who own the project; a service that this stack owns goes in auditServices."
)


def additive(resource: Resource, config: Config) -> Iterator[Finding]:
    """No IAM policy, binding or audit config that replaces what others have set."""
    name = resource.type.rpartition(":")[2]
    if resource.type in resource_types.AUTHORITATIVE_IAM:
        yield Finding(f"{name} replaces what others have granted", hint=_MEMBER_HINT)
    elif resource.type in resource_types.AUDIT_CONFIGS_ABOVE:
        yield Finding(f"{name} replaces what others log above the project", hint=_AUDIT_HINT)
    elif resource.type == resource_types.AUDIT_CONFIG:
        service = look(resource.props, "service")
        if service is not UNKNOWN and service not in config["auditServices"]:
            yield Finding(f"{name} replaces what others log of {service}", hint=_AUDIT_HINT)
