"""The permission of each method of the emulated services but Healthcare.

Documented: the reference of each method, and https://cloud.google.com/iam/docs/permissions-reference.
Braces in a path stand for one segment, `{*}` for any number. A resource is what a policy is asked
for: a full name, or the project of one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

PUBSUB, KMS, STORAGE, BIGQUERY = "pubsub", "cloudkms", "storage", "bigquery"
PROJECTS, SERVICES, LOGGING, IAM = "cloudresourcemanager", "serviceusage", "logging", "iam"
_PROJECT = "projects/{p}"
_TOPIC, _SUBSCRIPTION = f"{_PROJECT}/topics/{{t}}", f"{_PROJECT}/subscriptions/{{s}}"
_RINGS = f"{_PROJECT}/locations/{{l}}/keyRings"
_RING = f"{_RINGS}/{{r}}"
_KEY = f"{_RING}/cryptoKeys/{{k}}"
_DATASETS = f"{_PROJECT}/datasets"
_DATASET = f"{_DATASETS}/{{d}}"
_TABLE = f"{_DATASET}/tables/{{t}}"
_OBJECT = "b/{b}/o/{*}"
_ROLES = f"{_PROJECT}/roles"
_ROLE = f"{_ROLES}/{{r}}"
_ACCOUNTS = f"{_PROJECT}/serviceAccounts"
_ACCOUNT = f"{_ACCOUNTS}/{{a}}"
_KEYS = f"{_ACCOUNT}/keys"

Line = tuple[str, str, str, str]
"""HTTP methods, path behind the version, permission, resource."""


def _policies(resource: str, permissions: str) -> tuple[Line, ...]:
    """Return the lines of a policy; some of the APIs read it by GET, some by POST."""
    return (
        ("GET POST", f"{resource}:getIamPolicy", f"{permissions}.getIamPolicy", resource),
        ("POST", f"{resource}:setIamPolicy", f"{permissions}.setIamPolicy", resource),
    )


_LINES: dict[str, tuple[Line, ...]] = {
    PUBSUB: (
        ("GET", f"{_PROJECT}/topics", "pubsub.topics.list", _PROJECT),
        ("PUT", _TOPIC, "pubsub.topics.create", _PROJECT),
        ("GET", _TOPIC, "pubsub.topics.get", _TOPIC),
        ("PATCH", _TOPIC, "pubsub.topics.update", _TOPIC),
        ("DELETE", _TOPIC, "pubsub.topics.delete", _TOPIC),
        ("POST", f"{_TOPIC}:publish", "pubsub.topics.publish", _TOPIC),
        ("GET", f"{_TOPIC}/subscriptions", "pubsub.topics.get", _TOPIC),
        *_policies(_TOPIC, "pubsub.topics"),
        ("GET", f"{_PROJECT}/subscriptions", "pubsub.subscriptions.list", _PROJECT),
        ("PUT", _SUBSCRIPTION, "pubsub.subscriptions.create", _PROJECT),
        ("GET", _SUBSCRIPTION, "pubsub.subscriptions.get", _SUBSCRIPTION),
        ("PATCH", _SUBSCRIPTION, "pubsub.subscriptions.update", _SUBSCRIPTION),
        ("DELETE", _SUBSCRIPTION, "pubsub.subscriptions.delete", _SUBSCRIPTION),
        ("POST", f"{_SUBSCRIPTION}:modifyPushConfig", "pubsub.subscriptions.update", _SUBSCRIPTION),
        *(
            ("POST", f"{_SUBSCRIPTION}:{verb}", "pubsub.subscriptions.consume", _SUBSCRIPTION)
            for verb in ("pull", "acknowledge", "modifyAckDeadline")
        ),
        *_policies(_SUBSCRIPTION, "pubsub.subscriptions"),
    ),
    KMS: (
        ("GET", _RINGS, "cloudkms.keyRings.list", _PROJECT),
        ("POST", _RINGS, "cloudkms.keyRings.create", _PROJECT),
        ("GET", _RING, "cloudkms.keyRings.get", _RING),
        *_policies(_RING, "cloudkms.keyRings"),
        ("GET", f"{_RING}/cryptoKeys", "cloudkms.cryptoKeys.list", _RING),
        ("POST", f"{_RING}/cryptoKeys", "cloudkms.cryptoKeys.create", _RING),
        ("GET", _KEY, "cloudkms.cryptoKeys.get", _KEY),
        ("PATCH", _KEY, "cloudkms.cryptoKeys.update", _KEY),
        *_policies(_KEY, "cloudkms.cryptoKeys"),
        ("POST", f"{_KEY}:encrypt", "cloudkms.cryptoKeyVersions.useToEncrypt", _KEY),
        ("POST", f"{_KEY}:decrypt", "cloudkms.cryptoKeyVersions.useToDecrypt", _KEY),
        ("GET", f"{_KEY}/cryptoKeyVersions", "cloudkms.cryptoKeyVersions.list", _KEY),
        ("POST", f"{_KEY}/cryptoKeyVersions", "cloudkms.cryptoKeyVersions.create", _KEY),
        ("GET", f"{_KEY}/cryptoKeyVersions/{{v}}", "cloudkms.cryptoKeyVersions.get", _KEY),
        (
            "POST",
            f"{_KEY}/cryptoKeyVersions/{{v}}:encrypt",
            "cloudkms.cryptoKeyVersions.useToEncrypt",
            _KEY,
        ),
        (
            "POST",
            f"{_KEY}/cryptoKeyVersions/{{v}}:destroy",
            "cloudkms.cryptoKeyVersions.destroy",
            _KEY,
        ),
    ),
    PROJECTS: (
        ("GET", _PROJECT, "resourcemanager.projects.get", _PROJECT),
        *_policies(_PROJECT, "resourcemanager.projects"),
    ),
    SERVICES: (
        ("GET", f"{_PROJECT}/services", "serviceusage.services.list", _PROJECT),
        ("GET", f"{_PROJECT}/services:batchGet", "serviceusage.services.get", _PROJECT),
        ("POST", f"{_PROJECT}/services:batchEnable", "serviceusage.services.enable", _PROJECT),
        ("GET", f"{_PROJECT}/services/{{s}}", "serviceusage.services.get", _PROJECT),
        ("POST", f"{_PROJECT}/services/{{s}}:enable", "serviceusage.services.enable", _PROJECT),
        ("POST", f"{_PROJECT}/services/{{s}}:disable", "serviceusage.services.disable", _PROJECT),
        (
            "POST",
            f"{_PROJECT}/services/{{s}}:generateServiceIdentity",
            "serviceusage.services.enable",
            _PROJECT,
        ),
    ),
    IAM: (
        ("GET", _ROLES, "iam.roles.list", _PROJECT),
        ("POST", _ROLES, "iam.roles.create", _PROJECT),
        ("GET", _ROLE, "iam.roles.get", _PROJECT),
        ("PATCH", _ROLE, "iam.roles.update", _PROJECT),
        ("DELETE", _ROLE, "iam.roles.delete", _PROJECT),
        ("POST", f"{_ROLE}:undelete", "iam.roles.undelete", _PROJECT),
        ("GET", _ACCOUNTS, "iam.serviceAccounts.list", _PROJECT),
        ("POST", _ACCOUNTS, "iam.serviceAccounts.create", _PROJECT),
        ("GET", _ACCOUNT, "iam.serviceAccounts.get", _ACCOUNT),
        ("PATCH", _ACCOUNT, "iam.serviceAccounts.update", _ACCOUNT),
        ("DELETE", _ACCOUNT, "iam.serviceAccounts.delete", _ACCOUNT),
        ("POST", f"{_ACCOUNT}:disable", "iam.serviceAccounts.disable", _ACCOUNT),
        ("POST", f"{_ACCOUNT}:enable", "iam.serviceAccounts.enable", _ACCOUNT),
        *_policies(_ACCOUNT, "iam.serviceAccounts"),
        (
            "POST",
            f"{_ACCOUNT}:generateAccessToken",
            "iam.serviceAccounts.getAccessToken",
            _ACCOUNT,
        ),
        ("GET", _KEYS, "iam.serviceAccountKeys.list", _ACCOUNT),
        ("POST", _KEYS, "iam.serviceAccountKeys.create", _ACCOUNT),
        ("GET", f"{_KEYS}/{{k}}", "iam.serviceAccountKeys.get", _ACCOUNT),
        ("DELETE", f"{_KEYS}/{{k}}", "iam.serviceAccountKeys.delete", _ACCOUNT),
    ),
    LOGGING: (
        ("GET", f"{_PROJECT}/logs", "logging.logs.list", _PROJECT),
        ("DELETE", f"{_PROJECT}/logs/{{*}}", "logging.logs.delete", _PROJECT),
    ),
    STORAGE: (
        ("GET", "b/{b}", "storage.buckets.get", "b/{b}"),
        ("PATCH PUT", "b/{b}", "storage.buckets.update", "b/{b}"),
        ("DELETE", "b/{b}", "storage.buckets.delete", "b/{b}"),
        ("GET", "b/{b}/storageLayout", "storage.buckets.get", "b/{b}"),
        ("GET", "b/{b}/iam", "storage.buckets.getIamPolicy", "b/{b}"),
        ("PUT", "b/{b}/iam", "storage.buckets.setIamPolicy", "b/{b}"),
        ("GET", "b/{b}/o", "storage.objects.list", "b/{b}"),
        ("POST PUT", "b/{b}/o", "storage.objects.create", "b/{b}"),
        ("GET", _OBJECT, "storage.objects.get", _OBJECT),
        ("PATCH PUT", _OBJECT, "storage.objects.update", _OBJECT),
        ("DELETE", _OBJECT, "storage.objects.delete", _OBJECT),
        ("POST", _OBJECT, "storage.objects.create", "b/{b}"),
    ),
    BIGQUERY: (
        ("GET", _DATASETS, "bigquery.datasets.get", _PROJECT),
        ("POST", _DATASETS, "bigquery.datasets.create", _PROJECT),
        ("GET", _DATASET, "bigquery.datasets.get", _DATASET),
        ("PATCH PUT", _DATASET, "bigquery.datasets.update", _DATASET),
        ("DELETE", _DATASET, "bigquery.datasets.delete", _DATASET),
        ("GET", f"{_DATASET}/tables", "bigquery.tables.list", _DATASET),
        ("POST", f"{_DATASET}/tables", "bigquery.tables.create", _DATASET),
        ("GET", _TABLE, "bigquery.tables.get", _DATASET),
        ("PATCH PUT", _TABLE, "bigquery.tables.update", _DATASET),
        ("DELETE", _TABLE, "bigquery.tables.delete", _DATASET),
        ("GET", f"{_TABLE}/data", "bigquery.tables.getData", _DATASET),
        ("POST", f"{_TABLE}/insertAll", "bigquery.tables.updateData", _DATASET),
        ("POST", f"{_PROJECT}/queries", "bigquery.jobs.create", _PROJECT),
        ("GET", f"{_PROJECT}/queries/{{j}}", "bigquery.jobs.create", _PROJECT),
        ("POST", f"{_PROJECT}/jobs", "bigquery.jobs.create", _PROJECT),
        ("GET", f"{_PROJECT}/jobs", "bigquery.jobs.create", _PROJECT),
        ("GET", f"{_PROJECT}/jobs/{{j}}", "bigquery.jobs.create", _PROJECT),
        ("POST", f"{_PROJECT}/jobs/{{j}}/cancel", "bigquery.jobs.create", _PROJECT),
    ),
}
_ROOTS = {
    STORAGE: r"(?:/resumable)?(?:/upload|/download)?/storage/v1/",
    BIGQUERY: r"(?:/resumable)?(?:/upload)?/bigquery/v2/",
    LOGGING: "/v2/",
}
_VERSIONS = r"/v1(?:beta1)?/"


@dataclass(frozen=True)
class Requirement:
    """A permission on a resource.

    Attributes:
        service: the API, such as `pubsub`
        permission: such as `pubsub.topics.get`
        resource: the full name of what the permission is needed on; `b/BUCKET` or `b/BUCKET/o/NAME`
            of Cloud Storage
    """

    service: str
    permission: str
    resource: str


@dataclass(frozen=True)
class _Rule:
    service: str
    methods: frozenset[str]
    pattern: re.Pattern[str]
    permission: str
    resource: str


def requirement(http_method: str, path: str) -> Requirement | None:
    """Return what a call needs; None for a call that has no rule.

    Args:
        http_method: such as `GET`
        path: with the root of its API, such as `/v1/projects/p/topics/t`
    """
    for rule in _RULES:
        match = rule.pattern.fullmatch(path) if http_method in rule.methods else None
        if match:
            resource = rule.resource.replace("{*}", "{rest}").format(**match.groupdict())
            return Requirement(rule.service, rule.permission, resource)
    return None


def permissions() -> frozenset[str]:
    """Return every permission that a rule names."""
    return frozenset(rule.permission for rule in _RULES)


def _compiled() -> Iterator[_Rule]:
    for service, lines in _LINES.items():
        for methods, path, permission, resource in lines:
            root = _ROOTS.get(service, _VERSIONS)
            # A name in a path ends at the colon of a verb; names of objects may hold anything.
            body = re.sub(r"\\{(\w)\\}", r"(?P<\1>[^/:]+)", re.escape(path))
            body = body.replace(re.escape("{*}"), "(?P<rest>.+)")
            pattern = re.compile(root + body)
            yield _Rule(service, frozenset(methods.split()), pattern, permission, resource)


_RULES = tuple(_compiled())
