"""The methods of the APIs' discovery documents that the emulator serves."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.core.discovery import document
from tests.soak.fuzzing import PROJECT

_SETTINGS = ("logs", "metrics", "sinks")
APIS = (
    ("healthcare", "v1"),
    ("healthcare", "v1beta1"),
    ("pubsub", "v1"),
    ("cloudkms", "v1"),
    ("secretmanager", "v1"),
    ("artifactregistry", "v1"),
    ("cloudresourcemanager", "v1"),
    ("serviceusage", "v1"),
)
"""Those that the emulator answers by itself."""
PARTS = (
    ("iam", "v1", ("iam.projects.roles.", "iam.projects.serviceAccounts.", "iam.roles.")),
    ("logging", "v2", ("logging.entries.", *(f"logging.projects.{part}." for part in _SETTINGS))),
    (
        "monitoring",
        "v3",
        ("monitoring.projects.alertPolicies.", "monitoring.projects.notificationChannels."),
    ),
)
"""APIs of which it serves some resources; their documents repeat these for folders and others."""
_VERBS = ("insert", "get", "patch", "update", "delete")
FRONTS = (
    ("bigquery", "v2", {f"bigquery.datasets.{verb}" for verb in _VERBS}),
    ("bigquery", "v2", {f"bigquery.tables.{verb}" for verb in (*_VERBS, "list")}),
    ("storage", "v1", {f"storage.buckets.{verb}" for verb in (*_VERBS, "list")}),
    ("storage", "v1", {f"storage.buckets.{verb}IamPolicy" for verb in ("get", "set")}),
)
"""Those that it answers in front of BigQuery's and Cloud Storage's stand-ins, others' programs."""
NAMES = {
    "projectsId": PROJECT,
    "projectId": PROJECT,
    "project": PROJECT,
    "locationsId": "us-central1",
    "datasetsId": "fuzzed",
    "dicomStoresId": "s",
    "fhirStoresId": "f",
    "hl7V2StoresId": "h",
    "consentStoresId": "c",
    "attributeDefinitionsId": "fuzzed",
    "consentsId": "fuzzed",
    "studiesId": "1.2.3",
    "seriesId": "1.2.3.4",
    "instancesId": "1.2.3.4.5",
    "framesId": "1",
    "topicsId": "fuzzed",
    "subscriptionsId": "fuzzed",
    "keyRingsId": "fuzzed",
    "cryptoKeysId": "fuzzed",
    "secretsId": "fuzzed",
    "repositoriesId": "fuzzed",
    "sinksId": "fuzzed",
    "metricsId": "fuzzed",
    "logsId": "fuzzed",
    "rolesId": "fuzzed",
    "serviceAccountsId": f"fuzzed@{PROJECT}.iam.gserviceaccount.com",
    "tablesId": "fuzzed",
    "bucket": "fuzzed",
}
"""What there is: half of the nonsense is to reach something."""


@dataclass(frozen=True)
class Method:
    """A method of an API's document."""

    api: str
    version: str
    spec: Mapping[str, Any]

    @property
    def root(self) -> str:
        """The prefix of its path: empty where the path begins with the version."""
        root: str = document(self.api, self.version)["servicePath"]
        return root

    @property
    def name(self) -> str:
        return f"{self.version} {self.spec['id']}"

    @property
    def schemas(self) -> Mapping[str, Any]:
        schemas: Mapping[str, Any] = document(self.api, self.version)["schemas"]
        return schemas


def methods() -> list[Method]:
    found = [method for api, version in APIS for method in _of(api, version)]
    for api, version, prefixes in PARTS:
        found += [one for one in _of(api, version) if one.spec["id"].startswith(prefixes)]
    for api, version, ids in FRONTS:
        resource = sorted(ids)[0].split(".")[1]
        known = document(api, version)["resources"][resource]["methods"].values()
        found += [Method(api, version, one) for one in known if one["id"] in ids]
    return found


def _of(api: str, version: str) -> Iterator[Method]:
    pending = [document(api, version)]
    while pending:
        node = pending.pop()
        pending += node.get("resources", {}).values()
        for spec in node.get("methods", {}).values():
            yield Method(api, version, spec)
