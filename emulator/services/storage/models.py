"""Data of buckets that fake-gcs-server does not keep: settings, project, policy."""

import json
from collections.abc import Mapping
from typing import Any

from emulator.core import timestamps
from emulator.core.database import Database
from emulator.core.discovery import api
from emulator.core.errors import ApiError
from emulator.core.resources.json_merge_patch import merge_patch
from emulator.core.settings import PROJECT
from emulator.services.iam.conditions import Target
from emulator.services.iam.models import EVERYBODY, Policies, Policy
from emulator.services.resourcemanager.models import Projects
from emulator.services.storage.errors import StorageError, condition_not_met
from emulator.services.storage.public_bucket import BUCKETS as PUBLIC_BUCKETS

SCHEMA = """
CREATE TABLE IF NOT EXISTS storage_buckets (
    name TEXT PRIMARY KEY,
    project TEXT,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    metageneration INTEGER NOT NULL,
    body TEXT NOT NULL
);
"""

Json = dict[str, Any]

SETTINGS = frozenset(
    {
        "autoclass", "billing", "cors", "customPlacementConfig", "defaultEventBasedHold",
        "encryption", "hierarchicalNamespace", "iamConfiguration", "ipFilter", "labels",
        "lifecycle", "location", "logging", "retentionPolicy", "rpo", "softDeletePolicy",
        "storageClass", "versioning", "website",
    }
)  # fmt: skip
"""Fields that a client can set. They are stored and returned; only access settings have effect."""
_FIXED = {"customPlacementConfig", "hierarchicalNamespace", "location"}
_MULTI_REGIONS = {"ASIA", "EU", "US"}
_ACCESS = {"uniformBucketLevelAccess": {"enabled": False}, "publicAccessPrevention": "inherited"}


class Buckets:
    """The settings and policies of buckets.

    fake-gcs-server knows which buckets there are. One that was made there directly has no settings
    here, no known project, and the policy of a new bucket of the environment's project.
    """

    def __init__(self, database: Database, policies: Policies, projects: Projects) -> None:
        self._database = database
        self._policies = policies
        self._projects = projects

    def add(self, name: str, project: str, settings: Mapping[str, Any]) -> None:
        """Note a new bucket; what a bucket of that name left behind goes.

        Args:
            name: The bucket.
            project: The id of its project.
            settings: the result of `settings_of`
        """
        self._policies.delete_prefix(resource(name))
        now = timestamps.now("milliseconds")
        kept = json.dumps(_without_nulls(settings))
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO storage_buckets VALUES (?, ?, ?, ?, 1, ?)",
                (name, project, now, now, kept),
            )

    def change(
        self, name: str, settings: Mapping[str, Any], *, whole: bool, expected: str = ""
    ) -> None:
        """Change some settings, or replace all of them.

        Args:
            name: the bucket, which exists
            settings: the result of `settings_of`; null removes a setting
            whole: Whether settings that are not given go.
            expected: The metageneration that the bucket must have; empty for any.

        Raises:
            StorageError: 412 for another metageneration.
        """
        now = timestamps.now("milliseconds")
        with self._database.write() as connection:
            row = connection.execute(
                "SELECT * FROM storage_buckets WHERE name = ?", (name,)
            ).fetchone()
            generation = 1 if row is None else row["metageneration"]
            if expected and expected != str(generation):
                raise condition_not_met()
            present: Json = {} if row is None else json.loads(row["body"])
            fixed = {key: value for key, value in present.items() if key in _FIXED}
            given = {key: value for key, value in settings.items() if key not in _FIXED}
            after = {**_without_nulls(given), **fixed} if whole else merge_patch(present, given)
            kept = (None, now) if row is None else (row["project"], row["created"])
            connection.execute(
                "INSERT OR REPLACE INTO storage_buckets VALUES (?, ?, ?, ?, ?, ?)",
                (name, *kept, now, generation + 1, json.dumps(after)),
            )

    def delete(self, name: str) -> None:
        """Forget a bucket that is not there any more, with its policy."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM storage_buckets WHERE name = ?", (name,))
        self._policies.delete_prefix(resource(name))

    def is_known(self, name: str) -> bool:
        """Whether a bucket was created, or is one of the public ones."""
        return name in PUBLIC_BUCKETS or self._row(name) is not None

    def project_of(self, name: str) -> str | None:
        """Return the project of a bucket, where it is known."""
        row = self._row(name)
        return None if row is None else row["project"]

    def to_rest(self, backend_resource: Mapping[str, Any], root_url: str) -> Json:
        """Return a bucket as Cloud Storage answers it.

        Args:
            backend_resource: The bucket in fake-gcs-server.
            root_url: The address of the front.
        """
        name = backend_resource["name"]
        link = f"{root_url}/storage/v1/b/{name}"
        answer: Json = {**backend_resource, "selfLink": link, "iamConfiguration": _ACCESS}
        row = self._row(name)
        if row is None:
            return answer
        kept = json.loads(row["body"])
        answer |= kept | {
            "iamConfiguration": merge_patch(_ACCESS, kept.get("iamConfiguration", {}))
        }
        location = str(answer["location"]).upper()
        return answer | {
            "location": location,
            "locationType": "multi-region" if location in _MULTI_REGIONS else "region",
            "projectNumber": self._projects.number_of(row["project"] or PROJECT),
            "timeCreated": row["created"],
            "updated": row["updated"],
            "metageneration": str(row["metageneration"]),
            "etag": f"CA{row['metageneration']}=",
        }

    def policy(self, name: str) -> Policy:
        """Return the policy of a bucket; where none was set, that of a new one."""
        policy = self._policies.get(resource(name))
        if self._policies.is_set(resource(name)):
            return policy
        return {**policy, "bindings": self._first_bindings(name)}

    def set_policy(self, name: str, policy: Mapping[str, Any]) -> Policy:
        """Replace the policy of a bucket.

        Raises:
            ApiError: 400 for a policy that is not well formed, 412 for a stale etag and for a
                public role where public access is prevented.
        """
        row = self._row(name)
        kept: Json = {} if row is None else json.loads(row["body"])
        prevented = kept.get("iamConfiguration", {}).get("publicAccessPrevention") == "enforced"
        for binding in policy.get("bindings") or []:
            if prevented and EVERYBODY & set((binding or {}).get("members") or []):
                raise StorageError(
                    412,
                    "The member bindings allUsers and allAuthenticatedUsers are not allowed since "
                    "public access prevention is enforced.",
                )
        try:
            self._policies.set(resource(name), policy, ("bindings",))
        except ApiError as error:
            raise condition_not_met() if error.status == "ABORTED" else error from error
        return self.policy(name)

    def allows(
        self, name: str, project: str, member: str, permission: str, prefix: str = ""
    ) -> bool:
        """Whether a member has a permission by the bucket's policy or that of its project.

        Args:
            name: The bucket.
            project: Whose policy counts where the bucket's project is not known.
            member: As IAM writes it, `serviceAccount:ADDRESS`.
            permission: Such as `storage.objects.get`.
            prefix: What the names of the objects begin with, for conditions.
        """
        owner = f"projects/{self.project_of(name) or project}"
        target = _target(name, permission, prefix)
        return self._policies.allows([owner], member, permission, target) or self._policies.grant(
            self.policy(name), member, permission, target
        )

    def _first_bindings(self, name: str) -> list[Json]:
        if name in PUBLIC_BUCKETS:
            return [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}]
        project = self.project_of(name) or PROJECT
        owners = [f"projectEditor:{project}", f"projectOwner:{project}"]
        readers = [f"projectViewer:{project}"]
        return [
            {"role": "roles/storage.legacyBucketOwner", "members": owners},
            {"role": "roles/storage.legacyBucketReader", "members": readers},
            {"role": "roles/storage.legacyObjectOwner", "members": owners},
            {"role": "roles/storage.legacyObjectReader", "members": readers},
        ]

    def _row(self, name: str) -> Any:
        with self._database.read() as connection:
            return connection.execute(
                "SELECT * FROM storage_buckets WHERE name = ?", (name,)
            ).fetchone()


def resource(bucket: str) -> str:
    """Return the full name under which a bucket's policy is kept."""
    return f"projects/_/buckets/{bucket}"


def settings_of(body: Mapping[str, Any]) -> Json:
    """Return the settings of a bucket that a request's body holds.

    Raises:
        ApiError: 400 for an invalid bucket, 501 for versioning, which no server here has.
    """
    api("storage", "v1").check("Bucket", _without_nulls(body))
    if (body.get("versioning") or {}).get("enabled"):
        raise StorageError(501, "Versioning of objects is not served by the local Google Cloud.")
    return {key: value for key, value in body.items() if key in SETTINGS}


def _without_nulls(settings: Mapping[str, Any]) -> Json:
    return merge_patch({}, settings)


def _target(bucket: str, permission: str, prefix: str) -> Target:
    """Return what a permission is about: objects, which are listed by the bucket, or the bucket.

    https://cloud.google.com/iam/docs/conditions-resource-attributes#resource-name
    """
    service, name = "storage.googleapis.com", f"projects/_/buckets/{bucket}"
    if permission.startswith("storage.objects.") and permission != "storage.objects.list":
        return Target(f"{name}/objects/{prefix}", service, f"{service}/Object")
    return Target(name, service, f"{service}/Bucket")
