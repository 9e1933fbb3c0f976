"""The BigQuery dataset that DICOM metadata is exported to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_gcp import bigquery

from components import rules
from components.base import Component, require
from components.grants import GrantArgs, memberships

MILLISECONDS_A_DAY = 24 * 60 * 60 * 1000


@dataclass(frozen=True)
class BigQueryDatasetArgs:
    """Arguments of `BigQueryDataset`.

    Attributes:
        project: The id of the project.
        dataset: The id of the BigQuery dataset.
        location: Where it is kept: that of the Healthcare data, or exports between them fail.
        description: What BigQuery shows beside the dataset.
        delete_contents: Whether its tables are deleted with it; without it, tables keep it alive.
        labels: Labels of the dataset.
        table_expiration_days: Days after which a new table deletes itself; never if None.
        partition_expiration_days: The same for a partition of a new table.
        kms_key_name: The full name of a key for its tables; Google's own if None.
        members: Roles on the dataset, added to what others hold.
    """

    project: pulumi.Input[str]
    dataset: pulumi.Input[str]
    location: pulumi.Input[str]
    description: pulumi.Input[str] = ""
    delete_contents: pulumi.Input[bool] = False
    labels: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    table_expiration_days: int | None = None
    partition_expiration_days: int | None = None
    kms_key_name: pulumi.Input[str] | None = None
    members: Sequence[GrantArgs] = ()

    def __post_init__(self) -> None:
        require("BigQueryDatasetArgs", "project", self.project, rules.project)
        require("BigQueryDatasetArgs", "dataset", self.dataset, rules.bigquery_dataset_id)
        require("BigQueryDatasetArgs", "kms_key_name", self.kms_key_name, rules.kms_key_name)
        for key, value in self.labels.items():
            require("BigQueryDatasetArgs", "labels", key, rules.label_key)
            require("BigQueryDatasetArgs", "labels", value, rules.label_value)
        list(memberships(self.members, "BigQueryDatasetArgs.members"))


class BigQueryDataset(Component):
    """A BigQuery dataset for exported metadata.

    Tables are not resources of the stack: the Healthcare API creates and replaces them with every
    export.

    Inputs: see `BigQueryDatasetArgs`.

    Outputs:
        dataset_id: The id of the dataset.
        location: Where it is kept.
    """

    former_name = "Warehouse"

    dataset_id: pulumi.Output[str]
    location: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: BigQueryDatasetArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        key = args.kms_key_name
        dataset = bigquery.Dataset(
            name,
            project=args.project,
            dataset_id=args.dataset,
            location=pulumi.Output.from_input(args.location).apply(_bigquery_location),
            description=args.description,
            delete_contents_on_destroy=args.delete_contents,
            labels=args.labels,
            default_table_expiration_ms=_milliseconds(args.table_expiration_days),
            default_partition_expiration_ms=_milliseconds(args.partition_expiration_days),
            default_encryption_configuration=None if key is None else {"kms_key_name": key},
            # A new location keeps the id, and an id is in use until the old dataset is gone.
            opts=self._child(delete_before_replace=True),
        )
        for membership in memberships(args.members, f"{name}.members"):
            bigquery.DatasetIamMember(
                f"{name}-{membership.suffix}",
                project=dataset.project,
                dataset_id=dataset.dataset_id,
                role=membership.role,
                member=membership.member,
                condition=membership.condition,  # type: ignore[arg-type]
                opts=self._child(protect=False),
            )
        self.dataset_id = dataset.dataset_id
        self.location = dataset.location.apply(lambda location: location or "")
        self.register_outputs({"datasetId": self.dataset_id, "location": self.location})


def _bigquery_location(location: str) -> str:
    """Return a location as BigQuery writes it, multi-regions in capitals."""
    return location.upper() if location in ("us", "eu") else location


def _milliseconds(days: int | None) -> int | None:
    return None if days is None else days * MILLISECONDS_A_DAY
