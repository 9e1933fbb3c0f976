"""What a stack made, by name, and whether the services still have it.

The names are taken from the stack's state before it is destroyed; the proof is asked of the
services' own lists, not of Pulumi.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from scripts.common import clients, retrying
from scripts.common.deploy import Resource
from scripts.common.errors import translated

KINDS = {
    "gcp:healthcare/dataset:Dataset": "Healthcare dataset",
    "gcp:healthcare/dicomStore:DicomStore": "DICOM store",
    "gcp:healthcare/fhirStore:FhirStore": "FHIR store",
    "gcp:healthcare/hl7Store:Hl7Store": "HL7v2 store",
    "gcp:projects/iAMMember:IAMMember": "role binding",
    "gcp:bigquery/dataset:Dataset": "BigQuery dataset",
    "gcp:pubsub/topic:Topic": "Pub/Sub topic",
}
STORE_COLLECTIONS = {
    "DICOM store": "dicomStores",
    "FHIR store": "fhirStores",
    "HL7v2 store": "hl7V2Stores",
}


@dataclass(frozen=True)
class Made:
    """Something that the stack made.

    Attributes:
        kind: a value of KINDS.
        name: full name; of a role binding "ROLE for MEMBER in PROJECT".
        project: where it is listed.
        member: of a role binding only.
        role: of a role binding only.
        retained: the program says to keep it when the stack goes.
    """

    kind: str
    name: str
    project: str
    member: str = ""
    role: str = ""
    retained: bool = False

    def to_json(self) -> dict[str, Any]:
        """Give the shape in which it is remembered, and printed by `--json`."""
        return asdict(self)


def made_by(resources: list[Resource]) -> list[Made]:
    """Name everything in a stack's state whose absence can be proved."""
    return [_made(KINDS[r.type], r) for r in resources if r.type in KINDS]


def _made(kind: str, resource: Resource) -> Made:
    outputs, kept = resource.outputs, resource.retained
    if kind == "role binding":
        project, role, member = outputs["project"], outputs["role"], outputs["member"]
        name = f"{role} for {member} in {project}"
        return Made(kind, name, project, member, role, retained=kept)
    # The ids of all the others are their full names, by the Google provider's convention.
    return Made(kind, resource.id, resource.id.split("/")[1], retained=kept)


def still_there(made: list[Made]) -> list[Made]:
    """Ask the services which of these exist.

    Raises:
        ScriptError: a service can't tell.
    """
    lister = Lister()
    return [thing for thing in made if lister.has(thing)]


class Lister:
    """Asks each list once, and remembers the answer."""

    def __init__(self) -> None:
        self._lists: dict[tuple[str, str], set[str]] = {}

    def has(self, thing: Made) -> bool:
        """Tell whether a service still lists the thing."""
        if thing.kind == "role binding":
            bindings = self._of("bindings", thing.project, _bindings)
            return f"{thing.role} {thing.member}" in bindings
        if thing.kind == "BigQuery dataset":
            return thing.name in self._of("BigQuery", thing.project, _big_query_datasets)
        if thing.kind == "Pub/Sub topic":
            return thing.name in self._of("topics", thing.project, _topics)
        dataset = "/".join(thing.name.split("/")[:6])
        datasets = self._of("datasets", dataset.rpartition("/datasets/")[0], _datasets)
        if thing.kind == "Healthcare dataset" or dataset not in datasets:
            return dataset in datasets
        collection = STORE_COLLECTIONS[thing.kind]
        return thing.name in self._of(collection, dataset, lambda d: _stores(d, collection))

    def _of(self, what: str, parent: str, ask: Callable[[str], set[str]]) -> set[str]:
        key = (what, parent)
        if key not in self._lists:
            with translated(f"listing {what} of {parent}"):
                self._lists[key] = ask(parent)
        return self._lists[key]


def _pages(collection: Any, key: str, **parent: str) -> Iterator[dict[str, Any]]:
    """Read a paged list to its end; items as the service sends them."""
    request = collection.list(**parent)
    while request is not None:
        answer = retrying.call(request.execute)
        yield from answer.get(key, [])
        request = collection.list_next(request, answer)


def _datasets(parent: str) -> set[str]:
    collection = clients.healthcare().projects().locations().datasets()
    return {item["name"] for item in _pages(collection, "datasets", parent=parent)}


def _stores(dataset: str, collection: str) -> set[str]:
    stores = getattr(clients.healthcare().projects().locations().datasets(), collection)()
    return {item["name"] for item in _pages(stores, collection, parent=dataset)}


def _topics(project: str) -> set[str]:
    topics = clients.pubsub().projects().topics()
    return {item["name"] for item in _pages(topics, "topics", project=f"projects/{project}")}


def _bindings(project: str) -> set[str]:
    projects = clients.resource_manager().projects()
    options = {"options": {"requestedPolicyVersion": 3}}
    request = projects.getIamPolicy(resource=project, body=options)
    policy = retrying.call(request.execute)
    return {f"{b['role']} {m}" for b in policy.get("bindings", []) for m in b.get("members", [])}


def _big_query_datasets(project: str) -> set[str]:
    client = clients.big_query(project)
    listed = retrying.call(lambda: list(client.list_datasets()))
    return {f"projects/{d.project}/datasets/{d.dataset_id}" for d in listed}
