"""Resources that were being created when the engine was killed: were they?

The engine writes down what it is about to do, then what came of it. Killed between the two, it
leaves a *pending* creation in the state, keeps it there for good, and creates the resource again,
which Google refuses ("already exists"). The cloud is asked instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from scripts.adoption.kinds import KINDS
from scripts.adoption.lookup import Lookup, NotServedError
from scripts.common import clients, retrying
from scripts.common.dicomweb import DicomWeb
from scripts.common.errors import translated

Resource = dict[str, Any]

_DATASET = "gcp:healthcare/dataset:Dataset"
_DICOM_STORE = "gcp:healthcare/dicomStore:DicomStore"
_WAREHOUSE = "gcp:bigquery/dataset:Dataset"
_COLLECTIONS = ("dicomStores", "fhirStores", "hl7V2Stores", "consentStores")


class Fate(StrEnum):
    """What became of a resource that was being created."""

    MADE = "was made, and is now under the stack"
    MISSING = "was not made"
    REPEATED = "will be made again, which does no harm"
    OTHERS = "was there before, with contents: it is not taken under the stack (make adopt would)"
    UNKNOWN = "can't be looked for: if it was made, adopt it with `pulumi import`"


@dataclass(frozen=True)
class Creation:
    """A creation whose end is not known.

    Attributes:
        resource: as the state has it: type, URN, inputs, no id.
        fate: what the cloud says.
        id: in the cloud, where it was made.
    """

    resource: Resource
    fate: Fate
    id: str = ""

    @property
    def urn(self) -> str:
        """What names it in the stack."""
        return str(self.resource["urn"])

    def recorded(self) -> Resource:
        """Give it as it goes into the state; a refresh fills in the outputs."""
        return {**self.resource, "id": self.id, "outputs": {}}


def judge(pending: list[Resource], resources: list[Resource]) -> Iterator[Creation]:
    """Ask the cloud about creations.

    Args:
        pending: what was being created.
        resources: of the state: the providers among them know the project.

    Raises:
        ScriptError: a service can't tell.
    """
    lookup = Lookup()
    projects = {
        f"{r['urn']}::{r['id']}": (r.get("inputs") or {}).get("project", "")
        for r in resources
        if r["type"].startswith("pulumi:providers:")
    }
    for resource in pending:
        project = projects.get(resource.get("provider", ""), "")
        yield _judged(resource, str(project), lookup)


def _judged(resource: Resource, project: str, lookup: Lookup) -> Creation:
    kind, inputs = KINDS.get(resource["type"]), resource.get("inputs") or {}
    if kind is None:
        return Creation(resource, Fate.UNKNOWN)
    if kind.identity:  # it can't be read, but made any number of times
        return Creation(resource, Fate.REPEATED)
    id_ = kind.identify(inputs, project)
    if id_ is None:
        return Creation(resource, Fate.UNKNOWN)
    try:
        there = kind.find(inputs, project, id_, lookup)
    except NotServedError:
        return Creation(resource, Fate.UNKNOWN)
    if not there:
        return Creation(resource, Fate.MISSING)
    if _holds_something(resource["type"], id_):
        return Creation(resource, Fate.OTHERS)
    return Creation(resource, Fate.MADE, id_)


def _holds_something(type_: str, id_: str) -> bool:
    """Tell whether a container holds anything.

    One whose creation was pending cannot: what belongs into it waits for its end. So it was there
    before, and its creation would have failed; under the stack, a destroy would take its data.
    """
    if type_ == _DICOM_STORE:
        return next(DicomWeb(*clients.dicom_web(id_)).search(), None) is not None
    if type_ == _DATASET:
        datasets = clients.healthcare().projects().locations().datasets()
        return any(_lists(datasets, collection, id_) for collection in _COLLECTIONS)
    if type_ == _WAREHOUSE:
        _, project, _, dataset = id_.split("/")
        with translated(f"listing the tables of {dataset}"):
            name, client = f"{project}.{dataset}", clients.big_query(project)
            return bool(
                retrying.call(
                    lambda: list(client.list_tables(name, max_results=1, retry=retrying.ONCE))
                )
            )
    return False


def _lists(datasets: Any, collection: str, dataset: str) -> bool:
    request = getattr(datasets, collection)().list(parent=dataset, pageSize=1)
    with translated(f"listing the {collection} of {dataset}"):
        return bool(retrying.call(request.execute).get(collection))
