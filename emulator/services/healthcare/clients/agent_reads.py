"""Objects of Cloud Storage that a request names, read as the service agent."""

import re

from emulator.core.errors import bad_field
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.service_agent import ServiceAgent

VIEWER = "roles/storage.objectViewer"
_OBJECT = re.compile(r"gs://([^/]+)/(.+)")
MAX_BYTES = 32 << 20
"""Bytes of a file that a request names, which is held in memory: about 200,000 instances."""


def read_object(agent: ServiceAgent, storage_url: str, project: str, uri: str, field: str) -> bytes:
    """Return the content of an object that a field of a request names.

    Args:
        agent: checks that a project's service agent may read the object
        storage_url: root of the Cloud Storage service
        project: the project whose service agent reads
        uri: `gs://BUCKET/OBJECT`
        field: the name of the field, for errors

    Raises:
        ApiError: 400 for the URI, 403 for the agent, 404 for the bucket or the object.
    """
    match = _OBJECT.fullmatch(uri)
    if match is None:
        raise bad_field(field, f"invalid {field} {uri!r}: gs://BUCKET/OBJECT")
    agent.require_on_bucket(project, match[1], "storage.objects.get", VIEWER)
    with GcsClient(storage_url) as storage:
        return storage.read(match[1], match[2], MAX_BYTES)
