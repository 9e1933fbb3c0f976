"""Pending creates: resources that were being created when the engine was killed.

The engine records an operation before it starts and after it ends. Killed in between, it leaves a
*pending create* in the state and creates the resource again, which Google refuses ("already
exists"). So the services are asked whether the resource exists.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scripts.lib.google import clients, retry
from scripts.lib.google.dicomweb import DicomWeb
from scripts.lib.google.errors import translate_errors
from scripts.resources.lookup import Lookup, NotServedError
from scripts.resources.resource_types import RESOURCE_TYPES

Resource = dict[str, Any]

_DATASET = "gcp:healthcare/dataset:Dataset"
_DICOM_STORE = "gcp:healthcare/dicomStore:DicomStore"
_BIGQUERY_DATASET = "gcp:bigquery/dataset:Dataset"
_COLLECTIONS = ("dicomStores", "fhirStores", "hl7V2Stores", "consentStores")


class CreateOutcome(StrEnum):
    """The outcome of an interrupted creation."""

    CREATED = "was created, and is now in the stack"
    MISSING = "was not created"
    REPEATED = "will be created again, which does no harm"
    OTHERS = "existed before, with contents: it is not adopted (`make adopt` does that)"
    UNKNOWN = "can't be looked up: if it was created, import it with `pulumi import`"


@dataclass(frozen=True)
class PendingCreate:
    """A creation whose outcome the state does not have.

    Attributes:
        resource: as the state has it: type, URN, inputs, no id
        outcome: as the cloud shows it
        id: in the cloud, if it was created
    """

    resource: Resource
    outcome: CreateOutcome
    id: str = ""

    @property
    def urn(self) -> str:
        """The resource's name in the stack: its URN."""
        return str(self.resource["urn"])

    def recorded(self) -> Resource:
        """Return its entry for the state; a refresh adds the outputs."""
        return {**self.resource, "id": self.id, "outputs": {}}


def resolve(pending: list[Resource], resources: list[Resource]) -> Iterator[PendingCreate]:
    """Look up the outcome of creations in the cloud.

    Args:
        pending: the resources that were being created
        resources: of the state; its providers have the project

    Raises:
        ScriptError: a service does not answer
    """
    lookup = Lookup()
    projects = {
        f"{r['urn']}::{r['id']}": (r.get("inputs") or {}).get("project", "")
        for r in resources
        if r["type"].startswith("pulumi:providers:")
    }
    for resource in pending:
        project = projects.get(resource.get("provider", ""), "")
        yield _resolve_one(resource, str(project), lookup)


def _resolve_one(resource: Resource, project: str, lookup: Lookup) -> PendingCreate:
    resource_type, inputs = RESOURCE_TYPES.get(resource["type"]), resource.get("inputs") or {}
    if resource_type is None:
        return PendingCreate(resource, CreateOutcome.UNKNOWN)
    if resource_type.identity or resource_type.repeatable:  # creating it again is harmless
        return PendingCreate(resource, CreateOutcome.REPEATED)
    id_ = resource_type.identify(inputs, project)
    if id_ is None:
        return PendingCreate(resource, CreateOutcome.UNKNOWN)
    try:
        exists = resource_type.find(inputs, project, id_, lookup)
    except NotServedError:
        return PendingCreate(resource, CreateOutcome.UNKNOWN)
    if not exists:
        return PendingCreate(resource, CreateOutcome.MISSING)
    if _holds_something(resource["type"], id_):
        return PendingCreate(resource, CreateOutcome.OTHERS)
    return PendingCreate(resource, CreateOutcome.CREATED, id_)


def _holds_something(type_: str, id_: str) -> bool:
    """Return whether a container holds anything.

    A container with a pending create is empty: its contents are created after it. One with contents
    existed before, and its creation would have failed; in the stack, a destroy would delete data.
    """
    if type_ == _DICOM_STORE:
        return next(DicomWeb(*clients.dicom_web(id_)).search(), None) is not None
    if type_ == _DATASET:
        datasets = clients.healthcare().projects().locations().datasets()
        return any(_lists(datasets, collection, id_) for collection in _COLLECTIONS)
    if type_ == _BIGQUERY_DATASET:
        _, project, _, dataset = id_.split("/")
        with translate_errors(f"listing the tables of {dataset}"):
            name, client = f"{project}.{dataset}", clients.big_query(project)
            return bool(
                retry.call(lambda: list(client.list_tables(name, max_results=1, retry=retry.ONCE)))
            )
    return False


def _lists(datasets: Any, collection: str, dataset: str) -> bool:
    request = getattr(datasets, collection)().list(parent=dataset, pageSize=1)
    with translate_errors(f"listing the {collection} of {dataset}"):
        return bool(retry.call(request.execute).get(collection))
