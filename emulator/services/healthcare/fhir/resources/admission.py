"""Which resources a store takes: those that are valid by R4, and by the profiles of its guides."""

from collections.abc import Mapping
from typing import Any

from emulator.services.healthcare.fhir.refusals import OutcomeError
from emulator.services.healthcare.fhir.resources.changes import Changes
from emulator.services.healthcare.fhir.resources.parsing import check_resource


def check(changes: Changes, resource: Mapping[str, Any], type_: str) -> None:
    """Refuse a resource that may not be written.

    Args:
        changes: of the transaction
        resource: as `json_text.parse` returns it
        type_: that the request names; empty where any is allowed

    Raises:
        OutcomeError: 400, with what is wrong
    """
    check_resource(resource, type_, changes.settings)
    check_profiles(changes, resource)


def check_profiles(changes: Changes, resource: Mapping[str, Any]) -> None:
    """Refuse a resource that does not conform to the profiles of the enabled guides.

    Raises:
        OutcomeError: 400, with what is wrong
    """
    settings = changes.settings
    if changes.profiles is None:
        return
    wrong = changes.profiles.check(changes.connection, settings.name, settings.profiles, resource)
    if wrong:
        raise OutcomeError(400, *wrong)
