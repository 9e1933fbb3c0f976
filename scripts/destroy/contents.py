"""What lies in what the stack made, and was put there by others: it blocks, or goes as well."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from google.api_core.exceptions import NotFound
from googleapiclient.errors import HttpError

from scripts.common import clients, retrying
from scripts.common.errors import translated
from scripts.preview.names import KINDS
from scripts.removal.state import (
    BIGQUERY_DATASET,
    BUCKET,
    HEALTHCARE_DATASET,
    Entry,
    State,
)

_STORES = {
    "dicomStores": KINDS["gcp:healthcare/dicomStore:DicomStore"],
    "fhirStores": KINDS["gcp:healthcare/fhirStore:FhirStore"],
    "hl7V2Stores": KINDS["gcp:healthcare/hl7Store:Hl7Store"],
    "consentStores": KINDS["gcp:healthcare/consentStore:ConsentStore"],
}
_VIEWS = ("VIEW", "MATERIALIZED_VIEW")
_GONE = 404


class Fate(StrEnum):
    """What becomes of it."""

    EMPTIED = "emptied"
    """Deleted first, because the stack says that contents go with it."""
    GOES = "deleted with it"
    """Deleted by the engine with what it lies in."""
    BLOCKS = "blocks"
    """Nobody said that it may be deleted."""


@dataclass(frozen=True)
class Content:
    """Something that others put into what the stack made.

    Attributes:
        kind: in words.
        name: its full name; of objects, the bucket's.
        fate: what becomes of it.
        cure: how to have it deleted, or kept; of what blocks.
    """

    kind: str
    name: str
    fate: Fate
    cure: str = ""

    def shown(self) -> dict[str, str]:
        """Give the shape in which `--json` prints it."""
        return {"kind": self.kind, "name": self.name}


def find(state: State, *, strays: bool) -> list[Content]:
    """Look into everything that a destroy would delete.

    Args:
        state: the stack's.
        strays: stores that others made in the stack's datasets go as well.

    Raises:
        ScriptError: a service can't tell.
    """
    ids = {entry.id for entry in state.made}
    rows: dict[str, Callable[[Entry], Iterator[Content]]] = {
        HEALTHCARE_DATASET: lambda entry: _stores(entry, ids, strays=strays),
        BIGQUERY_DATASET: lambda entry: _tables(entry, ids),
        BUCKET: _objects,
    }
    return [
        content
        for type_, look in rows.items()
        for entry in state.destroyed(type_)
        for content in look(entry)
    ]


def empty(contents: list[Content], say: Callable[[str], None]) -> list[str]:
    """Delete the BigQuery tables that are to be; views first, as they show tables.

    Returns:
        Their names.

    Raises:
        ScriptError: BigQuery refused.
    """
    due = [content for content in contents if content.fate is Fate.EMPTIED]
    for content in due:
        say(f"Deleting {content.kind} {content.name} ...")
        client = clients.big_query(content.name.partition(".")[0])
        with translated(f"deleting {content.kind} {content.name}"):
            delete = partial(
                client.delete_table, content.name, not_found_ok=True, retry=retrying.ONCE
            )
            retrying.call(delete)
    return [content.name for content in due]


def _tables(dataset: Entry, ids: set[str]) -> Iterator[Content]:
    _, project, _, name = dataset.id.split("/")
    found = _or_nothing(
        f"listing the tables of {project}.{name}",
        lambda: list(
            clients.big_query(project).list_tables(f"{project}.{name}", retry=retrying.ONCE)
        ),
    )
    others = [t for t in found if f"{dataset.id}/tables/{t.table_id}" not in ids]
    fate = Fate.EMPTIED if dataset.values.get("deleteContentsOnDestroy") else Fate.BLOCKS
    for table in sorted(others, key=lambda t: (t.table_type not in _VIEWS, t.table_id)):
        kind = "BigQuery view" if table.table_type in _VIEWS else "BigQuery table"
        cure = "Set bigqueryDeleteContents and run `make up`, or delete or copy the tables."
        yield Content(kind, f"{project}.{name}.{table.table_id}", fate, cure)


def _stores(dataset: Entry, ids: set[str], *, strays: bool) -> Iterator[Content]:
    parent = clients.healthcare().projects().locations().datasets()
    for collection, kind in _STORES.items():
        at = getattr(parent, collection)()
        for name in _names(at, dataset.id, collection):
            if name not in ids:
                cure = "Adopt it (docs/adoption.md), delete it, or give --strays to have it go too."
                yield Content(kind, name, Fate.GOES if strays else Fate.BLOCKS, cure)


def _names(at: Any, parent: str, collection: str) -> Iterator[str]:
    request = at.list(parent=parent)
    while request is not None:
        with translated(f"listing {collection} of {parent}"):
            try:
                answer = retrying.call(request.execute)
            except HttpError as error:
                if error.status_code == _GONE:
                    return
                raise
        yield from (item["name"] for item in answer.get(collection, []))
        request = at.list_next(request, answer)


def _objects(bucket: Entry) -> Iterator[Content]:
    client = clients.cloud_storage(str(bucket.values.get("project", "")))
    # Generations that are not current block as well.
    found = _or_nothing(
        f"listing the objects of bucket {bucket.id}",
        lambda: list(
            client.list_blobs(bucket.id, versions=True, max_results=1, retry=retrying.ONCE)
        ),
    )
    if found:
        fate = Fate.GOES if bucket.values.get("forceDestroy") else Fate.BLOCKS
        cure = "Set forceDestroy and run `make up`, or move the objects."
        yield Content("objects of bucket", bucket.id, fate, cure)


def _or_nothing(doing: str, ask: Callable[[], list[Any]]) -> list[Any]:
    with translated(doing):
        try:
            return retrying.call(ask)
        except NotFound:
            return []
