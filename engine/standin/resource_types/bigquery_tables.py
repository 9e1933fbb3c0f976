"""The row of BigQuery's tables and views."""

import json
from collections.abc import Mapping
from typing import Any

from engine.standin.errors import StandInError
from engine.standin.http import Api, Json
from engine.standin.properties import Property
from engine.standin.resource import Resource
from engine.standin.rest import Rest
from engine.standin.tables.common import DELETION_POLICY, LABEL_OUTPUTS, LABELS, PROJECT
from engine.standin.values import Values

_TYPES = {
    "BIGDECIMAL": "BIGNUMERIC",
    "BOOL": "BOOLEAN",
    "DECIMAL": "NUMERIC",
    "FLOAT64": "FLOAT",
    "INT64": "INTEGER",
    "STRUCT": "RECORD",
}
"""Two names of one type: BigQuery may answer with the other."""
_REQUIRED = Property(required=True)
_NUMBER = Property(kind="integer", required=True)
_COUNT = Property(kind="integer", output=True)


def _fields(schema: str) -> Json:
    try:
        fields = json.loads(schema)
    except ValueError as error:
        raise StandInError(
            f"schema is no JSON: {error}; it has to be a list of columns, such as "
            '[{"name": "PatientID", "type": "STRING"}]'
        ) from error
    return {"fields": fields}


def _schema(answer: Json) -> str:
    return json.dumps(answer.get("fields", []), separators=(",", ":"))


def _view(view: Values) -> Json:
    """False is said: the API takes a query for legacy SQL when nothing is."""
    return {"query": view["query"], "useLegacySql": bool(view.get("useLegacySql"))}


def _same_schema(one: str, other: str) -> bool:
    try:
        return _columns(json.loads(one)) == _columns(json.loads(other))
    except (ValueError, TypeError, AttributeError):
        return one == other


def _columns(fields: list[Mapping[str, Any]]) -> list[Json]:
    """Columns with what BigQuery fills in, and their types by one name."""
    return [
        {
            **{key: value for key, value in field.items() if value not in ("", None)},
            "type": _TYPES.get(str(field["type"]).upper(), str(field["type"]).upper()),
            "mode": field.get("mode") or "NULLABLE",
            "fields": _columns(field.get("fields") or []),
        }
        for field in fields
    ]


def _refer(body: Json, values: Values) -> Json:
    reference = {key: values[key] for key in ("datasetId", "tableId")}
    return body | {"tableReference": {"projectId": values["project"], **reference}}


def _known(answer: Json, known: Values) -> Values:  # noqa: ARG001
    reference = answer["tableReference"]
    return {key: reference[key] for key in ("datasetId", "tableId")}


def _check_protection(state: Values, api: Api) -> None:  # noqa: ARG001
    if state.get("deletionProtection", True):
        raise StandInError(
            f'cannot destroy table "{state["tableId"]}" without setting deletionProtection=false: '
            "set it, run `pulumi up`, then try again"
        )


TABLES = Resource(
    pulumi_type="gcp:bigquery/table:Table",
    title="Table",
    properties={
        "datasetId": Property(required=True, replace=True, wire=None),
        "tableId": Property(required=True, replace=True, wire=None),
        "project": PROJECT,
        "friendlyName": Property(),
        "description": Property(),
        "expirationTime": Property(kind="integer", computed=True),
        "schema": Property(computed=True, encode=_fields, decode=_schema, same=_same_schema),
        "view": Property(
            kind="object",
            encode=_view,
            fields={
                "query": _REQUIRED,
                "useLegacySql": Property(kind="boolean", default=True),
            },
        ),
        "timePartitioning": Property(
            kind="object",
            fields={
                "type": Property(required=True, choices=("DAY", "HOUR", "MONTH", "YEAR")),
                "field": Property(replace=True),
                "expirationMs": Property(kind="integer", computed=True),
                "requirePartitionFilter": Property(kind="boolean"),
            },
        ),
        "rangePartitioning": Property(
            kind="object",
            fields={
                "field": Property(required=True, replace=True),
                "range": Property(
                    kind="object",
                    required=True,
                    fields={"start": _NUMBER, "end": _NUMBER, "interval": _NUMBER},
                ),
            },
        ),
        "requirePartitionFilter": Property(kind="boolean"),
        "clusterings": Property(kind="list", wire="clustering.fields"),
        "encryptionConfiguration": Property(
            kind="object",
            fields={"kmsKeyName": _REQUIRED, "kmsKeyVersion": Property(computed=True)},
        ),
        "maxStaleness": Property(),
        "resourceTags": Property(kind="map"),
        "labels": LABELS,
        "deletionProtection": Property(kind="boolean", client=True, default=True),
        "deletionPolicy": DELETION_POLICY,
        "creationTime": _COUNT,
        "lastModifiedTime": _COUNT,
        "numBytes": _COUNT,
        "numLongTermBytes": _COUNT,
        "numRows": _COUNT,
        "etag": Property(output=True),
        "location": Property(output=True),
        "selfLink": Property(output=True),
        "type": Property(output=True),
        "generatedSchemaColumns": Property(output=True, wire=None),
        **LABEL_OUTPUTS,
    },
    behaviour=Rest(
        service="bigquery",
        id="projects/{project}/datasets/{datasetId}/tables/{tableId}",
        create_call="POST projects/{project}/datasets/{datasetId}/tables",
        update_style="whole",
        imports=(
            "projects/{project}/datasets/{datasetId}/tables/{tableId}",
            "{project}/{datasetId}/{tableId}",
            "{datasetId}/{tableId}",
        ),
        encode=_refer,
        decode=_known,
        prepare_delete=_check_protection,
    ),
    uncovered=(
        "biglakeConfiguration", "externalCatalogTableOptions", "externalDataConfiguration",
        "ignoreAutoGeneratedSchema", "ignoreSchemaChanges", "materializedView",
        "schemaForeignTypeInfo", "tableConstraints", "tableMetadataView", "tableReplicationInfo",
    ),
)  # fmt: skip
"""Tables and views. A schema only grows: what it loses or retypes, the API refuses."""
