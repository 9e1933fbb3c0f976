"""Folders of Cloud Storage that a request names, written as the service agent.

Inferred (conformance: export-bucket-text): the text of a refusal.
"""

import re

from emulator.core.errors import invalid_argument
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.service_agent import ServiceAgent
from emulator.services.storage import object_names

ADMIN = "roles/storage.objectAdmin"
_PREFIX = re.compile(r"gs://([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?:/([^*?]*))?")


def require_folder(agent: ServiceAgent, storage_url: str, project: str, uri: str) -> dict[str, str]:
    """Check that a service agent may write to a folder.

    Args:
        agent: checks the permissions of a project's service agent
        storage_url: root of the Cloud Storage service
        project: the project whose service agent writes
        uri: `gs://BUCKET` or `gs://BUCKET/FOLDER`

    Returns:
        `bucket`, and `prefix` with the slash that names of objects follow

    Raises:
        ApiError: 400 for the URI, 403 for the agent, 404 for the bucket
    """
    match = _PREFIX.fullmatch(uri)
    if match is None:
        raise invalid_argument(f"invalid Cloud Storage URI {uri!r}: gs://bucket/folder")
    bucket, prefix = match[1], match[2] or ""
    object_names.validate(prefix)
    for permission in ("storage.objects.create", "storage.objects.delete"):
        agent.require_on_bucket(project, bucket, permission, ADMIN, prefix)
    with GcsClient(storage_url) as storage:
        storage.check_bucket(bucket)
    folder = prefix.rstrip("/") + "/" if prefix.strip("/") else ""
    return {"bucket": bucket, "prefix": folder}
