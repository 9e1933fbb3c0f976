"""Objects of Cloud Storage that a request names, read as the service agent.

Inferred (conformance: import-no-match-text, import-no-source-text): the code and the texts of
refusals of imports.
"""

import re
from typing import Any

from emulator.core.errors import bad_field, invalid_argument
from emulator.services.healthcare.clients import gcs_uri
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


def source_uri(body: dict[str, Any]) -> str:
    """Return the URI of the objects that an import reads.

    Raises:
        ApiError: 400 without one
    """
    uri = str(body.get("gcsSource", {}).get("uri", ""))
    if not uri:
        raise invalid_argument("gcs_source.uri is required: gs://BUCKET/OBJECT")
    return uri


def require_objects(agent: ServiceAgent, storage_url: str, project: str, uri: str) -> None:
    """Check that a service agent may read what an import names, and that there is something.

    Args:
        agent: checks the permissions of a project's service agent
        storage_url: root of the Cloud Storage service
        project: the project whose service agent reads
        uri: may have wildcards

    Raises:
        ApiError: 400 for a URI that is invalid or matches nothing or for a missing bucket, 403 if
            the agent lacks a role
    """
    source = gcs_uri.parse(uri)
    for permission in ("storage.objects.list", "storage.objects.get"):
        agent.require_on_bucket(project, source.bucket, permission, VIEWER, source.prefix)
    with GcsClient(storage_url) as storage:
        storage.check_bucket(source.bucket)
        if next(storage.find(source), None) is None:
            raise invalid_argument(f"the Cloud Storage URI {uri} resolves to zero GCS objects")
