"""A stack to tear down, and all that is in its project."""

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from tests.support.labs import Lab, Stack

LOCATION = "us-central1"
OWNER = {"role": "roles/owner", "members": ["user:you@example.com"]}
SCHEMA = {"schema": {"fields": [{"name": "PatientID", "type": "STRING"}]}}
STORES = ("dicomStores", "fhirStores", "hl7V2Stores", "consentStores")


@dataclass(frozen=True)
class TeardownFixture:
    """A stack in a project of its own, what is in the project, and the script on it."""

    stack: Stack

    @property
    def lab(self) -> Lab:
        return self.stack.lab

    @property
    def project(self) -> str:
        return self.stack.project

    @property
    def dataset(self) -> str:
        return f"projects/{self.project}/locations/{LOCATION}/datasets/dataset1"

    @property
    def bigquery(self) -> str:
        base = self.lab.environment["GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT"]
        root = self.lab.environment["GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"].removesuffix("v1beta1/")
        return f"{base.removeprefix(root)}projects/{self.project}/datasets"

    @property
    def flags(self) -> list[str]:
        """The options that name the stack."""
        return ["--stack", self.stack.name, "--cwd", str(self.lab.program), "--keep-running"]

    def run(self, code: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the script to its end, which has to be this."""
        done = self.lab.script("teardown", *self.flags, *arguments)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def run_json(self, code: int, *arguments: str) -> dict[str, Any]:
        """Run the script; the object that it printed."""
        shape: dict[str, Any] = json.loads(self.run(code, "--json", *arguments).stdout)
        return shape

    def table(self, dataset: str, name: str, **body: Any) -> None:
        reference = {"projectId": self.project, "datasetId": dataset, "tableId": name}
        path = f"{self.bigquery}/{dataset}/tables"
        self.lab.call("POST", path, {"tableReference": reference, **(body or SCHEMA)})

    def bindings(self) -> list[dict[str, Any]]:
        policy = self.lab.call("POST", f"v1/projects/{self.project}:getIamPolicy", {})
        # The order says nothing, and the plug-in writes its own.
        return sorted(policy.get("bindings", []), key=lambda each: str(each["role"]))

    def bind(self, bindings: list[dict[str, Any]]) -> None:
        body = {"policy": {"bindings": bindings}}
        self.lab.call("POST", f"v1/projects/{self.project}:setIamPolicy", body)

    def cloud(self) -> dict[str, Any]:
        """All that there is in the project."""
        project = f"projects/{self.project}"
        datasets = self.lab.call("GET", f"v1/{project}/locations/{LOCATION}/datasets")
        names = [dataset["name"] for dataset in datasets.get("datasets", [])]
        bigquery_datasets = self.lab.call("GET", self.bigquery).get("datasets", [])
        return {
            "datasets": {name: self._stores(name) for name in names},
            "topics": self.lab.call("GET", f"v1/{project}/topics").get("topics", []),
            "tables": {w["id"]: self._tables(w["id"].partition(":")[2]) for w in bigquery_datasets},
            "bindings": self.bindings(),
        }

    def _stores(self, dataset: str) -> list[str]:
        listed = (
            (collection, self.lab.call("GET", f"v1/{dataset}/{collection}"))
            for collection in STORES
        )
        return [
            store["name"] for collection, answer in listed for store in answer.get(collection, [])
        ]

    def _tables(self, dataset: str) -> list[str]:
        listed = self.lab.call("GET", f"{self.bigquery}/{dataset}/tables")
        return sorted(table["tableReference"]["tableId"] for table in listed.get("tables", []))
