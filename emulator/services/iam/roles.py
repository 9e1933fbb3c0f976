"""The predefined roles of the emulated services, with the permissions that some call needs.

Documented: https://cloud.google.com/iam/docs/understanding-roles. Permissions that no emulated call
needs are left out, but where a role would have none.
"""

from functools import cache

from emulator.services.iam import compute_roles, healthcare_roles
from emulator.services.iam.permissions import ALL, POLICIES, of

_OBJECTS_VIEWER = of("storage.objects", "get list")
_OBJECTS_ADMIN = of("storage.objects", "create delete get list update")
_BUCKETS_ADMIN = of("storage.buckets", ALL)
_LEGACY_WRITER = of("storage.buckets", "get") | of("storage.objects", "create delete list")

_BIGQUERY_VIEWER = of("bigquery.datasets", "get") | of("bigquery.tables", "get getData list")
_BIGQUERY_EDITOR = (
    _BIGQUERY_VIEWER
    | of("bigquery.datasets", "create")
    | of("bigquery.tables", "create delete update updateData")
)
_BIGQUERY_OWNER = _BIGQUERY_EDITOR | of("bigquery.datasets", "delete update")
_BIGQUERY_JOBS = of("bigquery.jobs", "create")

_PUBLISH = of("pubsub.topics", "publish")
_CONSUME = of("pubsub.subscriptions", "consume")
_PUBSUB_VIEWER = of("pubsub.topics", "get list") | of("pubsub.subscriptions", "get list")
_PUBSUB_EDITOR = (
    _PUBSUB_VIEWER
    | _PUBLISH
    | _CONSUME
    | of("pubsub.topics", "create delete update")
    | of("pubsub.subscriptions", "create delete update")
)
_PUBSUB_ADMIN = (
    _PUBSUB_EDITOR | of("pubsub.topics", POLICIES) | of("pubsub.subscriptions", POLICIES)
)

_ENCRYPT = of("cloudkms.cryptoKeyVersions", "useToEncrypt")
_DECRYPT = of("cloudkms.cryptoKeyVersions", "useToDecrypt")
_KMS_VIEWER = (
    of("cloudkms.keyRings", "get list")
    | of("cloudkms.cryptoKeys", "get list")
    | of("cloudkms.cryptoKeyVersions", "get list")
)
_KMS_ADMIN = (
    _KMS_VIEWER
    | of("cloudkms.keyRings", f"create {POLICIES}")
    | of("cloudkms.cryptoKeys", f"create update {POLICIES}")
    | of("cloudkms.cryptoKeyVersions", "create destroy")
)

_SECRETS_ACCESS = of("secretmanager.versions", "access")
_SECRETS_VIEWER = of("secretmanager.secrets", "get getIamPolicy list") | of(
    "secretmanager.versions", "get list"
)
_VERSIONS = of("secretmanager.versions", "add destroy disable enable get list")
_SECRETS_ADMIN = (
    _SECRETS_VIEWER
    | _VERSIONS
    | of("secretmanager.secrets", "create delete setIamPolicy update")
    | _SECRETS_ACCESS
)

_REPOSITORIES_VIEWER = of("artifactregistry.repositories", "get list") | of(
    "artifactregistry.dockerimages", "list"
)
_REPOSITORIES_ADMIN = _REPOSITORIES_VIEWER | of("artifactregistry.repositories", ALL)
_RUN_INVOKE = of("run.routes", "invoke") | of("run.jobs", "run")
_RUN_VIEWER = (
    of("run.services", "get getIamPolicy list")
    | of("run.jobs", "get getIamPolicy list")
    | of("run.workerpools", "get getIamPolicy list")
    | of("run.revisions", "get list")
    | of("run.executions", "get list")
    | of("run.tasks", "get list")
    | of("run.operations", "get list")
)
_RUN_DEVELOPER = (
    _RUN_VIEWER
    | of("run.services", "create delete update")
    | of("run.jobs", "create delete run update")
    | of("run.workerpools", "create delete update")
    | of("run.revisions", "delete")
    | of("run.executions", "cancel delete")
    | of("run.operations", "delete")
)
_RUN_ADMIN = (
    _RUN_DEVELOPER
    | _RUN_INVOKE
    | of("run.services", "setIamPolicy")
    | of("run.jobs", "setIamPolicy")
    | of("run.workerpools", "setIamPolicy")
)

_IAP_POLICIES = of("iap.webServices", POLICIES)
_IAP_ACCESS = of("iap.webServiceVersions", "accessViaIAP")
_DATAFLOW_VIEWER = (
    of("dataflow.jobs", "get list")
    | of("dataflow.messages", "list")
    | of("dataflow.metrics", "get")
)
_DATAFLOW_DEVELOPER = _DATAFLOW_VIEWER | of("dataflow.jobs", "cancel create updateContents")
_DATAFLOW_WORKER = (
    of("dataflow.jobs", "get")
    | of("logging.logEntries", "create")
    | of("storage.buckets", "get")
    | of("storage.objects", "create get")
)
_LOGS_VIEWER = of("logging.logEntries", "list") | of("logging.logs", "list")
_LOGS_WRITER = of("logging.logEntries", "create")
_LOGS_CONFIG_VIEWER = of("logging.sinks", "get list") | of("logging.logMetrics", "get list")
_LOGS_CONFIG = (
    _LOGS_CONFIG_VIEWER
    | of("logging.sinks", "create delete update")
    | of("logging.logMetrics", "create delete update")
)
_ALERTS_VIEWER = of("monitoring.alertPolicies", "get list")
_ALERTS = _ALERTS_VIEWER | of("monitoring.alertPolicies", "create delete update")
_CHANNELS_VIEWER = of("monitoring.notificationChannels", "get list")
_CHANNELS = _CHANNELS_VIEWER | of("monitoring.notificationChannels", "create delete update")
_ROLES_VIEWER = of("iam.roles", "get list")
_ACCOUNTS_VIEWER = of("iam.serviceAccounts", "get list")
_TOKENS = of("iam.serviceAccounts", "getAccessToken get list")
_SERVICES_VIEWER = of("serviceusage.services", "get list")

_ROLES: dict[str, frozenset[str]] = {
    **compute_roles.ROLES,
    **healthcare_roles.ROLES,
    "roles/artifactregistry.admin": _REPOSITORIES_ADMIN,
    "roles/artifactregistry.reader": _REPOSITORIES_VIEWER,
    "roles/artifactregistry.repoAdmin": _REPOSITORIES_VIEWER,
    "roles/artifactregistry.writer": _REPOSITORIES_VIEWER,
    "roles/bigquery.admin": _BIGQUERY_OWNER | _BIGQUERY_JOBS,
    "roles/bigquery.dataEditor": _BIGQUERY_EDITOR,
    "roles/bigquery.dataOwner": _BIGQUERY_OWNER,
    "roles/bigquery.dataViewer": _BIGQUERY_VIEWER,
    "roles/bigquery.jobUser": _BIGQUERY_JOBS,
    "roles/bigquery.metadataViewer": _BIGQUERY_VIEWER - of("bigquery.tables", "getData"),
    "roles/bigquery.user": _BIGQUERY_JOBS
    | of("bigquery.datasets", "create get")
    | of("bigquery.tables", "list"),
    "roles/cloudkms.admin": _KMS_ADMIN,
    "roles/cloudkms.cryptoKeyDecrypter": _DECRYPT,
    "roles/cloudkms.cryptoKeyEncrypter": _ENCRYPT,
    "roles/cloudkms.cryptoKeyEncrypterDecrypter": _ENCRYPT | _DECRYPT,
    "roles/cloudkms.viewer": _KMS_VIEWER,
    "roles/dataflow.admin": _DATAFLOW_DEVELOPER,
    "roles/dataflow.developer": _DATAFLOW_DEVELOPER,
    "roles/dataflow.viewer": _DATAFLOW_VIEWER,
    "roles/dataflow.worker": _DATAFLOW_WORKER,
    "roles/iam.roleAdmin": _ROLES_VIEWER | of("iam.roles", "create delete undelete update"),
    "roles/iam.roleViewer": _ROLES_VIEWER,
    "roles/iam.serviceAccountAdmin": _ACCOUNTS_VIEWER
    | of("iam.serviceAccounts", f"create delete disable enable update {POLICIES}"),
    "roles/iam.serviceAccountKeyAdmin": _ACCOUNTS_VIEWER
    | of("iam.serviceAccountKeys", "create delete get list"),
    "roles/iam.serviceAccountTokenCreator": _TOKENS,
    "roles/iam.serviceAccountUser": _ACCOUNTS_VIEWER | of("iam.serviceAccounts", "actAs"),
    "roles/iam.serviceAccountViewer": _ACCOUNTS_VIEWER,
    "roles/iam.workloadIdentityUser": _TOKENS,
    "roles/logging.admin": _LOGS_VIEWER
    | _LOGS_WRITER
    | _LOGS_CONFIG
    | of("logging.logs", "delete"),
    "roles/iap.admin": _IAP_POLICIES,
    "roles/iap.httpsResourceAccessor": _IAP_ACCESS,
    "roles/logging.configWriter": _LOGS_CONFIG | of("logging.logs", "list"),
    "roles/logging.logWriter": _LOGS_WRITER,
    "roles/logging.privateLogViewer": _LOGS_VIEWER | _LOGS_CONFIG_VIEWER,
    "roles/logging.viewer": _LOGS_VIEWER | _LOGS_CONFIG_VIEWER,
    "roles/monitoring.admin": _ALERTS | _CHANNELS,
    "roles/monitoring.alertPolicyEditor": _ALERTS,
    "roles/monitoring.alertPolicyViewer": _ALERTS_VIEWER,
    "roles/monitoring.editor": _ALERTS | _CHANNELS,
    "roles/monitoring.metricWriter": of("monitoring.timeSeries", "create"),
    "roles/monitoring.notificationChannelEditor": _CHANNELS,
    "roles/monitoring.notificationChannelViewer": _CHANNELS_VIEWER,
    "roles/monitoring.viewer": _ALERTS_VIEWER | _CHANNELS_VIEWER,
    "roles/pubsub.admin": _PUBSUB_ADMIN,
    "roles/pubsub.editor": _PUBSUB_EDITOR,
    "roles/pubsub.publisher": _PUBLISH,
    "roles/pubsub.subscriber": _CONSUME,
    "roles/pubsub.viewer": _PUBSUB_VIEWER,
    "roles/resourcemanager.projectIamAdmin": of("resourcemanager.projects", f"get {POLICIES}"),
    "roles/browser": of("resourcemanager.projects", "get getIamPolicy"),
    "roles/run.admin": _RUN_ADMIN,
    "roles/run.developer": _RUN_DEVELOPER,
    "roles/run.invoker": _RUN_INVOKE,
    "roles/run.viewer": _RUN_VIEWER,
    "roles/secretmanager.admin": _SECRETS_ADMIN,
    "roles/secretmanager.secretAccessor": _SECRETS_ACCESS,
    "roles/secretmanager.secretVersionAdder": of("secretmanager.versions", "add"),
    "roles/secretmanager.secretVersionManager": _VERSIONS,
    "roles/secretmanager.viewer": _SECRETS_VIEWER,
    "roles/serviceusage.serviceUsageAdmin": _SERVICES_VIEWER
    | of("serviceusage.services", "disable enable"),
    "roles/serviceusage.serviceUsageViewer": _SERVICES_VIEWER,
    "roles/storage.admin": _OBJECTS_ADMIN | _BUCKETS_ADMIN,
    "roles/storage.legacyBucketOwner": _LEGACY_WRITER | of("storage.buckets", f"update {POLICIES}"),
    "roles/storage.legacyBucketReader": of("storage.buckets", "get")
    | of("storage.objects", "list"),
    "roles/storage.legacyBucketWriter": _LEGACY_WRITER,
    "roles/storage.legacyObjectOwner": of("storage.objects", "get update"),
    "roles/storage.legacyObjectReader": of("storage.objects", "get"),
    "roles/storage.objectAdmin": _OBJECTS_ADMIN,
    "roles/storage.objectCreator": of("storage.objects", "create"),
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
    payloads of secrets, the viewer reads. None passes Identity-Aware Proxy (documented:
    https://cloud.google.com/iap/docs/managing-access).
    The security reviewer lists all resources, and reads their policies.
    """
    if role not in _OF_ALL:
        return _ROLES.get(role, frozenset())
    every: frozenset[str] = frozenset().union(*_ROLES.values()) - _IAP_ACCESS
    if role == "roles/owner":
        return every
    if role == "roles/editor":
        return frozenset(p for p in every if not p.endswith("setIamPolicy")) - _SECRETS_ACCESS
    if role == _REVIEWER:
        return frozenset(p for p in every if p.endswith((".list", ".getIamPolicy")))
    return frozenset(p for p in every if p.endswith(_READING))
