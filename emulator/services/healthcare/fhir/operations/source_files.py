"""Files of an import in Cloud Storage: their structure, and their texts.

Documented (`ContentStructure` of the API's reference): the structures.
"""

from collections.abc import Iterator
from typing import Any

from emulator.core.errors import ApiError, invalid_argument
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.clients import agent_reads
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.fhir.operations import content
from emulator.services.healthcare.fhir.service import Fhir

MAX_FILE_BYTES = 512 << 20
"""Bytes of a line, or of a file that is one resource or bundle: each is held in memory."""
_STRUCTURES = (
    content.BUNDLE,
    content.RESOURCE,
    content.BUNDLE_PRETTY,
    content.RESOURCE_PRETTY,
)


def request_of(fhir: Fhir, store: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the part of an operation's request about its source, checked.

    Raises:
        ApiError: 400 for a URI that is invalid or matches nothing or for a missing bucket, 403 if
            the agent lacks a role
    """
    structure = body.get("contentStructure", "")
    if structure in content.DEFAULTS:
        structure = content.BUNDLE
    if structure not in _STRUCTURES:
        wanted = ", ".join(_STRUCTURES)
        raise invalid_argument(f"invalid content_structure {structure!r}: {wanted}")
    uri, project = agent_reads.source_uri(body), ResourceName.parse(store).project
    agent_reads.require_objects(fhir.agent, fhir.settings.storage_url, project, uri)
    return {"store": store, "uri": uri, "structure": structure}


def texts(
    storage: GcsClient, bucket: str, name: str, structure: str, progress: BatchProgress
) -> Iterator[bytes]:
    """Yield the lines of a file, or its whole content; log a file that can't be read."""
    try:
        if content.is_whole(structure):
            yield storage.read(bucket, name, MAX_FILE_BYTES)
        else:
            yield from storage.lines(bucket, name, MAX_FILE_BYTES)
    except ApiError as error:
        if error.code >= 500:
            raise
        progress.fail(f"gs://{bucket}/{name}", error.message)
