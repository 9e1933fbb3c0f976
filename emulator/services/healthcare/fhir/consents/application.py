"""`applyConsents`: the consents of patients come into force.

Documented (`ApplyConsentsRequest`, and "Enforce patient consents" of the guide): the scope, the
counters, and that the consents of a patient replace those that were applied before. Inferred
(conformance: fhir-consent-apply): a consent that is not active counts as a success; both scopes
together select the patients of both; a store without `consentConfig` is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emulator.core.errors import failed_precondition, invalid_argument, not_found
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.fhir import compartments, instants
from emulator.services.healthcare.fhir.compartments import PATIENT
from emulator.services.healthcare.fhir.consents import models, parsing
from emulator.services.healthcare.fhir.consents.models import AppliedConsent, Status
from emulator.services.healthcare.fhir.operations.selection import PAGE, parse_instant
from emulator.services.healthcare.fhir.resources.models import StoreGoneError
from emulator.services.healthcare.fhir.resources.version import Version
from emulator.services.healthcare.fhir.service import Fhir
from emulator.services.healthcare.fhir.store_settings import StoreSettings
from emulator.services.healthcare.operation_types import operation_type

METHOD = "fhir.FhirStoreService.ApplyConsents"
MAX_PATIENTS, MAX_ACTIVE = 10_000, 200
TYPE = "Consent"


def begin(fhir: Fhir, store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request, and start the operation.

    Raises:
        ApiError: 400
    """
    settings = require_config(fhir, store)
    patients = body.get("patientScope", {}).get("patientIds", [])
    if len(patients) > MAX_PATIENTS:
        raise invalid_argument(
            f"patient_scope.patient_ids has {len(patients)} values; at most {MAX_PATIENTS}"
        )
    times = body.get("timeRange")
    if times is not None and not settings.keeps_versions:
        raise invalid_argument(
            "time_range can't be used: the store's disable_resource_versioning is true"
        )
    request = {
        "store": store,
        "only_validates": bool(body.get("validateOnly")),
        "patients": sorted(set(patients)),
        "times": None if times is None else _times(times),
    }
    parent = str(ResourceName.parse(store).parent)
    return fhir.operations.start(parent, METHOD, request, version=version)


def register(fhir: Fhir) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        return _Application(fhir, operation).run()

    fhir.operations.register(operation_type(METHOD, run, lenient=True))


def require_config(fhir: Fhir, store: str) -> StoreSettings:
    """Return the settings of a store that has a `consentConfig`; raises 400 for another."""
    settings = StoreSettings.of(fhir.store(store))
    if not settings.consents.is_configured:
        raise failed_precondition(
            f"{store} has no consent_config: set consent_config.version to V1 first"
        )
    return settings


def counts(**numbers: int) -> dict[str, str]:
    """Return the counters of a response, without those that are 0."""
    return {name: str(number) for name, number in numbers.items() if number}


def _times(given: Mapping[str, Any]) -> list[int]:
    start, end = given.get("start", ""), given.get("end", "")
    first = parse_instant(start, "time_range.start") if start else 0
    last = parse_instant(end, "time_range.end") if end else instants.next_version()
    if first > last:
        raise invalid_argument("time_range.start is after time_range.end")
    return [first, last]


class _Application:
    """One run of the operation."""

    def __init__(self, fhir: Fhir, operation: OperationRun) -> None:
        self._fhir, self._operation = fhir, operation
        self._request = operation.request
        self._store: str = operation.request["store"]
        self._success = self._failure = 0
        self._affected: set[int] = set()

    def run(self) -> dict[str, str]:
        """Apply the consents of each patient; return the counters of the response."""
        given = self._by_patient()
        patients = sorted(self._in_scope(given))
        for done, patient in enumerate(patients, start=1):
            self._apply(patient, given.get(patient, []))
            self._report(len(patients) - done)
            self._operation.check_cancelled()
        self._report(0)
        return counts(
            consentApplySuccess=self._success,
            consentApplyFailure=self._failure,
            affectedResources=len(self._affected),
        )

    def _report(self, pending: int) -> None:
        self._operation.progress(
            success=self._success,
            failure=self._failure,
            pending=pending,
            secondary=len(self._affected),
        )

    def _by_patient(self) -> dict[str, list[Version]]:
        """Return the consents that the store holds, by the patient who gave them."""
        found: dict[str, list[Version]] = {}
        for version in pages(self._fhir, self._store, (TYPE,)):
            if patient := parsing.patient_of(version.resource()):
                found.setdefault(patient, []).append(version)
        return found

    def _in_scope(self, given: Mapping[str, Sequence[Version]]) -> set[str]:
        """Return the patients of the request, also those whose consents were all deleted."""
        found = {*given, *self._fhir.consents.owners(self._store)}
        if wanted := self._request["patients"]:
            found &= set(wanted)
        if self._request["times"] is None:
            return found
        first, last = self._request["times"]
        return {
            patient
            for patient in found
            if first <= self._last_change(patient, given.get(patient, ())) <= last
        }

    def _last_change(self, patient: str, consents: Sequence[Version]) -> int:
        changes = [version.version for version in consents]
        kept = {version.id for version in consents}
        for applied in self._fhir.consents.of_owner(self._store, patient):
            if applied.id not in kept:  # deleted, or another patient's now
                resources = self._fhir.resources
                last = resources.history(self._store, TYPE, applied.id, instants.MAX_VERSION, 1)
                changes += [version.version for version in last]
        return max(changes, default=0)

    def _apply(self, patient: str, consents: Sequence[Version]) -> None:
        now = instants.next_version()
        applied = [
            AppliedConsent(each.id, patient, each.version, status, now, each.body)
            for each, status in self._judged(consents)
        ]
        if self._request["only_validates"]:
            return
        try:
            with self._fhir.resources.writing(self._store) as connection:
                models.replace(connection, self._store, patient, applied)
        except StoreGoneError as error:
            raise not_found(str(error)) from error
        self._affected |= _compartment(self._fhir, self._store, patient)

    def _judged(self, consents: Sequence[Version]) -> Iterator[tuple[Version, Status]]:
        """Yield each consent with its status, and count it."""
        active = 0
        for each in sorted(consents, key=lambda version: version.version):
            status, reason = _status(each, self._store)
            active += status is Status.ENFORCEABLE
            if status is Status.ENFORCEABLE and active > MAX_ACTIVE:
                status, reason = (
                    Status.LIMIT_EXCEEDED,
                    f"the patient has more than {MAX_ACTIVE} active consents",
                )
            if reason:
                self._operation.log_failure(f"{self._store}/fhir/{each.name}", reason)
            self._failure += bool(reason)
            self._success += not reason
            yield each, status


def _status(version: Version, store: str) -> tuple[Status, str]:
    """Return the status of a consent by itself, and why it can't be enforced."""
    consent = version.resource()
    if not parsing.is_active(consent):
        return Status.INACTIVE, ""
    try:
        parsing.parse(consent, store)
    except parsing.UnsupportedConsentError as error:
        return Status.UNSUPPORTED, str(error)
    return Status.ENFORCEABLE, ""


def pages(fhir: Fhir, store: str, types: Sequence[str] = ()) -> Iterator[Version]:
    """Yield the current versions of a store."""
    for page in fhir.resources.pages(store, PAGE, types=types):
        yield from page


def _compartment(fhir: Fhir, store: str, patient: str) -> set[int]:
    """Return the numbers of the resources in the compartment of a patient, and of the patient."""
    rows = fhir.resources.select(
        "SELECT f.resource AS number, r.type, f.path FROM fhir_references f JOIN fhir_resources r"
        " ON r.number = f.resource WHERE f.store = ?1 AND f.target_type = ?2 AND f.target_id = ?3"
        " UNION ALL SELECT number, type, '' FROM fhir_resources"
        " WHERE store = ?1 AND type = ?2 AND id = ?3",
        (store, PATIENT, patient),
    )
    wanted = compartments.inclusions(PATIENT)
    return {
        row["number"]
        for row in rows
        if not row["path"]
        or compartments.element_of(row["path"]) in wanted.get(row["type"], frozenset())
    }
