"""Look-ups of resources in the services; each policy is read once."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from google.api_core.exceptions import NotFound
from googleapiclient.errors import HttpError

from engine.loopback import is_loopback
from scripts.lib.google import clients, retry
from scripts.lib.google.errors import translate_errors

Json = dict[str, Any]

POLICY_VERSION = 3  # the first with conditions

APIS: dict[str, tuple[Callable[[], Any], str]] = {
    "healthcare": (clients.healthcare, "GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"),
    "pubsub": (clients.pubsub, "GOOGLE_PUBSUB_CUSTOM_ENDPOINT"),
    "kms": (clients.key_management, "GOOGLE_KMS_CUSTOM_ENDPOINT"),
    "logging": (clients.cloud_logging, "GOOGLE_LOGGING_CUSTOM_ENDPOINT"),
    "monitoring": (clients.cloud_monitoring, "GOOGLE_MONITORING_CUSTOM_ENDPOINT"),
    "cloudrun": (clients.cloud_run, "GOOGLE_CLOUD_RUN_V2_CUSTOM_ENDPOINT"),
    "iap": (clients.identity_aware_proxy, "GOOGLE_IAP_CUSTOM_ENDPOINT"),
    "secretmanager": (clients.secret_manager, "GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT"),
    "artifactregistry": (
        clients.artifact_registry,
        "GOOGLE_ARTIFACT_REGISTRY_CUSTOM_ENDPOINT",
    ),
    "compute": (clients.compute_engine, "GOOGLE_COMPUTE_CUSTOM_ENDPOINT"),
    "iam": (clients.iam, "GOOGLE_IAM_CUSTOM_ENDPOINT"),
    "serviceusage": (clients.service_usage, "GOOGLE_SERVICE_USAGE_CUSTOM_ENDPOINT"),
    "resourcemanager": (clients.resource_manager, "GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT"),
}
_POLICY_BY_POST = ("iap", "resourcemanager")
_NAME_PARAMETERS = {
    "projects.topics": "topic",
    "projects.subscriptions": "subscription",
    "projects.sinks": "sinkName",
    "projects.metrics": "metricName",
}
# A disabled service has no resources; both texts are Google's.
_OFF = ("has not been used in project", "it is disabled")
_BASIC_ROLES = {
    "OWNER": "roles/bigquery.dataOwner",
    "WRITER": "roles/bigquery.dataEditor",
    "READER": "roles/bigquery.dataViewer",
}
_BIG_QUERY_MEMBERS = {"groupByEmail": "group:", "domain": "domain:"}


class NotServedError(Exception):
    """The error of a service that the local Google Cloud does not have."""


class Lookup:
    """Look-ups in the services. A resource is missing on 404, or if its API is disabled.

    Attributes:
        run_services: full names of services of Cloud Run whose policies may name service agents
    """

    def __init__(self) -> None:
        self.run_services: set[str] = set()
        self._clients: dict[str, Any] = {}
        self._answers: dict[tuple[str, ...], Json | None] = {}

    def get(self, api: str, collection: str, name: str) -> Json | None:
        """Read a resource by its full name.

        Args:
            api: a key of APIS
            collection: in the discovery document, such as `projects.topics`
            name: its full name

        Raises:
            NotServedError: the local Google Cloud has no such service
            ScriptError: the service does not answer
        """
        key = _NAME_PARAMETERS.get(collection, "name")
        request = self._collection(api, collection).get(**{key: name})
        return self._answer(("get", name), f"looking for {name}", request.execute)

    def compute(self, collection: str, name: str) -> Json | None:
        """Read a resource of Compute Engine, whose calls take the parts of its name.

        Args:
            collection: in the discovery document, such as `regionHealthChecks`
            name: such as `projects/P/regions/R/healthChecks/C`
        """
        _, project, scope, *rest = name.split("/")
        plural, id_ = rest[-2:]
        parts = {"project": project, _singular(plural): id_}
        if scope == "regions":
            parts["region"] = rest[0]
        request = self._collection("compute", collection).get(**parts)
        return self._answer(("get", name), f"looking for {name}", request.execute)

    def policy(self, api: str, collection: str, name: str) -> Json | None:
        """Read the IAM policy of a resource, by its full name; None if it does not exist."""
        request = policy_request(api, self._collection(api, collection), name)
        return self._answer(("policy", name), f"reading the policy of {name}", request.execute)

    def project_policy(self, project: str) -> Json | None:
        """Read the IAM policy of a project."""
        request = policy_request(
            "resourcemanager", self._collection("resourcemanager", "projects"), project
        )
        doing = f"reading the policy of project {project}"
        return self._answer(("policy", project), doing, request.execute)

    def project_number(self, project: str) -> str | None:
        """Look up the number of a project; None if it does not exist."""
        request = self._collection("resourcemanager", "projects").get(projectId=project)
        doing = f"looking for project {project}"
        found = self._answer(("project", project), doing, request.execute)
        return None if found is None else str(found["projectNumber"])

    def big_query_dataset(self, project: str, dataset: str) -> Json | None:
        """Read a BigQuery dataset, with its access list."""
        name = f"{project}.{dataset}"

        def ask() -> Json:
            found: Json = (
                clients.big_query(project).get_dataset(name, retry=retry.ONCE).to_api_repr()
            )
            return found

        return self._answer(("bigquery", name), f"looking for BigQuery dataset {name}", ask)

    def big_query_table(self, project: str, dataset: str, table: str) -> Json | None:
        """Read a BigQuery table or view."""
        name = f"{project}.{dataset}.{table}"

        def ask() -> Json:
            found: Json = clients.big_query(project).get_table(name, retry=retry.ONCE).to_api_repr()
            return found

        return self._answer(("bigquery", name), f"looking for BigQuery table {name}", ask)

    def bucket(self, project: str, bucket: str) -> Json | None:
        """Read a bucket's metadata."""

        def ask() -> Json:
            found = clients.cloud_storage(project).get_bucket(bucket, retry=retry.ONCE)
            return {"name": found.name, "projectNumber": str(found.project_number)}

        return self._answer(("bucket", bucket), f"looking for bucket {bucket}", ask)

    def has_object(self, project: str, bucket: str, name: str) -> bool:
        """Return whether a bucket has an object."""

        def ask() -> Json:
            blob = clients.cloud_storage(project).bucket(bucket).blob(name)
            return {"exists": blob.exists(retry=retry.ONCE)}

        doing = f"looking for gs://{bucket}/{name}"
        found = self._answer(("object", f"{bucket}/{name}"), doing, ask)
        return found is not None and bool(found["exists"])

    def bucket_policy(self, project: str, bucket: str) -> Json | None:
        """Read the IAM policy of a bucket."""

        def ask() -> Json:
            at = clients.cloud_storage(project).bucket(bucket)
            policy = at.get_iam_policy(requested_policy_version=POLICY_VERSION, retry=retry.ONCE)
            answer: Json = policy.to_api_repr()
            return answer

        return self._answer(("policy", bucket), f"reading the policy of bucket {bucket}", ask)

    def namesakes(self, project: str, dataset: str) -> list[str]:
        """Return the full names of a project's Healthcare datasets with an id, in all locations."""
        locations = self._collection("healthcare", "projects.locations")
        doing = f"listing the locations of {project}"
        listed = self._answer(
            ("locations", project), doing, locations.list(name=f"projects/{project}").execute
        )
        names = [
            f"projects/{project}/locations/{location['locationId']}/datasets/{dataset}"
            for location in (listed or {}).get("locations", [])
        ]
        at = "projects.locations.datasets"
        return [name for name in names if self.get("healthcare", at, name) is not None]

    def _collection(self, api: str, path: str) -> Any:
        make, variable = APIS[api]
        if api not in self._clients:
            if _elsewhere(variable):
                raise NotServedError(api)
            self._clients[api] = make()
        found = self._clients[api]
        for part in path.split("."):
            found = getattr(found, part)()
        return found

    def _answer(self, key: tuple[str, ...], doing: str, ask: Callable[[], Json]) -> Json | None:
        if key not in self._answers:
            with translate_errors(doing):
                self._answers[key] = _or_none(lambda: retry.call(ask))
        return self._answers[key]


def _singular(plural: str) -> str:
    """Return the name of one resource of a collection, such as `urlMap` of `urlMaps`."""
    for ending, single in (("ies", "y"), ("sses", "ss"), ("s", "")):
        if plural.endswith(ending):
            return plural.removesuffix(ending) + single
    return plural


def policy_request(api: str, collection: Any, name: str) -> Any:
    """Return a request for the IAM policy of a resource.

    Args:
        api: a key of APIS
        collection: of Google's client, such as that of projects
        name: the full name of the resource
    """
    if api in _POLICY_BY_POST:
        options = {"options": {"requestedPolicyVersion": POLICY_VERSION}}
        return collection.getIamPolicy(resource=name, body=options)
    return collection.getIamPolicy(resource=name, options_requestedPolicyVersion=POLICY_VERSION)


def _elsewhere(variable: str) -> bool:
    """Return whether the other services are on this machine, but this one is not."""
    others = [os.environ.get(name, "") for _, name in APIS.values()]
    return not os.environ.get(variable) and any(is_loopback(other) for other in others if other)


def _or_none(ask: Callable[[], Json]) -> Json | None:
    try:
        return ask()
    except HttpError as error:
        text = str(error)
        off = error.status_code == 403 and any(words in text for words in _OFF)
        if error.status_code == 404 or off:
            return None
        raise
    except NotFound:
        return None


def grants(policy: Json | None, role: str, member: str, condition: Mapping[str, Any]) -> bool:
    """Return whether a policy grants a role to a member, under exactly this condition."""
    wanted = _condition(condition)
    return any(
        binding.get("role") == role
        and _condition(binding.get("condition") or {}) == wanted
        and _has(binding.get("members", []), member)
        for binding in (policy or {}).get("bindings", [])
    )


def names_member(policy: Json | None, member: str) -> bool:
    """Return whether a policy grants any role to a member."""
    return any(_has(b.get("members", []), member) for b in (policy or {}).get("bindings", []))


def access_as_policy(dataset: Json) -> Json:
    """Return the access list of a BigQuery dataset as a policy, without its views."""
    return {
        "bindings": [
            {
                "role": _BASIC_ROLES.get(entry["role"], entry["role"]),
                "members": [_big_query_member(entry)],
                "condition": entry.get("condition") or {},
            }
            for entry in dataset.get("access", [])
            if entry.get("role")
        ]
    }


def _big_query_member(entry: Json) -> str:
    if email := entry.get("userByEmail"):
        member_type = "serviceAccount" if email.endswith("gserviceaccount.com") else "user"
        return f"{member_type}:{email}"
    for key, prefix in _BIG_QUERY_MEMBERS.items():
        if key in entry:
            return f"{prefix}{entry[key]}"
    return str(entry.get("iamMember") or entry.get("specialGroup") or "")


def _condition(raw: Mapping[str, Any]) -> dict[str, str]:
    keys = ("title", "description", "expression")
    return {key: str(raw[key]) for key in keys if raw.get(key)}


def _has(members: Iterable[str], member: str) -> bool:
    # E-mail addresses are case-insensitive; the ids in principals are not.
    if member.startswith("principal"):
        return member in members
    return member.lower() in {one.lower() for one in members}
