"""The DICOMweb service of a store: STOW-RS, QIDO-RS and WADO-RS as the adapter needs them."""

import re
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError

from workloads.common import google
from workloads.dimse import errors
from workloads.dimse.errors import Refusal, UsageError

PAGE = 1_000
"""Results of a search in one answer; the service allows at most 5,000 studies or series."""
READ_TIMEOUT_SECONDS = 300
CONNECT_TIMEOUT_SECONDS = 10
DICOM_JSON = "application/dicom+json"
STORE = re.compile(r"projects/[^/]+/locations/[^/]+/datasets/[^/]+/dicomStores/[^/]+")

_FAILED, _REASON, _DETAIL = "00081198", "00081197", "00091097"
"""FailedSOPSequence, FailureReason, and Google's FailureDetail (docs/dicom#store_transaction)."""
_STATUSES = {
    401: errors.NOT_AUTHORIZED,
    403: errors.NOT_AUTHORIZED,
    408: errors.OUT_OF_RESOURCES,
    429: errors.OUT_OF_RESOURCES,
    500: errors.OUT_OF_RESOURCES,
    502: errors.OUT_OF_RESOURCES,
    503: errors.OUT_OF_RESOURCES,
    504: errors.OUT_OF_RESOURCES,
}

Result = dict[str, Any]
Parameters = Sequence[tuple[str, str]]


class StoreRefusal(Refusal):
    """A request that the store refused or did not answer.

    Args:
        status: of DIMSE
        comment: the reason, without patient data
        transient: whether the same request may succeed later
        code: the HTTP status; None without an answer
    """

    def __init__(self, status: int, comment: str, *, transient: bool, code: int | None) -> None:
        super().__init__(status, comment)
        self.transient, self.code = transient, code


class DicomWeb:
    """A store's DICOMweb service, for several threads.

    Args:
        store: `projects/P/locations/L/datasets/D/dicomStores/S`
        connections: open at most
    """

    def __init__(self, store: str, connections: int) -> None:
        if not STORE.fullmatch(store):
            raise UsageError(
                f"{store!r} is not a valid DICOM store:"
                " projects/P/locations/L/datasets/D/dicomStores/S is expected."
            )
        self.store_name = store
        self._root = f"{google.healthcare_root()}v1/{store}/dicomWeb"
        self._session = google.session(connections)

    def check(self) -> None:
        """Search for one study.

        Raises:
            StoreRefusal: the store does not exist, lacks a role of this account, or no answer came
        """
        self._request("GET", "studies", params=[("limit", "1")], accept=DICOM_JSON)

    def store(self, content: bytes) -> None:
        """Store an instance.

        Args:
            content: a file in the DICOM File Format

        Raises:
            StoreRefusal: with the reason of the store
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
            StoreRefusal: with the reason of the store
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

    def retrieve(self, path: str, transfer_syntax: str) -> bytes:
        """Fetch the file of an instance.

        Args:
            path: `studies/UID/series/UID/instances/UID`
            transfer_syntax: UID, or `*` for the stored one

        Raises:
            StoreRefusal: with the reason of the store; code 406 if it can't transcode
        """
        accept = f"application/dicom; transfer-syntax={transfer_syntax}"
        return self._request("GET", path, accept=accept).content

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
            raise StoreRefusal(
                errors.OUT_OF_RESOURCES,
                f"the DICOM store can't be reached ({type(error).__name__})",
                transient=True,
                code=None,
            ) from error
        if not answer.ok:
            raise _refusal(answer)
        return answer


def _refusal(answer: requests.Response) -> StoreRefusal:
    code = answer.status_code
    status = _STATUSES.get(code, errors.PROCESSING_FAILURE)
    reason = _reason(answer)
    if code == 409:
        duplicate = reason.startswith("already exists")
        status = errors.DUPLICATE_INSTANCE if duplicate else errors.CANNOT_UNDERSTAND
    transient = code in google.TRANSIENT_CODES
    comment = reason if code == 409 else f"store: HTTP {code} {reason}"
    return StoreRefusal(status, comment, transient=transient, code=code)


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
