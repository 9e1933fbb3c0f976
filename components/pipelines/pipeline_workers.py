"""The workers of pipelines on Dataflow: account, network, images, templates, bucket of the runs."""

# Unevaluated, the annotations load nothing of the provider for programs without pipelines.
from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_gcp import artifactregistry, bigquery, healthcare, projects, storage

from components import propagation, rules
from components.adapters.adapter_repository import path_of
from components.adapters.sides import IMAGE_READER
from components.base import ArgumentError, Component, require
from components.pipelines.flex_template import (
    STAGING,
    TEMPORARY,
    Defaults,
    require_metadata,
    specification,
)
from components.pipelines.worker_network import WorkerNetwork, WorkerNetworkArgs
from components.service_accounts import create_account
from components.service_agent_access import EDITOR, JOB_USER, READER, WRITER

WORKER = "roles/dataflow.worker"
"""The role of a worker on the project, which is the least that Dataflow takes.

Documented: https://cloud.google.com/dataflow/docs/concepts/security-and-permissions#worker-service-account
"""
DICOM_ADMIN = "roles/healthcare.dicomStoreAdmin"
"""Starts to de-identify a store, beside reading it."""
DATASET_VIEWER = "roles/healthcare.datasetViewer"
"""Follows operations, which are parts of a dataset, not of a store."""
DICOM_EDITOR = "roles/healthcare.dicomEditor"
"""Stores, searches and retrieves instances."""
MAX_WORKERS = 1_000
"""The most workers that a template may name.

Documented: `maxWorkers` of FlexTemplateRuntimeEnvironment in Dataflow's discovery document.
"""
STAGED_DAYS = 14
"""The age at which staged files go: far more than a run takes (docs/pipelines-at-scale.md)."""
_ACCOUNT = "pipelines"


@dataclass(frozen=True, kw_only=True)
class PipelineWorkersArgs:
    """Arguments of `PipelineWorkers`.

    Attributes:
        project: The id of the project.
        location: Of the bucket. A change replaces it.
        bucket: The bucket of staged files, and of the runs. A change replaces it.
        network: The network of the workers, in the region of the jobs.
        templates: Name of a pipeline -> metadata of its template, JSON as Dataflow documents it.
        repository: The id of the repository of the images. A change replaces it with the images.
        tag: The tag of the images that the templates name.
        max_workers: Workers of a job at most, 1 to 1,000, if its launch names no other number.
        machine_type: Of the workers; Dataflow's choice if None.
        healthcare_agent: The Healthcare service agent, which reads the selections of cohorts.
        dicom_stores: Name -> full name of a DICOM store that pipelines read and write.
        cohort_stores: Name -> full name of a DICOM store that cohorts are copied from.
        cohort_datasets: Name -> full name of a dataset with such a store, whose operations the
            workers follow.
        source_buckets: Buckets that an ingest reads.
        bigquery_dataset: The BigQuery dataset of features, as its id; None for no role on any.
        labels: Labels of the bucket.
    """

    project: pulumi.Input[str]
    location: pulumi.Input[str]
    bucket: str
    network: WorkerNetworkArgs
    healthcare_agent: pulumi.Input[str]
    templates: Mapping[str, str] = field(default_factory=dict)
    repository: str = "pipelines"
    tag: str = "latest"
    max_workers: int = 10
    machine_type: str | None = None
    dicom_stores: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    cohort_stores: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    cohort_datasets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    source_buckets: Sequence[str] = ()
    bigquery_dataset: pulumi.Input[str] | None = None
    labels: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owner = "PipelineWorkersArgs"
        require(owner, "project", self.project, rules.project)
        for bucket in (self.bucket, *self.source_buckets):
            require(owner, "bucket, source_buckets", bucket, rules.bucket)
        require(owner, "repository", self.repository, rules.repository)
        require(owner, "tag", self.tag, rules.image_tag)
        require(owner, "machine_type", self.machine_type, rules.machine_type)
        for name, metadata in self.templates.items():
            require_metadata(owner, name, metadata)
        if not 1 <= self.max_workers <= MAX_WORKERS:
            raise ArgumentError(f"{owner}.max_workers: 1 to {MAX_WORKERS} are allowed")
        self.network.require_addresses(owner, self.max_workers)


class PipelineWorkers(Component):
    """Workers of pipelines on Dataflow: their account, roles, network, images, and templates.

    The workers have no external addresses: their subnetwork reaches Google's APIs alone. The roles
    on the project are the two that exist on projects alone: to be a worker, and to run load jobs.
    Give `depends_on` the stores and the services, `dataflow.googleapis.com` among them. Push the
    images before a job is launched.

    Inputs: see `PipelineWorkersArgs`.

    Outputs:
        service_account: The e-mail address of the account.
        bucket: The name of the bucket.
        region: The region of the jobs.
        subnetwork: The URL of the workers' subnetwork.
        images: What names of the images begin with, `REGION-docker.pkg.dev/PROJECT/REPOSITORY`.
        templates: Name of a pipeline -> URI of its template, `gs://BUCKET/templates/NAME.json`.
        max_workers: Workers of a job at most, if its launch names no other number.
    """

    service_account: pulumi.Output[str]
    bucket: pulumi.Output[str]
    region: pulumi.Output[str]
    subnetwork: pulumi.Output[str]
    images: pulumi.Output[str]
    templates: pulumi.Output[dict[str, str]]
    max_workers: pulumi.Output[int]
    summary: dict[str, pulumi.Output[Any]]
    """All outputs, by the names that stacks export them under."""

    def __init__(
        self,
        name: str,
        args: PipelineWorkersArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        account = create_account(
            name, args.project, _ACCOUNT, "Workers of pipelines", self._child()
        )
        bucket = storage.Bucket(
            name,
            project=args.project,
            location=args.location,
            name=args.bucket,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            lifecycle_rules=[
                {
                    "action": {"type": "Delete"},
                    "condition": {"age": STAGED_DAYS, "matches_prefixes": [TEMPORARY, STAGING]},
                }
            ],
            labels=args.labels,
            opts=self._child(),
        )
        self._member = account.member
        # A grant to an account that was just created is retried, as it may not be known yet.
        self._after_account = self._child(hooks=propagation.after_accounts())
        self._grant_on_project()
        self._grant_on_buckets(bucket)
        self._grant_on_stores()
        self.service_account, self.bucket = account.email, bucket.name
        network = WorkerNetwork(name, args.network, self._child())
        self.subnetwork = network.subnetwork
        self.images = self._repository()
        templates = {each: self._template(each) for each in args.templates}
        self.templates = pulumi.Output.all(**templates)
        self.region = pulumi.Output.from_input(args.network.region)
        self.max_workers = pulumi.Output.from_input(args.max_workers)
        self.summary = {
            "serviceAccount": self.service_account,
            "bucket": self.bucket,
            "region": self.region,
            "subnetwork": self.subnetwork,
            "images": self.images,
            "templates": self.templates,
            "maxWorkers": self.max_workers,
        }
        self.register_outputs(self.summary)

    def _repository(self) -> pulumi.Output[str]:
        """Make the repository of the images, which launchers and workers pull; return its path."""
        args = self._args
        repository = artifactregistry.Repository(
            self._name,
            project=args.project,
            location=args.network.region,
            repository_id=args.repository,
            format="DOCKER",
            description="Images of the pipelines",
            labels=args.labels,
            opts=self._child(),
        )
        artifactregistry.RepositoryIamMember(
            f"{self._name}-images",
            project=args.project,
            location=repository.location,
            repository=repository.name,
            role=IMAGE_READER,
            member=self._member,
            opts=self._after_account,
        )
        return path_of(repository)

    def _template(self, pipeline: str) -> pulumi.Output[str]:
        """Make the template of a pipeline; return its URI."""
        args, metadata = self._args, json.loads(self._args.templates[pipeline])

        def content(known: list[str]) -> str:
            images, account, subnetwork, bucket = known
            defaults = Defaults(
                account=account,
                subnetwork=subnetwork,
                bucket=bucket,
                max_workers=args.max_workers,
                machine_type=args.machine_type or "",
            )
            return specification(f"{images}/{pipeline}-pipeline:{args.tag}", metadata, defaults)

        sources = (self.images, self.service_account, self.subnetwork, self.bucket)
        template = storage.BucketObject(
            f"{self._name}-template-{pipeline}",
            bucket=self.bucket,
            name=f"templates/{pipeline}.json",
            content=pulumi.Output.all(*sources).apply(content),
            content_type="application/json",
            opts=self._child(),
        )
        return pulumi.Output.concat("gs://", template.bucket, "/", template.name)

    def _grant_on_project(self) -> None:
        args = self._args
        roles = {"worker": WORKER}
        if args.bigquery_dataset is not None:
            roles["jobs"] = JOB_USER
            bigquery.DatasetIamMember(
                f"{self._name}-features",
                project=args.project,
                dataset_id=args.bigquery_dataset,
                role=EDITOR,
                member=self._member,
                opts=self._after_account,
            )
        for suffix, role in roles.items():
            projects.IAMMember(
                f"{self._name}-{suffix}",
                project=args.project,
                role=role,
                member=self._member,
                opts=self._after_account,
            )

    def _grant_on_buckets(self, own: storage.Bucket) -> None:
        grants: dict[str, tuple[pulumi.Input[str], str, pulumi.Input[str]]] = {
            "runs": (own.name, WRITER, self._member),
            "selections": (own.name, READER, self._args.healthcare_agent),
        }
        for bucket in self._args.source_buckets:
            grants[f"source-{bucket}"] = (bucket, READER, self._member)
        for suffix, (on, role, member) in grants.items():
            storage.BucketIAMMember(
                f"{self._name}-{suffix}",
                bucket=on,
                role=role,
                member=member,
                opts=self._after_account,
            )

    def _grant_on_stores(self) -> None:
        stores = (("store", self._args.dicom_stores), ("cohorts", self._args.cohort_stores))
        for suffix, by_name in stores:
            for name, store in by_name.items():
                healthcare.DicomStoreIamMember(
                    f"{self._name}-{suffix}-{name.replace('/', '-')}",
                    dicom_store_id=store,
                    role=DICOM_EDITOR if suffix == "store" else DICOM_ADMIN,
                    member=self._member,
                    opts=self._after_account,
                )
        for name, dataset in self._args.cohort_datasets.items():
            healthcare.DatasetIamMember(
                f"{self._name}-operations-{name}",
                dataset_id=dataset,
                role=DATASET_VIEWER,
                member=self._member,
                opts=self._after_account,
            )
