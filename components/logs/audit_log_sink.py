"""A copy of the audit logs where they can be queried and kept for long."""

from dataclasses import dataclass

import pulumi
from pulumi_gcp import bigquery, logging, storage

from components import rules
from components.base import Component, require

AUDIT_LOGS = (
    'log_id("cloudaudit.googleapis.com/activity") OR '
    'log_id("cloudaudit.googleapis.com/data_access")'
)
"""The filter of all audit logs."""
TABLE_WRITER, OBJECT_WRITER = "roles/bigquery.dataEditor", "roles/storage.objectCreator"
"""The role of a sink's identity on a dataset and on a bucket."""


@dataclass(frozen=True)
class AuditLogSinkArgs:
    """Arguments of `AuditLogSink`.

    Attributes:
        project: The id of the project whose logs are routed.
        sink: The name of the sink.
        destination: Where the entries go: `bq://PROJECT.DATASET` or `gs://BUCKET`, which exists.
        filter: Which entries are routed, in the language of Logs Explorer; by default the audit
            logs of every service.
    """

    project: pulumi.Input[str]
    sink: str
    destination: str
    filter: pulumi.Input[str] = AUDIT_LOGS

    def __post_init__(self) -> None:
        require("AuditLogSinkArgs", "project", self.project, rules.project)
        require("AuditLogSinkArgs", "sink", self.sink, rules.log_sink)
        require("AuditLogSinkArgs", "destination", self.destination, rules.log_destination)


class AuditLogSink(Component):
    """A log sink, and the role of its identity on the destination.

    In BigQuery each log has a table, partitioned by day, such as
    `cloudaudit_googleapis_com_data_access`; in a bucket each hour of a log has an object. What was
    routed stays when the sink is deleted.

    Inputs: see `AuditLogSinkArgs`.

    Outputs:
        writer_identity: The identity that writes, as IAM writes it.
    """

    writer_identity: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: AuditLogSinkArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        scheme, _, target = args.destination.partition("://")
        project, _, dataset = target.rpartition(".")
        into_tables = scheme == "bq"
        sink = logging.ProjectSink(
            name,
            project=args.project,
            name=args.sink,
            destination=f"bigquery.googleapis.com/projects/{project}/datasets/{dataset}"
            if into_tables
            else f"storage.googleapis.com/{target}",
            filter=args.filter,
            unique_writer_identity=True,
            bigquery_options={"use_partitioned_tables": True} if into_tables else None,
            opts=self._child(),
        )
        self.writer_identity = sink.writer_identity
        if into_tables:
            bigquery.DatasetIamMember(
                f"{name}-writer",
                project=project,
                dataset_id=dataset,
                role=TABLE_WRITER,
                member=sink.writer_identity,
                opts=self._child(),
            )
        else:
            storage.BucketIAMMember(
                f"{name}-writer",
                bucket=target,
                role=OBJECT_WRITER,
                member=sink.writer_identity,
                opts=self._child(),
            )
        self.register_outputs({"writerIdentity": self.writer_identity})
