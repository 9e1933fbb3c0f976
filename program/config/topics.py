"""Settings of Pub/Sub: the topics that stores notify, and who listens."""

from typing import Annotated

from pydantic import Field

from components import rules
from program.config.model import Duration, KmsKeyName, Labels, Model, Topic, follows

PubsubId = Annotated[str, follows(rules.pubsub_id)]


class OidcTokenSettings(Model):
    """The identity that a push presents."""

    service_account_email: str
    """The service account that the token is made for."""
    audience: str | None = None
    """The audience of the token; the endpoint if not given."""


class PushSettings(Model):
    """Delivery by HTTP requests to an endpoint."""

    push_endpoint: Annotated[str, follows(rules.push_endpoint)]
    """Where messages are posted to."""
    attributes: dict[str, str] | None = None
    """Attributes of the endpoint, such as `x-goog-version`."""
    oidc_token: OidcTokenSettings | None = None
    """The identity that the requests present; none if not given."""
    no_wrapper: bool | None = None
    """Whether the message's data is posted as it is, without the usual envelope."""


class DeadLetterSettings(Model):
    """The topic of messages that are never acknowledged."""

    topic: Topic
    """One of the stack's topics, or another by its full name."""
    max_delivery_attempts: Annotated[int, Field(ge=5, le=100)] = 5
    """Deliveries before a message counts as dead, 5 to 100."""


class RetrySettings(Model):
    """How long Pub/Sub waits before it delivers a message again."""

    minimum_backoff: Duration | None = None
    """The shortest wait; Google chooses 10s if not given."""
    maximum_backoff: Duration | None = None
    """The longest wait; Google chooses 600s if not given."""


class SubscriptionSettings(Model):
    """One subscription of a topic."""

    name: PubsubId
    """The id of the subscription."""
    labels: Labels = {}
    """Labels of this subscription, over those of the topic."""
    ack_deadline_seconds: Annotated[int, Field(ge=10, le=600)] | None = None
    """Seconds to acknowledge a message in, 10 to 600."""
    message_retention_duration: Duration | None = None
    """How long unacknowledged messages are kept."""
    retain_acked_messages: bool | None = None
    """Whether acknowledged messages are kept too."""
    never_expires: bool = True
    """Whether the subscription outlives weeks without use; otherwise Google removes it."""
    filter: Annotated[str, Field(max_length=256)] | None = None
    """Which messages are delivered, by their attributes. A change replaces the subscription."""
    enable_message_ordering: bool | None = None
    """Whether messages of one key come in order. A change replaces the subscription."""
    enable_exactly_once_delivery: bool | None = None
    """Whether an acknowledged message never comes again."""
    push_config: PushSettings | None = None
    """Delivery to an endpoint; without it, subscribers pull."""
    dead_letter: DeadLetterSettings | None = None
    """Where undeliverable messages go."""
    retry_policy: RetrySettings | None = None
    """How deliveries are repeated."""


class TopicSettings(Model):
    """A topic that the stack creates."""

    name: PubsubId
    """The id of the topic; stores refer to it by this name."""
    labels: Labels = {}
    """Labels of this topic, over those of the stack."""
    kms_key_name: KmsKeyName | None = None
    """An existing key for its messages."""
    message_retention_duration: Duration | None = None
    """How long the topic keeps messages for replay, 600s to 2678400s; not at all if not given."""
    allowed_persistence_regions: list[str] | None = None
    """The regions in which messages may be kept; Google's choice if not given."""
    subscriptions: list[SubscriptionSettings] = []
    """Who listens."""
