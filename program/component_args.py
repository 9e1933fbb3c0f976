"""A stack's settings as the components' arguments."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi

from components import rules
from components.bigquery_dataset import BigQueryDatasetArgs
from components.encryption_key import EncryptionKeyArgs
from components.grants import ConditionArgs, GrantArgs
from components.healthcare_dataset import HealthcareDatasetArgs
from components.logs.access_alert import AccessAlertArgs
from components.logs.audit_log_sink import AuditLogSinkArgs
from components.notification_topic import NotificationTopicArgs, SubscriptionArgs
from components.service_agent_access import ServiceAgentAccessArgs
from components.stores import ConsentStoreArgs, DicomStoreArgs, FhirStoreArgs, Hl7v2StoreArgs
from program.config import (
    DatasetSettings,
    GrantSettings,
    Settings,
    StoreSettings,
    SubscriptionSettings,
    TopicSettings,
)
from program.config.access import ConditionalGrantSettings
from program.service_agent_grants import bigquery_targets, project_roles, used_topics

PUBSUB = "pubsub.googleapis.com"
LOGGING, MONITORING = "logging.googleapis.com", "monitoring.googleapis.com"
KMS = "cloudkms.googleapis.com"
DATAFLOW = "dataflow.googleapis.com"
IAM, COMPUTE, RUN = "iam.googleapis.com", "compute.googleapis.com", "run.googleapis.com"
IAP = "iap.googleapis.com"
SECRETS, REGISTRY = "secretmanager.googleapis.com", "artifactregistry.googleapis.com"

_NOT_PROPERTIES = {"name", "enabled", "labels", "members"}


def services(settings: Settings) -> list[str]:
    """Return the services to enable: those of the settings and of the stack's features."""
    needed = list(settings.services)
    if settings.topics or used_topics(settings):
        needed.append(PUBSUB)
    if any(_has_key(dataset) for dataset in settings.all_datasets()):
        needed.append(KMS)
    alerts = bool(settings.access_alert.allowed)
    if settings.audit_log_sink.destination or alerts:
        needed.append(LOGGING)
    if alerts:
        needed.append(MONITORING)
    needed += _services_of_adapters(settings)
    for service in settings.inference_services:
        needed += [IAM, RUN, PUBSUB, REGISTRY, *([KMS] if service.kms_key_name else [])]
    for gateway in settings.gateways:
        needed += [IAM, RUN, REGISTRY, LOGGING, *([IAP] if gateway.oidc is None else [])]
        needed += [COMPUTE] if gateway.load_balancer is not None else []
    if settings.pipelines.bucket is not None:
        needed += [IAM, COMPUTE, DATAFLOW, REGISTRY]
    return list(dict.fromkeys(needed))


def identities(settings: Settings) -> list[str]:
    """Return the services, beside the Healthcare API, whose agents need roles."""
    letters = any(item.dead_letter for topic in settings.topics for item in topic.subscriptions)
    letters |= any(item.outgoing and item.outgoing.dead_letter for item in settings.adapters())
    letters |= bool(settings.inference_services)  # their tokens are made by the agent too
    found = [PUBSUB] if letters or any(topic.kms_key_name for topic in settings.topics) else []
    return [*found, *([IAP] if any(item.oidc is None for item in settings.gateways) else [])]


def healthcare_dataset(
    settings: Settings,
    dataset: DatasetSettings,
    topics: Mapping[str, pulumi.Input[str]],
    kms_key_name: pulumi.Input[str] | None,
) -> HealthcareDatasetArgs:
    """Return a Healthcare dataset with those of its stores that are switched on.

    Args:
        settings: Of the stack.
        dataset: The dataset's.
        topics: Topic as it is written in the settings -> its full name.
        kms_key_name: The key of the dataset; None for Google's own.
    """

    def stores(store_type: str, make: Callable[..., Any]) -> list[Any]:
        found = [store for its_type, store in dataset.stores if its_type == store_type]
        return [make(**_store(settings, store, topics)) for store in found]

    return HealthcareDatasetArgs(
        project=settings.project,
        location=dataset.location or settings.location,
        dataset=dataset.id,
        time_zone=dataset.time_zone,
        dicom_stores=stores("dicomStores", DicomStoreArgs),
        fhir_stores=stores("fhirStores", FhirStoreArgs),
        hl7v2_stores=stores("hl7v2Stores", Hl7v2StoreArgs),
        consent_stores=stores("consentStores", ConsentStoreArgs),
        kms_key_name=kms_key_name,
        members=grants(dataset.members),
        deletion_policy=dataset.deletion_policy,
    )


def encryption_key(
    settings: Settings, dataset: DatasetSettings, agent: pulumi.Input[str]
) -> EncryptionKeyArgs | None:
    """Return the key of a dataset; None for Google's own."""
    encryption = dataset.encryption
    if not _has_key(dataset):
        return None
    users = {"healthcare": agent}
    if encryption.kms_key_name is not None:
        return EncryptionKeyArgs(users, kms_key_name=encryption.kms_key_name)
    return EncryptionKeyArgs(
        users,
        project=settings.project,
        location=dataset.location or settings.location,
        key_ring=encryption.key_ring,
        key=encryption.key,
        rotation_period=encryption.rotation_period,
        labels=settings.labels,
    )


def notification_topic(
    settings: Settings,
    topic: TopicSettings,
    publishers: Mapping[str, pulumi.Input[str]],
    pubsub_agent: pulumi.Input[str] | None,
) -> NotificationTopicArgs:
    """Return the arguments of a topic that the stack creates."""
    labels = {**settings.labels, **topic.labels}
    return NotificationTopicArgs(
        project=settings.project,
        topic=topic.name,
        publishers=publishers,
        labels=labels,
        kms_key_name=topic.kms_key_name,
        message_retention_duration=topic.message_retention_duration,
        allowed_persistence_regions=topic.allowed_persistence_regions,
        subscriptions=[_subscription(settings, item, labels) for item in topic.subscriptions],
        pubsub_agent=pubsub_agent,
    )


def bigquery_dataset(settings: Settings) -> BigQueryDatasetArgs:
    """Return the BigQuery dataset, in the location of the Healthcare data."""
    return BigQueryDatasetArgs(
        project=settings.project,
        dataset=settings.bigquery_dataset,
        location=settings.location,
        description=settings.bigquery_description,
        delete_contents=settings.bigquery_delete_contents,
        labels={**settings.labels, **settings.bigquery_labels},
        table_expiration_days=settings.bigquery_table_expiration_days or None,
        partition_expiration_days=settings.bigquery_partition_expiration_days or None,
        kms_key_name=settings.bigquery_kms_key_name or None,
        members=grants(settings.bigquery_members),
    )


def service_agent_access(
    settings: Settings, agent: pulumi.Input[str], own_dataset: pulumi.Input[str]
) -> ServiceAgentAccessArgs:
    """Return the agent's narrow roles; `own_dataset` is the id of the stack's BigQuery dataset."""
    own, *others = bigquery_targets(settings)
    project = own.rpartition(".")[0]
    return ServiceAgentAccessArgs(
        project=settings.project,
        member=agent,
        import_buckets=settings.import_buckets,
        export_buckets=settings.export_buckets,
        bigquery_datasets={
            "warehouse": pulumi.Output.concat(project, ".", own_dataset),
            **{other: other for other in others},
        },
    )


def audit_log_sink(settings: Settings) -> AuditLogSinkArgs | None:
    """Return the sink of the audit logs; None if there is none."""
    sink = settings.audit_log_sink
    if sink.destination is None:
        return None
    own = f"bq://{settings.project}.{settings.bigquery_dataset}"
    destination = own if sink.destination == rules.OWN_DATASET else sink.destination
    more = {} if sink.filter is None else {"filter": sink.filter}
    return AuditLogSinkArgs(settings.project, sink.name, destination, **more)


def access_alert(settings: Settings) -> AccessAlertArgs | None:
    """Return the alert on unexpected access; None if there is none."""
    alert = settings.access_alert
    if not alert.allowed:
        return None
    return AccessAlertArgs(project=settings.project, labels=settings.labels, **alert.model_dump())


def full_topic(settings: Settings, topic: str) -> str:
    """Return the full name of a topic that is given by its name, or by its full name."""
    return topic if "/" in topic else f"projects/{settings.project}/topics/{topic}"


def grants(settings: Sequence[GrantSettings]) -> list[GrantArgs]:
    """Roles for members."""
    return [GrantArgs(item.role, item.members, _condition(item)) for item in settings]


__all__ = [
    "access_alert",
    "audit_log_sink",
    "bigquery_dataset",
    "encryption_key",
    "full_topic",
    "grants",
    "healthcare_dataset",
    "identities",
    "notification_topic",
    "project_roles",
    "service_agent_access",
    "services",
]


def _services_of_adapters(settings: Settings) -> list[str]:
    found = [REGISTRY] if settings.adapter_repository.name else []
    for adapter in settings.adapters():
        found += [IAM, COMPUTE, REGISTRY, LOGGING]
        found += [KMS] if adapter.kms_key_name else []
        found += [SECRETS] if adapter.secrets() else []
        found += [] if adapter.outgoing is None else [RUN, PUBSUB]
    if settings.vpns:
        found += [COMPUTE, SECRETS]
    return found


def _condition(grant: GrantSettings) -> ConditionArgs | None:
    if not isinstance(grant, ConditionalGrantSettings) or grant.condition is None:
        return None
    return ConditionArgs(**grant.condition.model_dump())


def _has_key(dataset: DatasetSettings) -> bool:
    return bool(dataset.encryption.kms_key_name or dataset.encryption.key_ring)


def _store(
    settings: Settings, store: StoreSettings, topics: Mapping[str, pulumi.Input[str]]
) -> dict[str, Any]:
    """Return the arguments of a store: its settings, its labels over those of the stack."""
    properties = store.model_dump(exclude=_NOT_PROPERTIES, exclude_none=True)
    resolved = {key: _resolve(settings, value, topics) for key, value in properties.items()}
    return {
        **{key: value for key, value in resolved.items() if value != []},
        "name": store.name,
        "labels": {**settings.labels, **store.labels},
        "members": grants(store.members),
    }


def _resolve(settings: Settings, value: Any, topics: Mapping[str, pulumi.Input[str]]) -> Any:
    """Write short names of topics, tables and the own BigQuery dataset in full, however deep."""
    if isinstance(value, list):
        return [_resolve(settings, item, topics) for item in value]
    if not isinstance(value, dict):
        return value
    own = f"bq://{settings.project}.{settings.bigquery_dataset}"
    found: dict[str, Any] = {}
    for key, item in value.items():
        if key == "pubsub_topic":
            found[key] = topics[item]
        elif key == "table_uri" and "://" not in item:
            found[key] = f"{own}.{item}"
        elif key == "dataset_uri" and item == rules.OWN_DATASET:
            found[key] = own
        else:
            found[key.rstrip("_")] = _resolve(settings, item, topics)
    return found


def _subscription(
    settings: Settings, item: SubscriptionSettings, labels: Mapping[str, str]
) -> SubscriptionArgs:
    fields = item.model_dump(exclude={"dead_letter", "labels"}, exclude_none=True)
    push = fields.get("push_config")
    if push and push.pop("no_wrapper", None):
        push["no_wrapper"] = {"write_metadata": False}
    dead = item.dead_letter
    if dead is not None:
        fields["dead_letter_topic"] = full_topic(settings, dead.topic)
        fields["max_delivery_attempts"] = dead.max_delivery_attempts
    return SubscriptionArgs(**fields, labels={**labels, **item.labels})
