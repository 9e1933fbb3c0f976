"""The methods of consent stores as audit logs name them, with the permission that each needs.

Documented (https://cloud.google.com/healthcare-api/docs/access-control, and the reference of RPCs):
the permissions and the names. Inferred (conformance: consent-audit): all of them read or write
data, as the table of audit logs has no other method of the ConsentService than those of stores in
ADMIN_READ.
"""

from emulator.core.method_table import DATA_ACCESS, DATA_READ, DATA_WRITE, AuditedMethod
from emulator.services.healthcare.service_agent import API

_NOUNS = {
    "attributeDefinitions": "AttributeDefinition",
    "consentArtifacts": "ConsentArtifact",
    "consents": "Consent",
    "userDataMappings": "UserDataMapping",
}
_VERBS = {"POST": "create", "GET": "get", "PATCH": "update", "DELETE": "delete"}
_CONSENT_VERBS = {
    "activate": ("activate", "ActivateConsent"),
    "reject": ("reject", "RejectConsent"),
    "revoke": ("revoke", "RevokeConsent"),
    "deleteRevision": ("delete", "DeleteConsentRevision"),
    "listRevisions": ("list", "ListConsentRevisions"),
}
_MAPPING_VERBS = {"archive": ("archive", "ArchiveUserDataMapping")}


def method_of(
    http_method: str, verb: str, package: str, store: str, path: str
) -> AuditedMethod | None:
    """Return the method that a request below a consent store calls; None for one that is not there.

    Args:
        http_method: such as `GET`
        verb: behind the colon of the path; empty without one
        package: with the version, `google.cloud.healthcare.v1`
        store: the full name
        path: the collection with a slash before it, and an id
    """
    collection, _, resource_id = path.removeprefix("/").partition("/")
    noun = _NOUNS[collection]
    if verb:
        verbs = {"consents": _CONSENT_VERBS, "userDataMappings": _MAPPING_VERBS}.get(collection, {})
        action, name = verbs.get(verb, ("", ""))
    else:
        action = _VERBS.get(http_method, "")
        action = "list" if action == "get" and not resource_id else action
        name = f"{action.capitalize()}{noun}{'s' if action == 'list' else ''}"
    if not action:
        return None
    return AuditedMethod(
        service=API,
        name=f"{package}.consent.ConsentService.{name}",
        permission=f"healthcare.{collection}.{action}",
        permission_type=DATA_READ if action in ("get", "list") else DATA_WRITE,
        resource=store,
        audited_resource=f"{store}{path}" if resource_id else store,
        log=DATA_ACCESS,
        is_always_logged=False,
    )
