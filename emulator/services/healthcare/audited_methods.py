"""The methods of the Healthcare API as audit logs name them, with the permission that each needs.

Documented (https://cloud.google.com/healthcare-api/docs/how-tos/audit-logging, and the reference of
IAM): the services, the permissions and their types. Inferred (conformance: audit-policy,
audit-data-access): the names of the DICOMweb methods, which follow the discovery document, and
`google.iam.v1.IAMPolicy` for policies.
"""

import re

from emulator.core.method_table import (
    ACTIVITY,
    ADMIN_READ,
    ADMIN_WRITE,
    DATA_ACCESS,
    DATA_READ,
    DATA_WRITE,
    AuditedMethod,
)
from emulator.services.healthcare import audited_consent_methods as consent_methods
from emulator.services.healthcare import audited_fhir_methods as fhir_methods
from emulator.services.healthcare.service_agent import API

_PATH = re.compile(
    r"/(?P<version>v1|v1beta1)/(?P<location>projects/[^/]+/locations/[^/:]+)/datasets"
    r"(?:/(?P<dataset>[^/:]+)(?:/(?P<collection>\w+)(?:/(?P<id>[^/:]+))?)?)?"
    r"(?:/dicomWeb(?P<dicomweb>/[^:]*)|/fhir(?P<fhir>(?:/.*)?)"
    r"|/operations/(?P<operation>[^/:]+)"
    r"|(?P<messages>/messages)(?:/(?P<message>[^/:]+))?"
    r"|(?P<consent>/(?:attributeDefinitions|consentArtifacts|consents|userDataMappings)"
    r"(?:/[^/:]+)?))?"
    r"(?::(?P<verb>\w+))?"
)
_VERBS = {"POST": "create", "GET": "get", "PATCH": "update", "DELETE": "delete"}
_PERMISSION_TYPES = {
    "get": ADMIN_READ,
    "list": ADMIN_READ,
    "getIamPolicy": ADMIN_READ,
    "create": ADMIN_WRITE,
    "update": ADMIN_WRITE,
    "delete": ADMIN_WRITE,
    "setIamPolicy": ADMIN_WRITE,
    "cancel": ADMIN_WRITE,
    "dicomWebRead": DATA_READ,
    "export": DATA_READ,
    "checkDataAccess": DATA_READ,
    "evaluateUserConsents": DATA_READ,
    "queryAccessibleData": DATA_READ,
    "dicomWebWrite": DATA_WRITE,
    "dicomWebUpdate": DATA_WRITE,
    "dicomWebDelete": DATA_WRITE,
    "import": DATA_WRITE,
    "deidentify": DATA_WRITE,
    "rollback": DATA_WRITE,
    "bulkDelete": DATA_WRITE,
    "applyConsents": DATA_WRITE,
    "configureSearch": ADMIN_WRITE,
    "explainDataAccess": DATA_READ,
}
_MESSAGES = "hl7V2Messages"
_MESSAGE_VERBS = {"ingest": "ingest", "batchGet": "get"}
_STORES = {
    "dicomStores": ("dicom.DicomService", "DicomStore"),
    "fhirStores": ("fhir.FhirStoreService", "FhirStore"),
    "hl7V2Stores": ("hl7v2.Hl7V2Service", "Hl7V2Store"),
    "consentStores": ("consent.ConsentService", "ConsentStore"),
}
_STORE_VERBS = {
    "DicomStore": {
        "import": ("import", "ImportDicomData"),
        "export": ("export", "ExportDicomData"),
        "deidentify": ("deidentify", "DeidentifyDicomStore"),
        "getDICOMStoreMetrics": ("get", "GetDicomStoreMetrics"),
        "setBlobStorageSettings": ("dicomWebWrite", "SetBlobStorageSettings"),
    },
    "FhirStore": {
        "import": ("import", "ImportResources"),
        "export": ("export", "ExportResources"),
        "importHistory": ("import", "ImportResourcesHistory"),
        "exportHistory": ("export", "ExportResourcesHistory"),
        "configureSearch": ("configureSearch", "ConfigureSearch"),
        "bulkDelete": ("bulkDelete", "BulkDeleteResources"),
        "rollback": ("rollback", "RollbackFhirResources"),
        "deidentify": ("deidentify", "DeidentifyFhirStore"),
        "applyConsents": ("applyConsents", "ApplyConsents"),
        "applyAdminConsents": ("applyConsents", "ApplyAdminConsents"),
        "explainDataAccess": ("explainDataAccess", "ExplainDataAccess"),
        "getFHIRStoreMetrics": ("get", "GetFHIRStoreMetrics"),
    },
    "Hl7V2Store": {
        "import": ("import", "ImportMessages"),
        "export": ("export", "ExportMessages"),
        "rollback": ("rollback", "RollbackHl7V2Messages"),
        "getHL7v2StoreMetrics": ("get", "GetHl7V2StoreMetrics"),
    },
    "ConsentStore": {
        "checkDataAccess": ("checkDataAccess", "CheckDataAccess"),
        "evaluateUserConsents": ("evaluateUserConsents", "EvaluateUserConsents"),
        "queryAccessibleData": ("queryAccessibleData", "QueryAccessibleData"),
    },
}
_IAM_VERBS = {"getIamPolicy": "GetIamPolicy", "setIamPolicy": "SetIamPolicy"}
_DICOMWEB_ACTIONS = {
    "GET": "dicomWebRead",
    "POST": "dicomWebWrite",
    "PUT": "dicomWebUpdate",
    "PATCH": "dicomWebUpdate",
    "DELETE": "dicomWebDelete",
}
_LEVELS = {"studies": "Study", "series": "Series", "instances": "Instance", "frames": "Frames"}


def method_of(http_method: str, path: str) -> AuditedMethod | None:
    """Return the method that a request calls; None for one that is not audited.

    Args:
        http_method: such as `GET`
        path: of the request, such as `/v1/projects/p1/locations/l1/datasets/d1`
    """
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    package = f"google.cloud.healthcare.{match['version']}"
    location, dataset, collection = match["location"], match["dataset"], match["collection"]
    verb = match["verb"] or ""
    if dataset is None:
        return _on_collection(http_method, f"{package}.dataset.DatasetService", "Dataset", location)
    resource = f"{location}/datasets/{dataset}"
    if collection is None:
        return _on_dataset(http_method, verb, f"{package}.dataset.DatasetService", resource)
    if collection == "operations":
        return _on_operations(http_method, verb, resource, match["id"])
    if collection not in _STORES:
        return None
    service, message = _STORES[collection]
    if match["id"] is None:
        return _on_collection(http_method, f"{package}.{service}", message, resource)
    store = f"{resource}/{collection}/{match['id']}"
    return _in_store(http_method, verb, (package, service, message), store, match)


def _in_store(
    http_method: str, verb: str, names: tuple[str, str, str], store: str, match: re.Match[str]
) -> AuditedMethod | None:
    package, service, _ = names
    if match["dicomweb"] is not None:
        return _dicomweb(http_method, package, store, match["dicomweb"])
    if match["fhir"] is not None or match["operation"] is not None:
        path, operation = match["fhir"] or "", match["operation"] or ""
        return fhir_methods.method_of(http_method, package, store, path, operation)
    if match["consent"] is not None:
        return consent_methods.method_of(http_method, verb, package, store, match["consent"])
    if match["messages"] is not None:
        return _on_messages(http_method, verb, f"{package}.{service}", store, match["message"])
    return _on_store(http_method, verb, names, store)


def _on_collection(
    http_method: str, service: str, message: str, parent: str
) -> AuditedMethod | None:
    verb = {"GET": "list", "POST": "create"}.get(http_method)
    if verb is None:
        return None
    noun = f"{message}s" if verb == "list" else message
    permission = f"healthcare.{_plural(message)}.{verb}"
    return _method(f"{service}.{verb.capitalize()}{noun}", permission, parent, parent)


def _on_dataset(http_method: str, verb: str, service: str, name: str) -> AuditedMethod | None:
    if verb in _IAM_VERBS:
        return _policy(verb, "datasets", name)
    if verb == "deidentify":
        method = f"{service}.DeidentifyDataset"
        return _method(method, "healthcare.datasets.deidentify", name, name)
    action = _VERBS.get(http_method)
    if verb or action in (None, "create"):
        return None
    assert action
    method = f"{service}.{action.capitalize()}Dataset"
    return _method(method, f"healthcare.datasets.{action}", name, name)


def _on_operations(
    http_method: str, verb: str, dataset: str, operation: str | None
) -> AuditedMethod | None:
    service = "google.longrunning.Operations"
    if operation is None:
        return _method(f"{service}.ListOperations", "healthcare.operations.list", dataset, dataset)
    action = "cancel" if verb == "cancel" else "get" if http_method == "GET" else None
    if action is None:
        return None
    name = f"{dataset}/operations/{operation}"
    method = f"{service}.{action.capitalize()}Operation"
    return _method(method, f"healthcare.operations.{action}", dataset, name)


def _on_store(
    http_method: str, verb: str, names: tuple[str, str, str], store: str
) -> AuditedMethod | None:
    package, service, message = names
    plural = _plural(message)
    if verb in _IAM_VERBS:
        return _policy(verb, plural, store)
    if verb:
        verbs = _STORE_VERBS.get(message, {})
        if verb not in verbs:
            return None
        action, name = verbs[verb]
    else:
        found = _VERBS.get(http_method)
        if found in (None, "create"):
            return None
        assert found
        action, name = found, f"{found.capitalize()}{message}"
    method = f"{package}.{service}.{name}"
    return _method(method, f"healthcare.{plural}.{action}", store, store)


def _on_messages(
    http_method: str, verb: str, service: str, store: str, message: str | None
) -> AuditedMethod | None:
    action: str | None
    if verb:
        action, name = _MESSAGE_VERBS.get(verb), f"{verb[0].upper()}{verb[1:]}"
    else:
        action = _VERBS.get(http_method)
        if message is None and action == "get":
            action = "list"
        name = str(action).capitalize()
    if action is None:
        return None
    noun = "Messages" if verb == "batchGet" or action == "list" else "Message"
    resource = f"{store}/messages/{message}" if message else store
    return _method(f"{service}.{name}{noun}", f"healthcare.{_MESSAGES}.{action}", store, resource)


def _policy(verb: str, plural: str, name: str) -> AuditedMethod:
    method = f"google.iam.v1.IAMPolicy.{_IAM_VERBS[verb]}"
    return _method(method, f"healthcare.{plural}.{verb}", name, name)


def _dicomweb(http_method: str, package: str, store: str, path: str) -> AuditedMethod | None:
    action = _DICOMWEB_ACTIONS.get(http_method)
    if action is None:
        return None
    service = f"{package}.dicom.dicomweb.DicomWebService"
    name = _dicomweb_name(http_method, [part for part in path.split("/") if part])
    permission = f"healthcare.dicomStores.{action}"
    return _method(f"{service}.{name}", permission, store, f"{store}/dicomWeb{path}")


def _dicomweb_name(http_method: str, parts: list[str]) -> str:
    """Return the name of a DICOMweb method by the segments of its path behind `dicomWeb`."""
    collections = [part for part in parts[::2] if part in _LEVELS]
    level = _LEVELS[collections[-1]] if collections else "Studies"
    if http_method == "POST":
        return "StoreInstances"
    if http_method == "PUT":
        return "UpdateInstances"
    if http_method == "PATCH":
        return f"Update{level}Metadata"
    if http_method == "DELETE":
        return f"Delete{level}"
    last = parts[-1] if parts else ""
    if last in ("studies", "series", "instances"):
        return f"SearchFor{last.capitalize()}"
    if last == "metadata":
        return f"Retrieve{level}Metadata"
    if last == "rendered":
        return f"RetrieveRendered{level}"
    if "bulkdata" in parts:
        return "RetrieveBulkdata"
    return f"Retrieve{level}"


def _plural(message: str) -> str:
    """Return the collection of a message, as permissions name it: `dicomStores`."""
    return message[0].lower() + message[1:] + "s"


def _method(name: str, permission: str, resource: str, audited_resource: str) -> AuditedMethod:
    _, resource_type, verb = permission.split(".")
    if resource_type == _MESSAGES:
        type_ = DATA_READ if verb in ("get", "list") else DATA_WRITE
    else:
        type_ = _PERMISSION_TYPES[verb]
    is_activity = type_ == ADMIN_WRITE
    return AuditedMethod(
        service=API,
        name=name,
        permission=permission,
        permission_type=type_,
        resource=resource,
        audited_resource=audited_resource,
        log=ACTIVITY if is_activity else DATA_ACCESS,
        is_always_logged=is_activity,
    )
