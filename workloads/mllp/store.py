"""An HL7v2 store of the Healthcare API: ingest messages, and read them."""

import base64
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from workloads.common import google
from workloads.common.delivery import Refused, Unavailable

TIMEOUT_SECONDS = 20.0
_DETAIL = "IngestMessageErrorDetail"
_REFUSED_CODES = frozenset({400, 413, 422})
_HEADERS = {"X-GOOG-API-FORMAT-VERSION": "2"}
"""As Google's own adapter sends: errors then come as google.rpc.Status, with the NACK."""


class Nacked(Refused):
    """A refusal of a message, with the NACK of the store.

    Attributes:
        nack: bytes for the sender
    """

    def __init__(self, reason: str, nack: bytes) -> None:
        super().__init__(reason)
        self.nack = nack


class Denied(Unavailable):
    """A refusal that no message can change: the store or a grant is missing."""


class UnknownStoreError(Exception):
    """A store that does not exist, in a sentence for people."""


class Messages:
    """The messages of HL7v2 stores, for several threads.

    Args:
        session: with credentials
    """

    def __init__(self, session: AuthorizedSession) -> None:
        self._session, self._root = session, f"{google.healthcare_root()}v1/"

    def check(self, store: str) -> None:
        """Check that a store exists, if this can be found out.

        Raises:
            UnknownStoreError: it does not exist
            Unavailable: the service does not answer, or may not be asked
        """
        answer = self._call("GET", store)
        if answer.status_code == requests.codes.not_found:
            raise UnknownStoreError(
                f"The HL7v2 store {store} does not exist: {_error(answer).get('message', '')}"
            )
        if not answer.ok:
            raise Denied(_summary(answer))

    def ingest(self, store: str, data: bytes) -> bytes:
        """Store a message; return the ACK.

        Raises:
            Nacked: the store refuses the message
            Refused: the API refuses the request itself
            Unavailable: the service can't store it now
        """
        body = {"message": {"data": base64.b64encode(data).decode()}}
        # The answer would hold the message too, whole and parsed.
        answer = self._call("POST", f"{store}/messages:ingest?fields=hl7Ack", json=body)
        if answer.ok:
            return base64.b64decode(answer.json()["hl7Ack"])
        if answer.status_code not in _REFUSED_CODES:
            raise _failure(answer)
        error = _error(answer)
        reason = str(error.get("message", "")) or _summary(answer)
        for detail in error.get("details", []):
            if str(detail.get("@type", "")).endswith(_DETAIL) and "hl7Nack" in detail:
                raise Nacked(reason, base64.b64decode(detail["hl7Nack"]))
        raise Refused(reason)

    def get(self, name: str) -> bytes | None:
        """Return the bytes of a message; None if it does not exist.

        Raises:
            Unavailable: the service can't return it now
        """
        answer = self._call("GET", name, params={"view": "RAW_ONLY"})
        if answer.status_code == requests.codes.not_found:
            return None
        if not answer.ok:
            raise _failure(answer)
        return base64.b64decode(answer.json()["data"])

    def _call(self, method: str, path: str, **request: Any) -> requests.Response:
        try:
            answer: requests.Response = self._session.request(  # type: ignore[no-untyped-call]
                method, self._root + path, headers=_HEADERS, timeout=TIMEOUT_SECONDS, **request
            )
        except (requests.RequestException, GoogleAuthError) as error:
            raise Unavailable(f"no answer ({type(error).__name__})") from error
        return answer


def _failure(answer: requests.Response) -> Unavailable:
    is_transient = answer.status_code in google.TRANSIENT_CODES
    return (Unavailable if is_transient else Denied)(_summary(answer))


def _summary(answer: requests.Response) -> str:
    """Return status code and reason, without the text, which may quote a message."""
    return f"{answer.status_code} {answer.reason}"


def _error(answer: requests.Response) -> dict[str, Any]:
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}
