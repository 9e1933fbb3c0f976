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
    if not cloud.service_agent_has(project, permission, f"buckets/{bucket}"):
        agent = cloud.services.healthcare_agent(project)
        raise permission_denied(
            f"{agent} does not have {permission} access to the Google Cloud Storage bucket "
            f"{bucket}. Please grant the Cloud Healthcare Service Agent the role {role}."
        )


def require_on_bigquery(cloud: "Cloud", project: str, dataset: str) -> None:
    """Refuse, unless the agent may run a load job into a dataset.

    Raises:
        ApiError: 403, naming the dataset, the permission and the role that is missing.
    """
    needed = (
        ("bigquery.tables.create", "roles/bigquery.dataEditor"),
        ("bigquery.tables.updateData", "roles/bigquery.dataEditor"),
        ("bigquery.jobs.create", "roles/bigquery.jobUser"),
    )
    for permission, role in needed:
        if not cloud.service_agent_has(project, permission):
            agent = cloud.services.healthcare_agent(project)
            raise permission_denied(
                f"failed to verify dataset ({dataset}): {agent} does not have {permission}, please "
                f"add the required {role} role to the Cloud Healthcare Service Agent"
            )
