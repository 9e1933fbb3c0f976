"""Assembly of a stack: its components, from the settings, in the order of their dependencies."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_gcp import bigquery

from components import existing_grants
from components.bigquery_dataset import BigQueryDataset
from components.bigquery_views import BigQueryViews, BigQueryViewsArgs
from components.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.healthcare_dataset import HealthcareDataset
from components.logs.access_alert import AccessAlert
from components.logs.audit_log_sink import AuditLogSink
from components.notification_topic import NotificationTopic, NotificationTopicArgs
from components.project_services import ProjectServices
from program import component_args
from program.component_args import PUBSUB
from program.config import FIRST_DATASET, DatasetSettings, Settings
from program.config.references import in_order
from program.service_agent_grants import used_topics

Topics = dict[str, NotificationTopic]


def notification_topics(settings: Settings, services: ProjectServices) -> Topics:
    """Make the stack's topics, and let the agent publish to every topic that a store notifies.

    Returns:
        Topic as it is written in the settings -> its component.
    """
    used = used_topics(settings)
    agent = {"healthcare": services.service_agent_member}
    pubsub_agent = services.agent_members.get(PUBSUB)
    by_name = {topic.name: topic for topic in settings.topics}
    resources: Topics = {}
    for name in in_order(settings.topics):
        waits: list[Any] = [services, *resources.values()]
        if by_name[name].kms_key_name is not None and pubsub_agent is not None:
            waits.append(_topic_key(name, str(by_name[name].kms_key_name), pubsub_agent, services))
        resources[name] = NotificationTopic(
            f"topic-{name}",
            component_args.notification_topic(
                settings, by_name[name], agent if name in used else {}, pubsub_agent
            ),
            pulumi.ResourceOptions(depends_on=waits),
        )
    for topic in used:
        if "/" in topic:
            resources[topic] = NotificationTopic(
                f"topic-{topic.replace('/', '-')}",
                NotificationTopicArgs(settings.project, topic, agent),
                existing_grants.options(depends_on=[services]),
            )
    return resources


def bigquery_key(settings: Settings, services: ProjectServices) -> EncryptionKey | None:
    """Let BigQuery use the key of the BigQuery dataset."""
    key = settings.bigquery_kms_key_name
    if not key:
        return None
    # BigQuery encrypts as an agent of its own, which Google creates when it is first asked for.
    agent = bigquery.get_default_service_account_output(
        project=settings.project, opts=pulumi.InvokeOutputOptions(depends_on=[services])
    )
    return EncryptionKey(
        "warehouse-key",
        EncryptionKeyArgs({"bigquery": agent.member}, kms_key_name=key),
        existing_grants.options(depends_on=[services]),
    )


def healthcare_datasets(
    settings: Settings,
    services: ProjectServices,
    topics: Topics,
    waits_for: list[pulumi.Resource],
) -> dict[str, HealthcareDataset]:
    """Make every dataset with its stores and its key.

    Args:
        settings: Of the stack.
        services: That must be enabled.
        topics: The topics that stores may notify.
        waits_for: what a store needs: the agent's roles, the BigQuery dataset of its streams

    Returns:
        What the stack calls the dataset -> its component.
    """
    return {
        dataset.name: _healthcare_dataset(
            settings, dataset, services, topics, [services, *topics.values(), *waits_for]
        )
        for dataset in settings.all_datasets()
    }


def log_routing(
    settings: Settings, services: ProjectServices, bigquery_dataset: BigQueryDataset
) -> None:
    """Make the sink of the audit logs and the alert on unexpected access, if there are any."""
    waits_for: list[pulumi.Resource] = [services, bigquery_dataset]
    sink, alert = component_args.audit_log_sink(settings), component_args.access_alert(settings)
    if sink is not None:
        AuditLogSink("audit-log-sink", sink, existing_grants.options(depends_on=waits_for))
    if alert is not None:
        AccessAlert("access-alert", alert, pulumi.ResourceOptions(depends_on=waits_for))


def _healthcare_dataset(
    settings: Settings,
    dataset: DatasetSettings,
    services: ProjectServices,
    topics: Topics,
    waits_for: list[pulumi.Resource],
) -> HealthcareDataset:
    first = dataset.name == FIRST_DATASET
    name = FIRST_DATASET if first else f"{FIRST_DATASET}-{dataset.name}"
    key_args = component_args.encryption_key(settings, dataset, services.service_agent_member)
    key = None
    if key_args is not None:
        options = existing_grants.options(
            depends_on=[services], protect=dataset.deletion_protection or None
        )
        key = EncryptionKey(f"{name}-key", key_args, options)
        waits_for = [*waits_for, key]
    full_names: Mapping[str, pulumi.Input[str]] = {
        topic: resource.topic for topic, resource in topics.items()
    }
    return HealthcareDataset(
        name,
        component_args.healthcare_dataset(
            settings, dataset, full_names, None if key is None else key.kms_key_name
        ),
        pulumi.ResourceOptions(depends_on=waits_for, protect=dataset.deletion_protection or None),
    )


def _topic_key(
    topic: str, key: str, pubsub_agent: pulumi.Input[str], services: ProjectServices
) -> EncryptionKey:
    return EncryptionKey(
        f"topic-{topic}-key",
        EncryptionKeyArgs({"pubsub": pubsub_agent}, kms_key_name=key),
        existing_grants.options(depends_on=[services]),
    )


def bigquery_views(settings: Settings, dataset: BigQueryDataset) -> None:
    """Create the views over tables of exported metadata, if the stack wants them."""
    if settings.bigquery_views:
        stores = settings.stores
        exported = [store.name for store_type, store in stores if store_type == "dicomStores"]
        args = BigQueryViewsArgs(settings.project, dataset.dataset_id, exported, settings.labels)
        BigQueryViews("views", args, pulumi.ResourceOptions(depends_on=[dataset]))
