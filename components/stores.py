"""Arguments of the stores of a Healthcare dataset.

Names and meanings of what a store can have are those of the Google provider's resources; nested
properties take the provider's own argument types, or dictionaries of the same keys.
https://www.pulumi.com/registry/packages/gcp/api-docs/healthcare/
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import pulumi
from pulumi_gcp import healthcare

from components import rules
from components.base import ArgumentError, require
from components.grants import GrantArgs, memberships, refuse_conditions
from components.rules import google_provider

Labels = Mapping[str, pulumi.Input[str]]

MAX_STREAMS = 5
"""Streams that a DICOM store may have."""


@dataclass(frozen=True)
class StoreArgs:
    """Arguments of every type of store. None leaves a property to Google.

    Attributes:
        name: The id of the store; its logical name derives from it.
        labels: Labels of the store.
        members: Roles on this store alone, added to what others hold.
        deletion_policy: DELETE, PREVENT or ABANDON; that of the dataset if None.
    """

    name: str
    labels: Labels = field(default_factory=dict)
    members: Sequence[GrantArgs] = field(default=(), kw_only=True)
    deletion_policy: pulumi.Input[str] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        """Check the arguments.

        Raises:
            ArgumentError: an argument breaks a rule of Google's
        """
        owner = type(self).__name__
        require(owner, "name", self.name, self._check_name)
        for key, value in self.labels.items():
            require(owner, "labels", key, rules.label_key)
            require(owner, "labels", value, rules.label_value)
        if len(self.labels) > rules.MAX_LABELS:
            raise ArgumentError(
                f'{owner} "{self.name}": {len(self.labels)} labels, of {rules.MAX_LABELS} allowed'
            )
        list(memberships(self.members, f'{owner} "{self.name}".members'))
        refuse_conditions(self.members, f'{owner} "{self.name}".members')
        for path, message in google_provider.store_errors(self.properties()):
            raise ArgumentError(f'{owner} "{self.name}".{path} {message}')

    @staticmethod
    def _check_name(name: str) -> str | None:
        """Return the error of an invalid name, or None."""
        return rules.healthcare_id(name)

    def properties(self) -> dict[str, Any]:
        """Return the properties of the resource, by the provider's names; unset ones are absent."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {
            name: value
            for name, value in values.items()
            if name != "members" and value is not None and value != ()
        }


@dataclass(frozen=True)
class DicomStoreArgs(StoreArgs):
    """A DICOM store. Google chooses what is None.

    Attributes:
        name: The id of the store; its logical name derives from it.
        labels: Labels of the store.
        members: Roles on this store alone, added to what others hold.
        deletion_policy: DELETE, PREVENT or ABANDON; that of the dataset if None.
        notification_config: Messages about new instances.
        stream_configs: Up to five streams of metadata into BigQuery.
    """

    notification_config: (
        healthcare.DicomStoreNotificationConfigArgs
        | healthcare.DicomStoreNotificationConfigArgsDict
        | None
    ) = None
    stream_configs: Sequence[
        healthcare.DicomStoreStreamConfigArgs | healthcare.DicomStoreStreamConfigArgsDict
    ] = ()

    @staticmethod
    def _check_name(name: str) -> str | None:
        return rules.dicom_store_id(name)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.stream_configs) > MAX_STREAMS:
            raise ArgumentError(
                f'DicomStoreArgs "{self.name}": {len(self.stream_configs)} streams, of '
                f"{MAX_STREAMS} allowed"
            )


@dataclass(frozen=True)
class FhirStoreArgs(StoreArgs):
    """A FHIR store. Google chooses what is None.

    Attributes:
        name: The id of the store; its logical name derives from it.
        labels: Labels of the store.
        members: Roles on this store alone, added to what others hold.
        deletion_policy: DELETE, PREVENT or ABANDON; that of the dataset if None.
        version: DSTU2, STU3 or R4. A change replaces the store.
        enable_update_create: Whether an update may create a resource under the client's id.
        disable_referential_integrity: Whether dangling references are accepted. Replaces.
        disable_resource_versioning: Whether no history is kept. Replaces.
        enable_history_import: Whether a bulk import may bring history. Replaces.
        enable_history_modifications: Whether history may be changed.
        default_search_handling_strict: Whether unknown search parameters are errors.
        complex_data_type_reference_parsing: Whether references inside complex types are followed.
        validation_config: What is checked of a resource that comes in.
        consent_config: How consents decide on access.
        notification_config: Messages about changes: the older, single form.
        notification_configs: Messages about changes.
        stream_configs: Streams of resources into BigQuery.
    """

    version: pulumi.Input[str] = "R4"
    enable_update_create: pulumi.Input[bool] | None = None
    disable_referential_integrity: pulumi.Input[bool] | None = None
    disable_resource_versioning: pulumi.Input[bool] | None = None
    enable_history_import: pulumi.Input[bool] | None = None
    enable_history_modifications: pulumi.Input[bool] | None = None
    default_search_handling_strict: pulumi.Input[bool] | None = None
    complex_data_type_reference_parsing: pulumi.Input[str] | None = None
    validation_config: (
        healthcare.FhirStoreValidationConfigArgs
        | healthcare.FhirStoreValidationConfigArgsDict
        | None
    ) = None
    consent_config: (
        healthcare.FhirStoreConsentConfigArgs | healthcare.FhirStoreConsentConfigArgsDict | None
    ) = None
    notification_config: (
        healthcare.FhirStoreNotificationConfigArgs
        | healthcare.FhirStoreNotificationConfigArgsDict
        | None
    ) = None
    notification_configs: Sequence[
        healthcare.FhirStoreNotificationConfigArgs | healthcare.FhirStoreNotificationConfigArgsDict
    ] = ()
    stream_configs: Sequence[
        healthcare.FhirStoreStreamConfigArgs | healthcare.FhirStoreStreamConfigArgsDict
    ] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        require("FhirStoreArgs", "version", self.version, _fhir_version)


@dataclass(frozen=True)
class Hl7v2StoreArgs(StoreArgs):
    """An HL7v2 store. Google chooses what is None.

    Attributes:
        name: The id of the store; its logical name derives from it.
        labels: Labels of the store.
        members: Roles on this store alone, added to what others hold.
        deletion_policy: DELETE, PREVENT or ABANDON; that of the dataset if None.
        reject_duplicate_message: Whether a message that the store holds already is refused.
        parser_config: How messages are parsed.
        notification_config: Messages about new ones: the older, single form.
        notification_configs: Messages about new ones, with filters.
    """

    reject_duplicate_message: pulumi.Input[bool] | None = None
    parser_config: (
        healthcare.Hl7StoreParserConfigArgs | healthcare.Hl7StoreParserConfigArgsDict | None
    ) = None
    notification_config: (
        healthcare.Hl7StoreNotificationConfigArgs
        | healthcare.Hl7StoreNotificationConfigArgsDict
        | None
    ) = None
    notification_configs: Sequence[
        healthcare.Hl7StoreNotificationConfigsArgs | healthcare.Hl7StoreNotificationConfigsArgsDict
    ] = ()


@dataclass(frozen=True)
class ConsentStoreArgs(StoreArgs):
    """A consent store. Google chooses what is None.

    Attributes:
        name: The id of the store; its logical name derives from it.
        labels: Labels of the store.
        members: Roles on this store alone, added to what others hold.
        deletion_policy: DELETE, PREVENT or ABANDON; that of the dataset if None.
        default_consent_ttl: How long a consent holds that says nothing of it, such as 86400s.
        enable_consent_create_on_update: Whether an update may create the consent it names.
    """

    default_consent_ttl: pulumi.Input[str] | None = None
    enable_consent_create_on_update: pulumi.Input[bool] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require("ConsentStoreArgs", "default_consent_ttl", self.default_consent_ttl, rules.duration)


def _fhir_version(version: str) -> str | None:
    return rules.one_of(version, rules.FHIR_VERSIONS, "a FHIR version")
