"""A Healthcare dataset with any number of DICOM, FHIR and HL7v2 stores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_gcp import healthcare

from components import rules
from components.base import ArgumentError, Component, require

Labels = Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True)
class DicomStoreArgs:
    """A DICOM store.

    Attributes:
        name: The id of the store; its logical name derives from it.
        labels: Labels of the store.
    """

    name: str
    labels: Labels = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_store(self, rules.dicom_store_id)


@dataclass(frozen=True)
class FhirStoreArgs:
    """A FHIR store. What is None is left to Google.

    Attributes:
        name: The id of the store; its logical name derives from it.
        labels: Labels of the store.
        version: DSTU2, STU3 or R4. A change replaces the store.
        enable_update_create: Whether an update may create a resource under the client's id.
        disable_referential_integrity: Whether dangling references are accepted. Replaces.
        disable_resource_versioning: Whether no history is kept. Replaces.
        enable_history_import: Whether a bulk import may bring history. Replaces.
        default_search_handling_strict: Whether unknown search parameters are errors.
    """

    name: str
    labels: Labels = field(default_factory=dict)
    version: pulumi.Input[str] = "R4"
    enable_update_create: pulumi.Input[bool] | None = None
    disable_referential_integrity: pulumi.Input[bool] | None = None
    disable_resource_versioning: pulumi.Input[bool] | None = None
    enable_history_import: pulumi.Input[bool] | None = None
    default_search_handling_strict: pulumi.Input[bool] | None = None

    def __post_init__(self) -> None:
        _check_store(self, rules.healthcare_id)
        require("FhirStoreArgs", "version", self.version, _fhir_version)


@dataclass(frozen=True)
class Hl7v2ParserArgs:
    """How an HL7v2 store parses. What is None is left to Google.

    Attributes:
        version: V1, V2 or V3. A change replaces the store.
        allow_null_header: Whether messages without a header are accepted.
        segment_terminator: The bytes between segments, in base64.
    """

    version: pulumi.Input[str] | None = None
    allow_null_header: pulumi.Input[bool] | None = None
    segment_terminator: pulumi.Input[str] | None = None

    def __post_init__(self) -> None:
        require("Hl7v2ParserArgs", "version", self.version, _parser_version)


@dataclass(frozen=True)
class Hl7v2StoreArgs:
    """An HL7v2 store. What is None is left to Google.

    Attributes:
        name: The id of the store; its logical name derives from it.
        labels: Labels of the store.
        reject_duplicate_message: Whether a message that is there already is refused.
        parser_config: How messages are parsed.
    """

    name: str
    labels: Labels = field(default_factory=dict)
    reject_duplicate_message: pulumi.Input[bool] | None = None
    parser_config: Hl7v2ParserArgs | None = None

    def __post_init__(self) -> None:
        _check_store(self, rules.healthcare_id)


StoreArgs = DicomStoreArgs | FhirStoreArgs | Hl7v2StoreArgs
Store = healthcare.DicomStore | healthcare.FhirStore | healthcare.Hl7Store


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
    """

    project: pulumi.Input[str]
    location: pulumi.Input[str]
    dataset: pulumi.Input[str]
    time_zone: pulumi.Input[str] = "UTC"
    dicom_stores: Sequence[DicomStoreArgs] = ()
    fhir_stores: Sequence[FhirStoreArgs] = ()
    hl7v2_stores: Sequence[Hl7v2StoreArgs] = ()

    def __post_init__(self) -> None:
        owner = "HealthcareDatasetArgs"
        require(owner, "project", self.project, rules.project)
        require(owner, "location", self.location, rules.location)
        require(owner, "dataset", self.dataset, rules.healthcare_id)
        require(owner, "time_zone", self.time_zone, rules.time_zone)
        kinds: dict[str, Sequence[StoreArgs]] = {
            "dicom_stores": self.dicom_stores,
            "fhir_stores": self.fhir_stores,
            "hl7v2_stores": self.hl7v2_stores,
        }
        for kind, stores in kinds.items():
            for _, store, _ in rules.repeated(store.name for store in stores):
                raise ArgumentError(f'{owner}.{kind}: two stores are named "{store}"')


class HealthcareDataset(Component):
    """A Healthcare dataset and its stores.

    Logical names never contain the id of the dataset, so that a new id shows as what it is, a
    replacement of the dataset and of every store, and not as unrelated creations and deletions.

    Give `depends_on` the services and the service agent's grants: a store whose agent lacks its
    roles is refused. Datasets carry no labels in Google Cloud; stores do.

    Inputs: see `HealthcareDatasetArgs`.

    Outputs:
        dataset: The full name, `projects/P/locations/L/datasets/D`.
        dicom_stores: Id -> full name of every DICOM store.
        fhir_stores: Id -> full name of every FHIR store.
        hl7v2_stores: Id -> full name of every HL7v2 store.
    """

    dataset: pulumi.Output[str]
    dicom_stores: pulumi.Output[dict[str, str]]
    fhir_stores: pulumi.Output[dict[str, str]]
    hl7v2_stores: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        name: str,
        args: HealthcareDatasetArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self._name_of_component = name
        dataset = healthcare.Dataset(
            name,
            project=args.project,
            location=args.location,
            name=args.dataset,
            time_zone=args.time_zone,
            opts=self._child(),
        )
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
        dicom_stores = [self._dicom_store(store) for store in args.dicom_stores]
        fhir_stores = [self._fhir_store(store) for store in args.fhir_stores]
        hl7v2_stores = [self._hl7v2_store(store) for store in args.hl7v2_stores]
        self.dicom_stores = _full_names("dicomStores", dicom_stores)
        self.fhir_stores = _full_names("fhirStores", fhir_stores)
        self.hl7v2_stores = _full_names("hl7V2Stores", hl7v2_stores)
        self.register_outputs(
            {
                "dataset": self.dataset,
                "dicomStores": self.dicom_stores,
                "fhirStores": self.fhir_stores,
                "hl7v2Stores": self.hl7v2_stores,
            }
        )

    def _dicom_store(self, store: DicomStoreArgs) -> healthcare.DicomStore:
        return healthcare.DicomStore(
            self._logical(store),
            dataset=self.dataset,
            name=store.name,
            labels=store.labels,
            opts=self._store_options(),
        )

    def _fhir_store(self, store: FhirStoreArgs) -> healthcare.FhirStore:
        return healthcare.FhirStore(
            self._logical(store),
            dataset=self.dataset,
            name=store.name,
            labels=store.labels,
            version=store.version,
            enable_update_create=store.enable_update_create,
            disable_referential_integrity=store.disable_referential_integrity,
            disable_resource_versioning=store.disable_resource_versioning,
            enable_history_import=store.enable_history_import,
            default_search_handling_strict=store.default_search_handling_strict,
            opts=self._store_options(),
        )

    def _hl7v2_store(self, store: Hl7v2StoreArgs) -> healthcare.Hl7Store:
        parser = store.parser_config
        return healthcare.Hl7Store(
            self._logical(store),
            dataset=self.dataset,
            name=store.name,
            labels=store.labels,
            reject_duplicate_message=store.reject_duplicate_message,
            parser_config=None
            if parser is None
            else healthcare.Hl7StoreParserConfigArgs(
                version=parser.version,
                allow_null_header=parser.allow_null_header,
                segment_terminator=parser.segment_terminator,
            ),
            opts=self._store_options(),
        )

    def _logical(self, store: StoreArgs) -> str:
        return f"{self._name_of_component}-{store.name}"

    def _store_options(self) -> pulumi.ResourceOptions:
        # A replaced store keeps its name, and the name is in use until the old store is gone.
        return self._child(delete_before_replace=True)


def _full_names(collection: str, stores: Sequence[Store]) -> pulumi.Output[dict[str, str]]:
    """Id -> full name of every store of one kind."""
    pairs = [pulumi.Output.all(store.name, store.dataset) for store in stores]
    return pulumi.Output.all(*pairs).apply(
        lambda known: {name: f"{dataset}/{collection}/{name}" for name, dataset in known}
    )


def _check_store(store: StoreArgs, name_rule: Callable[[str], str | None]) -> None:
    owner = type(store).__name__
    require(owner, "name", store.name, name_rule)
    for key, value in store.labels.items():
        require(owner, "labels", key, rules.label_key)
        require(owner, "labels", value, rules.label_value)
    if len(store.labels) > rules.MAX_LABELS:
        raise ArgumentError(
            f'{owner} "{store.name}": {len(store.labels)} labels, of {rules.MAX_LABELS} allowed'
        )


def _fhir_version(version: str) -> str | None:
    return rules.one_of(version, rules.FHIR_VERSIONS, "a FHIR version")


def _parser_version(version: str) -> str | None:
    return rules.one_of(version, rules.HL7V2_PARSER_VERSIONS, "a version of the HL7v2 parser")
