"""Messages of a subscription."""

from conformance.cloud_project import CloudProject, Json

MAX_MESSAGES = 100


def pull(cloud: CloudProject, subscription: str) -> list[Json]:
    """Return the messages that are due, and acknowledge them."""
    request = {"maxMessages": MAX_MESSAGES, "returnImmediately": True}
    answer = cloud.require("pubsub", "POST", f"v1/{subscription}:pull", json=request)
    received = answer.get("receivedMessages", [])
    if received:
        ids = {"ackIds": [one["ackId"] for one in received]}
        cloud.require("pubsub", "POST", f"v1/{subscription}:acknowledge", json=ids)
    return [one["message"] for one in received]
