"""The predefined roles of the emulated services, with the permissions that some call needs.

Documented: https://cloud.google.com/iam/docs/understanding-roles. Permissions that no emulated call
needs are left out.
"""

from functools import cache


def _of(resource: str, verbs: str) -> frozenset[str]:
    """Return permissions on a type of resource, such as `pubsub.topics`."""
    return frozenset(f"{resource}.{verb}" for verb in verbs.split())


def _store(collection: str, verbs: str) -> frozenset[str]:
    return _HEALTHCARE_VIEWER | _of(f"healthcare.{collection}", verbs)


def _resources(types: str) -> frozenset[str]:
    """Return what changes types of resources of Compute Engine, separated by spaces."""
    verbs = "create delete get list setLabels update"
    return frozenset().union(*(_of(f"compute.{type_}", verbs) for type_ in types.split()))


_POLICIES = "getIamPolicy setIamPolicy"
_ALL = f"create delete get list update {_POLICIES}"

_OBJECTS_VIEWER = _of("storage.objects", "get list")
_OBJECTS_ADMIN = _of("storage.objects", "create delete get list update")
_BUCKETS_ADMIN = _of("storage.buckets", _ALL)
_LEGACY_WRITER = _of("storage.buckets", "get") | _of("storage.objects", "create delete list")

_BIGQUERY_VIEWER = _of("bigquery.datasets", "get") | _of("bigquery.tables", "get getData list")
_BIGQUERY_EDITOR = (
    _BIGQUERY_VIEWER
    | _of("bigquery.datasets", "create")
    | _of("bigquery.tables", "create delete update updateData")
)
_BIGQUERY_OWNER = _BIGQUERY_EDITOR | _of("bigquery.datasets", "delete update")
_BIGQUERY_JOBS = _of("bigquery.jobs", "create")

_HEALTHCARE_VIEWER = _of("healthcare.datasets", "get list") | _of("healthcare.operations", "get")
_DATASETS_ADMIN = _of("healthcare.datasets", f"{_ALL} deidentify") | _of(
    "healthcare.operations", "cancel get list"
)
_OPERATIONS = _of("healthcare.operations", "cancel get")
_DICOM_VIEWER = _store("dicomStores", "dicomWebRead export get list")
_DICOM_EDITOR = (
    _DICOM_VIEWER
    | _OPERATIONS
    | _of("healthcare.dicomStores", "dicomWebDelete dicomWebWrite import")
)
_DICOM_ADMIN = _store("dicomStores", f"{_ALL} deidentify dicomWebDelete") | _OPERATIONS

_HL7V2_CONSUMER = _store("hl7V2Stores", "get list") | _of(
    "healthcare.hl7V2Messages", "create get list update"
)
_HL7V2_EDITOR = _HL7V2_CONSUMER | _of("healthcare.hl7V2Messages", "delete ingest") | _OPERATIONS
_HL7V2_ADMIN = _store("hl7V2Stores", f"{_ALL} export import rollback") | _OPERATIONS

_FHIR_READER = _store("fhirStores", "executeBundle get list searchResources") | _of(
    "healthcare.fhirResources", "get translateConceptMap"
)
_FHIR_EDITOR = _FHIR_READER | _of("healthcare.fhirResources", "create delete patch update")
_FHIR_ADMIN = (
    _store("fhirStores", f"{_ALL} bulkDelete deidentify export import rollback")
    | _of("healthcare.fhirResources", "purge")
    | _OPERATIONS
)

_PUBLISH = _of("pubsub.topics", "publish")
_CONSUME = _of("pubsub.subscriptions", "consume")
_PUBSUB_VIEWER = _of("pubsub.topics", "get list") | _of("pubsub.subscriptions", "get list")
_PUBSUB_EDITOR = (
    _PUBSUB_VIEWER
    | _PUBLISH
    | _CONSUME
    | _of("pubsub.topics", "create delete update")
    | _of("pubsub.subscriptions", "create delete update")
)
_PUBSUB_ADMIN = (
    _PUBSUB_EDITOR | _of("pubsub.topics", _POLICIES) | _of("pubsub.subscriptions", _POLICIES)
)

_ENCRYPT = _of("cloudkms.cryptoKeyVersions", "useToEncrypt")
_DECRYPT = _of("cloudkms.cryptoKeyVersions", "useToDecrypt")
_KMS_VIEWER = (
    _of("cloudkms.keyRings", "get list")
    | _of("cloudkms.cryptoKeys", "get list")
    | _of("cloudkms.cryptoKeyVersions", "get list")
)
_KMS_ADMIN = (
    _KMS_VIEWER
    | _of("cloudkms.keyRings", f"create {_POLICIES}")
    | _of("cloudkms.cryptoKeys", f"create update {_POLICIES}")
    | _of("cloudkms.cryptoKeyVersions", "create destroy")
)

_SECRETS_ACCESS = _of("secretmanager.versions", "access")
_SECRETS_VIEWER = _of("secretmanager.secrets", "get getIamPolicy list") | _of(
    "secretmanager.versions", "get list"
)
_VERSIONS = _of("secretmanager.versions", "add destroy disable enable get list")
_SECRETS_ADMIN = (
    _SECRETS_VIEWER
    | _VERSIONS
    | _of("secretmanager.secrets", "create delete setIamPolicy update")
    | _SECRETS_ACCESS
)

_REPOSITORIES_VIEWER = _of("artifactregistry.repositories", "get list") | _of(
    "artifactregistry.dockerimages", "list"
)
_REPOSITORIES_ADMIN = _REPOSITORIES_VIEWER | _of("artifactregistry.repositories", _ALL)
_NETWORKS = _resources(
    "addresses externalVpnGateways forwardingRules networks routers subnetworks"
) | _resources("healthChecks regionBackendServices regionHealthChecks vpnGateways vpnTunnels")
_FIREWALLS = _resources("firewalls")
_INSTANCES = (
    _resources("instanceGroupManagers instanceTemplates instanceGroups")
    | _of("compute.instances", "get list")
    | _of("compute.disks", "delete get list")
)
_COMPUTE_LOCATIONS = (
    _of("compute.projects", "get")
    | _of("compute.regions", "get list")
    | _of("compute.zones", "get list")
    | _of("compute.globalOperations", "get list")
    | _of("compute.regionOperations", "get list")
    | _of("compute.zoneOperations", "get list")
)
_COMPUTE_ADMIN = (
    _NETWORKS
    | _FIREWALLS
    | _INSTANCES
    | _COMPUTE_LOCATIONS
    | _of("compute.globalOperations", "delete")
    | _of("compute.regionOperations", "delete")
    | _of("compute.zoneOperations", "delete")
)
_COMPUTE_VIEWER = frozenset(p for p in _COMPUTE_ADMIN if p.endswith((".get", ".list")))
_RUN_INVOKE = _of("run.routes", "invoke") | _of("run.jobs", "run")
_RUN_VIEWER = (
    _of("run.services", "get getIamPolicy list")
    | _of("run.jobs", "get getIamPolicy list")
    | _of("run.workerpools", "get getIamPolicy list")
    | _of("run.revisions", "get list")
    | _of("run.executions", "get list")
    | _of("run.tasks", "get list")
    | _of("run.operations", "get list")
)
_RUN_DEVELOPER = (
    _RUN_VIEWER
    | _of("run.services", "create delete update")
    | _of("run.jobs", "create delete run update")
    | _of("run.workerpools", "create delete update")
    | _of("run.revisions", "delete")
    | _of("run.executions", "cancel delete")
    | _of("run.operations", "delete")
)
_RUN_ADMIN = (
    _RUN_DEVELOPER
    | _RUN_INVOKE
    | _of("run.services", "setIamPolicy")
    | _of("run.jobs", "setIamPolicy")
    | _of("run.workerpools", "setIamPolicy")
)

_LOGS_VIEWER = _of("logging.logEntries", "list") | _of("logging.logs", "list")
_LOGS_WRITER = _of("logging.logEntries", "create")
_LOGS_CONFIG_VIEWER = _of("logging.sinks", "get list") | _of("logging.logMetrics", "get list")
_LOGS_CONFIG = (
    _LOGS_CONFIG_VIEWER
    | _of("logging.sinks", "create delete update")
    | _of("logging.logMetrics", "create delete update")
)
_ALERTS_VIEWER = _of("monitoring.alertPolicies", "get list")
_ALERTS = _ALERTS_VIEWER | _of("monitoring.alertPolicies", "create delete update")
_CHANNELS_VIEWER = _of("monitoring.notificationChannels", "get list")
_CHANNELS = _CHANNELS_VIEWER | _of("monitoring.notificationChannels", "create delete update")
_ROLES_VIEWER = _of("iam.roles", "get list")
_ACCOUNTS_VIEWER = _of("iam.serviceAccounts", "get list")
_TOKENS = _of("iam.serviceAccounts", "getAccessToken get list")
_SERVICES_VIEWER = _of("serviceusage.services", "get list")

_ROLES: dict[str, frozenset[str]] = {
    "roles/artifactregistry.admin": _REPOSITORIES_ADMIN,
    "roles/artifactregistry.reader": _REPOSITORIES_VIEWER,
    "roles/artifactregistry.repoAdmin": _REPOSITORIES_VIEWER,
    "roles/artifactregistry.writer": _REPOSITORIES_VIEWER,
    "roles/bigquery.admin": _BIGQUERY_OWNER | _BIGQUERY_JOBS,
    "roles/bigquery.dataEditor": _BIGQUERY_EDITOR,
    "roles/bigquery.dataOwner": _BIGQUERY_OWNER,
    "roles/bigquery.dataViewer": _BIGQUERY_VIEWER,
    "roles/bigquery.jobUser": _BIGQUERY_JOBS,
    "roles/bigquery.metadataViewer": _BIGQUERY_VIEWER - _of("bigquery.tables", "getData"),
    "roles/bigquery.user": _BIGQUERY_JOBS
    | _of("bigquery.datasets", "create get")
    | _of("bigquery.tables", "list"),
    "roles/cloudkms.admin": _KMS_ADMIN,
    "roles/cloudkms.cryptoKeyDecrypter": _DECRYPT,
    "roles/cloudkms.cryptoKeyEncrypter": _ENCRYPT,
    "roles/cloudkms.cryptoKeyEncrypterDecrypter": _ENCRYPT | _DECRYPT,
    "roles/cloudkms.viewer": _KMS_VIEWER,
    "roles/compute.admin": _COMPUTE_ADMIN,
    "roles/compute.instanceAdmin.v1": _INSTANCES
    | _COMPUTE_LOCATIONS
    | frozenset(p for p in _NETWORKS if p.endswith((".get", ".list"))),
    "roles/compute.networkAdmin": _NETWORKS
    | _COMPUTE_LOCATIONS
    | frozenset(p for p in _FIREWALLS | _INSTANCES if p.endswith((".get", ".list"))),
    "roles/compute.securityAdmin": _FIREWALLS
    | _of("compute.networks", "get list")
    | _COMPUTE_LOCATIONS,
    "roles/compute.viewer": _COMPUTE_VIEWER,
    "roles/healthcare.consentEditor": _store("consentStores", "get list"),
    "roles/healthcare.consentStoreAdmin": _store("consentStores", _ALL),
    "roles/healthcare.consentStoreViewer": _store("consentStores", "get list"),
    "roles/healthcare.datasetAdmin": _DATASETS_ADMIN,
    "roles/healthcare.datasetViewer": _HEALTHCARE_VIEWER,
    "roles/healthcare.dicomEditor": _DICOM_EDITOR,
    "roles/healthcare.dicomStoreAdmin": _DICOM_ADMIN,
    "roles/healthcare.dicomStoreViewer": _store("dicomStores", "get list"),
    "roles/healthcare.dicomViewer": _DICOM_VIEWER,
    "roles/healthcare.fhirResourceEditor": _FHIR_EDITOR,
    "roles/healthcare.fhirResourceReader": _FHIR_READER,
    "roles/healthcare.fhirStoreAdmin": _FHIR_ADMIN,
    "roles/healthcare.fhirStoreViewer": _store("fhirStores", "get list"),
    "roles/healthcare.hl7V2Consumer": _HL7V2_CONSUMER,
    "roles/healthcare.hl7V2Editor": _HL7V2_EDITOR,
    "roles/healthcare.hl7V2Ingest": _store("hl7V2Stores", "get list")
    | _of("healthcare.hl7V2Messages", "ingest"),
    "roles/healthcare.hl7V2StoreAdmin": _HL7V2_ADMIN,
    "roles/healthcare.hl7V2StoreViewer": _store("hl7V2Stores", "get list"),
    "roles/iam.roleAdmin": _ROLES_VIEWER | _of("iam.roles", "create delete undelete update"),
    "roles/iam.roleViewer": _ROLES_VIEWER,
    "roles/iam.serviceAccountAdmin": _ACCOUNTS_VIEWER
    | _of("iam.serviceAccounts", f"create delete disable enable update {_POLICIES}"),
    "roles/iam.serviceAccountKeyAdmin": _ACCOUNTS_VIEWER
    | _of("iam.serviceAccountKeys", "create delete get list"),
    "roles/iam.serviceAccountTokenCreator": _TOKENS,
    "roles/iam.serviceAccountViewer": _ACCOUNTS_VIEWER,
    "roles/iam.workloadIdentityUser": _TOKENS,
    "roles/logging.admin": _LOGS_VIEWER
    | _LOGS_WRITER
    | _LOGS_CONFIG
    | _of("logging.logs", "delete"),
    "roles/logging.configWriter": _LOGS_CONFIG | _of("logging.logs", "list"),
    "roles/logging.logWriter": _LOGS_WRITER,
    "roles/logging.privateLogViewer": _LOGS_VIEWER | _LOGS_CONFIG_VIEWER,
    "roles/logging.viewer": _LOGS_VIEWER | _LOGS_CONFIG_VIEWER,
    "roles/monitoring.admin": _ALERTS | _CHANNELS,
    "roles/monitoring.alertPolicyEditor": _ALERTS,
    "roles/monitoring.alertPolicyViewer": _ALERTS_VIEWER,
    "roles/monitoring.editor": _ALERTS | _CHANNELS,
    "roles/monitoring.notificationChannelEditor": _CHANNELS,
    "roles/monitoring.notificationChannelViewer": _CHANNELS_VIEWER,
    "roles/monitoring.viewer": _ALERTS_VIEWER | _CHANNELS_VIEWER,
    "roles/pubsub.admin": _PUBSUB_ADMIN,
    "roles/pubsub.editor": _PUBSUB_EDITOR,
    "roles/pubsub.publisher": _PUBLISH,
    "roles/pubsub.subscriber": _CONSUME,
    "roles/pubsub.viewer": _PUBSUB_VIEWER,
    "roles/resourcemanager.projectIamAdmin": _of("resourcemanager.projects", f"get {_POLICIES}"),
    "roles/browser": _of("resourcemanager.projects", "get getIamPolicy"),
    "roles/run.admin": _RUN_ADMIN,
    "roles/run.developer": _RUN_DEVELOPER,
    "roles/run.invoker": _RUN_INVOKE,
    "roles/run.viewer": _RUN_VIEWER,
    "roles/secretmanager.admin": _SECRETS_ADMIN,
    "roles/secretmanager.secretAccessor": _SECRETS_ACCESS,
    "roles/secretmanager.secretVersionAdder": _of("secretmanager.versions", "add"),
    "roles/secretmanager.secretVersionManager": _VERSIONS,
    "roles/secretmanager.viewer": _SECRETS_VIEWER,
    "roles/serviceusage.serviceUsageAdmin": _SERVICES_VIEWER
    | _of("serviceusage.services", "disable enable"),
    "roles/serviceusage.serviceUsageViewer": _SERVICES_VIEWER,
    "roles/storage.admin": _OBJECTS_ADMIN | _BUCKETS_ADMIN,
    "roles/storage.legacyBucketOwner": _LEGACY_WRITER
    | _of("storage.buckets", f"update {_POLICIES}"),
    "roles/storage.legacyBucketReader": _of("storage.buckets", "get")
    | _of("storage.objects", "list"),
    "roles/storage.legacyBucketWriter": _LEGACY_WRITER,
    "roles/storage.legacyObjectOwner": _of("storage.objects", "get update"),
    "roles/storage.legacyObjectReader": _of("storage.objects", "get"),
    "roles/storage.objectAdmin": _OBJECTS_ADMIN,
    "roles/storage.objectCreator": _of("storage.objects", "create"),
    "roles/storage.objectUser": _OBJECTS_ADMIN,
    "roles/storage.objectViewer": _OBJECTS_VIEWER,
}
_REVIEWER = "roles/iam.securityReviewer"
_BASIC = ("roles/owner", "roles/editor", "roles/viewer")
_OF_ALL = (*_BASIC, _REVIEWER)
_READING = ("get", "list", "getData", "getIamPolicy", "dicomWebRead")


def names() -> list[str]:
    """Return the names of the predefined roles, basic ones too."""
    return sorted([*_ROLES, *_OF_ALL])


@cache
def permissions_of(role: str) -> frozenset[str]:
    """Return the permissions of a predefined role; none for a role that is not known.

    A basic role has those of all predefined ones: the editor sets no policies and accesses no
    payloads of secrets, the viewer reads.
    The security reviewer lists all resources, and reads their policies.
    """
    if role not in _OF_ALL:
        return _ROLES.get(role, frozenset())
    every: frozenset[str] = frozenset().union(*_ROLES.values())
    if role == "roles/owner":
        return every
    if role == "roles/editor":
        return frozenset(p for p in every if not p.endswith("setIamPolicy")) - _SECRETS_ACCESS
    if role == _REVIEWER:
        return frozenset(p for p in every if p.endswith((".list", ".getIamPolicy")))
    return frozenset(p for p in every if p.endswith(_READING))
