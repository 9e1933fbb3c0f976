"""A Healthcare dataset with any number of DICOM, FHIR, HL7v2 and consent stores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_gcp import healthcare

from components import propagation, rules
from components.base import ArgumentError, Component, require
from components.grants import GrantArgs, Membership, memberships, refuse_conditions
from components.stores import (
    ConsentStoreArgs,
    DicomStoreArgs,
    FhirStoreArgs,
    Hl7v2StoreArgs,
    StoreArgs,
)


@dataclass(frozen=True)
class HealthcareDatasetArgs:
    """Arguments of `HealthcareDataset`.

    Attributes:
        project: The id of the project.
        location: A location of the Cloud Healthcare API.
        dataset: The id of the dataset. A change replaces it with all its stores.
        time_zone: The default time zone, by its IANA name.
        dicom_stores: The DICOM stores, no two of one name.
        fhir_stores: The FHIR stores, no two of one name.
        hl7v2_stores: The HL7v2 stores, no two of one name.
        consent_stores: The consent stores, no two of one name.
        kms_key_name: The full name of a key to encrypt with; Google's own if None. Replaces.
        members: Roles on the dataset and all in it, added to what others hold.
        deletion_policy: DELETE, PREVENT or ABANDON, for the dataset and its stores.
    """

    project: pulumi.Input[str]
    location: pulumi.Input[str]
    dataset: pulumi.Input[str]
    time_zone: pulumi.Input[str] = "UTC"
    dicom_stores: Sequence[DicomStoreArgs] = ()
    fhir_stores: Sequence[FhirStoreArgs] = ()
    hl7v2_stores: Sequence[Hl7v2StoreArgs] = ()
    consent_stores: Sequence[ConsentStoreArgs] = ()
    kms_key_name: pulumi.Input[str] | None = None
    members: Sequence[GrantArgs] = ()
    deletion_policy: pulumi.Input[str] | None = None

    def __post_init__(self) -> None:
        owner = "HealthcareDatasetArgs"
        require(owner, "project", self.project, rules.project)
        require(owner, "location", self.location, rules.location)
        require(owner, "dataset", self.dataset, rules.healthcare_id)
        require(owner, "time_zone", self.time_zone, rules.time_zone)
        require(owner, "kms_key_name", self.kms_key_name, rules.kms_key_name)
        for argument in _STORE_TYPES:
            for _, store, _ in rules.repeated(store.name for store in self.stores(argument)):
                raise ArgumentError(f'{owner}.{argument}: two stores are named "{store}"')
        list(memberships(self.members, f"{owner}.members"))
        refuse_conditions(self.members, f"{owner}.members")

    def stores(self, argument: str) -> Sequence[StoreArgs]:
        """Return the stores of an argument such as `dicom_stores`."""
        stores: Sequence[StoreArgs] = getattr(self, argument)
        return stores


@dataclass(frozen=True)
class _StoreType:
    """A type of store.

    Attributes:
        collection: in the full name of a store
        resource: creates a store
        member: creates a member of a store
        member_of: returns the inputs of a member that name its store
    """

    collection: str
    resource: Callable[..., Any]
    member: Callable[..., Any]
    member_of: Callable[[Any], Mapping[str, pulumi.Input[str]]]


_STORE_TYPES = {
    "dicom_stores": _StoreType(
        "dicomStores",
        healthcare.DicomStore,
        healthcare.DicomStoreIamMember,
        lambda store: {"dicom_store_id": store.id},
    ),
    "fhir_stores": _StoreType(
        "fhirStores",
        healthcare.FhirStore,
        healthcare.FhirStoreIamMember,
        lambda store: {"fhir_store_id": store.id},
    ),
    "hl7v2_stores": _StoreType(
        "hl7V2Stores",
        healthcare.Hl7Store,
        healthcare.Hl7StoreIamMember,
        lambda store: {"hl7_v2_store_id": store.id},
    ),
    "consent_stores": _StoreType(
        "consentStores",
        healthcare.ConsentStore,
        healthcare.ConsentStoreIamMember,
        lambda store: {"dataset": store.dataset, "consent_store_id": store.name},
    ),
}
"""From an argument of `HealthcareDatasetArgs` to the type of its stores."""


class HealthcareDataset(Component):
    """A Healthcare dataset and its stores.

    Logical names never contain the id of the dataset, so that a new id shows as what it is, a
    replacement of the dataset and of every store, and not as unrelated creations and deletions.

    Give `depends_on` the services and the service agent's grants: a store whose agent lacks its
    roles is refused. Give `protect` to have the engine refuse to delete the dataset or a store.
    Datasets carry no labels in Google Cloud; stores do.

    Inputs: see `HealthcareDatasetArgs`.

    Outputs:
        dataset: The full name, `projects/P/locations/L/datasets/D`.
        dicom_stores: Id -> full name of every DICOM store.
        fhir_stores: Id -> full name of every FHIR store.
        hl7v2_stores: Id -> full name of every HL7v2 store.
        consent_stores: Id -> full name of every consent store.
    """

    dataset: pulumi.Output[str]
    dicom_stores: pulumi.Output[dict[str, str]]
    fhir_stores: pulumi.Output[dict[str, str]]
    hl7v2_stores: pulumi.Output[dict[str, str]]
    consent_stores: pulumi.Output[dict[str, str]]
    summary: dict[str, pulumi.Output[Any]]
    """All outputs, by the names that stacks export them under."""

    def __init__(
        self,
        name: str,
        args: HealthcareDatasetArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self._name_of_component = name
        self._deletion_policy = args.deletion_policy
        dataset = self._make_dataset(name, args)
        # The same text as the resources' ids, which are not known before the first update: with
        # it, a preview shows every name in full, and what a replacement changes them to.
        self.dataset = pulumi.Output.concat(
            "projects/",
            dataset.project,
            "/locations/",
            dataset.location,
            "/datasets/",
            dataset.name,
        )
        for membership in memberships(args.members, f"{name}.members"):
            self._member(healthcare.DatasetIamMember, name, {"dataset_id": dataset.id}, membership)
        self.dicom_stores, self.fhir_stores, self.hl7v2_stores, self.consent_stores = (
            self._stores(type_, args.stores(argument)) for argument, type_ in _STORE_TYPES.items()
        )
        self.summary = {
            "dataset": self.dataset,
            "dicomStores": self.dicom_stores,
            "fhirStores": self.fhir_stores,
            "hl7v2Stores": self.hl7v2_stores,
            "consentStores": self.consent_stores,
        }
        self.register_outputs(self.summary)

    def _make_dataset(self, name: str, args: HealthcareDatasetArgs) -> healthcare.Dataset:
        key = args.kms_key_name
        return healthcare.Dataset(
            name,
            project=args.project,
            location=args.location,
            name=args.dataset,
            time_zone=args.time_zone,
            encryption_spec=None if key is None else {"kms_key_name": key},
            deletion_policy=args.deletion_policy,
            opts=self._child(hooks=propagation.hooks(grants=key is not None)),
        )

    def _stores(
        self, type_: _StoreType, stores: Sequence[StoreArgs]
    ) -> pulumi.Output[dict[str, str]]:
        """Create the stores of one type; return id -> full name."""
        resources = [self._store(type_, store) for store in stores]
        pairs = [pulumi.Output.all(store.name, store.dataset) for store in resources]
        return pulumi.Output.all(*pairs).apply(
            lambda known: {name: f"{dataset}/{type_.collection}/{name}" for name, dataset in known}
        )

    def _store(self, type_: _StoreType, args: StoreArgs) -> Any:
        logical = f"{self._name_of_component}-{args.name}"
        properties = args.properties()
        properties.setdefault("deletion_policy", self._deletion_policy)
        reaches_out = any("notification" in key or "stream" in key for key in properties)
        store = type_.resource(
            logical,
            dataset=self.dataset,
            **properties,
            # A replaced store keeps its name, and the name is in use until the old store is gone.
            opts=self._grandchild(
                delete_before_replace=True,
                hooks=propagation.hooks(grants=reaches_out),
            ),
        )
        for membership in memberships(args.members, f"{logical}.members"):
            self._member(type_.member, logical, type_.member_of(store), membership)
        return store

    def _member(
        self,
        resource: Callable[..., Any],
        owner: str,
        target: Mapping[str, pulumi.Input[str]],
        membership: Membership,
    ) -> None:
        """Grant one role on a dataset or store."""
        resource(
            f"{owner}-{membership.suffix}",
            **target,
            role=membership.role,
            member=membership.member,
            condition=membership.condition,
            opts=self._grandchild(protect=False),
        )
