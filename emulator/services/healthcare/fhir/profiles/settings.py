"""Settings of a store that concern profiles."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

RULES_LABEL = "emulator-profile-rules"
"""A label of the local Google Cloud alone: `documented` leaves out the rules that the API's
reference does not list."""
DOCUMENTED = "documented"


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """The checks of a store by profiles.

    Attributes:
        is_enabled: whether resources that come in are checked by profiles
        guides: the canonical URLs of the implementation guides whose profiles count
        has_constraints: whether the FHIRPath constraints of profiles must hold
        is_documented_only: whether only the rules count that the API's reference lists
    """

    is_enabled: bool = True
    guides: tuple[str, ...] = ()
    has_constraints: bool = False
    is_documented_only: bool = False

    @classmethod
    def of(cls, store: Mapping[str, Any]) -> "ProfileSettings":
        """Return the settings of a store as a resource."""
        config = store.get("validationConfig", {})
        return cls(
            is_enabled=not config.get("disableProfileValidation"),
            guides=tuple(config.get("enabledImplementationGuides", [])),
            has_constraints=bool(config.get("enableFhirpathProfileValidation")),
            is_documented_only=store.get("labels", {}).get(RULES_LABEL) == DOCUMENTED,
        )
