"""Settings of a FHIR store, and what they switch (`FhirStore` of the API's reference)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.core.errors import unimplemented
from emulator.services.healthcare.fhir.consents.settings import ConsentSettings
from emulator.services.healthcare.fhir.profiles.settings import ProfileSettings
from emulator.services.healthcare.fhir.validation import ValidationSettings

SERVED_VERSION = "R4"
INDEX_DELAY = "emulator-index-delay"
"""A label of the local Google Cloud alone: seconds until searches find a change of the store."""


@dataclass(frozen=True)
class StoreSettings:
    """The settings of a store.

    Attributes:
        name: the full name of the store
        can_choose_ids: whether an update creates a resource that does not exist
        checks_references: whether references to resources that do not exist are refused
        reads_extensions: whether references inside extensions are such references too
        keeps_versions: whether changes leave the version before in the history
        takes_history: whether history bundles are accepted
        index_delay_seconds: until searches find a change; from the label `INDEX_DELAY`
        is_strict: whether a search with an unknown parameter is refused by default
        validation: what is checked of resources
        profiles: which profiles resources are checked by
        notifications: the topics, as `FhirNotificationConfig` has them
        streams: into tables and stores, as `StreamConfig` has them
        consents: whether consents decide on access
    """

    name: str
    can_choose_ids: bool = False
    checks_references: bool = True
    reads_extensions: bool = False
    keeps_versions: bool = True
    takes_history: bool = False
    index_delay_seconds: int = 0
    is_strict: bool = False
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    profiles: ProfileSettings = field(default_factory=ProfileSettings)
    notifications: tuple[Mapping[str, Any], ...] = ()
    streams: tuple[Mapping[str, Any], ...] = ()
    consents: ConsentSettings = field(default_factory=ConsentSettings)

    @classmethod
    def of(cls, store: Mapping[str, Any]) -> "StoreSettings":
        """Return the settings of a store as a resource.

        Raises:
            ApiError: 501, the store is of a version of FHIR whose data is not served
        """
        version = store.get("version", "")
        if version != SERVED_VERSION:
            raise unimplemented(
                f"The local Google Cloud holds resources of FHIR {SERVED_VERSION} only, and "
                f"{store['name']} has the version {version}. Create a store with the version "
                f"{SERVED_VERSION}, or use Google Cloud."
            )
        single = store.get("notificationConfig")
        return cls(
            name=store["name"],
            can_choose_ids=bool(store.get("enableUpdateCreate")),
            checks_references=not store.get("disableReferentialIntegrity"),
            reads_extensions=store.get("complexDataTypeReferenceParsing") == "ENABLED",
            keeps_versions=not store.get("disableResourceVersioning"),
            takes_history=bool(
                store.get("enableHistoryModifications") or store.get("enableHistoryImport")
            ),
            index_delay_seconds=_seconds(store.get("labels", {}).get(INDEX_DELAY, "")),
            is_strict=bool(store.get("defaultSearchHandlingStrict")),
            validation=ValidationSettings.of(store.get("validationConfig", {})),
            profiles=ProfileSettings.of(store),
            notifications=tuple([single] if single else store.get("notificationConfigs", [])),
            streams=tuple(store.get("streamConfigs", [])),
            consents=ConsentSettings.of(store),
        )


def _seconds(text: str) -> int:
    """Return the seconds that a label names; 0 for another text, which means something else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
