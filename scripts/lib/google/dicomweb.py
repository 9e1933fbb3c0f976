"""The few DICOMweb reads that the scripts need (PS3.18: searches and rendered instances)."""

from collections.abc import Iterator
from typing import Any

from google.auth.transport.requests import AuthorizedSession

from scripts.lib.google import retry
from scripts.lib.google.errors import translate_errors

PAGE = 5_000
READ_TIMEOUT_SECONDS = 60
DICOM_JSON = "application/dicom+json"

SOP_INSTANCE_UID = "00080018"
STUDY_DATE = "00080020"
STUDY_INSTANCE_UID = "0020000D"
SERIES_INSTANCE_UID = "0020000E"

Dataset = dict[str, Any]


class DicomWeb:
    """A store's DICOMweb service.

    Args:
        session: with credentials
        root: the service root, ending in /dicomWeb
    """

    def __init__(self, session: AuthorizedSession, root: str) -> None:
        self._session = session
        self._root = root

    def _get(self, path: str, accept: str, parameters: dict[str, str]) -> Any:
        def attempt() -> Any:
            answer = self._session.get(
                f"{self._root}/{path}",
                params=parameters,
                headers={"Accept": accept},
                timeout=READ_TIMEOUT_SECONDS,
            )
            answer.raise_for_status()
            return answer

        with translate_errors(f"reading {self._root}/{path}"):
            return retry.call(attempt)

    def search(self, resource: str = "instances", **match: str) -> Iterator[Dataset]:
        """Search for instances, series or studies, page by page.

        Args:
            resource: instances, series or studies
            match: DICOM keywords and values, e.g. PatientID="88".

        Yields:
            Each one in the DICOM JSON model.

        Raises:
            ScriptError: the service refuses or can't be reached
        """
        offset = 0
        while True:
            page = {"limit": str(PAGE), "offset": str(offset)}
            answer = self._get(resource, DICOM_JSON, match | page)
            found = [] if answer.status_code == 204 else answer.json()
            yield from found
            if len(found) < PAGE:
                return
            offset += PAGE

    def count(self) -> int:
        """Count the store's instances: each SOP Instance UID once."""
        return len({value(instance, SOP_INSTANCE_UID) for instance in self.search()})

    def fetch_rendered(self, instance: Dataset, media_type: str = "image/png") -> bytes:
        """Fetch an instance as a picture.

        Args:
            instance: as `search` yields it
            media_type: image/png or image/jpeg
        """
        path = (
            f"studies/{value(instance, STUDY_INSTANCE_UID)}"
            f"/series/{value(instance, SERIES_INSTANCE_UID)}"
            f"/instances/{value(instance, SOP_INSTANCE_UID)}/rendered"
        )
        content = self._get(path, media_type, {}).content
        assert isinstance(content, bytes)
        return content


def value(dataset: Dataset, tag: str) -> str:
    """Return an element's first value as text; empty if it has none."""
    values = dataset.get(tag, {}).get("Value") or [""]
    return str(values[0])
