"""Rules for production: customer-managed keys, audit logs, protection against deletion."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policy import resource_types
from policy.model import UNKNOWN, Config, Finding, Resource
from policy.properties import labels, look, present

PRODUCTION = frozenset({"production", "prod"})
"""What a stack calls itself to be production."""
LABEL = "environment"
"""The label with which a stack says what it is."""
LOG_TYPES = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
_KEYS = {
    resource_types.HEALTHCARE_DATASET: ("encryptionSpec", "kmsKeyName"),
    resource_types.BIGQUERY_DATASET: ("defaultEncryptionConfiguration", "kmsKeyName"),
    "gcp:storage/bucket:Bucket": ("encryption", "defaultKmsKeyName"),
    "gcp:pubsub/topic:Topic": ("kmsKeyName",),
}
"""Where each kind of resource that holds patient data names its key."""
_PROTECTED = (resource_types.HEALTHCARE_DATASET, resource_types.BIGQUERY_DATASET)
_ALL_SERVICES = "allServices"


def production(resources: Sequence[Resource], config: Config) -> str | None:
    """Why the stack is production; None if it is not.

    The policy's configuration has the last word. Without it, the stack is what the label
    `environment` of any of its resources says.
    """
    configured = config["environment"]
    if configured:
        named = f'and the policy configuration says that the stack is "{configured}"'
        return named if _is_production(configured) else None
    for resource in resources:
        environment = look(_known_labels(resource), LABEL)
        if _is_production(environment):
            return f'and the label {LABEL} of "{resource.name}" says "{environment}"'
    return None


def _known_labels(resource: Resource) -> dict[str, Any]:
    """Return the labels of a resource as far as they are known."""
    known = labels(resource)
    return {} if known is UNKNOWN else known


def _is_production(environment: object) -> bool:
    return isinstance(environment, str) and environment.casefold() in PRODUCTION


def customer_keys(resources: Sequence[Resource], config: Config) -> Iterator[Finding]:
    """Check that patient data in production is encrypted with a customer-managed key."""
    because = production(resources, config)
    for resource in resources:
        path = _KEYS.get(resource.type)
        if because and path and not present(look(resource.props, *path)):
            yield Finding(f"{'.'.join(path)} is not set, {because}", resource)
        for disk in _open_disks(resource) if because else ():
            yield Finding(f"{disk}.diskEncryptionKey is not set, {because}", resource)


def _open_disks(resource: Resource) -> Iterator[str]:
    """Yield the disks of instances that may hold patient data, and have no key."""
    disks = look(resource.props, "disks")
    if resource.type != resource_types.INSTANCE_TEMPLATE or not isinstance(disks, list | tuple):
        return
    for index, disk in enumerate(disks):
        is_boot = look(disk, "boot") if isinstance(disk, Mapping) else UNKNOWN
        if is_boot not in (UNKNOWN, True, "true") and not present(
            look(disk, "diskEncryptionKey", "kmsKeySelfLink")
        ):
            yield f"disks[{index}]"


def deletion_protection(resources: Sequence[Resource], config: Config) -> Iterator[Finding]:
    """In production, datasets can't be deleted, nor emptied on the way."""
    because = production(resources, config)
    for resource in resources:
        if because and resource.type in _PROTECTED:
            policy = _deletion_policy(resource)
            if not resource.protect and policy not in (UNKNOWN, "PREVENT"):
                text = "neither protect nor the deletion policy PREVENT keeps it from deletion"
                yield Finding(f"{text}, {because}", resource)
            if look(resource.props, "deleteContentsOnDestroy") in (True, "true"):
                yield Finding(f"deleteContentsOnDestroy is true, {because}", resource)


def _deletion_policy(resource: Resource) -> Any:
    own = look(resource.props, "deletionPolicy")
    return look(resource.provider, "deletionPolicy") if own is None else own


def audit_logs(resources: Sequence[Resource], config: Config) -> Iterator[Finding]:
    """In production, every access to Healthcare data is logged, no matter whose."""
    because = production(resources, config)
    datasets = [item for item in resources if item.type == resource_types.HEALTHCARE_DATASET]
    if because is None:
        return
    configs = [item for item in resources if _covers(item, config["service"])]
    for dataset in _one_a_project(datasets):
        logged, certain = _logged([item for item in configs if _same_project(item, dataset)])
        missing = [item for item in config["logTypes"] if item not in logged]
        if missing and certain:
            text = f"{', '.join(missing)} of {config['service']} not logged in its project"
            yield Finding(f"{text}, {because}", dataset)
    for item in configs:
        if any(present(look(entry, "exemptedMembers")) for entry in _entries(item)):
            hint = "Remove exemptedMembers: what no log shows, no audit finds."
            yield Finding(f"exemptedMembers keeps accesses out of the log, {because}", item, hint)


def _covers(resource: Resource, service: str) -> bool:
    is_audit = (
        resource.type == resource_types.AUDIT_CONFIG
        or resource.type in resource_types.AUDIT_CONFIGS_ABOVE
    )
    return is_audit and look(resource.props, "service") in (UNKNOWN, service, _ALL_SERVICES)


def _one_a_project(datasets: Sequence[Resource]) -> list[Resource]:
    """Return the first dataset of each project: logs are a matter of projects."""
    first: dict[Any, Resource] = {}
    for dataset in datasets:
        first.setdefault(look(dataset.props, "project"), dataset)
    return list(first.values())


def _same_project(audit: Resource, dataset: Resource) -> bool:
    """Whether an audit config may be about a dataset's project; in doubt it is."""
    mine, its = look(audit.props, "project"), look(dataset.props, "project")
    vague = (None, "", UNKNOWN)
    return mine in vague or its in vague or mine == its


def _logged(configs: Sequence[Resource]) -> tuple[set[str], bool]:
    """Return the log types switched on, and whether that is all there can be."""
    types = [look(entry, "logType") for item in configs for entry in _entries(item)]
    services = [look(item.props, "service") for item in configs]
    whole = [look(item.props, "auditLogConfigs") for item in configs]
    certain = UNKNOWN not in types and UNKNOWN not in whole and UNKNOWN not in services
    return {item for item in types if isinstance(item, str)}, certain


def _entries(audit: Resource) -> list[dict[str, Any]]:
    """Return the parts of an audit config; one that is unknown as a whole has none."""
    value = look(audit.props, "auditLogConfigs")
    if not isinstance(value, list | tuple):
        return []
    return [{"logType": UNKNOWN} if item is UNKNOWN else item for item in value]
