"""Resources for tear-down and adoption: one of each service, created on the emulator."""

from dataclasses import dataclass
from typing import Any

from tests.support import http

LOCATION = "us-central1"
ROLE = "roles/bigquery.jobUser"


@dataclass(frozen=True)
class EmulatorState:
    """A dataset with a store, a topic, a BigQuery dataset, a bucket and a grant, in a project.

    Attributes:
        url: the emulator's root.
        project: the id of the project.
        member: what the grant is to, as the policy has it.
    """

    url: str
    project: str
    member: str

    @property
    def dataset(self) -> str:
        return f"projects/{self.project}/locations/{LOCATION}/datasets/images"

    @property
    def store(self) -> str:
        return f"{self.dataset}/dicomStores/scans"

    @property
    def topic(self) -> str:
        return f"projects/{self.project}/topics/news"

    @property
    def bigquery_dataset(self) -> str:
        return f"projects/{self.project}/datasets/tables"

    @property
    def bucket(self) -> str:
        return f"{self.project}-files"

    def make(self) -> None:
        """Make all of it."""
        parent, _, dataset = self.dataset.rpartition("/")
        self.call("POST", f"v1/{parent}?datasetId={dataset}", {})
        self.call("POST", f"v1/{self.dataset}/dicomStores?dicomStoreId=scans", {})
        self.call("PUT", f"v1/{self.topic}", {})
        reference = {"datasetReference": {"projectId": self.project, "datasetId": "tables"}}
        self.call("POST", f"bigquery/v2/projects/{self.project}/datasets", reference)
        self.call("POST", f"storage/v1/b?project={self.project}", {"name": self.bucket})
        bindings = [*self.bindings(), {"role": ROLE, "members": [self.member]}]
        self._policy("set", {"policy": {"bindings": bindings}})

    def add_table(self) -> None:
        """Put a table into the BigQuery dataset, as an export would."""
        reference = {"projectId": self.project, "datasetId": "tables", "tableId": "rows"}
        schema = {"fields": [{"name": "PatientID", "type": "STRING"}]}
        body = {"tableReference": reference, "schema": schema}
        self.call("POST", f"bigquery/v2/{self.bigquery_dataset}/tables", body)

    def bindings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._policy("get", {}).get("bindings", [])
        return found

    def granted(self) -> bool:
        """Whether the grant is in the policy."""
        return any(self.member in binding["members"] for binding in self.bindings())

    def paths(self) -> dict[str, str]:
        """Name of each resource -> the path to read and delete it."""
        return {
            self.dataset: f"v1/{self.dataset}",
            self.topic: f"v1/{self.topic}",
            self.bigquery_dataset: f"bigquery/v2/{self.bigquery_dataset}",
            self.bucket: f"storage/v1/b/{self.bucket}",
        }

    def there(self) -> set[str]:
        """Which of the resources there are, the grant left out."""
        answers = {name: http.get(f"{self.url}/{at}") for name, at in self.paths().items()}
        assert {answer.status_code for answer in answers.values()} <= {200, 404}
        return {name for name, answer in answers.items() if answer.status_code == 200}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = http.request(method, f"{self.url}/{path}", json=body, timeout=30)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else {}

    def _policy(self, verb: str, body: Any) -> Any:
        return self.call("POST", f"v1/projects/{self.project}:{verb}IamPolicy", body)
