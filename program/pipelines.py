"""The pipelines of a stack: from their settings to all that they need on Dataflow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi

from components.bigquery_dataset import BigQueryDataset
from components.healthcare_dataset import HealthcareDataset
from components.pipelines.pipeline_workers import PipelineWorkers, PipelineWorkersArgs
from components.pipelines.worker_network import WorkerNetworkArgs
from components.project_services import ProjectServices
from program.config import FIRST_DATASET, Settings

TEMPLATES = Path(__file__).resolve().parents[1] / "pipelines/templates"
"""Metadata of the templates, a file a pipeline."""


def make_pipeline_workers(
    settings: Settings,
    services: ProjectServices,
    datasets: Mapping[str, HealthcareDataset],
    bigquery_dataset: BigQueryDataset,
) -> PipelineWorkers | None:
    """Make what pipelines need on Dataflow; None without pipelines.

    Args:
        settings: of the stack
        services: that must be enabled
        datasets: name -> dataset, with the stores of the pipelines
        bigquery_dataset: of the features
    """
    wanted = settings.pipelines
    if wanted.bucket is None:
        return None
    args = PipelineWorkersArgs(
        project=settings.project,
        location=settings.location,
        bucket=wanted.bucket,
        network=WorkerNetworkArgs(
            project=settings.project,
            region=wanted.region or settings.location,
            network=wanted.network,
            subnetwork=wanted.subnetwork,
            subnetwork_range=wanted.subnetwork_range,
        ),
        templates=_templates(),
        repository=wanted.repository,
        tag=wanted.tag,
        max_workers=wanted.max_workers,
        machine_type=wanted.machine_type,
        healthcare_agent=services.service_agent_member,
        dicom_stores={name: _store(datasets, name) for name in wanted.dicom_stores},
        cohort_stores={name: _store(datasets, name) for name in wanted.cohort_stores},
        cohort_datasets={
            name: datasets[name].dataset for name in map(_dataset, wanted.cohort_stores)
        },
        source_buckets=wanted.source_buckets,
        bigquery_dataset=bigquery_dataset.dataset_id if wanted.features else None,
        labels=settings.labels,
    )
    waits: list[Any] = [services, bigquery_dataset, *datasets.values()]
    return PipelineWorkers("pipelines", args, pulumi.ResourceOptions(depends_on=waits))


def pipeline_outputs(workers: PipelineWorkers | None) -> dict[str, Any]:
    """Return the outputs of the pipelines, by the names that stacks export them under."""
    return {} if workers is None else {"pipelines": workers.summary}


def _templates() -> dict[str, str]:
    return {file.stem: file.read_text("utf-8") for file in sorted(TEMPLATES.glob("*.json"))}


def _store(datasets: Mapping[str, HealthcareDataset], reference: str) -> pulumi.Output[str]:
    owner, store = datasets[_dataset(reference)], reference.rpartition("/")[2]
    return pulumi.Output.concat(owner.dataset, f"/dicomStores/{store}")


def _dataset(reference: str) -> str:
    return reference.rpartition("/")[0] or FIRST_DATASET
