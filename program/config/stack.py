"""All settings of a stack. The defaults and the descriptions stand here.

`Pulumi.yaml` declares them to the engine too, and `docs/configuration.md` explains them; a
test compares the three.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from components import rules
from program.config.access import ConditionalGrantSettings
from program.config.adapters import (
    AdapterRepositorySettings,
    DimseAdapterSettings,
    MllpAdapterSettings,
    VpnSettings,
)
from program.config.datasets import DatasetContent, DatasetSettings, named
from program.config.logs import AccessAlertSettings, AuditLogSinkSettings
from program.config.model import HealthcareId, Labels, Location, Model, Role, follows
from program.config.services.gateway import GatewaySettings
from program.config.services.inference import InferenceServiceSettings
from program.config.services.pipelines import PipelinesSettings
from program.config.stores import DicomStoreSettings
from program.config.topics import TopicSettings

SERVICES = (
    "healthcare.googleapis.com",
    "bigquery.googleapis.com",
    "storage.googleapis.com",
    "iam.googleapis.com",
    "cloudresourcemanager.googleapis.com",
)
"""The services that the lab works with."""

DICOM_STORES = ("dicomstore1", "dicomstore2")
"""The DICOM stores of the lab."""

FIRST_DATASET = "healthcare"
"""The name of the first dataset in the stack."""

Bucket = Annotated[str, follows(rules.bucket)]
Days = Annotated[int, Field(ge=0, le=36500)]


class _StackLocation(Model):
    """Project, locations and first dataset of a stack."""

    project: Annotated[str, follows(rules.project)] = Field(alias="gcp:project")
    """The id of the Google Cloud project."""
    location: Location = "us-central1"
    """Where the data is kept: a region, or the multi-regions us and eu."""
    allowed_locations: list[Location] = []
    """The locations that no dataset of the stack may leave; an empty list allows all."""
    dataset: HealthcareId = "dataset1"
    """The id of the first Healthcare dataset. A change replaces it and all its stores."""


class Settings(DatasetContent, _StackLocation):
    """All settings of a stack. The keys are those of `Pulumi.<stack>.yaml`, in camelCase.

    The keys of a dataset's content, from `timeZone` to `deletionPolicy`, describe the first one.
    """

    dicom_stores: list[Annotated[DicomStoreSettings, BeforeValidator(named)]] = [
        DicomStoreSettings(name=name) for name in DICOM_STORES
    ]
    """The DICOM stores. The first one is the lab's, the one to import into."""
    datasets: list[DatasetSettings] = []
    """Further datasets, each with stores of its own."""
    topics: list[TopicSettings] = []
    """Pub/Sub topics to create, with subscriptions; stores notify them."""
    dimse_adapters: list[DimseAdapterSettings] = []
    """DIMSE adapters: modalities and archives before a DICOM store."""
    mllp_adapters: list[MllpAdapterSettings] = []
    """MLLP adapters: HL7v2 messages of hospitals to an HL7v2 store, and back."""
    adapter_repository: AdapterRepositorySettings = AdapterRepositorySettings()
    """A repository for the images of adapters, gateways and inference; none if empty."""
    inference_services: list[InferenceServiceSettings] = []
    """Services that measure new instances of a DICOM store."""
    pipelines: PipelinesSettings = PipelinesSettings()
    """What pipelines need on Dataflow (account, network, images, templates); none if empty."""
    vpns: list[VpnSettings] = []
    """VPNs to the networks of hospitals, by which their systems reach the adapters."""
    gateways: list[GatewaySettings] = []
    """Gateways: a guarded way to stores for callers and viewers elsewhere."""
    access: Literal["lab", "least-privilege", "explicit"] = "lab"
    """The roles of the Healthcare service agent: those of the lab, the least, or a list."""
    service_agent_roles: list[Role] = []
    """The project roles of the Healthcare service agent, where `access` is explicit."""
    import_buckets: list[Bucket] = []
    """Buckets that imports read, where `access` is least-privilege. Public ones need no mention."""
    export_buckets: list[Bucket] = []
    """Buckets that exports write, where `access` is least-privilege."""
    project_members: list[ConditionalGrantSettings] = []
    """Roles on the project, added to what others hold."""
    bigquery_dataset: Annotated[str, follows(rules.bigquery_dataset_id)] = "dataset1"
    """The id of the BigQuery dataset, in the same location."""
    bigquery_description: str = "DICOM"
    """The description of the BigQuery dataset."""
    bigquery_delete_contents: bool = False
    """Whether destroying the stack deletes the tables too; without it, tables block a destroy."""
    bigquery_deletion_protection: bool = False
    """Whether the engine refuses to delete the BigQuery dataset."""
    bigquery_table_expiration_days: Days = 0
    """Days after which a new table deletes itself; 0 for never."""
    bigquery_partition_expiration_days: Days = 0
    """Days after which a partition of a new table deletes itself; 0 for never."""
    bigquery_labels: Labels = {}
    """Labels of the BigQuery dataset, over those of the stack."""
    bigquery_kms_key_name: Annotated[str, follows(rules.kms_key_name_or_none)] = ""
    """An existing key for the tables, by its full name; Google's own if empty."""
    bigquery_members: list[ConditionalGrantSettings] = []
    """Roles on the BigQuery dataset, added to what others hold."""
    bigquery_views: bool = False
    """Whether to create views over exported tables, from the first update after an export."""
    audit_logs: list[Literal["ADMIN_READ", "DATA_READ", "DATA_WRITE"]] = []
    """Types of accesses through the Healthcare API to log; changes are always logged."""
    audit_log_sink: AuditLogSinkSettings = AuditLogSinkSettings()
    """A copy of the audit logs in BigQuery or in a bucket; none if empty."""
    access_alert: AccessAlertSettings = AccessAlertSettings()
    """An alert on access to health data by principals that are not listed; none if empty."""
    labels: Labels = {}
    """Labels of every store, topic and BigQuery dataset. Healthcare datasets carry none."""
    services: list[Annotated[str, follows(rules.service)]] = list(SERVICES)
    """The Google Cloud services to enable. They stay enabled when the stack is destroyed."""

    def all_datasets(self) -> list[DatasetSettings]:
        """Return the first dataset and the further ones, in one form."""
        content = {name: getattr(self, name) for name in DatasetContent.model_fields}
        first = DatasetSettings.model_construct(
            name=FIRST_DATASET, dataset=self.dataset, location=self.location, **content
        )
        return [first, *self.datasets]

    def adapters(self) -> list[DimseAdapterSettings | MllpAdapterSettings]:
        """Return the adapters of both protocols."""
        return [*self.dimse_adapters, *self.mllp_adapters]

    def first_dicom_store(self) -> str | None:
        """Return the id of the first DICOM store that is switched on: the lab's."""
        return self._first("dicomStores")

    def first_dicom_stores(self) -> dict[str, str]:
        """Return the first DICOM store that is switched on of each dataset, by dataset name.

        The engine sorts maps, so that the outputs do not show the order of the stores.
        """
        firsts = {}
        for dataset in self.all_datasets():
            enabled = [store.name for store in dataset.dicom_stores if store.enabled]
            if enabled:
                firsts[dataset.name] = enabled[0]
        return firsts

    def lab_variables(self) -> dict[str, str]:
        """Return the variables that the lab's manual exports, without switched-off stores."""
        variables = {
            "PROJECT_ID": self.project,
            "REGION": self.location,
            "DATASET_ID": self.dataset,
            "FHIR_STORE_ID": self._first("fhirStores"),
            "DICOM_STORE_ID": self._first("dicomStores"),
            "HL7_STORE_ID": self._first("hl7v2Stores"),
        }
        return {name: value for name, value in variables.items() if value is not None}

    def _first(self, store_type: str) -> str | None:
        return next((store.name for its_type, store in self.stores if its_type == store_type), None)
