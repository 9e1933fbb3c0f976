"""The workers of pipelines on Dataflow: their account, its roles, and the bucket of their runs."""

# Unevaluated, the annotations load nothing of the provider for programs without pipelines.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi_gcp import bigquery, healthcare, projects, serviceaccount, storage

from components import propagation, rules
from components.base import Component, require
from components.service_agent_access import EDITOR, JOB_USER, READER, WRITER

WORKER = "roles/dataflow.worker"
"""The role of a worker on the project, which is the least that Dataflow takes.

Documented: https://cloud.google.com/dataflow/docs/concepts/security-and-permissions#worker-service-account
"""
DICOM_ADMIN = "roles/healthcare.dicomStoreAdmin"
"""Starts to de-identify a store, beside reading it."""
DICOM_EDITOR = "roles/healthcare.dicomEditor"
"""Stores, searches and retrieves instances."""
_ACCOUNT = "pipelines"


@dataclass(frozen=True, kw_only=True)
class PipelineWorkersArgs:
    """Arguments of `PipelineWorkers`.

    Attributes:
        project: The id of the project.
        location: Of the bucket. A change replaces it.
        bucket: The bucket of staged files, and of the runs. A change replaces it.
        healthcare_agent: The Healthcare service agent, which reads the selections of cohorts.
        dicom_stores: Name -> full name of a DICOM store that pipelines read and write.
        cohort_stores: Name -> full name of a DICOM store that cohorts are copied from.
        source_buckets: Buckets that an ingest reads.
        bigquery_dataset: The BigQuery dataset of features, as its id; None for no role on any.
        labels: Labels of the bucket.
    """

    project: pulumi.Input[str]
    location: pulumi.Input[str]
    bucket: str
    healthcare_agent: pulumi.Input[str]
    dicom_stores: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    cohort_stores: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    source_buckets: Sequence[str] = ()
    bigquery_dataset: pulumi.Input[str] | None = None
    labels: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owner = "PipelineWorkersArgs"
        require(owner, "project", self.project, rules.project)
        for bucket in (self.bucket, *self.source_buckets):
            require(owner, "bucket, source_buckets", bucket, rules.bucket)


class PipelineWorkers(Component):
    """The service account of Dataflow workers, with roles on the stores and buckets they use.

    The roles on the project are the two that exist on projects alone: to be a worker, and to run
    load jobs. Give `depends_on` the stores and the services, `dataflow.googleapis.com` among them.

    Inputs: see `PipelineWorkersArgs`.

    Outputs:
        service_account: The e-mail address of the account.
        bucket: The name of the bucket.
    """

    service_account: pulumi.Output[str]
    bucket: pulumi.Output[str]
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
        account = serviceaccount.Account(
            name,
            project=args.project,
            account_id=_ACCOUNT,
            display_name="Workers of pipelines",
            opts=self._child(),
        )
        bucket = storage.Bucket(
            name,
            project=args.project,
            location=args.location,
            name=args.bucket,
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
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
        self.summary = {"serviceAccount": self.service_account, "bucket": self.bucket}
        self.register_outputs(self.summary)

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
