"""Export of all versions to Cloud Storage, in history bundles.

Documented (`ExportResourcesHistoryRequest`): an object for each resource type, its name, a history
bundle for each resource on a line, and the limits of versions. Inferred (conformance:
fhir-history-export): the newest version of a bundle comes first, as in an answer of `_history`;
resources whose versions are all left out have no line.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from emulator.core.database import ALL
from emulator.core.errors import invalid_argument
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.clients.agent_writes import require_folder
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.fhir import instants, json_text
from emulator.services.healthcare.fhir.operations import exporter
from emulator.services.healthcare.fhir.operations.selection import PAGE, Selection
from emulator.services.healthcare.fhir.resources import history_entries
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.fhir.store_settings import StoreSettings
from emulator.services.healthcare.operation_types import operation_type

METHOD = "fhir.FhirService.ExportResourcesHistory"
_BOTH = (
    "SELECT {column} FROM fhir_resources WHERE {where}"
    " UNION SELECT {column} FROM fhir_versions WHERE {where} ORDER BY 1"
)
_TYPES = _BOTH.format(column="type", where="store = ?1")
_IDS = _BOTH.format(column="id", where="store = ?1 AND type = ?2 AND id > ?3") + " LIMIT ?4"


def begin(fhir: Fhir, store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request, and start the operation.

    Raises:
        ApiError: 400 for an invalid destination or selection, 403 if the agent lacks a role
    """
    StoreSettings.of(fhir.store(store))
    limit = int(body.get("maxResourceVersions") or 0)
    if limit < 0:
        raise invalid_argument(f"invalid max_resource_versions {limit}: it must be positive")
    if "gcsDestination" not in body:
        raise invalid_argument("gcs_destination is required")
    selection, name = exporter.selection_of(body), ResourceName.parse(store)
    uri, url = body["gcsDestination"].get("uriPrefix", ""), fhir.settings.storage_url
    folder = require_folder(fhir.agent, url, name.project, uri)
    request = {"store": store, "versions": limit, **folder, **selection.request()}
    return fhir.operations.start(str(name.parent), METHOD, request, version=version)


def register(fhir: Fhir) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        _Export(fhir, operation).run()
        return {}

    fhir.operations.register(operation_type(METHOD, run, response=exporter.RESPONSE))


class _Export:
    """One run of an export."""

    def __init__(self, fhir: Fhir, operation: OperationRun) -> None:
        self._fhir, self._operation = fhir, operation
        self._request = operation.request
        self._store: str = operation.request["store"]
        self._selection = Selection.of(operation.request)
        self._root = f"{fhir.settings.root_url}/v1beta1/{self._store}/fhir"
        self._progress = BatchProgress(operation, 0)

    def run(self) -> None:
        """Write the objects."""
        number = self._operation.name.rpartition("/")[2]
        types = [row["type"] for row in self._fhir.resources.select(_TYPES, (self._store,))]
        with GcsClient(self._fhir.settings.storage_url) as storage:
            for type_ in types:
                lines = self._lines(type_)
                first = next(lines, None)
                if first is None:
                    continue
                name = f"{self._request['prefix']}{number}_history_{type_}"
                exporter.write_lines(
                    storage, self._request["bucket"], name, chain([first], lines), self._progress
                )
        self._progress.report()

    def _lines(self, type_: str) -> Iterator[bytes]:
        if self._selection.types and type_ not in self._selection.types:
            return
        after = ""
        while page := self._fhir.resources.select(_IDS, (self._store, type_, after, PAGE)):
            self._operation.check_cancelled()
            after = page[-1]["id"]
            for row in page:
                if entries := self._entries(type_, row["id"]):
                    bundle = {"resourceType": "Bundle", "type": "history", "entry": entries}
                    yield json_text.dump(bundle) + b"\n"

    def _entries(self, type_: str, id_: str) -> list[dict[str, Any]]:
        versions = self._fhir.resources.history(
            self._store, type_, id_, instants.MAX_VERSION, self._request["versions"] or ALL
        )
        return [
            history_entries.entry_of(self._root, version)
            for version in versions
            if version.version >= self._selection.since
        ]
