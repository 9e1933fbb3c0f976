"""Layouts of the tables of exports and streams (`SchemaConfig` of the API's reference).

Documented (https://cloud.google.com/healthcare-api/docs/how-tos/fhir-export-bigquery): a
partitioned table has a column `lastUpdated` of the values of `meta.lastUpdated`. Inferred
(conformance: fhir-export-lossless): a row of LOSSLESS is the JSON of the resource. Inferred
(conformance: fhir-export-bigquery-text): the texts of refusals.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.core.errors import invalid_argument, unimplemented
from emulator.services.healthcare.fhir.analytics.extensions import Row
from emulator.services.healthcare.fhir.analytics.rows import (
    ANALYTICS,
    ANALYTICS_V2,
    DEFAULT_DEPTH,
    LOSSLESS,
    RowFormat,
)
from emulator.services.healthcare.fhir.analytics.schema import Columns, columns_of

MAX_DEPTH = 5
LAST_UPDATED = "lastUpdated"
_PARTITIONS = ("HOUR", "DAY", "MONTH", "YEAR")


@dataclass(frozen=True)
class TableLayout:
    """The layout of the table of a resource type.

    Attributes:
        format: of the rows of ANALYTICS and ANALYTICS_V2
        is_lossless: whether rows are resources as they are
        partitioning: BigQuery's TimePartitioning by the last update; nothing for none
    """

    format: RowFormat
    is_lossless: bool = False
    partitioning: Mapping[str, Any] | None = None

    def record(self) -> dict[str, Any]:
        """Return the layout as a part of an operation's request."""
        return {
            "is_v2": self.format.is_v2,
            "depth": self.format.depth,
            "is_lossless": self.is_lossless,
            "partitioning": self.partitioning,
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "TableLayout":
        """Return the layout in an operation's request, also in one of an earlier version."""
        format_ = RowFormat(record["is_v2"], record["depth"])
        return cls(format_, record.get("is_lossless", False), record.get("partitioning"))

    def row(self, resource: Mapping[str, Any]) -> Row:
        """Return the row of a resource.

        Raises:
            RowError: its extensions have no columns
        """
        row = _without_nulls(resource) if self.is_lossless else self.format.row(resource)
        if self.partitioning:
            row[LAST_UPDATED] = resource["meta"]["lastUpdated"]
        return row

    def columns(self, type_: str) -> Columns:
        """Return the columns that every table of a resource type has."""
        columns = Columns() if self.is_lossless else columns_of(type_, self.format)
        if self.partitioning:
            columns.add(LAST_UPDATED, "TIMESTAMP")
        return columns


def parse_layout(destination: Mapping[str, Any], *, is_stream: bool = False) -> TableLayout:
    """Return the layout of a `bigqueryDestination`.

    Raises:
        ApiError: 400 for a schema that is not valid, 501 for change data capture
    """
    if destination.get("changeDataCaptureConfig") is not None:
        raise unimplemented(
            "bigquery_destination.changeDataCaptureConfig is not served by the local Google Cloud"
        )
    config = destination.get("schemaConfig", {})
    type_ = config.get("schemaType", "")
    if is_stream and type_ == LOSSLESS:
        raise invalid_argument("schema_type LOSSLESS can't be used for streaming to BigQuery")
    if type_ not in (ANALYTICS, ANALYTICS_V2, LOSSLESS):
        raise invalid_argument(f"invalid schema_type {type_!r}: {ANALYTICS} or {ANALYTICS_V2}")
    depth = int(config.get("recursiveStructureDepth") or 0) or DEFAULT_DEPTH
    if not 0 < depth <= MAX_DEPTH:
        raise invalid_argument(f"invalid recursive_structure_depth {depth}: at most {MAX_DEPTH}")
    return TableLayout(
        RowFormat(type_ == ANALYTICS_V2, depth), type_ == LOSSLESS, _partitioning(config)
    )


def _partitioning(config: Mapping[str, Any]) -> dict[str, str] | None:
    given = config.get("lastUpdatedPartitionConfig")
    if given is None:
        return None
    type_ = given.get("type", "")
    if type_ not in _PARTITIONS:
        wanted = ", ".join(_PARTITIONS)
        raise invalid_argument(f"invalid last_updated_partition_config.type {type_!r}: {wanted}")
    partitioning = {"type": type_, "field": LAST_UPDATED}
    if expiration := int(given.get("expirationMs") or 0):
        if expiration < 0:
            raise invalid_argument(
                f"invalid last_updated_partition_config.expiration_ms {expiration}"
            )
        partitioning["expirationMs"] = str(expiration)
    return partitioning


def _without_nulls(value: Any) -> Any:
    """Return a value without null in arrays, which BigQuery does not hold."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value if each is not None]
    return value
