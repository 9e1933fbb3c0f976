"""The resources of a stack that have IAM policies, and those that its settings name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from scripts.lib.errors import ScriptError, UsageError
from scripts.lib.stack_outputs import Outputs
from scripts.resources.lookup import Lookup

_TYPES = {
    "datasets": ("healthcare", "Dataset"),
    "dicomStores": ("healthcare", "DicomStore"),
    "fhirStores": ("healthcare", "FhirStore"),
    "hl7V2Stores": ("healthcare", "Hl7V2Store"),
    "consentStores": ("healthcare", "ConsentStore"),
    "topics": ("pubsub", "Topic"),
    "subscriptions": ("pubsub", "Subscription"),
    "keyRings": ("cloudkms", "KeyRing"),
    "cryptoKeys": ("cloudkms", "CryptoKey"),
    "buckets": ("storage", "Bucket"),
    "projects": ("cloudresourcemanager", "Project"),
}
"""Service and type, as conditions name them, by the collection in the name."""
_BUCKETS = "projects/_/buckets/"


@dataclass(frozen=True)
class Resource:
    """A resource with a policy.

    Attributes:
        name: as conditions see it: `projects/P/topics/T`, `projects/_/buckets/B`
        service: the prefix of its permissions, such as `pubsub`
        type: such as `Topic`
        parents: the names of the resources whose grants count on it too
    """

    name: str
    service: str
    type: str
    parents: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str) -> "Resource":
        """Return a resource by its full name, a bucket without its project."""
        parts = name.split("/")
        service, type_ = _TYPES[parts[-2]]
        if type_ == "Dataset" and "locations" not in parts:
            service = "bigquery"
        if service == "storage":
            return cls(name, service, type_)
        above = ["/".join(parts[:length]) for length in range(2, len(parts), 2) if length != 4]
        return cls(name, service, type_, tuple(above))

    @property
    def label(self) -> str:
        """A short name, without the project and the location, which are the stack's."""
        parts = self.name.split("/")
        if self.service == "storage":
            return f"gs://{'/'.join(parts[3:]).replace('/objects/', '/', 1)}"
        if self.service == "bigquery":
            return f"bq://{parts[1]}.{parts[-1]}"
        if len(parts) == 2:
            return self.name
        return "/".join(parts[4:] if parts[2] == "locations" else parts[2:])

    def has_grants_of(self, name: str) -> bool:
        """Whether the grants on a resource count on this one."""
        return name == self.name or name in self.parents


def of_stack(outputs: Outputs, lookup: Lookup) -> list[Resource]:
    """Return the resources, each once: the project, what the stack made, what its settings name.

    Args:
        outputs: of the stack
        lookup: finds the projects of buckets
    """
    found = [Resource.of(name) for name in dict.fromkeys(_names(outputs))]
    above = (f"projects/{outputs.project}",)
    return [
        replace(one, parents=above) if one.type == "Bucket" and _owns(outputs, one, lookup) else one
        for one in found
    ]


def _owns(outputs: Outputs, bucket: Resource, lookup: Lookup) -> bool:
    """Whether a bucket is in the project of the stack; a bucket that can't be read is not."""
    id_ = bucket.name.rpartition("/")[2]
    try:
        found = lookup.bucket(outputs.project, id_) or {}
    except ScriptError:
        return False
    return bool(found.get("projectNumber") == outputs.project_number)


def _names(outputs: Outputs) -> Iterator[str]:
    project = f"projects/{outputs.project}"
    yield project
    yield from sorted({outputs.dataset, *(each.name for each in outputs.datasets.values())})
    stores = {name for each in outputs.datasets.values() for name in each.stores}
    first = (outputs.dicom_stores, outputs.fhir_stores, outputs.hl7v2_stores)
    yield from sorted(stores.union(*(each.values() for each in first)))
    yield f"{project}/datasets/{outputs.bigquery_dataset}"
    yield from outputs.topics
    yield from outputs.subscriptions
    for key in outputs.keys:
        yield key.rpartition("/cryptoKeys/")[0]
        yield key
    for written in outputs.granted_on:
        if name := _name_of(written):
            yield name


def _name_of(written: str) -> str:
    """Return the full name of a resource as the output `access` and people write it."""
    if written.startswith("gs://"):
        bucket, _, name = written.removeprefix("gs://").partition("/")
        return f"{_BUCKETS}{bucket}{f'/objects/{name}' if name else ''}"
    if written.startswith("bq://"):
        project, _, dataset = written.removeprefix("bq://").partition(".")
        return f"projects/{project}/datasets/{dataset}"
    return written if written.startswith("projects/") else ""


def choose(resources: Iterable[Resource], written: str) -> Resource:
    """Return the resource that a person means, or an object of one of the buckets.

    Args:
        resources: of the stack
        written: a full name or a label, such as `gs://BUCKET/OBJECT`

    Raises:
        UsageError: the stack has no such resource
    """
    known = {key: one for one in resources for key in (one.name, one.label)}
    found = known.get(written) or known.get(_name_of(written))
    if found:
        return found
    name = _name_of(written)
    bucket = known.get(name.partition("/objects/")[0])
    if bucket and bucket.type == "Bucket":
        return replace(bucket, name=name, type="Object", parents=(*bucket.parents, bucket.name))
    labels = ", ".join(dict.fromkeys(one.label for one in known.values()))
    raise UsageError(f"The stack has no resource {written!r}.", f"Its resources: {labels}.")
