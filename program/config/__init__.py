"""The settings of a stack: typed, complete, and refused as a whole when any of them is wrong."""

from components.settings.access import ConditionSettings, GrantSettings
from components.settings.datasets import STORE_KINDS, DatasetContent, DatasetSettings
from components.settings.encryption import EncryptionSettings
from components.settings.loading import NAMESPACE, load, parse
from components.settings.stack import FIRST_DATASET, SERVICES, Settings
from components.settings.stores import (
    ConsentStoreSettings,
    DicomStoreSettings,
    FhirStoreSettings,
    Hl7v2StoreSettings,
    StoreSettings,
)
from components.settings.topics import SubscriptionSettings, TopicSettings

__all__ = [
    "FIRST_DATASET",
    "NAMESPACE",
    "SERVICES",
    "STORE_KINDS",
    "ConditionSettings",
    "ConsentStoreSettings",
    "DatasetContent",
    "DatasetSettings",
    "DicomStoreSettings",
    "EncryptionSettings",
    "FhirStoreSettings",
    "GrantSettings",
    "Hl7v2StoreSettings",
    "Settings",
    "StoreSettings",
    "SubscriptionSettings",
    "TopicSettings",
    "load",
    "parse",
]
