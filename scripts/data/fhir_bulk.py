"""Import of FHIR resources from Cloud Storage, and export to Cloud Storage or BigQuery."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripts.data import bulk
from scripts.data.bulk import Work
from scripts.data.fhir_options import ContentStructure, SchemaType
from scripts.data.stores import FHIR
from scripts.data.write_disposition import WriteDisposition
from scripts.lib.cli import Output
from scripts.lib.errors import UsageError
from scripts.lib.google import gcs_uri
from scripts.lib.google.operations import OperationFailedError
from scripts.lib.options import Choice, Following

EXPORT = "export_fhir.py"
IMPORT = "import_fhir.py"
# Project ids may hold a domain and a colon ("example.com:project").
_DATASET = re.compile(r"bq://(?:[a-z0-9.-]+:)?[a-z0-9-]+\.\w+")
_FOLDER = re.compile(r"gs://[^/]+(/.*)?")


@dataclass(frozen=True)
class TableOptions:
    """The options of an export to BigQuery; None for one that was not given."""

    schema: SchemaType | None = None
    depth: int | None = None
    disposition: WriteDisposition | None = None

    def destination(self, uri: str) -> dict[str, Any]:
        """Return the destination of the API's request."""
        config = {"schemaType": (self.schema or SchemaType.ANALYTICS_V2).api_name}
        if self.depth is not None:
            config["recursiveStructureDepth"] = str(self.depth)
        disposition = self.disposition or WriteDisposition.EMPTY
        return {
            "datasetUri": uri,
            "schemaConfig": config,
            "writeDisposition": disposition.api_name,
        }


def run_import(
    uri: str, structure: ContentStructure, choice: Choice, following: Following, output: Output
) -> None:
    """Import files, or follow an import that runs already.

    Raises:
        ScriptError: the service refuses, or some resources failed
    """
    if not following.resume:
        gcs_uri.parse(uri)
    body = {"contentStructure": structure.api_name}
    try:
        bulk.run(bulk.import_work(IMPORT, FHIR, uri, body), choice, following, output)
    except OperationFailedError as error:
        operation = error.operation
        if operation.failure and not operation.success and not following.resume:
            error.hint = (
                "No resource was imported. Check that the content of the files is as"
                f" --content-structure {structure} says. {error.hint}"
            ).rstrip()
        raise


def export_work(target: str, types: Sequence[str], since: str, tables: TableOptions) -> Work:
    """Return an export.

    Args:
        target: a folder `gs://BUCKET/FOLDER`, or a dataset `bq://PROJECT.DATASET`
        types: resource types; none for all
        since: the first time of the last update, in RFC 3339; empty for any
        tables: for a dataset

    Raises:
        UsageError: the target is neither, or is a folder and there are options for tables
    """
    given = {"_type": ",".join(types), "_since": since}
    body: dict[str, Any] = {name: value for name, value in given.items() if value}
    if _DATASET.fullmatch(target):
        body["bigqueryDestination"] = tables.destination(target)
        repeatable = tables.disposition is not WriteDisposition.APPEND
        return Work(EXPORT, "Exporting", "Export", body, target, FHIR, repeatable)
    if not _FOLDER.fullmatch(target):
        raise UsageError(
            f"{target!r} is not a valid target of an export.",
            "The form is gs://BUCKET/FOLDER or bq://PROJECT.DATASET.",
        )
    if tables != TableOptions():
        raise UsageError(
            f"--schema, --depth and --write-disposition are for tables, and {target} is a folder."
        )
    return bulk.export_work(EXPORT, FHIR, target, body)
