"""The predefined roles that the lab's services know, with the permissions that are asked for.

Only permissions that some emulated call checks, or that a client is likely to test, are listed; the
names are those of https://cloud.google.com/iam/docs/understanding-roles.
"""

from functools import cache

_STORAGE_VIEWER = {"storage.objects.get", "storage.objects.list"}
_STORAGE_ADMIN = _STORAGE_VIEWER | {
    "storage.objects.create",
    "storage.objects.delete",
    "storage.objects.update",
}
_BIGQUERY_VIEWER = {
    "bigquery.datasets.get",
    "bigquery.tables.get",
    "bigquery.tables.getData",
    "bigquery.tables.list",
}
_BIGQUERY_EDITOR = _BIGQUERY_VIEWER | {
    "bigquery.datasets.create",
    "bigquery.tables.create",
    "bigquery.tables.delete",
    "bigquery.tables.update",
    "bigquery.tables.updateData",
}
_BIGQUERY_OWNER = _BIGQUERY_EDITOR | {"bigquery.datasets.delete", "bigquery.datasets.update"}
_BIGQUERY_JOBS = {"bigquery.jobs.create"}
_DATASETS_VIEWER = {"healthcare.datasets.get", "healthcare.datasets.list"}
_DATASETS_ADMIN = _DATASETS_VIEWER | {
    "healthcare.datasets.create",
    "healthcare.datasets.deidentify",
    "healthcare.datasets.delete",
    "healthcare.datasets.getIamPolicy",
    "healthcare.datasets.setIamPolicy",
    "healthcare.datasets.update",
}


def _store(kind: str) -> set[str]:
    verbs = ("create", "delete", "get", "getIamPolicy", "list", "setIamPolicy", "update")
    return {f"healthcare.{kind}.{verb}" for verb in verbs}


_DICOM_VIEWER = {
    "healthcare.dicomStores.get",
    "healthcare.dicomStores.list",
    "healthcare.dicomStores.dicomWebRead",
    "healthcare.dicomStores.export",
}
_DICOM_EDITOR = _DICOM_VIEWER | {
    "healthcare.dicomStores.dicomWebWrite",
    "healthcare.dicomStores.dicomWebDelete",
    "healthcare.dicomStores.import",
}
_PUBLISH = {"pubsub.topics.publish"}
_ENCRYPT = {
    "cloudkms.cryptoKeyVersions.useToDecrypt",
    "cloudkms.cryptoKeyVersions.useToEncrypt",
}

_ROLES: dict[str, set[str]] = {
    "roles/bigquery.admin": _BIGQUERY_OWNER | _BIGQUERY_JOBS,
    "roles/bigquery.dataOwner": _BIGQUERY_OWNER,
    "roles/bigquery.dataEditor": _BIGQUERY_EDITOR,
    "roles/bigquery.dataViewer": _BIGQUERY_VIEWER,
    "roles/bigquery.jobUser": _BIGQUERY_JOBS,
    "roles/bigquery.user": _BIGQUERY_JOBS | {"bigquery.datasets.create", "bigquery.tables.list"},
    "roles/cloudkms.cryptoKeyDecrypter": {"cloudkms.cryptoKeyVersions.useToDecrypt"},
    "roles/cloudkms.cryptoKeyEncrypter": {"cloudkms.cryptoKeyVersions.useToEncrypt"},
    "roles/cloudkms.cryptoKeyEncrypterDecrypter": _ENCRYPT,
    "roles/healthcare.datasetAdmin": _DATASETS_ADMIN,
    "roles/healthcare.datasetViewer": _DATASETS_VIEWER,
    "roles/healthcare.dicomEditor": _DATASETS_VIEWER | _DICOM_EDITOR,
    "roles/healthcare.dicomStoreAdmin": _DATASETS_VIEWER | _store("dicomStores"),
    "roles/healthcare.dicomStoreViewer": {
        "healthcare.dicomStores.get",
        "healthcare.dicomStores.list",
    },
    "roles/healthcare.dicomViewer": _DATASETS_VIEWER | _DICOM_VIEWER,
    "roles/healthcare.fhirStoreAdmin": _DATASETS_VIEWER | _store("fhirStores"),
    "roles/healthcare.hl7V2StoreAdmin": _DATASETS_VIEWER | _store("hl7V2Stores"),
    "roles/healthcare.consentStoreAdmin": _DATASETS_VIEWER | _store("consentStores"),
    "roles/pubsub.admin": _PUBLISH | {"pubsub.topics.create", "pubsub.topics.delete"},
    "roles/pubsub.publisher": _PUBLISH,
    "roles/storage.admin": _STORAGE_ADMIN | {"storage.buckets.create", "storage.buckets.get"},
    "roles/storage.legacyBucketOwner": {
        "storage.buckets.get",
        "storage.objects.create",
        "storage.objects.delete",
        "storage.objects.list",
    },
    "roles/storage.legacyBucketReader": {"storage.buckets.get", "storage.objects.list"},
    "roles/storage.legacyBucketWriter": {
        "storage.buckets.get",
        "storage.objects.create",
        "storage.objects.delete",
        "storage.objects.list",
    },
    "roles/storage.legacyObjectOwner": {"storage.objects.get", "storage.objects.update"},
    "roles/storage.legacyObjectReader": {"storage.objects.get"},
    "roles/storage.objectAdmin": _STORAGE_ADMIN,
    "roles/storage.objectCreator": {"storage.objects.create"},
    "roles/storage.objectUser": _STORAGE_ADMIN,
    "roles/storage.objectViewer": _STORAGE_VIEWER,
}
_PRIMITIVE = {"roles/owner", "roles/editor"}


@cache
def permissions_of(role: str) -> frozenset[str]:
    """The permissions of a predefined role; a role that the emulator does not know has none."""
    if role in _PRIMITIVE:
        return frozenset().union(*_ROLES.values())
    if role == "roles/viewer":
        reading = ("get", "list", "getData", "getIamPolicy")
        return frozenset(p for p in permissions_of("roles/owner") if p.endswith(reading))
    return frozenset(_ROLES.get(role, ()))
