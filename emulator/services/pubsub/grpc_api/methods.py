"""The unary methods of google.pubsub.v1 and google.iam.v1, with the REST method of each.

Documented: the `google.api.http` options of google/pubsub/v1/pubsub.proto and
google/iam/v1/iam_policy.proto. Methods that REST does not serve are not listed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.protobuf import empty_pb2
from google.pubsub_v1.types import pubsub

_Empty = empty_pb2.Empty


@dataclass(frozen=True)
class Method:
    """A unary method.

    Attributes:
        request: the protobuf class of its request
        response: the protobuf class of its response
        verb: the HTTP method
        path: the REST path behind the version, with the request's fields in braces
    """

    request: Any
    response: Any
    verb: str
    path: str


def _method(request: Any, response: Any, verb: str, path: str) -> Method:
    return Method(_protobuf(request), _protobuf(response), verb, path)


def _protobuf(message: Any) -> Any:
    """Return the protobuf class behind one of proto-plus."""
    return message.pb() if hasattr(message, "pb") else message


_PUBLISHER = {
    "CreateTopic": _method(pubsub.Topic, pubsub.Topic, "PUT", "{name}"),
    "UpdateTopic": _method(pubsub.UpdateTopicRequest, pubsub.Topic, "PATCH", "{topic.name}"),
    "Publish": _method(pubsub.PublishRequest, pubsub.PublishResponse, "POST", "{topic}:publish"),
    "GetTopic": _method(pubsub.GetTopicRequest, pubsub.Topic, "GET", "{topic}"),
    "ListTopics": _method(
        pubsub.ListTopicsRequest, pubsub.ListTopicsResponse, "GET", "{project}/topics"
    ),
    "ListTopicSubscriptions": _method(
        pubsub.ListTopicSubscriptionsRequest,
        pubsub.ListTopicSubscriptionsResponse,
        "GET",
        "{topic}/subscriptions",
    ),
    "DeleteTopic": _method(pubsub.DeleteTopicRequest, _Empty, "DELETE", "{topic}"),
}
_SUBSCRIBER = {
    "CreateSubscription": _method(pubsub.Subscription, pubsub.Subscription, "PUT", "{name}"),
    "GetSubscription": _method(
        pubsub.GetSubscriptionRequest, pubsub.Subscription, "GET", "{subscription}"
    ),
    "UpdateSubscription": _method(
        pubsub.UpdateSubscriptionRequest, pubsub.Subscription, "PATCH", "{subscription.name}"
    ),
    "ListSubscriptions": _method(
        pubsub.ListSubscriptionsRequest,
        pubsub.ListSubscriptionsResponse,
        "GET",
        "{project}/subscriptions",
    ),
    "DeleteSubscription": _method(
        pubsub.DeleteSubscriptionRequest, _Empty, "DELETE", "{subscription}"
    ),
    "ModifyAckDeadline": _method(
        pubsub.ModifyAckDeadlineRequest, _Empty, "POST", "{subscription}:modifyAckDeadline"
    ),
    "Acknowledge": _method(pubsub.AcknowledgeRequest, _Empty, "POST", "{subscription}:acknowledge"),
    "Pull": _method(pubsub.PullRequest, pubsub.PullResponse, "POST", "{subscription}:pull"),
    "ModifyPushConfig": _method(
        pubsub.ModifyPushConfigRequest, _Empty, "POST", "{subscription}:modifyPushConfig"
    ),
}
_IAM_POLICY = {
    "SetIamPolicy": _method(
        iam_policy_pb2.SetIamPolicyRequest, policy_pb2.Policy, "POST", "{resource}:setIamPolicy"
    ),
    "GetIamPolicy": _method(
        iam_policy_pb2.GetIamPolicyRequest, policy_pb2.Policy, "GET", "{resource}:getIamPolicy"
    ),
    "TestIamPermissions": _method(
        iam_policy_pb2.TestIamPermissionsRequest,
        iam_policy_pb2.TestIamPermissionsResponse,
        "POST",
        "{resource}:testIamPermissions",
    ),
}
SUBSCRIBER, IAM_POLICY = "google.pubsub.v1.Subscriber", "google.iam.v1.IAMPolicy"
SERVICES: Mapping[str, Mapping[str, Method]] = {
    "google.pubsub.v1.Publisher": _PUBLISHER,
    SUBSCRIBER: _SUBSCRIBER,
    IAM_POLICY: _IAM_POLICY,
}
