"""The least that the Healthcare service agent needs, each role where it is needed only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_gcp import bigquery, storage

from components import rules
from components.base import Component, require

READER = "roles/storage.objectViewer"
"""The role on a bucket that imports read."""
WRITER = "roles/storage.objectAdmin"
"""The role on a bucket that exports write."""
EDITOR = "roles/bigquery.dataEditor"
"""The role on a BigQuery dataset that exports and streams write."""
JOB_USER = "roles/bigquery.jobUser"
"""The role on the project that runs the load jobs of exports and streams."""


@dataclass(frozen=True)
class ServiceAgentAccessArgs:
    """Arguments of `ServiceAgentAccess`.

    Attributes:
        project: The id of the project.
        member: The agent as IAM writes it, `serviceAccount:...`.
        import_buckets: Buckets that imports read.
        export_buckets: Buckets that exports write.
        bigquery_datasets: Name -> BigQuery dataset that exports and streams write, as
            PROJECT.DATASET.
    """

    project: pulumi.Input[str]
    member: pulumi.Input[str]
    import_buckets: Sequence[str] = ()
    export_buckets: Sequence[str] = ()
    bigquery_datasets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owner = "ServiceAgentAccessArgs"
        require(owner, "project", self.project, rules.project)
        require(owner, "member", self.member, rules.member)
        for bucket in (*self.import_buckets, *self.export_buckets):
            require(owner, "import_buckets, export_buckets", bucket, rules.bucket)


class ServiceAgentAccess(Component):
    """The narrow roles of imports, exports and streams for one member.

    The right to run jobs, which goes to the project, is a matter of `ServiceAgentRoles`.

    Inputs: see `ServiceAgentAccessArgs`.

    Outputs: none.
    """

    def __init__(
        self,
        name: str,
        args: ServiceAgentAccessArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        for role, verb, buckets in (
            (READER, "import", args.import_buckets),
            (WRITER, "export", args.export_buckets),
        ):
            for bucket in buckets:
                storage.BucketIAMMember(
                    f"{name}-{verb}-{bucket}",
                    bucket=bucket,
                    role=role,
                    member=args.member,
                    opts=self._child(),
                )
        for key, dataset in args.bigquery_datasets.items():
            full = pulumi.Output.from_input(dataset)
            bigquery.DatasetIamMember(
                f"{name}-bigquery-{key}",
                project=full.apply(lambda text: text.rpartition(".")[0]),
                dataset_id=full.apply(lambda text: text.rpartition(".")[2]),
                role=EDITOR,
                member=args.member,
                opts=self._child(),
            )
        self.register_outputs({})
