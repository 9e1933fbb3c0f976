"""Calls of the Healthcare API and of Cloud Logging, retried by google-api-core."""

from http import HTTPStatus
from typing import Any

import requests
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError

from pipelines.cohort import operations
from workloads.common import google

Json = dict[str, Any]
_SECONDS = 60
_PATIENCE_SECONDS = 300.0
_PAGE_SIZE = 1000


class HealthcareError(Exception):
    """A refusal of the Healthcare API, in its words."""


class DeniedError(HealthcareError):
    """A refusal for lack of a permission."""


class UnavailableError(HealthcareError):
    """A failure that may pass: a later attempt of the run continues."""


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
        answer = self._once("POST", f"{self._root}{self._source}:deidentify", data=content)
        return str(answer["name"])

    def get(self, name: str) -> Json:
        """Return an operation or a store."""
        return self._call("GET", f"{self._root}{name}")

    def list(self) -> list[Json] | None:
        """Return the operations of the dataset; None if the caller may not list them."""
        dataset = self._source.partition("/dicomStores/")[0]
        found: list[Json] = []
        token = ""
        while True:
            url = f"{self._root}{dataset}/operations"
            try:
                page = self._call("GET", url, params={"pageToken": token})
            except DeniedError:
                return None
            found += page.get("operations", [])
            token = page.get("nextPageToken", "")
            if not token:
                return found

    def failures(self, name: str) -> dict[str, str]:
        """Return the instances that an operation left out: resource name -> reason.

        Documented: https://cloud.google.com/healthcare-api/docs/how-tos/logging. Entries appear
        some seconds after the end, and of many failures not each has one.
        """
        body: Json = {
            "resourceNames": ["/".join(name.split("/")[:2])],
            "filter": f'operation.id="{name}" AND severity>=ERROR',
            "pageSize": _PAGE_SIZE,
        }
        found: dict[str, str] = {}
        while True:
            page = self._call("POST", f"{google.logging_root()}v2/entries:list", json=body)
            for entry in page.get("entries", []):
                payload = entry.get("jsonPayload", {})
                reason = payload.get("error", {}).get("message", "")
                found[str(payload.get("resourceName", ""))] = str(reason)
            if not page.get("nextPageToken"):
                return found
            body["pageToken"] = page["nextPageToken"]

    def _call(self, method: str, url: str, **more: Any) -> Json:
        retry = Retry(predicate=_is_passing, timeout=_PATIENCE_SECONDS)
        answer: Json = retry(self._once)(method, url, **more)
        return answer

    def _once(self, method: str, url: str, **more: Any) -> Json:
        headers = {"Content-Type": "application/json"}
        try:
            answer: requests.Response = self._session.request(  # type: ignore[no-untyped-call]
                method, url, headers=headers, timeout=_SECONDS, **more
            )
        except (requests.RequestException, GoogleAuthError) as error:
            raise UnavailableError(
                f"the service can't be reached ({type(error).__name__})"
            ) from error
        if answer.status_code in google.TRANSIENT_CODES:
            raise UnavailableError(f"the service is unavailable (status {answer.status_code})")
        if answer.status_code == HTTPStatus.FORBIDDEN:
            raise DeniedError(_reason(answer))
        if not answer.ok:
            raise HealthcareError(_reason(answer))
        content: Json = answer.json()
        return content


def _reason(answer: requests.Response) -> str:
    """Return the words of a refusal."""
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} {answer.reason}"


def _is_passing(error: Exception) -> bool:
    return isinstance(error, UnavailableError)
