"""Settings of stores. Keys and meanings are those of the Google provider's resources.

https://www.pulumi.com/registry/packages/gcp/api-docs/healthcare/
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from components import rules
from components.rules import google_provider
from program.config.access import GrantSettings
from program.config.model import (
    DeletionPolicy,
    Duration,
    HealthcareId,
    Labels,
    Model,
    Topic,
    follows,
)


class StoreSettings(Model):
    """The settings of every store."""

    name: HealthcareId
    """The id of the store."""
    enabled: bool = True
    """Whether the store exists. Turning it off deletes the store and all in it."""
    labels: Labels = {}
    """Labels of this store, over those of the stack."""
    deletion_policy: DeletionPolicy | None = None
    """DELETE, PREVENT (a deletion fails) or ABANDON (it is only forgotten); that of the dataset."""
    members: list[GrantSettings] = []
    """Roles on this store alone, added to what others hold."""


class DicomNotificationSettings(Model):
    """Messages about new instances."""

    pubsub_topic: Topic
    """One of the stack's topics by its name, or another by its full name."""
    send_for_bulk_import: bool | None = None
    """Whether imported instances are reported too, not only stored ones."""


class DicomDestinationSettings(Model):
    """The table that a stream writes to."""

    table_uri: Annotated[str, follows(rules.table)]
    """A table of the stack's BigQuery dataset by its name, or another as bq://PROJECT.DATASET.TABLE."""


class DicomStreamSettings(Model):
    """A row in BigQuery for every instance that comes or goes."""

    bigquery_destination: DicomDestinationSettings
    """Where the rows go."""


class DicomStoreSettings(StoreSettings):
    """One DICOM store."""

    name: Annotated[str, follows(rules.dicom_store_id)]
    """The id of the store, and the name of the BigQuery table of its metadata."""
    notification_config: DicomNotificationSettings | None = None
    """Messages about new instances."""
    stream_configs: Annotated[list[DicomStreamSettings], Field(max_length=5)] = []
    """Up to five streams of metadata into BigQuery."""


class FhirValidationSettings(Model):
    """The validation of incoming resources."""

    disable_fhirpath_validation: bool | None = None
    """Whether rules written in FHIRPath go unchecked."""
    disable_profile_validation: bool | None = None
    """Whether profiles go unchecked."""
    disable_reference_type_validation: bool | None = None
    """Whether the types of references go unchecked."""
    disable_required_field_validation: bool | None = None
    """Whether required fields may be missing."""
    enabled_implementation_guides: list[str] | None = None
    """The implementation guides that are checked, by their URLs."""


class FhirNotificationSettings(Model):
    """Messages about changed resources."""

    pubsub_topic: Topic
    """One of the stack's topics by its name, or another by its full name."""
    send_full_resource: bool | None = None
    """Whether a message carries the resource itself: patient data in the topic."""
    send_previous_resource_on_delete: bool | None = None
    """Whether the message of a deletion carries what was deleted."""


class FhirSingleNotificationSettings(Model):
    """The older, single form of a notification."""

    refused: ClassVar = dict.fromkeys(
        ("sendFullResource", "sendPreviousResourceOnDelete"), google_provider.SINGLE_NOTIFICATION
    )

    pubsub_topic: Topic
    """One of the stack's topics by its name, or another by its full name."""


class FhirPartitionSettings(Model):
    """How a streamed table is partitioned by the time of the last update."""

    type: Literal["HOUR", "DAY", "MONTH", "YEAR"]
    """The width of a partition."""
    expiration_ms: str | None = None
    """Milliseconds that a partition is kept, as text; for ever if not given."""


class FhirSchemaSettings(Model):
    """How FHIR resources become columns."""

    recursive_structure_depth: Annotated[int, Field(ge=0, le=5)]
    """How deep structures that contain themselves are unfolded, 0 to 5."""
    schema_type: Literal["ANALYTICS", "ANALYTICS_V2", "LOSSLESS"] | None = None
    """The kind of columns; Google chooses ANALYTICS if not given."""
    last_updated_partition_config: FhirPartitionSettings | None = None
    """How the tables are partitioned; not at all if not given."""


class FhirDestinationSettings(Model):
    """The BigQuery dataset that a stream writes to."""

    dataset_uri: Annotated[str, follows(rules.dataset_uri)]
    """`bigqueryDataset` for the stack's own, or another as bq://PROJECT.DATASET."""
    schema_config: FhirSchemaSettings
    """How resources become columns."""


class FhirStreamSettings(Model):
    """Rows in BigQuery for every change of a resource."""

    bigquery_destination: FhirDestinationSettings
    """Where the rows go."""
    resource_types: list[str] | None = None
    """The resource types that are streamed; all if not given."""


class FhirAccessLogSettings(Model):
    """How much is logged of a decision on access."""

    log_level: Literal["DISABLED", "MINIMUM", "VERBOSE"] | None = None
    """How much; Google chooses MINIMUM if not given."""


class FhirConsentHeaderSettings(Model):
    """The treatment of requests without a consent scope."""

    profile: Literal["PERMIT_EMPTY_SCOPE", "REQUIRED_ON_READ"] | None = None
    """Whether a scope is required to read; Google chooses PERMIT_EMPTY_SCOPE if not given."""


class FhirConsentSettings(Model):
    """How consents decide on access to resources."""

    refused: ClassVar = {"enforcedAdminConsents": google_provider.ADMIN_CONSENTS}

    version: Literal["V1"]
    """The version of consent enforcement."""
    access_enforced: bool | None = None
    """Whether consents are enforced."""
    access_determination_log_config: FhirAccessLogSettings | None = None
    """How much is logged of each decision."""
    consent_header_handling: FhirConsentHeaderSettings | None = None
    """The treatment of requests without a consent scope."""


class FhirStoreSettings(StoreSettings):
    """One FHIR store."""

    version: Literal["DSTU2", "STU3", "R4"] = "R4"
    """The FHIR version. A change replaces the store."""
    enable_update_create: bool | None = None
    """Whether an update may create a resource with an id that the client chooses."""
    disable_referential_integrity: bool | None = None
    """Whether references to missing resources are accepted. A change replaces the store."""
    disable_resource_versioning: bool | None = None
    """Whether no history is kept. A change replaces the store."""
    enable_history_import: bool | None = None
    """Whether a bulk import may bring history. A change replaces the store."""
    enable_history_modifications: bool | None = None
    """Whether history may be changed."""
    default_search_handling_strict: bool | None = None
    """Whether a search with an unknown parameter is an error."""
    complex_data_type_reference_parsing: Literal["DISABLED", "ENABLED"] | None = None
    """Whether references inside complex data types are followed."""
    validation_config: FhirValidationSettings | None = None
    """The validation of incoming resources."""
    consent_config: FhirConsentSettings | None = None
    """How consents decide on access."""
    notification_config: FhirSingleNotificationSettings | None = None
    """Messages about changed resources: the older, single form of `notificationConfigs`."""
    notification_configs: list[FhirNotificationSettings] = []
    """Messages about changed resources."""
    stream_configs: list[FhirStreamSettings] = []
    """Streams of resources into BigQuery."""


class Hl7v2ParserSettings(Model):
    """How an HL7v2 store parses messages."""

    version: Literal["V1", "V2", "V3"] | None = None
    """The parser's version; Google chooses V1 if not given. A change replaces the store."""
    allow_null_header: bool | None = None
    """Whether messages without a header are accepted."""
    segment_terminator: Annotated[str, follows(rules.base64)] | None = None
    """The bytes between segments, in base64; a carriage return if not given."""
    schema_: Annotated[str, follows(rules.json_object)] | None = Field(default=None, alias="schema")
    """The schemas of messages, as JSON text: `schemas`, `types`, `ignoreMinOccurs`."""


class Hl7v2NotificationSettings(Model):
    """Messages about new HL7v2 messages."""

    pubsub_topic: Topic
    """One of the stack's topics by its name, or another by its full name."""
    filter: str | None = None
    """A filter of the messages to report, such as `sendFacility = "CLINIC"`; all if not given."""


class Hl7v2SingleNotificationSettings(Model):
    """The older, single form of a notification."""

    pubsub_topic: Topic
    """One of the stack's topics by its name, or another by its full name."""


class Hl7v2StoreSettings(StoreSettings):
    """One HL7v2 store."""

    reject_duplicate_message: bool | None = None
    """Whether a message that is already in the store is refused."""
    parser_config: Hl7v2ParserSettings | None = None
    """How messages are parsed."""
    notification_config: Hl7v2SingleNotificationSettings | None = None
    """Messages about new ones: the older, single form of `notificationConfigs`."""
    notification_configs: list[Hl7v2NotificationSettings] = []
    """Messages about new ones."""


class ConsentStoreSettings(StoreSettings):
    """One consent store."""

    default_consent_ttl: Duration | None = None
    """How long a consent holds that says nothing of it, at least 86400s; for ever if not given."""
    enable_consent_create_on_update: bool | None = None
    """Whether an update may create the consent it names."""
