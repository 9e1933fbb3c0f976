"""The DICOMweb service of a store: STOW-RS, QIDO-RS and WADO-RS as the workloads need them."""

import re
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError

from workloads.common import google

PAGE = 1_000
"""Results of a search in one answer; the service allows at most 5,000 studies or series."""
READ_TIMEOUT_SECONDS = 300
CONNECT_TIMEOUT_SECONDS = 10
DICOM_JSON = "application/dicom+json"
STORE = re.compile(r"projects/[^/]+/locations/[^/]+/datasets/[^/]+/dicomStores/[^/]+")

_FAILED, _REASON, _DETAIL = "00081198", "00081197", "00091097"
"""FailedSOPSequence, FailureReason, and Google's FailureDetail (docs/dicom#store_transaction)."""

Result = dict[str, Any]
Parameters = Sequence[tuple[str, str]]


class StoreError(Exception):
    """A request that the store refused or did not answer.

    Args:
        reason: the words of the store, without patient data
        code: the HTTP status; None without an answer
    """

    def __init__(self, reason: str, code: int | None) -> None:
        super().__init__(reason)
        self.reason, self.code = reason, code

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed later."""
        return self.code is None or self.code in google.TRANSIENT_CODES

    @property
    def is_duplicate(self) -> bool:
        """Whether the store has an instance of this UID already."""
        return self.code == requests.codes.conflict and self.reason.startswith("already exists")


class DicomWeb:
    """A store's DICOMweb service, for several threads.

    Args:
        store: `projects/P/locations/L/datasets/D/dicomStores/S`
        connections: open at most

    Raises:
        CredentialsError: there are no credentials
    """

    def __init__(self, store: str, connections: int) -> None:
        self.store_name = store
        self._root = f"{google.healthcare_root()}v1/{store}/dicomWeb"
        self._session = google.session(connections)

    def check(self) -> None:
        """Search for one study.

        Raises:
            StoreError: the store does not exist, lacks a role of this account, or no answer came
        """
        self._request("GET", "studies", params=[("limit", "1")], accept=DICOM_JSON)

    def store(self, content: bytes) -> None:
        """Store an instance.

        Args:
            content: a file in the DICOM File Format

        Raises:
            StoreError: with the reason of the store
        """
        boundary = uuid.uuid4().hex
        head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        body = b"".join((head, content, f"\r\n--{boundary}--\r\n".encode()))
        media_type = f'multipart/related; type="application/dicom"; boundary={boundary}'
        self._request("POST", "studies", data=body, accept=DICOM_JSON, media_type=media_type)

    def search(self, resource: str, parameters: Parameters) -> Iterator[Result]:
        """Yield what a search finds, in the DICOM JSON model.

        Args:
            resource: studies, series or instances
            parameters: match keys and `includefield`

        Raises:
            StoreError: with the reason of the store
        """
        offset = 0
        while True:
            page = [*parameters, ("limit", str(PAGE)), ("offset", str(offset))]
            answer = self._request("GET", resource, params=page, accept=DICOM_JSON)
            results = answer.json() if answer.content else []
            yield from results
            if len(results) < PAGE:
                return
            offset += PAGE

    def first(self, resource: str, parameters: Parameters) -> Result | None:
        """Return the first result of a search; None if it finds nothing.

        Raises:
            StoreError: with the reason of the store
        """
        page = [*parameters, ("limit", "1")]
        answer = self._request("GET", resource, params=page, accept=DICOM_JSON)
        results: list[Result] = answer.json() if answer.content else []
        return next(iter(results), None)

    def retrieve(self, path: str, transfer_syntax: str) -> bytes:
        """Fetch the file of an instance.

        Args:
            path: `studies/UID/series/UID/instances/UID`
            transfer_syntax: UID, or `*` for the stored one

        Raises:
            StoreError: with the reason of the store; code 406 if it can't transcode
        """
        accept = f"application/dicom; transfer-syntax={transfer_syntax}"
        return self._request("GET", path, accept=accept).content

    def metadata(self, path: str) -> Result:
        """Return the attributes of an instance, in the DICOM JSON model.

        Args:
            path: `studies/UID/series/UID/instances/UID`

        Raises:
            StoreError: with the reason of the store
        """
        found: list[Result] = self._request("GET", f"{path}/metadata", accept=DICOM_JSON).json()
        return found[0]

    def _request(
        self,
        method: str,
        path: str,
        *,
        accept: str,
        params: Parameters = (),
        data: bytes | None = None,
        media_type: str | None = None,
    ) -> requests.Response:
        headers = {"Accept": accept} | ({"Content-Type": media_type} if media_type else {})
        try:
            answer: requests.Response = self._session.request(  # type: ignore[no-untyped-call]
                method,
                f"{self._root}/{path}",
                params=list(params),
                data=data,
                headers=headers,
                timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
            )
        except (requests.RequestException, GoogleAuthError) as error:
            raise self._error(
                f"the DICOM store can't be reached ({type(error).__name__})", None
            ) from error
        if not answer.ok:
            raise self._error(_reason(answer), answer.status_code)
        return answer

    def _error(self, reason: str, code: int | None) -> Exception:
        """Return what a request raises that failed."""
        return StoreError(reason, code)


def _reason(answer: requests.Response) -> str:
    """Return why the store refused: its words, which name no patient."""
    try:
        content = answer.json()
    except ValueError:
        return answer.reason
    match content:
        case {"error": {"message": str(message)}} | [{"error": {"message": str(message)}}, *_]:
            return message
        case dict():
            for failed in content.get(_FAILED, {}).get("Value", []):
                return value(failed, _DETAIL) or f"failure reason {value(failed, _REASON)}"
    return answer.reason


def value(result: Result, tag: str) -> str:
    """Return an element's first value as text; empty if it has none."""
    values = result.get(tag, {}).get("Value") or [""]
    return str(values[0])
