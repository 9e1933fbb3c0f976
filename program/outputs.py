"""Outputs of a stack: the names that scripts, manuals and other stacks use."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pulumi

from components.bigquery_dataset import BigQueryDataset
from components.healthcare_dataset import HealthcareDataset
from components.notification_topic import NotificationTopic
from components.project_services import ProjectServices
from program.adapters import Adapters
from program.config import FIRST_DATASET, Settings
from program.gateways import Gateways
from program.service_agent_grants import agent_grants, used_keys


def stack_outputs(
    settings: Settings,
    services: ProjectServices,
    bigquery_dataset: BigQueryDataset,
    datasets: Mapping[str, HealthcareDataset],
    topics: Mapping[str, NotificationTopic],
    adapters: Adapters,
    gateways: Gateways,
) -> dict[str, Any]:
    """Gather the outputs of a stack, which docs/configuration.md describes.

    Args:
        settings: Of the stack.
        services: The services and the agent.
        bigquery_dataset: The BigQuery dataset.
        datasets: What the stack calls each dataset -> its component.
        topics: Topic as it is written in the settings -> its component.
        adapters: The adapters, and the repository of their images.
        gateways: The gateways.
    """
    outputs: dict[str, Any] = {
        "projectId": settings.project,
        "projectNumber": services.project_number,
        "region": settings.location,
        "datasetId": settings.dataset,
        **datasets[FIRST_DATASET].summary,
        "datasets": {name: dataset.summary for name, dataset in datasets.items()},
        "firstDicomStores": settings.first_dicom_stores(),
        "topics": {name: topic.topic for name, topic in topics.items()},
        "subscriptions": _merged([topic.subscriptions for topic in topics.values()]),
        "serviceAgent": services.service_agent_email,
        "keys": used_keys(settings),
        "access": [asdict(grant) for grant in agent_grants(settings)],
        "bigqueryDataset": bigquery_dataset.dataset_id,
        "labVariables": settings.lab_variables(),
        **adapters.outputs(),
        **gateways.outputs(),
    }
    # Each DICOM store exports to a table of its own name; the first store is the lab's.
    first_store = settings.first_dicom_store()
    if first_store is not None:
        outputs["tableUri"] = pulumi.Output.concat(
            "bq://", settings.project, ".", bigquery_dataset.dataset_id, ".", first_store
        )
    return outputs


def _merged(maps: list[pulumi.Output[dict[str, str]]]) -> pulumi.Output[dict[str, str]]:
    return pulumi.Output.all(*maps).apply(
        lambda known: {key: value for each in known for key, value in each.items()}
    )
