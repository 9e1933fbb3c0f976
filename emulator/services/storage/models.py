"""What fake-gcs-server does not keep of buckets: their settings, their project, their policies."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from emulator.database import Database
from emulator.discovery import api
from emulator.endpoints import PROJECT
from emulator.errors import ApiError
from emulator.iam.models import EVERYBODY, Policies, Policy, grants
from emulator.merging import merged
from emulator.resourcemanager.models import Projects
from emulator.seed.bucket import BUCKET as PUBLIC_BUCKET
from emulator.storage.errors import StorageError, condition_not_met

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
"""What a client can set. It is kept and shown; nothing here goes by it but the access settings."""
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
        database.apply(SCHEMA)

    def add(self, name: str, project: str, settings: Mapping[str, Any]) -> None:
        """Note a new bucket; what a bucket of that name left behind goes.

        Args:
            name: The bucket.
            project: The id of its project.
            settings: What `settings_of` gives.
        """
        self._policies.drop(resource(name))
        now = _now()
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
            name: The bucket, which is there.
            settings: What `settings_of` gives; null takes one away.
            whole: Whether settings that are not given go.
            expected: The metageneration that the bucket must have; empty for any.

        Raises:
            StorageError: 412 for another metageneration.
        """
        now = _now()
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
            after = {**_without_nulls(given), **fixed} if whole else merged(present, given)
            kept = (None, now) if row is None else (row["project"], row["created"])
            connection.execute(
                "INSERT OR REPLACE INTO storage_buckets VALUES (?, ?, ?, ?, ?, ?)",
                (name, *kept, now, generation + 1, json.dumps(after)),
            )

    def drop(self, name: str) -> None:
        """Forget a bucket that is not there any more, with its policy."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM storage_buckets WHERE name = ?", (name,))
        self._policies.drop(resource(name))

    def project_of(self, name: str) -> str | None:
        """The project of a bucket, where it is known."""
        row = self._row(name)
        return None if row is None else row["project"]

    def shown(self, twin: Mapping[str, Any], root_url: str) -> Json:
        """A bucket as Cloud Storage answers it.

        Args:
            twin: What fake-gcs-server answers.
            root_url: The address of the front.
        """
        name = twin["name"]
        link = f"{root_url}/storage/v1/b/{name}"
        answer: Json = {**twin, "selfLink": link, "iamConfiguration": _ACCESS}
        row = self._row(name)
        if row is None:
            return answer
        kept = json.loads(row["body"])
        answer |= kept | {"iamConfiguration": merged(_ACCESS, kept.get("iamConfiguration", {}))}
        place = str(answer["location"]).upper()
        return answer | {
            "location": place,
            "locationType": "multi-region" if place in _MULTI_REGIONS else "region",
            "projectNumber": self._projects.number_of(row["project"] or PROJECT),
            "timeCreated": row["created"],
            "updated": row["updated"],
            "metageneration": str(row["metageneration"]),
            "etag": f"CA{row['metageneration']}=",
        }

    def policy(self, name: str) -> Policy:
        """The policy of a bucket; where none was set, that of a new one."""
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

    def allows(self, name: str, project: str, member: str, permission: str) -> bool:
        """Whether a member has a permission by the bucket's policy or that of its project.

        Args:
            name: The bucket.
            project: Whose policy counts where the bucket's project is not known.
            member: As IAM writes it, `serviceAccount:ADDRESS`.
            permission: Such as `storage.objects.get`.
        """
        owner = f"projects/{self.project_of(name) or project}"
        return self._policies.allows([owner], member, permission) or grants(
            self.policy(name), member, permission
        )

    def _first_bindings(self, name: str) -> list[Json]:
        if name == PUBLIC_BUCKET:
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
    """The full name under which a bucket's policy is kept."""
    return f"projects/_/buckets/{bucket}"


def settings_of(body: Mapping[str, Any]) -> Json:
    """What a request's body sets of a bucket.

    Raises:
        ApiError: 400 for what is no bucket, 501 for versioning, which no server here has.
    """
    api("storage", "v1").check("Bucket", _without_nulls(body))
    if (body.get("versioning") or {}).get("enabled"):
        raise StorageError(501, "Versioning of objects is not served by the local Google Cloud.")
    return {key: value for key, value in body.items() if key in SETTINGS}


def _without_nulls(settings: Mapping[str, Any]) -> Json:
    return merged({}, settings)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
