"""What a stack tells of itself: the names that scripts, manuals and other stacks work with."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pulumi

from components.agent_plan import agent_grants
from components.healthcare_dataset import HealthcareDataset
from components.notification_topic import NotificationTopic
from components.project_services import ProjectServices
from components.settings import FIRST_DATASET, Settings
from components.warehouse import Warehouse


def stack_outputs(
    settings: Settings,
    services: ProjectServices,
    warehouse: Warehouse,
    datasets: Mapping[str, HealthcareDataset],
    topics: Mapping[str, NotificationTopic],
) -> dict[str, Any]:
    """Gather the outputs of a stack, which docs/configuration.md describes.

    Args:
        settings: Of the stack.
        services: The services and the agent.
        warehouse: The BigQuery dataset.
        datasets: What the stack calls each dataset -> its component.
        topics: Topic as it is written in the settings -> its component.
    """
    outputs: dict[str, Any] = {
        "projectId": settings.project,
        "projectNumber": services.project_number,
        "region": settings.location,
        "datasetId": settings.dataset,
        **datasets[FIRST_DATASET].summary,
        "datasets": {name: dataset.summary for name, dataset in datasets.items()},
        "topics": {name: topic.topic for name, topic in topics.items()},
        "subscriptions": _merged([topic.subscriptions for topic in topics.values()]),
        "serviceAgent": services.service_agent_email,
        "access": [asdict(grant) for grant in agent_grants(settings)],
        "bigqueryDataset": warehouse.dataset_id,
        "labVariables": settings.lab_variables(),
    }
    # Each DICOM store exports to a table of its own name; the first store is the lab's.
    first_store = settings.first_dicom_store()
    if first_store is not None:
        outputs["tableUri"] = pulumi.Output.concat(
            "bq://", settings.project, ".", warehouse.dataset_id, ".", first_store
        )
    return outputs


def _merged(maps: list[pulumi.Output[dict[str, str]]]) -> pulumi.Output[dict[str, str]]:
    return pulumi.Output.all(*maps).apply(
        lambda known: {key: value for each in known for key, value in each.items()}
    )
