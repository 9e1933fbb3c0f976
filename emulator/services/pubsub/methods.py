"""The methods of Pub/Sub, with their permissions and their names in audit logs.

Documented (https://cloud.google.com/pubsub/docs/audit-logging): the names and types. Messages are
not logged: publishing, pulling and acknowledging.
"""

from emulator.core.method_table import DATA_READ, MethodTable, Row, policy_rows

_PUBLISHER, _SUBSCRIBER = "google.pubsub.v1.Publisher", "google.pubsub.v1.Subscriber"
_TOPICS, _SUBSCRIPTIONS = "pubsub.topics", "pubsub.subscriptions"
_PROJECT = "projects/{p}"
_TOPIC, _SUBSCRIPTION = f"{_PROJECT}/topics/{{t}}", f"{_PROJECT}/subscriptions/{{s}}"

TABLE = MethodTable(
    "pubsub.googleapis.com",
    (
        Row("GET", f"{_PROJECT}/topics", f"{_TOPICS}.list", _PROJECT, f"{_PUBLISHER}.ListTopics"),
        Row("PUT", _TOPIC, f"{_TOPICS}.create", _PROJECT, f"{_PUBLISHER}.CreateTopic", _TOPIC),
        Row("GET", _TOPIC, f"{_TOPICS}.get", _TOPIC, f"{_PUBLISHER}.GetTopic"),
        Row("PATCH", _TOPIC, f"{_TOPICS}.update", _TOPIC, f"{_PUBLISHER}.UpdateTopic"),
        Row("DELETE", _TOPIC, f"{_TOPICS}.delete", _TOPIC, f"{_PUBLISHER}.DeleteTopic"),
        Row("POST", f"{_TOPIC}:publish", f"{_TOPICS}.publish", _TOPIC),
        Row(
            "GET",
            f"{_TOPIC}/subscriptions",
            f"{_TOPICS}.get",
            _TOPIC,
            f"{_PUBLISHER}.ListTopicSubscriptions",
        ),
        *policy_rows(_TOPIC, _TOPICS),
        Row(
            "GET",
            f"{_PROJECT}/subscriptions",
            f"{_SUBSCRIPTIONS}.list",
            _PROJECT,
            f"{_SUBSCRIBER}.ListSubscriptions",
        ),
        Row(
            "PUT",
            _SUBSCRIPTION,
            f"{_SUBSCRIPTIONS}.create",
            _PROJECT,
            f"{_SUBSCRIBER}.CreateSubscription",
            _SUBSCRIPTION,
        ),
        *(
            Row(
                verb,
                f"{_SUBSCRIPTION}{suffix}",
                f"{_SUBSCRIPTIONS}.{permission}",
                _SUBSCRIPTION,
                f"{_SUBSCRIBER}.{name}",
            )
            for verb, suffix, permission, name in (
                ("GET", "", "get", "GetSubscription"),
                ("PATCH", "", "update", "UpdateSubscription"),
                ("DELETE", "", "delete", "DeleteSubscription"),
                ("POST", ":modifyPushConfig", "update", "ModifyPushConfig"),
            )
        ),
        *(
            Row("POST", f"{_SUBSCRIPTION}:{verb}", f"{_SUBSCRIPTIONS}.consume", _SUBSCRIPTION)
            for verb in ("pull", "acknowledge", "modifyAckDeadline")
        ),
        *policy_rows(_SUBSCRIPTION, _SUBSCRIPTIONS),
    ),
    types={
        f"{resource}.{verb}": DATA_READ
        for resource in (_TOPICS, _SUBSCRIPTIONS)
        for verb in ("get", "list")
    },
    monitored=(
        ("projects/{project_id}/topics/{topic_id}", "pubsub_topic"),
        ("projects/{project_id}/subscriptions/{subscription_id}", "pubsub_subscription"),
    ),
)
