"""Settings of Healthcare datasets, of the stack's first one and of further ones."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from program.config.access import GrantSettings
from program.config.encryption import EncryptionSettings
from program.config.model import DeletionPolicy, HealthcareId, Location, Model, TimeZone
from program.config.stores import (
    ConsentStoreSettings,
    DicomStoreSettings,
    FhirStoreSettings,
    Hl7v2StoreSettings,
    StoreSettings,
)

STORE_TYPES = ("dicomStores", "fhirStores", "hl7v2Stores", "consentStores")
"""The keys of the lists of stores."""


def named(value: object) -> object:
    """Return a store given by its name alone."""
    return {"name": value} if isinstance(value, str) else value


class DatasetContent(Model):
    """The settings of every dataset."""

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
            (store_type, store)
            for store_type, stores in zip(STORE_TYPES, lists, strict=True)
            for store in stores
            if store.enabled
        ]


class _DatasetIdentity(Model):
    """Name, id and location of a further dataset."""

    name: HealthcareId
    """The name of the dataset in the stack: it stays when the id changes."""
    dataset: HealthcareId | None = None
    """The id of the dataset; its `name` if not given. A change replaces it and all its stores."""
    location: Location | None = None
    """Where its data is kept; the stack's location if not given."""


class DatasetSettings(DatasetContent, _DatasetIdentity):
    """One further dataset, say of de-identified data."""

    @property
    def id(self) -> str:
        """The id of the dataset."""
        return self.dataset or self.name
