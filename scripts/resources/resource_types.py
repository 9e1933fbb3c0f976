"""The resource types: the id that the provider imports a resource by, and how to look it up.

An id is a template over the resource's inputs, in the form that Google's provider documents for
`import`. A grant is `RESOURCE ROLE MEMBER`, followed by the title of its condition.
https://www.pulumi.com/registry/packages/gcp/api-docs/
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from string import Formatter
from typing import Any

from scripts.lib.property_values import Value
from scripts.resources.lookup import Lookup, access_as_policy, grants, names_member

_DATASETS = "projects.locations.datasets"
_RINGS = "projects.locations.keyRings"
# The addresses of service agents; the project's number goes into the braces.
# https://cloud.google.com/iam/docs/service-agents
_AGENTS = {
    "healthcare.googleapis.com": "service-{}@gcp-sa-healthcare.iam.gserviceaccount.com",
    "pubsub.googleapis.com": "service-{}@gcp-sa-pubsub.iam.gserviceaccount.com",
}


class Text(str):
    """An input in a template: `{topic}`, or `{topic.last}` for its part after the last slash."""

    __slots__ = ()

    @property
    def last(self) -> str:
        """The last part of a full name."""
        return self.rpartition("/")[2]


@dataclass(frozen=True)
class Wanted:
    """A resource of the program, as a look-up needs it.

    Attributes:
        id: as the provider imports it
        inputs: the known ones
    """

    id: str
    inputs: Mapping[str, Value]

    def text(self, name: str) -> Text:
        """Return an input that the template of the id has."""
        return Text(self.inputs[name])

    def fill(self, template: str) -> str:
        """Fill a template with the inputs of the id."""
        return template.format_map({k: Text(v) for k, v in self.inputs.items()})


Exists = Callable[[Lookup, Wanted], bool]


@dataclass(frozen=True)
class ResourceType:
    """A resource type that can be adopted.

    Attributes:
        id: template of the id
        exists: looks it up in the service
        grant: whether it is a role for a member: creating it again is harmless
        identity: whether it is a service agent, which the provider can create but not import
    """

    id: str
    exists: Exists
    grant: bool = False
    identity: bool = False

    def identify(self, inputs: Mapping[str, Value], project: str) -> str | None:
        """Return the id; None while a part of it is not known.

        Args:
            inputs: of the resource, secrets and unknowns as `Special`
            project: the provider's, for resources that do not name one
        """
        known = {"project": Text(project), **_texts(inputs)}
        names = [field.partition(".")[0] for _, field, _, _ in Formatter().parse(self.id) if field]
        if any(not known.get(name) for name in names):
            return None
        condition = inputs.get("condition")
        title = condition.get("title") if self.grant and isinstance(condition, dict) else None
        filled = self.id.format_map(known)
        return f"{filled} {title}" if title else filled

    def find(self, inputs: Mapping[str, Value], project: str, id_: str, lookup: Lookup) -> bool:
        """Return whether the service has it.

        Raises:
            NotServedError: the local Google Cloud has no such service
            ScriptError: the service does not answer
        """
        return self.exists(lookup, Wanted(id_, {"project": project, **inputs}))


def _texts(inputs: Mapping[str, Value]) -> dict[str, Text]:
    return {name: Text(value) for name, value in inputs.items() if isinstance(value, str)}


def _at(api: str, collection: str, id_: str) -> ResourceType:
    """Return a resource whose id is its full name, read by a call of its API."""

    def exists(lookup: Lookup, wanted: Wanted) -> bool:
        return lookup.get(api, collection, wanted.id) is not None

    return ResourceType(id_, exists)


Policy = Callable[[Lookup, Wanted], dict[str, Any] | None]


def _granted(resource: str, policy: Policy) -> ResourceType:
    """Return the type of a grant, looked up in the policy of its resource."""

    def exists(lookup: Lookup, wanted: Wanted) -> bool:
        condition = wanted.inputs.get("condition")
        return grants(
            policy(lookup, wanted),
            wanted.text("role"),
            wanted.text("member"),
            condition if isinstance(condition, dict) else {},
        )

    return ResourceType(f"{resource} {{role}} {{member}}", exists, grant=True)


def _granted_at(api: str, collection: str, resource: str) -> ResourceType:
    def policy(lookup: Lookup, wanted: Wanted) -> dict[str, Any] | None:
        return lookup.policy(api, collection, wanted.fill(resource))

    return _granted(resource, policy)


def _big_query_policy(lookup: Lookup, wanted: Wanted) -> dict[str, Any] | None:
    dataset = lookup.big_query_dataset(wanted.text("project"), wanted.text("datasetId").last)
    return None if dataset is None else access_as_policy(dataset)


def _big_query_dataset(lookup: Lookup, wanted: Wanted) -> bool:
    found = lookup.big_query_dataset(wanted.text("project"), wanted.text("datasetId"))
    return found is not None


def _big_query_table(lookup: Lookup, wanted: Wanted) -> bool:
    names = [wanted.text(key) for key in ("project", "datasetId", "tableId")]
    return lookup.big_query_table(*names) is not None


def _enabled(lookup: Lookup, wanted: Wanted) -> bool:
    name = wanted.fill("projects/{project}/services/{service}")
    found = lookup.get("serviceusage", "services", name)
    return found is not None and found.get("state") == "ENABLED"


def _audited(lookup: Lookup, wanted: Wanted) -> bool:
    policy = lookup.project_policy(wanted.text("project")) or {}
    audited = policy.get("auditConfigs", [])
    return any(config.get("service") == wanted.text("service") for config in audited)


def agent(lookup: Lookup, project: str, service: str) -> str | None:
    """Return the e-mail address of a service agent; None if it is not known here."""
    number = lookup.project_number(project) if service in _AGENTS else None
    return None if number is None else _AGENTS[service].format(number)


def _agent_exists(lookup: Lookup, wanted: Wanted) -> bool:
    """Return whether the account has a role in the project, which proves that it exists."""
    project = wanted.text("project")
    email = agent(lookup, project, wanted.text("service"))
    policy = lookup.project_policy(project) if email else None
    return names_member(policy, f"serviceAccount:{email}")


def _metric(lookup: Lookup, wanted: Wanted) -> bool:
    name = wanted.fill("projects/{project}/metrics/{name}")
    return lookup.get("logging", "projects.metrics", name) is not None


def _bucket(lookup: Lookup, wanted: Wanted) -> bool:
    return lookup.bucket(wanted.text("project"), wanted.text("name")) is not None


def _bucket_policy(lookup: Lookup, wanted: Wanted) -> dict[str, Any] | None:
    return lookup.bucket_policy(wanted.text("project"), wanted.text("bucket").last)


_healthcare = partial(_at, "healthcare")
_granted_on = partial(_granted_at, "healthcare")

RESOURCE_TYPES: dict[str, ResourceType] = {
    "gcp:projects/service:Service": ResourceType("{project}/{service}", _enabled),
    "gcp:projects/serviceIdentity:ServiceIdentity": ResourceType(
        "projects/{project}/services/{service}", _agent_exists, identity=True
    ),
    "gcp:projects/iAMMember:IAMMember": _granted(
        "{project}", lambda lookup, wanted: lookup.project_policy(wanted.text("project"))
    ),
    "gcp:projects/iAMAuditConfig:IAMAuditConfig": ResourceType("{project} {service}", _audited),
    "gcp:healthcare/dataset:Dataset": _healthcare(
        _DATASETS, "projects/{project}/locations/{location}/datasets/{name}"
    ),
    "gcp:healthcare/dicomStore:DicomStore": _healthcare(
        f"{_DATASETS}.dicomStores", "{dataset}/dicomStores/{name}"
    ),
    "gcp:healthcare/fhirStore:FhirStore": _healthcare(
        f"{_DATASETS}.fhirStores", "{dataset}/fhirStores/{name}"
    ),
    "gcp:healthcare/hl7Store:Hl7Store": _healthcare(
        f"{_DATASETS}.hl7V2Stores", "{dataset}/hl7V2Stores/{name}"
    ),
    "gcp:healthcare/consentStore:ConsentStore": _healthcare(
        f"{_DATASETS}.consentStores", "{dataset}/consentStores/{name}"
    ),
    "gcp:healthcare/datasetIamMember:DatasetIamMember": _granted_on(_DATASETS, "{datasetId}"),
    "gcp:healthcare/dicomStoreIamMember:DicomStoreIamMember": _granted_on(
        f"{_DATASETS}.dicomStores", "{dicomStoreId}"
    ),
    "gcp:healthcare/fhirStoreIamMember:FhirStoreIamMember": _granted_on(
        f"{_DATASETS}.fhirStores", "{fhirStoreId}"
    ),
    "gcp:healthcare/hl7StoreIamMember:Hl7StoreIamMember": _granted_on(
        f"{_DATASETS}.hl7V2Stores", "{hl7V2StoreId}"
    ),
    "gcp:healthcare/consentStoreIamMember:ConsentStoreIamMember": _granted_on(
        f"{_DATASETS}.consentStores", "{dataset}/consentStores/{consentStoreId.last}"
    ),
    "gcp:bigquery/dataset:Dataset": ResourceType(
        "projects/{project}/datasets/{datasetId}", _big_query_dataset
    ),
    "gcp:bigquery/table:Table": ResourceType(
        "projects/{project}/datasets/{datasetId}/tables/{tableId}", _big_query_table
    ),
    "gcp:bigquery/datasetIamMember:DatasetIamMember": _granted(
        "projects/{project}/datasets/{datasetId.last}", _big_query_policy
    ),
    "gcp:pubsub/topic:Topic": _at("pubsub", "projects.topics", "projects/{project}/topics/{name}"),
    "gcp:pubsub/subscription:Subscription": _at(
        "pubsub", "projects.subscriptions", "projects/{project}/subscriptions/{name}"
    ),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": _granted_at(
        "pubsub", "projects.topics", "projects/{project}/topics/{topic.last}"
    ),
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": _granted_at(
        "pubsub", "projects.subscriptions", "projects/{project}/subscriptions/{subscription.last}"
    ),
    "gcp:kms/keyRing:KeyRing": _at(
        "kms", _RINGS, "projects/{project}/locations/{location}/keyRings/{name}"
    ),
    "gcp:kms/cryptoKey:CryptoKey": _at(
        "kms", f"{_RINGS}.cryptoKeys", "{keyRing}/cryptoKeys/{name}"
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": _granted_at(
        "kms", f"{_RINGS}.cryptoKeys", "{cryptoKeyId}"
    ),
    "gcp:logging/projectSink:ProjectSink": _at(
        "logging", "projects.sinks", "projects/{project}/sinks/{name}"
    ),
    "gcp:logging/metric:Metric": ResourceType("{name}", _metric),
    # Google names these two: a program does not know the name of one that exists.
    "gcp:monitoring/alertPolicy:AlertPolicy": _at("monitoring", "projects.alertPolicies", "{name}"),
    "gcp:monitoring/notificationChannel:NotificationChannel": _at(
        "monitoring", "projects.notificationChannels", "{name}"
    ),
    "gcp:storage/bucket:Bucket": ResourceType("{name}", _bucket),
    "gcp:storage/bucketIAMMember:BucketIAMMember": _granted("{bucket.last}", _bucket_policy),
}
