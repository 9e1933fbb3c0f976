"""The methods of Cloud Storage, with their permissions and their names in audit logs.

Documented (https://cloud.google.com/storage/docs/audit-logging): the names, and that objects are
data while buckets and policies are not.
"""

from emulator.core.method_table import DATA_READ, DATA_WRITE, MethodTable, Row

NO_BUCKETS = ("batch", "bigquery", "discovery", "download", "resumable", "storage", "upload")
"""First parts of paths that are not the name of a bucket."""
_BUCKET, _OBJECT = "b/{b}", "b/{b}/o/{*}"
_NAME = "projects/_/buckets/{b}"
_OBJECTS = f"{_NAME}/objects"
_BUCKETS = "projects/{project}"
"""The project in the query of a call."""
_TYPES = {
    **dict.fromkeys(("storage.objects.get", "storage.objects.list"), DATA_READ),
    **{f"storage.objects.{verb}": DATA_WRITE for verb in ("create", "delete", "update")},
}
_MONITORED = (("projects/_/buckets/{bucket_name}", "gcs_bucket"),)


def _bucket(verbs: str, suffix: str, permission: str, name: str = "") -> Row:
    return Row(verbs, f"b/{{b}}{suffix}", permission, _BUCKET, name or permission, _NAME)


def _object(verbs: str, path: str, verb: str) -> Row:
    permission = f"storage.objects.{verb}"
    return Row(verbs, path, permission, _OBJECT, permission, f"{_OBJECTS}/{{*}}")


TABLE = MethodTable(
    "storage.googleapis.com",
    (
        Row("GET", "b", "storage.buckets.list", _BUCKETS, "storage.buckets.list"),
        Row(
            "POST",
            "b",
            "storage.buckets.create",
            _BUCKETS,
            "storage.buckets.create",
            "projects/_/buckets/{new}",
            "name",
        ),
        _bucket("GET", "", "storage.buckets.get"),
        _bucket("PATCH PUT", "", "storage.buckets.update"),
        _bucket("DELETE", "", "storage.buckets.delete"),
        Row("GET", "b/{b}/storageLayout", "storage.buckets.get", _BUCKET),
        _bucket("GET", "/iam", "storage.buckets.getIamPolicy", "storage.getIamPermissions"),
        _bucket("PUT", "/iam", "storage.buckets.setIamPolicy", "storage.setIamPermissions"),
        _bucket("GET", "/o", "storage.objects.list"),
        Row(
            "POST",
            "b/{b}/o",
            "storage.objects.create",
            _BUCKET,
            "storage.objects.create",
            f"{_OBJECTS}/{{new}}",
            "name",
        ),
        # The parts of an upload, which is logged when it begins.
        Row("PUT", "b/{b}/o", "storage.objects.create", _BUCKET),
        _object("GET", _OBJECT, "get"),
        _object("PATCH PUT", _OBJECT, "update"),
        _object("DELETE", _OBJECT, "delete"),
        Row(
            "POST",
            _OBJECT,
            "storage.objects.create",
            _BUCKET,
            "storage.objects.create",
            f"{_OBJECTS}/{{*}}",
        ),
    ),
    root=r"(?:/resumable)?(?:/upload|/download)?/storage/v1/",
    types=_TYPES,
    monitored=_MONITORED,
)
XML = MethodTable(
    "storage.googleapis.com",
    (
        _object("GET HEAD", "{b}/{*}", "get"),
        _object("PUT POST", "{b}/{*}", "create"),
        _object("DELETE", "{b}/{*}", "delete"),
    ),
    root=rf"/(?=[a-z0-9])(?!v\d|(?:{'|'.join(NO_BUCKETS)}|projects)/)",
    types=_TYPES,
    monitored=_MONITORED,
)
"""Objects at the paths of the XML API."""
