"""Resource types of Pub/Sub: topic, subscription, member of a topic's policy."""

from engine.standin.checking import refusals
from engine.standin.http import Json
from engine.standin.iam import MEMBER, Member
from engine.standin.resource import ResourceType
from engine.standin.resource_types.common import resource_type
from engine.standin.rest import Rest
from engine.standin.values import Values


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


_TOPICS = resource_type(
    "gcp:pubsub/topic:Topic",
    "Topic",
    _rest("topics", "topic", _full_topic),
    uncovered=("ingestionDataSourceSettings", "messageTransforms"),
)

_SUBSCRIPTIONS = resource_type(
    "gcp:pubsub/subscription:Subscription",
    "Subscription",
    _rest("subscriptions", "subscription", _full_subscription),
    quirks={
        "topic": {"same": _same_name},
        # Google adds it, and the provider takes no difference in it for one.
        "pushConfig.attributes": {"ignored_keys": ("x-goog-version",)},
        "expirationPolicy": {
            "encode": lambda policy: {"ttl": policy["ttl"]} if policy["ttl"] else {},
            # A policy without a time to live, which is for ever, is not the same as no policy.
            "decode": lambda policy: {"ttl": policy.get("ttl", "")},
        },
        "filter": {"validate": refusals.text_length},
    },
    uncovered=("bigqueryConfig", "cloudStorageConfig", "messageTransforms"),
)


def _members(type_: str, title: str, key: str) -> ResourceType:
    """Return the members of a topic or a subscription, whose collection is called after it."""
    return resource_type(
        f"gcp:pubsub/{type_[0].lower()}{type_[1:]}:{type_}",
        title,
        Member(
            service="pubsub",
            name=f"projects/{{project}}/{key}s/{{{key}}}",
            key=key,
            conditions=False,
            # Observed: the member of a topic shows the full name, that of a subscription does not.
            shown={"topic": "projects/{project}/topics/{topic}"} if key == "topic" else {},
            patterns=(
                rf"projects/(?P<project>[^/]+)/{key}s/(?P<{key}>[^/]+)",
                rf"(?P<project>[^/]+)/(?P<{key}>[^/]+)",
                rf"(?P<{key}>[^/]+)",
            ),
        ),
        quirks={key: {"same": _same_name}, **MEMBER},
    )


RESOURCE_TYPES = (
    _TOPICS,
    _SUBSCRIPTIONS,
    _members("TopicIAMMember", "IAM member of the topic", "topic"),
    _members("SubscriptionIAMMember", "IAM member of the subscription", "subscription"),
)
