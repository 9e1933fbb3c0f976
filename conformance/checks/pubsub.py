"""Checks of Pub/Sub: errors and their texts."""

import threading
from collections.abc import Iterator
from typing import Any

from google.api_core.exceptions import GoogleAPICallError

from conformance.check import Check, Lab
from conformance.cloud_project import Json

_STREAM_SECONDS = 30.0


def _call(lab: Lab, method: str, name: str, json: Json = None) -> Json:
    return lab.call("pubsub", method, f"v1/{name}", json=json)


def _subscribe(lab: Lab, **settings: Any) -> Json:
    body = {"topic": lab.names.topic, **settings}
    return _call(lab, "PUT", f"{lab.names.subscription}-refused", body)


def _keep_alive(lab: Lab) -> Json:
    """Return whether a stream without messages responds to an empty request."""
    first = {
        "subscription": lab.names.idle_subscription,
        "stream_ack_deadline_seconds": 10,
        "protocol_version": 1,
    }
    is_over = threading.Event()

    def requests() -> Iterator[Json]:
        yield from (first, {})
        is_over.wait(_STREAM_SECONDS)  # the end of the requests ends the stream

    with lab.cloud.subscriber() as subscriber:
        stream = subscriber.streaming_pull(requests=requests(), timeout=_STREAM_SECONDS)
        try:
            response = next(stream)
        except (GoogleAPICallError, StopIteration) as error:
            return {"response": type(error).__name__}
        finally:
            is_over.set()
            stream.cancel()
    return {"response": "empty" if not response.received_messages else "messages"}


CHECKS = (
    Check(
        "pubsub-keep-alive",
        "an empty request of a streaming pull, and whether it is responded to",
        _keep_alive,
    ),
    Check(
        "pubsub-missing-text",
        "a topic that does not exist: text",
        lambda lab: _call(lab, "GET", f"{lab.names.topic}-missing"),
    ),
    Check(
        "pubsub-exists-text",
        "creation of a topic that exists: text",
        lambda lab: _call(lab, "PUT", lab.names.topic, {}),
    ),
    Check(
        "pubsub-name-text",
        "creation of a topic with an invalid name: text",
        lambda lab: _call(lab, "PUT", f"projects/{lab.names.project}/topics/1", {}),
    ),
    Check(
        "pubsub-deadline-text",
        "a subscription with a short acknowledgement deadline: text",
        lambda lab: _subscribe(lab, ackDeadlineSeconds=5),
    ),
    Check(
        "pubsub-retention-text",
        "a subscription with a short retention: text",
        lambda lab: _subscribe(lab, messageRetentionDuration="60s"),
    ),
    Check(
        "pubsub-filter-text",
        "a subscription with an invalid filter: text",
        lambda lab: _subscribe(lab, filter="attributes.a >"),
    ),
    Check(
        "pubsub-dead-letter-text",
        "a dead-letter policy with few attempts: text",
        lambda lab: _subscribe(
            lab, deadLetterPolicy={"deadLetterTopic": lab.names.topic, "maxDeliveryAttempts": 1}
        ),
    ),
    Check(
        "pubsub-endpoint-text",
        "a push endpoint that is not a URL: text",
        lambda lab: _subscribe(lab, pushConfig={"pushEndpoint": "nothing"}),
    ),
    Check(
        "pubsub-no-messages-text",
        "publishing no message: text",
        lambda lab: _call(lab, "POST", f"{lab.names.topic}:publish", {"messages": []}),
    ),
    Check(
        "pubsub-attribute-text",
        "publishing with an attribute that begins with goog: text",
        lambda lab: _call(
            lab,
            "POST",
            f"{lab.names.topic}:publish",
            {"messages": [{"attributes": {"googx": "1"}}]},
        ),
    ),
    Check(
        "pubsub-pull-text",
        "a pull of no message: text",
        lambda lab: _call(lab, "POST", f"{lab.names.subscription}:pull", {"maxMessages": 0}),
    ),
    Check(
        "pubsub-acknowledge-text",
        "an acknowledgement without ids: text",
        lambda lab: _call(lab, "POST", f"{lab.names.subscription}:acknowledge", {"ackIds": []}),
    ),
    Check(
        "pubsub-modify-deadline-text",
        "an acknowledgement deadline over the maximum: text",
        lambda lab: _call(
            lab,
            "POST",
            f"{lab.names.subscription}:modifyAckDeadline",
            {"ackIds": ["none"], "ackDeadlineSeconds": 601},
        ),
    ),
    Check(
        "pubsub-update-mask-text",
        "an update of a topic without a mask: text",
        lambda lab: _call(lab, "PATCH", lab.names.topic, {"topic": {"name": lab.names.topic}}),
    ),
)
