"""Who is given access, and to how much."""

from collections.abc import Iterator, Sequence

from policy import resource_types
from policy.model import UNKNOWN, Config, Finding, Resource
from policy.properties import look, texts
from policy.rules.production import production

PRIMITIVE_ROLES = (
    "roles/owner",
    "roles/editor",
    "roles/viewer",
    "roles/admin",
    "roles/writer",
    "roles/reader",
)
"""Google's basic roles, the older three and their successors."""
LAB_ROLES = (
    "roles/bigquery.admin",
    "roles/storage.objectAdmin",
    "roles/healthcare.datasetAdmin",
    "roles/healthcare.dicomStoreAdmin",
)
"""The roles that the lab gives the Healthcare service agent on the whole project."""
_EVERYONE = frozenset({"allusers", "allauthenticatedusers"})
_PUBLIC_ACLS = frozenset({"publicread", "publicreadwrite", "authenticatedread"})
_ACL_KEYS = ("predefinedAcl", "defaultAcl")
_AGENT = "@gcp-sa-healthcare.iam.gserviceaccount.com"
_HEALTHCARE = "healthcare.googleapis.com"


def public(resource: Resource, config: Config) -> Iterator[Finding]:  # noqa: ARG001
    """No property names everyone: members, bindings, policies, dataset access, bucket ACLs."""
    is_service = resource.type == resource_types.SERVICE
    if is_service and look(resource.props, "invokerIamDisabled") is True:
        yield Finding("invokerIamDisabled lets everyone call the service")
    if not _grants(resource):
        return
    for path, text in texts(resource.props):
        # Access lists write "READER:allUsers", BigQuery "iamMember:allUsers".
        is_everyone = text.rpartition(":")[2].casefold() in _EVERYONE
        if is_everyone or (path in _ACL_KEYS and text.casefold() in _PUBLIC_ACLS):
            yield Finding(f'{path} "{text}" gives access to everyone')


def primitive(resource: Resource, config: Config) -> Iterator[Finding]:
    """No property names a basic role: members, bindings, policies, dataset access."""
    if not _grants(resource):
        return
    refused = frozenset(config["roles"])
    for path, text in texts(resource.props):
        if text in refused:
            yield Finding(f"{path} gives {text}")


def lab_roles(resources: Sequence[Resource], config: Config) -> Iterator[Finding]:
    """In production the Healthcare service agent has none of the lab's roles on the project."""
    because = production(resources, config)
    if because is None:
        return
    for resource in resources:
        role = look(resource.props, "role")
        if (
            resource.type in resource_types.GRANTS
            and role in config["roles"]
            and _to_agent(resource)
        ):
            yield Finding(
                f"role {role} on the whole project for the Healthcare service agent, {because}",
                resource,
            )


def _grants(resource: Resource) -> bool:
    return resource.type.startswith("gcp:") and resource.type != resource_types.REVOCATION


def _to_agent(grant: Resource) -> bool:
    """Whether a grant is to the agent, whose address the first preview can't know yet."""
    for key in ("member", "members"):
        value = look(grant.props, key)
        members = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(member, str) and member.endswith(_AGENT) for member in members):
            return True
        if UNKNOWN in members and any(map(_is_agent, grant.sources.get(key, ()))):
            return True
    return False


def _is_agent(source: Resource) -> bool:
    is_identity = source.type == resource_types.SERVICE_IDENTITY
    return is_identity and look(source.props, "service") == _HEALTHCARE
