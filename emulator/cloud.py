"""The local Google Cloud as one object: what every request handler works with."""

from dataclasses import dataclass
from pathlib import Path

from emulator.bigquery.backend import Backend as BigQuery
from emulator.bigquery.models import Metadata
from emulator.database import Database
from emulator.healthcare.dicom.service import Dicom
from emulator.healthcare.models import CREATE_DATASET, Resources
from emulator.iam.models import Policies
from emulator.kms.ciphertexts import Ciphertexts
from emulator.kms.models import Keys
from emulator.operations.running import Operations
from emulator.pubsub.delivery import Delivery
from emulator.pubsub.messages import Messages
from emulator.pubsub.models import Topics
from emulator.pubsub.subscriptions import Subscriptions
from emulator.resourcemanager.models import Projects
from emulator.serviceusage.models import Services
from emulator.storage.backend import Backend as Storage
from emulator.storage.models import Buckets


@dataclass(frozen=True)
class Settings:
    """Where the emulator keeps its state and finds its neighbours.

    Attributes:
        state_dir: The folder of everything that survives a restart.
        root_url: The emulator's own address, `http://127.0.0.1:PORT`.
        bigquery_url: The address of the BigQuery stand-in, without a path.
        storage_url: The address of the Cloud Storage stand-in, without a path.
        all_services_enabled: Every service counts as enabled in every project.
        storage_dir: The folder in which the Cloud Storage stand-in keeps its objects, if it is
            on this machine.
    """

    state_dir: Path
    root_url: str
    bigquery_url: str
    storage_url: str
    all_services_enabled: bool = False
    storage_dir: Path | None = None


class Cloud:
    """The state of all emulated services, and the questions that go across them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.state_dir / "state.sqlite3")
        self.operations = Operations(
            self.database, lambda name: f"{settings.root_url}/_emulator/logs/{name}"
        )
        self.policies = Policies(self.database)
        self.projects = Projects(self.database, self.policies)
        self.services = Services(self.database, self.projects, settings.all_services_enabled)
        self.topics = Topics(self.database, self.policies)
        self.subscriptions = Subscriptions(self.database, self.policies)
        self.messages = Messages(self.database, self.topics, self.subscriptions)
        self.delivery = Delivery(self.messages, self.subscriptions)
        self.keys = Keys(self.database, self.policies)
        self.ciphertexts = Ciphertexts(self.database, self.keys)
        self.bigquery = BigQuery(settings.bigquery_url)
        self.bigquery_metadata = Metadata(self.database)
        self.storage = Storage(settings.storage_url)
        self.buckets = Buckets(self.database, self.policies, self.projects)
        self.healthcare = Resources(self.database)
        self.operations.register(CREATE_DATASET, self.healthcare.finish_create)
        self.healthcare.on_delete(self.policies.drop)
        self.healthcare.on_delete(self.operations.forget)
        self.dicom = Dicom(self)
        # What a crash in the middle of a deletion left behind must not come back to life.
        self.policies.sweep("/datasets/", self.healthcare.exists)
        self.operations.sweep(self.healthcare.exists)
        for row in self.dicom.contents.select("SELECT DISTINCT store FROM dicom_instances"):
            if not self.healthcare.exists(row["store"]):
                self.dicom.contents.delete_store(row["store"])

    @property
    def bigquery_url(self) -> str:
        """The address of the BigQuery stand-in."""
        return self.settings.bigquery_url

    @property
    def storage_url(self) -> str:
        """The address of the Cloud Storage stand-in."""
        return self.settings.storage_url

    def service_agent_has(self, project: str, permission: str, resource: str | None = None) -> bool:
        """Whether the project's Healthcare service agent has a permission.

        Args:
            project: The id of the project whose agent acts.
            permission: Such as `storage.objects.list`.
            resource: A resource whose own policy counts beside the project's.
        """
        resources = [f"projects/{project}"] + ([resource] if resource else [])
        member = f"serviceAccount:{self.services.healthcare_agent(project)}"
        return self.policies.allows(resources, member, permission)

    def service_agent_has_on_dataset(
        self, project: str, permission: str, dataset_project: str, dataset: str
    ) -> bool:
        """Whether the project's Healthcare service agent has a permission on a BigQuery dataset.

        Args:
            project: The id of the project whose agent acts.
            permission: Such as `bigquery.tables.create`.
            dataset_project: The project of the BigQuery dataset.
            dataset: The BigQuery dataset's id.
        """
        member = f"serviceAccount:{self.services.healthcare_agent(project)}"
        return self.policies.allows(
            [f"projects/{dataset_project}"], member, permission
        ) or self.bigquery_metadata.allows(
            f"projects/{dataset_project}/datasets/{dataset}", member, permission
        )

    def service_agent_has_on_bucket(self, project: str, permission: str, bucket: str) -> bool:
        """Whether the project's Healthcare service agent has a permission on a bucket.

        Args:
            project: The id of the project whose agent acts.
            permission: Such as `storage.objects.list`.
            bucket: The bucket's name.
        """
        member = f"serviceAccount:{self.services.healthcare_agent(project)}"
        return self.buckets.allows(bucket, project, member, permission)

    def reset(self) -> None:
        """Forget everything: every dataset with all inside it, policies, projects, services."""
        for dataset in self.healthcare.datasets():
            self.healthcare.delete(dataset)
        self.database.empty()

    def close(self) -> None:
        """Stop running operations and close the state."""
        self.delivery.close()
        self.operations.close()
        self.dicom.close()
        self.storage.close()
        self.bigquery.close()
        self.database.close()
