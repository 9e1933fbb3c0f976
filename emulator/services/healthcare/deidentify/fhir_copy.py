"""De-identified copies of the resources of a FHIR store, in another store.

A copy replaces the one of an earlier run, so that a run that was interrupted is safe to repeat.
Inferred (conformance: fhir-deidentify): the copies make no notifications and no rows of streams, as
those of imports do not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emulator.core.errors import not_found
from emulator.core.operations.batch_progress import BatchProgress
from emulator.services.healthcare.deidentify.fhir_fields import ResourceTransformer
from emulator.services.healthcare.deidentify.fhir_rules import FhirRules
from emulator.services.healthcare.fhir.operations.selection import Selection
from emulator.services.healthcare.fhir.refusals import OutcomeError
from emulator.services.healthcare.fhir.resources.changes import PUT
from emulator.services.healthcare.fhir.resources.models import StoreGoneError
from emulator.services.healthcare.fhir.resources.version import Version
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.fhir.store_settings import StoreSettings


@dataclass(frozen=True)
class FhirCopy:
    """The copy of a store.

    Attributes:
        fhir: the FHIR stores
        source: the full name of the store
        destination: the full name of the other store
        rules: by which resources are de-identified
        key: of hashes and shifts of dates
        names: of the resources, such as `Patient/1`; none for all
        until: versions of this one and earlier ones are copied
    """

    fhir: Fhir
    source: str
    destination: str
    rules: FhirRules
    key: bytes
    names: Sequence[str]
    until: int

    def count(self) -> int:
        """Return the number of resources."""
        if self.names:
            return len(self.names)
        rows = self.fhir.resources.select(
            "SELECT COUNT(*) AS count FROM fhir_resources WHERE store = ? AND version <= ?",
            (self.source, self.until),
        )
        return int(rows[0]["count"])

    def run(self, progress: BatchProgress) -> None:
        """Copy the resources, and count each.

        Raises:
            ApiError: 404, the destination was deleted
        """
        for page in self._pages(progress):
            self._write(page, progress)
            progress.check()

    def _pages(self, progress: BatchProgress) -> Iterator[Sequence[Version]]:
        if not self.names:
            selection = Selection(until=self.until)
            yield from selection.pages(self.fhir.resources, self.source)
            return
        for name in self.names:
            found = self.fhir.resources.find(self.source, *name.split("/", 1))
            if found is None:
                reason = "The resource does not exist."
                progress.fail(f"{self.source}/fhir/{name}", reason)
            elif found.version <= self.until:
                yield [found]

    def _write(self, page: Sequence[Version], progress: BatchProgress) -> None:
        copies = [(version.name, self._transformed(version)) for version in page]
        settings = replace(
            StoreSettings.of(self.fhir.store(self.destination)),
            checks_references=False,
            notifications=(),
            streams=(),
        )
        refused: list[tuple[str, str]] = []
        try:
            with self.fhir.changing(settings) as changes:
                for name, copy in copies:
                    try:
                        changes.overwrite(copy, PUT)
                    except OutcomeError as refusal:
                        refused.append((name, str(refusal)))
        except StoreGoneError as gone:
            raise not_found(str(gone)) from gone
        for name, reason in refused:
            progress.fail(f"{self.source}/fhir/{name}", reason)
        progress.succeed(len(page) - len(refused))

    def _transformed(self, version: Version) -> dict[str, Any]:
        return ResourceTransformer(
            self.rules, self.key, version.resource(), self._find
        ).transformed()

    def _find(self, name: str) -> Mapping[str, Any] | None:
        found = self.fhir.resources.find(self.source, *name.split("/", 1))
        return None if found is None else found.resource()
