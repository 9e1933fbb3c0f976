"""The filter of bulk calls: a file in Cloud Storage that lists studies, series and instances.

https://cloud.google.com/healthcare-api/docs/reference/rest/v1/DicomFilterConfig
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from emulator.core.errors import RPC_CODES, bad_field
from emulator.core.operations.operation_type import OperationRun
from emulator.services.healthcare.clients import agent_reads
from emulator.services.healthcare.dicom.instances.models import InstanceStore
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from emulator.services.healthcare.dicom.service import Dicom

FIELD = "filter_config.resource_paths_gcs_uri"
_UID = r"[0-9.]{1,64}"
_PATH = re.compile(rf"/studies/({_UID})(?:/series/({_UID})(?:/instances/({_UID}))?)?")

Uids = tuple[str, ...]
"""UIDs of a study, of a study and a series, or of all three levels."""


def read_filter_config(dicom: Dicom, project: str, body: dict[str, Any]) -> list[Uids] | None:
    """Read the filter of a request.

    Args:
        dicom: the DICOM stores
        project: of the service agent that reads
        body: the request

    Returns:
        The UIDs of the listed resources, each once; None without a filter

    Raises:
        ApiError: as `agent_reads.read_object`, and 400 for an invalid path, with its line.
    """
    uri = (body.get("filterConfig") or {}).get("resourcePathsGcsUri")
    if not uri:
        return None
    storage_url = dicom.settings.storage_url
    content = agent_reads.read_object(dicom.agent, storage_url, project, uri, FIELD)
    text = content.decode("utf-8", "replace")
    wanted: list[Uids] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        match = _PATH.fullmatch(line.strip())
        if match is None:
            raise bad_field(
                FIELD,
                f"{uri}, line {number}: {line[:200]!r} is not "
                "/studies/UID[/series/UID[/instances/UID]]",
            )
        wanted.append(tuple(uid for uid in match.groups() if uid))
    if not wanted:
        raise bad_field(FIELD, f"{uri} lists nothing")
    return _distinct(wanted)


def resolve(store: str, wanted: Iterable[Sequence[str]] | None) -> list[ResourcePath]:
    """Return the paths of a store that a filter names; without a filter, the whole store."""
    return (
        [ResourcePath(store)] if wanted is None else [ResourcePath(store, *uids) for uids in wanted]
    )


def log_missing(
    contents: InstanceStore, operation: OperationRun, of: Iterable[ResourcePath]
) -> int:
    """Log the resources of a filter that the store lacks; return their number."""
    absent = [
        resource_path
        for resource_path in of
        if resource_path.study and not contents.count(resource_path)
    ]
    for resource_path in absent:
        operation.log_failure(
            str(resource_path),
            "The store has no such study, series or instance.",
            RPC_CODES["NOT_FOUND"],
        )
    return len(absent)


def _distinct(wanted: list[Uids]) -> list[Uids]:
    """Drop repeated resources, and those inside other listed ones."""
    known = set(wanted)
    return [
        uids
        for uids in dict.fromkeys(wanted)
        if not any(uids[:length] in known for length in range(1, len(uids)))
    ]
