"""What the service agent must be allowed, in the words in which the cloud refuses."""

from typing import TYPE_CHECKING

from emulator.errors import permission_denied

if TYPE_CHECKING:
    from emulator.cloud import Cloud


def require_on_bucket(
    cloud: "Cloud", project: str, bucket: str, permission: str, role: str
) -> None:
    """Refuse, unless the agent has a permission on a bucket.

    Raises:
        ApiError: 403, naming the agent, the permission and a role that brings it.
    """
    if not cloud.service_agent_has_on_bucket(project, permission, bucket):
        agent = cloud.services.healthcare_agent(project)
        raise permission_denied(
            f"{agent} does not have {permission} access to the Google Cloud Storage bucket "
            f"{bucket}. Please grant the Cloud Healthcare Service Agent the role {role}."
        )


def require_on_bigquery(cloud: "Cloud", project: str, dataset_project: str, dataset: str) -> None:
    """Refuse, unless the agent may run a load job into a dataset.

    It writes by a role on the dataset or on the dataset's project; jobs belong to a project.

    Raises:
        ApiError: 403, naming the agent, the dataset, the permission and the role that is missing.
    """
    agent = cloud.services.healthcare_agent(project)
    missing = [
        (permission, "roles/bigquery.dataEditor")
        for permission in ("bigquery.tables.create", "bigquery.tables.updateData")
        if not cloud.service_agent_has_on_dataset(project, permission, dataset_project, dataset)
    ]
    if not cloud.service_agent_has(project, "bigquery.jobs.create"):
        missing.append(("bigquery.jobs.create", "roles/bigquery.jobUser"))
    if missing:
        permission, role = missing[0]
        raise permission_denied(
            f"failed to verify dataset ({dataset_project}.{dataset}): {agent} does not have "
            f"{permission}, please add the required {role} role to the Cloud Healthcare Service "
            "Agent"
        )
