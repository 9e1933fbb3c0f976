"""The interactions of FHIR as audit logs name them, with the permission that each needs.

Documented (the reference of the API's methods, and that of IAM): the permissions. Inferred
(conformance: fhir-audit): the names of the methods, which follow those of the operations, and
that the calls to read a store's capabilities are not logged.
"""

from emulator.core.method_table import DATA_READ, DATA_WRITE, AuditedMethod
from emulator.services.healthcare.service_agent import API

_STORES, _RESOURCES = "healthcare.fhirStores", "healthcare.fhirResources"
_READS = frozenset(
    {"export", "get", "getFhirOperationStatus", "searchResources", "translateConceptMap"}
)
_ON_OPERATION = {
    "GET": (_STORES, "getFhirOperationStatus", "GetFhirOperationStatus"),
    "DELETE": (_STORES, "deleteFhirOperation", "DeleteFhirOperation"),
}
_ON_TYPE = {
    "POST": ("create", "CreateResource"),
    "PUT": ("update", "ConditionalUpdateResource"),
    "PATCH": ("patch", "ConditionalPatchResource"),
    "DELETE": ("delete", "ConditionalDeleteResource"),
}
_ON_INSTANCE = {
    "GET": ("get", "GetResource"),
    "PUT": ("update", "UpdateResource"),
    "PATCH": ("patch", "PatchResource"),
    "DELETE": ("delete", "DeleteResource"),
}
_OPERATIONS = {
    ("DELETE", "$purge"): (_RESOURCES, "purge", "PurgeResource"),
    ("POST", "$validate"): (_RESOURCES, "create", "ValidateResource"),
    ("GET", "$everything"): (_STORES, "searchResources", "GetPatientEverything"),
    ("GET", "$consent-enforcement-status"): (_RESOURCES, "get", "CheckConsentEnforcementStatus"),
    ("GET", "$lastn"): (_STORES, "searchResources", "ObservationLastN"),
    ("GET", "$translate"): (_RESOURCES, "translateConceptMap", "TranslateConceptMap"),
    ("GET", "$export"): (_STORES, "export", "BulkExport"),
    ("POST", "$export"): (_STORES, "export", "BulkExport"),
    ("GET", "$references"): (_STORES, "searchResources", "GetIncomingReferences"),
}


def method_of(
    http_method: str, package: str, store: str, path: str, operation: str = ""
) -> AuditedMethod | None:
    """Return the method that a request of a store's FHIR service calls.

    Args:
        http_method: such as `GET`
        package: such as `google.cloud.healthcare.v1`
        store: the full name of the store
        path: behind `/fhir`, such as `/Patient/1`
        operation: the id of an operation of the store, in place of a path
    """
    if operation:
        found, resource = _ON_OPERATION.get(http_method), f"{store}/operations/{operation}"
    else:
        found = _find(http_method, [part for part in path.split("/") if part])
        resource = f"{store}/fhir{path}" if path else store
    if found is None:
        return None
    resource_type, verb, name = found
    return AuditedMethod(
        service=API,
        name=f"{package}.fhir.FhirService.{name}" if name else "",
        permission=f"{resource_type}.{verb}",
        permission_type=DATA_READ if verb in _READS else DATA_WRITE,
        resource=store,
        audited_resource=resource,
    )


def _find(http_method: str, parts: list[str]) -> tuple[str, str, str] | None:
    """Return the resource type and verb of the permission, and the name of the method."""
    if parts[:1] == ["metadata"]:
        return _STORES, "get", ""
    if not parts and http_method != "GET":
        return (_STORES, "executeBundle", "ExecuteBundle") if http_method == "POST" else None
    is_search = parts[-1:] == ["_search"] or (http_method == "GET" and len(parts) < 2)
    if is_search and not (parts and parts[-1].startswith("$")):
        return _STORES, "searchResources", "SearchResources"
    if parts[0] == "Encounter" and parts[-1] == "$everything":
        return _STORES, "searchResources", "GetEncounterEverything"
    if parts[-1].startswith("$"):
        return _OPERATIONS.get((http_method, parts[-1]))
    if "_history" in parts:
        return _RESOURCES, "get", "ListVersions" if parts[-1] == "_history" else "GetVersion"
    table = _ON_TYPE if len(parts) == 1 else _ON_INSTANCE if len(parts) == 2 else {}
    if http_method not in table:
        return None
    verb, name = table[http_method]
    return _RESOURCES, verb, name
