"""The Healthcare service agent: its permissions in other services, and Google's errors.

Inferred (conformance: stream-dataset-text, import-bucket-text, export-bucket-text,
export-dataset-text): the texts of refusals for lack of a role.
"""

from collections.abc import Sequence

from emulator.core.errors import ApiError, permission_denied
from emulator.core.resource_name import ResourceName
from emulator.services.bigquery.models import Metadata
from emulator.services.iam import conditions
from emulator.services.iam.conditions import Target
from emulator.services.iam.service import Iam
from emulator.services.iam.service_accounts import agent_email
from emulator.services.resourcemanager.models import Projects
from emulator.services.storage.models import Buckets

API = "healthcare.googleapis.com"
EDITOR = "roles/bigquery.dataEditor"
_WRITE_ROWS = "bigquery.tables.updateData"


class ServiceAgent:
    """The service agents of all projects, each named by the id of its project."""

    def __init__(self, projects: Projects, iam: Iam, buckets: Buckets, datasets: Metadata) -> None:
        self._projects = projects
        self._iam = iam
        self._buckets = buckets
        self._datasets = datasets

    def email(self, project: str) -> str:
        """Return the address of a project's agent, whether the agent exists or not."""
        return agent_email(self._projects.number_of(project), API)

    def create(self, project: str) -> None:
        """Create a project's agent unless it exists: the real one appears at first use."""
        number = self._projects.number_of(project)
        self._iam.service_accounts.create_agent(project, number, API)

    def has(
        self,
        project: str,
        permission: str,
        resources: Sequence[str] = (),
        target: Target | None = None,
    ) -> bool:
        """Whether an agent has a permission.

        Args:
            project: the project whose agent acts
            permission: such as `bigquery.jobs.create`
            resources: the resources whose policies count; the project alone if none is named
            target: what conditions are evaluated for; the project by default
        """
        owner = f"projects/{project}"
        return self._iam.policies.allows(
            resources or [owner],
            self._member(project),
            permission,
            target or conditions.project(owner),
        )

    def has_on_bucket(self, project: str, permission: str, bucket: str, prefix: str = "") -> bool:
        """Whether an agent has a permission by the policy of a bucket or its project."""
        return self._buckets.allows(bucket, project, self._member(project), permission, prefix)

    def has_on_dataset(
        self, project: str, permission: str, dataset_project: str, dataset: str
    ) -> bool:
        """Whether an agent has a permission by the access of a BigQuery dataset or its project."""
        owner = f"projects/{dataset_project}"
        name, service = f"{owner}/datasets/{dataset}", "bigquery.googleapis.com"
        target = Target(name, service, f"{service}/Dataset")
        return self.has(project, permission, [owner], target) or self._datasets.allows(
            name, self._member(project), permission, target
        )

    def may_stream(self, store: str, dataset_project: str, dataset: str) -> bool:
        """Whether the agent of a store's project may write to the tables of a BigQuery dataset."""
        project = ResourceName.parse(store).project
        return self.has_on_dataset(project, _WRITE_ROWS, dataset_project, dataset)

    def may_publish(self, project: str, topic: str) -> bool:
        """Whether an agent may publish to a topic, named in full."""
        owner = f"projects/{ResourceName.parse(topic).project}"
        service = "pubsub.googleapis.com"
        target = Target(topic, service, f"{service}/Topic")
        return self.has(project, "pubsub.topics.publish", [owner, topic], target)

    def require_on_bucket(
        self, project: str, bucket: str, permission: str, role: str, prefix: str = ""
    ) -> None:
        """Refuse unless the agent has a permission on a bucket, or on objects in it.

        Args:
            project: the project whose agent acts
            bucket: the name of the bucket
            permission: such as `storage.objects.get`
            role: a role that brings it
            prefix: what the names of the objects begin with, for conditions

        Raises:
            ApiError: 403, naming the agent, the permission and a role that brings it.
        """
        if not self.has_on_bucket(project, permission, bucket, prefix):
            access = f"{permission} access to the Google Cloud Storage bucket {bucket}"
            raise self._refusal(project, access, role)

    def require_on_key(self, project: str, key: str, permission: str, role: str) -> None:
        """Refuse unless the agent has a permission on a KMS key, named in full.

        Raises:
            ApiError: 403, naming the agent, the permission and a role that brings it.
        """
        name = ResourceName.parse(key)
        resources = [f"projects/{name.project}", str(name.ancestor("keyRings")), key]
        service = "cloudkms.googleapis.com"
        target = Target(key, service, f"{service}/CryptoKey")
        if not self.has(project, permission, resources, target):
            raise self._refusal(project, f"{permission} on the KMS key {key}", role)

    def require_load_job(self, project: str, dataset_project: str, dataset: str) -> None:
        """Refuse unless the agent may run a load job into a BigQuery dataset.

        It writes by a role on the dataset or on the dataset's project; jobs belong to a project.

        Raises:
            ApiError: 403, naming the agent, the dataset, the permission and the missing role.
        """
        missing = [
            (permission, EDITOR)
            for permission in ("bigquery.tables.create", _WRITE_ROWS)
            if not self.has_on_dataset(project, permission, dataset_project, dataset)
        ]
        if not self.has(project, "bigquery.jobs.create"):
            missing.append(("bigquery.jobs.create", "roles/bigquery.jobUser"))
        if missing:
            permission, role = missing[0]
            raise permission_denied(
                f"failed to verify dataset ({dataset_project}.{dataset}): {self.email(project)} "
                f"does not have {permission}, please add the required {role} role to the Cloud "
                "Healthcare Service Agent"
            )

    def require_stream(self, project: str, dataset_project: str, dataset: str) -> None:
        """Refuse unless the agent may stream rows into a BigQuery dataset.

        Raises:
            ApiError: 403, naming the agent, the dataset and the missing role.
        """
        if not self.has_on_dataset(project, _WRITE_ROWS, dataset_project, dataset):
            raise permission_denied(
                f"failed to verify dataset ({dataset_project}.{dataset}), please add the required "
                f"{EDITOR.removeprefix('roles/')} role to the Cloud Healthcare service agent "
                f"{self.email(project)}"
            )

    def _member(self, project: str) -> str:
        return f"serviceAccount:{self.email(project)}"

    def _refusal(self, project: str, access: str, role: str) -> ApiError:
        return permission_denied(
            f"{self.email(project)} does not have {access}. Please grant the Cloud Healthcare "
            f"Service Agent the role {role}."
        )
