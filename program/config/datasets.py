"""Settings of Healthcare datasets: what the stack's first dataset and every further one have."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from components.settings.access import GrantSettings
from components.settings.encryption import EncryptionSettings
from components.settings.model import DeletionPolicy, HealthcareId, Location, Model, TimeZone
from components.settings.stores import (
    ConsentStoreSettings,
    DicomStoreSettings,
    FhirStoreSettings,
    Hl7v2StoreSettings,
    StoreSettings,
)

STORE_KINDS = ("dicomStores", "fhirStores", "hl7v2Stores", "consentStores")
"""The keys of the lists of stores."""


def named(value: object) -> object:
    """A store given by its name alone."""
    return {"name": value} if isinstance(value, str) else value


class DatasetContent(Model):
    """What a dataset has, whichever it is."""

    time_zone: TimeZone = "UTC"
    """The default time zone of the dataset, by its IANA name."""
    dicom_stores: list[Annotated[DicomStoreSettings, BeforeValidator(named)]] = []
    """The DICOM stores."""
    fhir_stores: list[Annotated[FhirStoreSettings, BeforeValidator(named)]] = []
    """The FHIR stores."""
    hl7v2_stores: list[Annotated[Hl7v2StoreSettings, BeforeValidator(named)]] = Field(
        default=[], alias="hl7v2Stores"
    )
    """The HL7v2 stores."""
    consent_stores: list[Annotated[ConsentStoreSettings, BeforeValidator(named)]] = []
    """The consent stores."""
    encryption: EncryptionSettings = EncryptionSettings()
    """The customer-managed key of the dataset; Google's own if empty. A change replaces it."""
    members: list[GrantSettings] = []
    """Roles on the dataset and all in it, added to what others hold."""
    deletion_protection: bool = False
    """Whether the engine refuses to delete the dataset and its stores."""
    deletion_policy: DeletionPolicy = "DELETE"
    """DELETE, PREVENT (a deletion fails) or ABANDON (it is only forgotten), stores included."""

    @property
    def stores(self) -> list[tuple[str, StoreSettings]]:
        """Every store that is switched on, with the key of its list."""
        lists: tuple[list[StoreSettings], ...] = (
            [*self.dicom_stores],
            [*self.fhir_stores],
            [*self.hl7v2_stores],
            [*self.consent_stores],
        )
        return [
            (kind, store)
            for kind, stores in zip(STORE_KINDS, lists, strict=True)
            for store in stores
            if store.enabled
        ]


class _Place(Model):
    """Where a further dataset is, and what it is called."""

    name: HealthcareId
    """What the stack calls the dataset: it stays when the id changes."""
    dataset: HealthcareId | None = None
    """The id of the dataset; its `name` if not given. A change replaces it and all its stores."""
    location: Location | None = None
    """Where its data is kept; the stack's location if not given."""


class DatasetSettings(DatasetContent, _Place):
    """One further dataset, say of de-identified data."""

    @property
    def id(self) -> str:
        """The id of the dataset."""
        return self.dataset or self.name
