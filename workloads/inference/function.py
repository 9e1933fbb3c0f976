"""The HTTP function that functions-framework serves: one push request, one arrival.

A success is acknowledged with 204. A message that no repetition helps is published to the
dead-letter topic, with its reason as an attribute, and acknowledged then. All else is delivered
again, and Pub/Sub itself moves it to the dead-letter topic after its last attempt.
"""

import base64
import os
from functools import cache
from typing import Any

import flask
import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from workloads.common import google
from workloads.common.counters import Counters
from workloads.common.dicomweb import DicomWeb, StoreError
from workloads.common.logs import Log
from workloads.inference import settings
from workloads.inference.arrival import Arrivals, Notification, PoisonError, parse
from workloads.inference.loading import load
from workloads.inference.observation import FhirStore
from workloads.inference.settings import Settings

LOG = Log("inference")
CONNECTIONS = 32
TIMEOUT_SECONDS = 30.0
_DONE, _BAD_REQUEST, _AGAIN = 204, 400, 503

Answer = tuple[str, int]


class Function:
    """The function, with its clients.

    Args:
        arrivals: works on messages
        session: publishes dead letters
        dead_letters: the full name of their topic
    """

    def __init__(self, arrivals: Arrivals, session: AuthorizedSession, dead_letters: str) -> None:
        self._arrivals, self._session, self._dead_letters = arrivals, session, dead_letters

    def answer(self, body: Any) -> Answer:
        """Return the answer to the body of a push request."""
        try:
            notification = parse(body)
        except PoisonError as error:
            # No message: there is nothing to keep.
            LOG.error("request refused", reason=str(error))
            return str(error), _BAD_REQUEST
        try:
            self._arrivals.work(notification)
        except StoreError as error:
            LOG.warning("failed", message_id=notification.id, reason=error.reason)
            return "", _AGAIN
        except PoisonError as error:
            return self._bury(notification, str(error))
        return "", _DONE

    def _bury(self, notification: Notification, reason: str) -> Answer:
        """Publish a dead letter; without success, the message is delivered again."""
        attributes = {**notification.attributes, "reason": reason, "messageId": notification.id}
        message: dict[str, Any] = {
            "data": base64.b64encode(notification.data).decode(),
            "attributes": attributes,
        }
        url = f"{google.pubsub_root()}v1/{self._dead_letters}:publish"
        try:
            answer = self._session.post(url, json={"messages": [message]}, timeout=TIMEOUT_SECONDS)
        except (requests.RequestException, GoogleAuthError) as error:
            LOG.warning("dead letter not published", reason=type(error).__name__)
            return "", _AGAIN
        if not answer.ok:
            LOG.error("dead letter not published", reason=f"Pub/Sub: {answer.status_code}")
            return "", _AGAIN
        LOG.error("dead letter", message_id=notification.id, reason=reason)
        return "", _DONE


def make(wanted: Settings) -> Function:
    """Make the function of some settings.

    Raises:
        ModelError: the model can't be loaded
        CredentialsError: there are no credentials
    """
    session = google.session(CONNECTIONS)
    arrivals = Arrivals(
        DicomWeb(wanted.dicom_store, CONNECTIONS),
        load(wanted.model),
        Counters(),
        FhirStore(wanted.fhir_store, session) if wanted.fhir_store else None,
        wanted.has_presentation_state,
    )
    return Function(arrivals, session, wanted.dead_letters)


@cache
def _function() -> Function:
    return make(settings.read(os.environ))


def infer(request: flask.Request) -> Answer:
    """Answer a push request."""
    return _function().answer(request.get_json(silent=True))
