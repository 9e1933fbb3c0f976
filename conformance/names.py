"""The names of everything that a run creates, and its price."""

import secrets
from dataclasses import dataclass

PRICE = (
    "Price: a few cents at most. The calls are a few hundred requests, files of 2 MB in all and "
    "one query of less than 10 MB; the resources exist for some minutes."
)


@dataclass(frozen=True)
class Names:
    """The resources of one run.

    Attributes:
        project: the id of the project
        location: of the Healthcare dataset and the bucket
        run: distinguishes runs: 8 hexadecimal digits
    """

    project: str
    location: str
    run: str

    @classmethod
    def new(cls, project: str, location: str) -> "Names":
        """Return names that no other run has."""
        return cls(project, location, secrets.token_hex(4))

    @property
    def parent(self) -> str:
        """The location, `projects/P/locations/L`."""
        return f"projects/{self.project}/locations/{self.location}"

    @property
    def dataset_id(self) -> str:
        """The id of the Healthcare dataset."""
        return f"conformance-{self.run}"

    @property
    def dataset(self) -> str:
        """The full name of the Healthcare dataset."""
        return f"{self.parent}/datasets/{self.dataset_id}"

    def store(self, store_id: str) -> str:
        """Return the full name of a DICOM store."""
        return f"{self.dataset}/dicomStores/{store_id}"

    @property
    def bucket(self) -> str:
        """The name of the bucket."""
        return f"conformance-{self.run}"

    @property
    def bigquery_dataset(self) -> str:
        """The id of the BigQuery dataset."""
        return f"conformance_{self.run}"

    @property
    def topic(self) -> str:
        """The full name of the topic that gets notifications."""
        return f"projects/{self.project}/topics/conformance-{self.run}"

    @property
    def closed_topic(self) -> str:
        """The full name of a topic that the service agent may not publish to."""
        return f"{self.topic}-closed"

    @property
    def subscription(self) -> str:
        """The full name of the subscription to the topic."""
        return f"projects/{self.project}/subscriptions/conformance-{self.run}"

    @property
    def idle_subscription(self) -> str:
        """The full name of a subscription without messages, to the closed topic."""
        return f"{self.subscription}-idle"

    @property
    def secret(self) -> str:
        """The full name of a secret of Secret Manager, by the project's id."""
        return f"projects/{self.project}/secrets/conformance-{self.run}"

    def describe(self) -> list[str]:
        """Return a line for each resource that a run creates and removes."""
        return [
            f"Healthcare dataset   {self.dataset}, with DICOM stores",
            f"bucket               gs://{self.bucket}",
            f"BigQuery dataset     {self.project}.{self.bigquery_dataset}",
            f"topics               {self.topic}, {self.closed_topic}",
            f"subscriptions        {self.subscription}, {self.idle_subscription}",
            f"secret               {self.secret}",
            "grants               to the Healthcare service agent on these, and "
            "roles/bigquery.jobUser on the project unless it has it",
            "audit config         DATA_READ of healthcare.googleapis.com on the project, unless it "
            "has one",
        ]
