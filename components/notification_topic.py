"""A Pub/Sub topic that stores notify, its publishers and its subscriptions."""

# Unevaluated, the annotations load nothing of the provider for programs without topics.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_gcp import pubsub

from components import rules
from components.base import ArgumentError, Component, require

PUBLISHER = "roles/pubsub.publisher"
"""The role on a topic that the Healthcare service agent needs."""
DELIVERY_ATTEMPTS = 5
"""Deliveries before a message counts as dead, as Google chooses them."""
SUBSCRIBER = "roles/pubsub.subscriber"
"""The role on a subscription with a dead-letter topic that Pub/Sub's service agent needs."""


@dataclass(frozen=True)
class SubscriptionArgs:
    """A subscription. Google chooses what is None.

    Attributes:
        name: The id of the subscription; its logical name derives from it.
        labels: Labels of the subscription.
        ack_deadline_seconds: Seconds to acknowledge a message in, 10 to 600.
        message_retention_duration: How long unacknowledged messages are kept, such as 604800s.
        retain_acked_messages: Whether acknowledged messages are kept too.
        never_expires: Whether it outlives weeks without use.
        filter: Which messages are delivered, by their attributes. Replaces.
        enable_message_ordering: Whether messages of one key come in order. Replaces.
        enable_exactly_once_delivery: Whether an acknowledged message never comes again.
        push_config: Delivery to an endpoint; without it, subscribers pull.
        dead_letter_topic: The full name of the topic for messages that are never acknowledged.
        max_delivery_attempts: Deliveries before a message counts as dead, 5 to 100. It is always
            sent: the provider would plan to remove the number that Google chooses.
        retry_policy: How deliveries are repeated.
    """

    name: str
    labels: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    ack_deadline_seconds: pulumi.Input[int] | None = None
    message_retention_duration: pulumi.Input[str] | None = None
    retain_acked_messages: pulumi.Input[bool] | None = None
    never_expires: bool = True
    filter: pulumi.Input[str] | None = None
    enable_message_ordering: pulumi.Input[bool] | None = None
    enable_exactly_once_delivery: pulumi.Input[bool] | None = None
    push_config: (
        pubsub.SubscriptionPushConfigArgs | pubsub.SubscriptionPushConfigArgsDict | None
    ) = None
    dead_letter_topic: pulumi.Input[str] | None = None
    max_delivery_attempts: pulumi.Input[int] = DELIVERY_ATTEMPTS
    retry_policy: (
        pubsub.SubscriptionRetryPolicyArgs | pubsub.SubscriptionRetryPolicyArgsDict | None
    ) = None

    def __post_init__(self) -> None:
        require("SubscriptionArgs", "name", self.name, rules.pubsub_id)

    def properties(self) -> dict[str, Any]:
        """Return the properties that the provider takes as they are; unset ones are absent."""
        ours = ("never_expires", "dead_letter_topic", "max_delivery_attempts")
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {k: v for k, v in values.items() if k not in ours and v is not None}


@dataclass(frozen=True)
class NotificationTopicArgs:
    """Arguments of `NotificationTopic`: a topic to make, or one that exists.

    Attributes:
        project: The id of the project to make the topic in.
        topic: The id of the topic to make, or the full name of one that exists.
        publishers: Name -> member that may publish, as IAM writes it.
        labels: Labels of the topic.
        kms_key_name: The full name of a key for its messages.
        message_retention_duration: How long messages are kept for replay, such as 86400s.
        allowed_persistence_regions: The regions in which messages may be kept.
        subscriptions: Who listens, no two of one name.
        pubsub_agent: Pub/Sub's own service agent, as IAM writes it: needed where a subscription
            has a dead-letter topic.
    """

    project: pulumi.Input[str]
    topic: str
    publishers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    labels: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    kms_key_name: pulumi.Input[str] | None = None
    message_retention_duration: pulumi.Input[str] | None = None
    allowed_persistence_regions: Sequence[str] | None = None
    subscriptions: Sequence[SubscriptionArgs] = ()
    pubsub_agent: pulumi.Input[str] | None = None

    def __post_init__(self) -> None:
        owner = "NotificationTopicArgs"
        require(owner, "project", self.project, rules.project)
        require(owner, "topic", self.topic, rules.topic)
        for _, name, _ in rules.repeated(item.name for item in self.subscriptions):
            raise ArgumentError(f'{owner}.subscriptions: two are named "{name}"')
        if self.pubsub_agent is None and any(
            item.dead_letter_topic is not None for item in self.subscriptions
        ):
            raise ArgumentError(f"{owner}.pubsub_agent: needed for a dead-letter topic")


class NotificationTopic(Component):
    """A topic, the right to publish to it, and its subscriptions.

    Give `depends_on` this component to the stores that notify the topic, so that the right to
    publish comes first.

    Inputs: see `NotificationTopicArgs`.

    Outputs:
        topic: The full name, `projects/P/topics/T`.
        subscriptions: Id -> full name of every subscription.
    """

    topic: pulumi.Output[str]
    subscriptions: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        name: str,
        args: NotificationTopicArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self.topic = self._topic(name, args)
        for publisher, member in args.publishers.items():
            self._may(f"{name}-{publisher}", self.topic, PUBLISHER, member)
        subscriptions = [self._subscription(name, args, item) for item in args.subscriptions]
        pairs = [pulumi.Output.all(item.name, item.project) for item in subscriptions]
        self.subscriptions = pulumi.Output.all(*pairs).apply(
            lambda known: {name: f"projects/{at}/subscriptions/{name}" for name, at in known}
        )
        self.register_outputs({"topic": self.topic, "subscriptions": self.subscriptions})

    def _topic(self, name: str, args: NotificationTopicArgs) -> pulumi.Output[str]:
        if "/" in args.topic:
            return pulumi.Output.from_input(args.topic)
        regions = args.allowed_persistence_regions
        topic = pubsub.Topic(
            name,
            project=args.project,
            name=args.topic,
            labels=args.labels,
            kms_key_name=args.kms_key_name,
            message_retention_duration=args.message_retention_duration,
            message_storage_policy=None
            if regions is None
            else {"allowed_persistence_regions": regions},
            opts=self._child(),
        )
        # Written out, and not the id, so that a preview knows it before the first update.
        return pulumi.Output.concat("projects/", topic.project, "/topics/", topic.name)

    def _subscription(
        self, name: str, args: NotificationTopicArgs, item: SubscriptionArgs
    ) -> pubsub.Subscription:
        dead = item.dead_letter_topic
        logical = f"{name}-{item.name}"
        subscription = pubsub.Subscription(
            logical,
            project=args.project,
            topic=self.topic,
            # An empty time to live is the API's way to say never.
            expiration_policy={"ttl": ""} if item.never_expires else None,
            dead_letter_policy=None
            if dead is None
            else pubsub.SubscriptionDeadLetterPolicyArgs(
                dead_letter_topic=dead, max_delivery_attempts=item.max_delivery_attempts
            ),
            **item.properties(),
            opts=self._child(delete_before_replace=True),
        )
        if dead is not None and args.pubsub_agent is not None:
            self._may(f"{logical}-dead-letter", dead, PUBLISHER, args.pubsub_agent)
            pubsub.SubscriptionIAMMember(
                f"{logical}-dead-letter",
                project=subscription.project,
                subscription=subscription.name,
                role=SUBSCRIBER,
                member=args.pubsub_agent,
                opts=self._child(),
            )
        return subscription

    def _may(
        self, name: str, topic: pulumi.Input[str], role: str, member: pulumi.Input[str]
    ) -> None:
        """Grant one role on a topic, whose full name holds its project."""
        full = pulumi.Output.from_input(topic)
        pubsub.TopicIAMMember(
            name,
            project=full.apply(lambda text: text.split("/")[1]),
            topic=full.apply(lambda text: text.split("/")[3]),
            role=role,
            member=member,
            opts=self._child(),
        )
