"""The grants of the Healthcare service agent in a stack, where, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components import rules
from components.encryption_key import USER_ROLE
from components.notification_topic import PUBLISHER
from components.service_agent_access import EDITOR, JOB_USER, READER, WRITER
from program.config import DatasetSettings, DicomStoreSettings, FhirStoreSettings, Settings

LAB_ROLES = (
    "roles/bigquery.admin",
    "roles/storage.objectAdmin",
    "roles/healthcare.datasetAdmin",
    "roles/healthcare.dicomStoreAdmin",
)
"""The project roles that lab GSP615 grants to the Healthcare service agent."""


@dataclass(frozen=True)
class AgentGrant:
    """One role of the agent.

    Attributes:
        role: The full name of the role.
        on: What it is given on, as people write it: `project P`, `gs://BUCKET`, `bq://P.D`,
            the full name of a topic or key.
        why: What needs it.
    """

    role: str
    on: str
    why: str


def agent_grants(settings: Settings) -> list[AgentGrant]:
    """List every role that the stack grants to the agent.

    Topics and keys are given in every mode: without them, stores can't notify and datasets can't
    be read. The mode decides on the rest.
    """
    return [*_by_mode(settings), *_topics(settings), *_keys(settings)]


def project_roles(settings: Settings) -> list[str]:
    """Return the agent's roles on the project as a whole."""
    if settings.access == "lab":
        return list(LAB_ROLES)
    return [JOB_USER] if settings.access == "least-privilege" else settings.service_agent_roles


def bigquery_targets(settings: Settings) -> list[str]:
    """Return the BigQuery datasets of exports and streams, as PROJECT.DATASET, each once."""
    own = f"{settings.project}.{settings.bigquery_dataset}"
    found = [own]
    for dataset in settings.all_datasets():
        for _, store in dataset.stores:
            found += [target or own for target in _stream_targets(store)]
    return list(dict.fromkeys(found))


def used_topics(settings: Settings) -> list[str]:
    """Return the topics that stores notify, as they are written, each once."""
    return list(
        dict.fromkeys(
            topic
            for dataset in settings.all_datasets()
            for _, store in dataset.stores
            for topic in _topics_of(store)
        )
    )


def used_keys(settings: Settings) -> list[str]:
    """Return the full names of the keys of datasets, topics, BigQuery, adapters and services."""
    keys = [_key_of(settings, dataset) for dataset in settings.all_datasets()]
    keys += [topic.kms_key_name for topic in settings.topics]
    keys.append(settings.bigquery_kms_key_name)
    keys += [adapter.kms_key_name for adapter in settings.adapters()]
    keys += [service.kms_key_name for service in settings.inference_services]
    return list(dict.fromkeys(key for key in keys if key))


def _by_mode(settings: Settings) -> Iterator[AgentGrant]:
    project = f"project {settings.project}"
    if settings.access != "least-privilege":
        why = "the lab's roles" if settings.access == "lab" else "serviceAgentRoles lists it"
        for role in project_roles(settings):
            yield AgentGrant(role, project, why)
        return
    yield AgentGrant(JOB_USER, project, "exports and streams to BigQuery run jobs")
    for target in bigquery_targets(settings):
        yield AgentGrant(EDITOR, f"bq://{target}", "exports and streams write tables")
    for bucket in settings.import_buckets:
        yield AgentGrant(READER, f"gs://{bucket}", "imports read objects")
    for bucket in settings.export_buckets:
        yield AgentGrant(WRITER, f"gs://{bucket}", "exports write objects")


def _topics(settings: Settings) -> Iterator[AgentGrant]:
    for topic in used_topics(settings):
        full = topic if "/" in topic else f"projects/{settings.project}/topics/{topic}"
        yield AgentGrant(PUBLISHER, full, "stores notify the topic")


def _keys(settings: Settings) -> Iterator[AgentGrant]:
    for dataset in settings.all_datasets():
        key = _key_of(settings, dataset)
        if key is not None:
            yield AgentGrant(USER_ROLE, key, f"dataset {dataset.id} is encrypted with the key")


def _key_of(settings: Settings, dataset: DatasetSettings) -> str | None:
    encryption = dataset.encryption
    if encryption.key_ring is None:
        return encryption.kms_key_name
    location = f"projects/{settings.project}/locations/{dataset.location or settings.location}"
    return f"{location}/keyRings/{encryption.key_ring}/cryptoKeys/{encryption.key}"


def _topics_of(store: object) -> Sequence[str]:
    single = getattr(store, "notification_config", None)
    several = getattr(store, "notification_configs", [])
    return [item.pubsub_topic for item in (*([single] if single else []), *several)]


def _stream_targets(store: object) -> list[str | None]:
    """Where the streams of a store write, as PROJECT.DATASET; None for the stack's own dataset."""
    if isinstance(store, DicomStoreSettings):
        uris = [item.bigquery_destination.table_uri for item in store.stream_configs]
        return [uri[5:].rpartition(".")[0] if "://" in uri else None for uri in uris]
    if isinstance(store, FhirStoreSettings):
        uris = [item.bigquery_destination.dataset_uri for item in store.stream_configs]
        return [None if uri == rules.OWN_DATASET else uri[5:] for uri in uris]
    return []
