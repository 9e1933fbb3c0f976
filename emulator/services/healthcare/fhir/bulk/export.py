"""The operation of a bulk export: objects of lines in the folder that the store names.

Documented (the reference of `bulk-export` and `bulk-export-group`): the names of the objects, and
what a group's files hold: each patient, followed by what `$everything` returns of it, and by type
the group and its other members. Inferred (conformance: fhir-bulk-export): `_type` and `_since`
choose the resources of a group's files too; members that do not exist are left out.
"""

from collections.abc import Iterator
from typing import Any

from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.fhir.compartments import PATIENT
from emulator.services.healthcare.fhir.interactions import compartment
from emulator.services.healthcare.fhir.operations.selection import Selection
from emulator.services.healthcare.fhir.resources.version import Version
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.operation_types import operation_type

METHOD = "fhir.FhirService.BulkExport"
RESPONSE = "fhir.rest.ExportResourcesResponse"
GROUP = "Group"


def register(fhir: Fhir) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        return {"output": _Export(fhir, operation).run()}

    fhir.operations.register(operation_type(METHOD, run, response=RESPONSE))


class _Export:
    """One run of an export. Only the content of one object is in memory."""

    def __init__(self, fhir: Fhir, operation: OperationRun) -> None:
        self._fhir, self._operation = fhir, operation
        self._request = operation.request
        self._store: str = operation.request["store"]
        self._selection = Selection.of(operation.request)
        self._progress = BatchProgress(operation, 0)

    def run(self) -> list[dict[str, Any]]:
        """Write the objects; return the type, the name and the lines of each."""
        files = self._group() if self._request["group"] else self._all()
        output = []
        with GcsClient(self._fhir.settings.storage_url) as storage:
            for type_, lines in files:
                if not lines:
                    continue
                number = self._operation.name.rpartition("/")[2]
                name = f"{self._request['prefix']}{number}_{type_}.ndjson"
                content = b"".join(line + b"\n" for line in lines)
                storage.write(self._request["bucket"], name, content, "application/fhir+ndjson")
                output.append({"type": type_, "object": name, "count": len(lines)})
                self._progress.succeed(len(lines))
                self._progress.check()
        self._progress.report()
        return output

    def _all(self) -> Iterator[tuple[str, list[bytes]]]:
        rows = self._fhir.resources.select(
            "SELECT DISTINCT type FROM fhir_resources WHERE store = ? ORDER BY type", (self._store,)
        )
        for type_ in (row["type"] for row in rows):
            if not self._selection.types or type_ in self._selection.types:
                yield type_, self._lines_of_type(type_)

    def _lines_of_type(self, type_: str) -> list[bytes]:
        selection = Selection([type_], self._selection.since, self._selection.until)
        lines: list[bytes] = []
        for page in selection.pages(self._fhir.resources, self._store):
            lines += [version.body for version in page]
            self._operation.check_cancelled()
        return lines

    def _group(self) -> Iterator[tuple[str, list[bytes]]]:
        group = self._fhir.resources.find(self._store, GROUP, self._request["group"])
        if group is None:
            return
        patients: list[bytes] = []
        others: dict[str, list[bytes]] = {GROUP: self._chosen([group])}
        for member in self._members(group):
            if member.type == PATIENT:
                patients += self._of_patient(member, group)
            else:
                others.setdefault(member.type, []).extend(self._chosen([member]))
            self._operation.check_cancelled()
        yield PATIENT, patients
        yield from sorted(others.items())

    def _members(self, group: Version) -> Iterator[Version]:
        for member in group.resource().get("member", []):
            reference = str(member.get("entity", {}).get("reference", ""))
            type_, _, id_ = reference.partition("/")
            if found := self._fhir.resources.find(self._store, type_, id_):
                yield found

    def _of_patient(self, patient: Version, group: Version) -> list[bytes]:
        """Return a patient, and after it the other resources of its compartment."""
        found = compartment.members(self._fhir.resources, self._store, patient)
        others = [each for each in found if each.number not in (patient.number, group.number)]
        return self._chosen([patient, *others])

    def _chosen(self, versions: list[Version]) -> list[bytes]:
        types, since, until = self._selection.types, self._selection.since, self._selection.until
        return [
            version.body
            for version in versions
            if since <= version.version <= until and (not types or version.type in types)
        ]
