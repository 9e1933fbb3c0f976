"""The filter of bulk calls: a file in Cloud Storage that lists studies, series and instances.

https://cloud.google.com/healthcare-api/docs/reference/rest/v1/DicomFilterConfig
"""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from emulator.errors import bad_field
from emulator.healthcare.dicom import permissions
from emulator.healthcare.dicom.models import DicomContents
from emulator.healthcare.dicom.places import Place
from emulator.healthcare.dicom.storage import Storage
from emulator.operations.running import OperationRun

if TYPE_CHECKING:
    from emulator.cloud import Cloud

VIEWER = "roles/storage.objectViewer"
FIELD = "filter_config.resource_paths_gcs_uri"
_OBJECT = re.compile(r"gs://([^/]+)/(.+)")
_UID = r"[0-9.]{1,64}"
_PATH = re.compile(rf"/studies/({_UID})(?:/series/({_UID})(?:/instances/({_UID}))?)?")

MOST_BYTES = 32 << 20
"""Of a file that a request names, which is held in memory: some 200,000 instances."""

Uids = tuple[str, ...]
"""Of a study, or of a study and a series, or of all three."""


def read_object(cloud: "Cloud", project: str, uri: str, field: str) -> bytes:
    """Give the content of an object that a field of a request names.

    Raises:
        ApiError: 400 for the URI, 403 for the agent, 404 for the bucket or the object.
    """
    match = _OBJECT.fullmatch(uri)
    if match is None:
        raise bad_field(field, f"invalid {field} {uri!r}: gs://BUCKET/OBJECT")
    permissions.require_on_bucket(cloud, project, match[1], "storage.objects.get", VIEWER)
    with Storage(cloud.storage_url) as storage:
        return storage.read(match[1], match[2], MOST_BYTES)


def read(cloud: "Cloud", project: str, body: dict[str, Any]) -> list[Uids] | None:
    """Read the filter of a request.

    Args:
        cloud: the local cloud.
        project: whose service agent reads.
        body: the request.

    Returns:
        What is wanted, nothing twice; None without a filter.

    Raises:
        ApiError: as `read_object`, and 400 for a line that is no path, naming it.
    """
    uri = (body.get("filterConfig") or {}).get("resourcePathsGcsUri")
    if not uri:
        return None
    text = read_object(cloud, project, uri, FIELD).decode("utf-8", "replace")
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


def places(store: str, wanted: Iterable[Sequence[str]] | None) -> list[Place]:
    """Give the places of a store that a filter names; without a filter, the whole store."""
    return [Place(store)] if wanted is None else [Place(store, *uids) for uids in wanted]


def log_absent(contents: DicomContents, operation: OperationRun, of: Iterable[Place]) -> int:
    """Log what a filter names and the store does not hold; gives how many there are."""
    absent = [place for place in of if place.study and not contents.count(place)]
    for place in absent:
        uids = zip(
            ("studies", "series", "instances"), (place.study, place.series, place.sop), strict=True
        )
        path = "/".join(f"{kind}/{uid}" for kind, uid in uids if uid)
        operation.log_failure(
            f"{place.store}/dicomWeb/{path}", "The store has no such study, series or instance."
        )
    return len(absent)


def _distinct(wanted: list[Uids]) -> list[Uids]:
    """Leave out what is listed twice, by itself or within something larger."""
    known = set(wanted)
    return [
        uids
        for uids in dict.fromkeys(wanted)
        if not any(uids[:length] in known for length in range(1, len(uids)))
    ]
