"""Rows of Pub/Sub: topics, subscriptions, and who may publish."""

from dataclasses import replace

from engine.standin.http import Json
from engine.standin.iam import MEMBER, Member
from engine.standin.properties import Property
from engine.standin.resource import Resource
from engine.standin.rest import Rest
from engine.standin.tables.common import (
    DELETION_POLICY,
    LABEL_OUTPUTS,
    LABELS,
    NAME,
    PROJECT,
    TIMEOUTS,
)
from engine.standin.values import Values

_NAME = replace(
    NAME,
    wire=None,
    pattern=r"(?!goog)[A-Za-z][\w.~+%-]{2,254}",
    allowed="3 to 255 letters, digits, dashes, periods, underscores, tildes, pluses or percents, "
    'beginning with a letter, and not with "goog"',
)
_DURATION = Property(pattern=r"\d+(?:\.\d+)?s", allowed='seconds, ended by "s", such as 600s')


def _full_topic(body: Json, values: Values) -> Json:
    return {"name": f"projects/{values['project']}/topics/{values['name']}", **body}


def _full_subscription(body: Json, values: Values) -> Json:
    name = f"projects/{values['project']}/subscriptions/{values['name']}"
    return {"name": name, **body, "topic": _topic_path(values)}


def _topic_path(values: Values) -> str:
    topic = str(values["topic"])
    return topic if "/" in topic else f"projects/{values['project']}/topics/{topic}"


def _short(answer: Json, known: Values) -> Values:  # noqa: ARG001
    return {"name": answer["name"].rpartition("/")[2]}


def _same_name(one: str, other: str) -> bool:
    return one == other or ("/" not in other and one.rpartition("/")[2] == other)


def _rest(collection: str, wrapper: str, full_name: object, **more: object) -> Rest:
    path = f"projects/{{project}}/{collection}/{{name}}"
    return Rest(
        service="pubsub",
        id=path,
        create_call=f"PUT {path}",
        update_style="mask in body",
        wrapper=wrapper,
        imports=(path, "{project}/{name}", "{name}"),
        encode=full_name,  # type: ignore[arg-type]
        decode=_short,
        **more,  # type: ignore[arg-type]
    )


_TOPICS = Resource(
    pulumi_type="gcp:pubsub/topic:Topic",
    title="Topic",
    properties={
        "name": _NAME,
        "project": PROJECT,
        "kmsKeyName": Property(),
        "messageStoragePolicy": Property(
            kind="object",
            computed=True,
            fields={
                "allowedPersistenceRegions": Property(kind="list", required=True, unordered=True),
                "enforceInTransit": Property(kind="boolean"),
            },
        ),
        "schemaSettings": Property(
            kind="object",
            fields={
                "schema": Property(required=True),
                "encoding": Property(
                    default="ENCODING_UNSPECIFIED",
                    choices=("ENCODING_UNSPECIFIED", "JSON", "BINARY"),
                ),
                "firstRevisionId": Property(),
                "lastRevisionId": Property(),
            },
        ),
        "messageRetentionDuration": _DURATION,
        "tags": Property(kind="map", replace=True),
        "labels": LABELS,
        "deletionPolicy": DELETION_POLICY,
        **LABEL_OUTPUTS,
    },
    behaviour=_rest("topics", "topic", _full_topic),
    timeouts=TIMEOUTS,
    uncovered=("ingestionDataSourceSettings", "messageTransforms"),
)

_SUBSCRIPTIONS = Resource(
    pulumi_type="gcp:pubsub/subscription:Subscription",
    title="Subscription",
    properties={
        "name": _NAME,
        "project": PROJECT,
        "topic": Property(required=True, replace=True, same=_same_name),
        "labels": LABELS,
        "pushConfig": Property(
            kind="object",
            fields={
                "pushEndpoint": Property(required=True),
                "attributes": Property(kind="map", computed=True),
                "noWrapper": Property(
                    kind="object", fields={"writeMetadata": Property(kind="boolean", required=True)}
                ),
                "oidcToken": Property(
                    kind="object",
                    fields={
                        "serviceAccountEmail": Property(required=True),
                        "audience": Property(),
                    },
                ),
            },
        ),
        "ackDeadlineSeconds": Property(kind="integer", computed=True),
        "messageRetentionDuration": replace(_DURATION, default="604800s"),
        "retainAckedMessages": Property(kind="boolean"),
        "expirationPolicy": Property(
            kind="object",
            computed=True,
            fields={"ttl": Property(required=True)},
            encode=lambda policy: {"ttl": policy["ttl"]} if policy["ttl"] else {},
            # A policy without a time to live, which is for ever, is not the same as no policy.
            decode=lambda policy: {"ttl": policy.get("ttl", "")},
        ),
        "filter": Property(replace=True),
        "deadLetterPolicy": Property(
            kind="object",
            fields={
                "deadLetterTopic": Property(),
                "maxDeliveryAttempts": Property(kind="integer", computed=True),
            },
        ),
        "retryPolicy": Property(
            kind="object",
            fields={
                "maximumBackoff": Property(computed=True),
                "minimumBackoff": Property(computed=True),
            },
        ),
        "enableMessageOrdering": Property(kind="boolean", replace=True),
        "enableExactlyOnceDelivery": Property(kind="boolean"),
        "tags": Property(kind="map", replace=True),
        "deletionPolicy": DELETION_POLICY,
        **LABEL_OUTPUTS,
    },
    behaviour=_rest("subscriptions", "subscription", _full_subscription),
    timeouts=TIMEOUTS,
    uncovered=("bigqueryConfig", "cloudStorageConfig", "messageTransforms"),
)


def _members(type_: str, title: str, key: str) -> Resource:
    """The members of a topic or a subscription, whose collection is called after it."""
    return Resource(
        pulumi_type=f"gcp:pubsub/{type_[0].lower()}{type_[1:]}:{type_}",
        title=title,
        properties={
            key: Property(required=True, replace=True, same=_same_name),
            "project": PROJECT,
            **MEMBER,
        },
        behaviour=Member(
            service="pubsub",
            name=f"projects/{{project}}/{key}s/{{{key}}}",
            key=key,
            patterns=(
                rf"projects/(?P<project>[^/]+)/{key}s/(?P<{key}>[^/]+)",
                rf"(?P<project>[^/]+)/(?P<{key}>[^/]+)",
                rf"(?P<{key}>[^/]+)",
            ),
        ),
    )


ROWS = (
    _TOPICS,
    _SUBSCRIPTIONS,
    _members("TopicIAMMember", "IAM member of the topic", "topic"),
    _members("SubscriptionIAMMember", "IAM member of the subscription", "subscription"),
)
