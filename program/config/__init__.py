"""The settings of a stack: typed, complete, and refused as a whole when any of them is wrong."""

from program.config.access import ConditionSettings, GrantSettings
from program.config.adapters import (
    AdapterSettings,
    DimseAdapterSettings,
    MllpAdapterSettings,
)
from program.config.datasets import STORE_TYPES, DatasetContent, DatasetSettings
from program.config.encryption import EncryptionSettings
from program.config.loading import NAMESPACE, load, load_or_exit, parse
from program.config.services.inference import InferenceServiceSettings
from program.config.stack import FIRST_DATASET, SERVICES, Settings
from program.config.stores import (
    ConsentStoreSettings,
    DicomStoreSettings,
    FhirStoreSettings,
    Hl7v2StoreSettings,
    StoreSettings,
)
from program.config.topics import SubscriptionSettings, TopicSettings

__all__ = [
    "FIRST_DATASET",
    "NAMESPACE",
    "SERVICES",
    "STORE_TYPES",
    "AdapterSettings",
    "ConditionSettings",
    "ConsentStoreSettings",
    "DatasetContent",
    "DatasetSettings",
    "DicomStoreSettings",
    "DimseAdapterSettings",
    "EncryptionSettings",
    "FhirStoreSettings",
    "GrantSettings",
    "Hl7v2StoreSettings",
    "InferenceServiceSettings",
    "MllpAdapterSettings",
    "Settings",
    "StoreSettings",
    "SubscriptionSettings",
    "TopicSettings",
    "load",
    "load_or_exit",
    "parse",
]
