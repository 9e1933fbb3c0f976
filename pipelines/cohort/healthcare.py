"""Calls of the Healthcare API about operations, retried by google-api-core."""

from typing import Any

import requests
from google.api_core.retry import Retry

from pipelines.cohort import operations
from workloads.common import google

Json = dict[str, Any]
_SECONDS = 60
_PATIENCE_SECONDS = 300.0


class HealthcareError(Exception):
    """A refusal of the Healthcare API, in its words."""


class _UnavailableError(Exception):
    """A failure that may pass."""


class Healthcare:
    """The operations of a dataset.

    Args:
        source: the DICOM store that is de-identified
        destination: the DICOM store that gets the copies
        config: DeidentifyConfig
    """

    def __init__(self, source: str, destination: str, config: Json) -> None:
        self._source, self._destination, self._config = source, destination, config
        self._root = f"{google.healthcare_root()}v1/"
        self._session = google.session(1)

    def start(self, selection: str) -> str:
        """Start to de-identify what a file names; return the name of the operation."""
        content = operations.body(self._destination, self._config, selection)
        # Not retried without an answer: it may have started. The next attempt of the run looks.
        answer = self._once("POST", f"{self._source}:deidentify", data=content)
        return str(answer["name"])

    def get(self, name: str) -> Json:
        """Return an operation."""
        return self._call("GET", name)

    def list(self) -> list[Json]:
        """Return the operations of the dataset."""
        dataset = self._source.partition("/dicomStores/")[0]
        found: list[Json] = []
        token = ""
        while True:
            page = self._call("GET", f"{dataset}/operations", params={"pageToken": token})
            found += page.get("operations", [])
            token = page.get("nextPageToken", "")
            if not token:
                return found

    def _call(self, method: str, path: str, **more: Any) -> Json:
        retry = Retry(predicate=_is_passing, timeout=_PATIENCE_SECONDS)
        answer: Json = retry(self._once)(method, path, **more)
        return answer

    def _once(self, method: str, path: str, **more: Any) -> Json:
        headers = {"Content-Type": "application/json"}
        try:
            answer: requests.Response = self._session.request(  # type: ignore[no-untyped-call]
                method, f"{self._root}{path}", headers=headers, timeout=_SECONDS, **more
            )
        except requests.RequestException as error:
            raise _UnavailableError(type(error).__name__) from error
        if answer.status_code in google.TRANSIENT_CODES:
            raise _UnavailableError(f"status {answer.status_code}")
        if not answer.ok:
            raise HealthcareError(f"{path}: {answer.text}")
        content: Json = answer.json()
        return content


def _is_passing(error: Exception) -> bool:
    return isinstance(error, _UnavailableError)
