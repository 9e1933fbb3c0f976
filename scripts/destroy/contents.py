"""Contents of the stack's resources that it did not create: they block a tear-down or go too."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from google.api_core.exceptions import NotFound

from scripts.destroy.state import (
    BIGQUERY_DATASET,
    BUCKET,
    BUCKET_OBJECT,
    GROUP,
    HEALTHCARE_DATASET,
    Entry,
    State,
)
from scripts.lib.google import clients, paging, retry
from scripts.lib.google.errors import translate_errors
from scripts.preview.names import TYPE_NAMES

_STORES = {
    "dicomStores": TYPE_NAMES["gcp:healthcare/dicomStore:DicomStore"],
    "fhirStores": TYPE_NAMES["gcp:healthcare/fhirStore:FhirStore"],
    "hl7V2Stores": TYPE_NAMES["gcp:healthcare/hl7Store:Hl7Store"],
    "consentStores": TYPE_NAMES["gcp:healthcare/consentStore:ConsentStore"],
}
_VIEWS = ("VIEW", "MATERIALIZED_VIEW")


class Treatment(StrEnum):
    """The treatment of contents by a tear-down."""

    EMPTIED = "emptied"
    """Deleted first, because the stack says that contents go with it."""
    GOES = "deleted with it"
    """Deleted by Pulumi with its container."""
    BLOCKS = "blocks"
    """No option allows its deletion."""


@dataclass(frozen=True)
class Content:
    """A resource that the stack did not create, in one of its own.

    Attributes:
        type_name: its type, for people
        name: its full name; of objects, the bucket's
        treatment: what the tear-down does with it
        hint: how to have it deleted, or kept, if it blocks
    """

    type_name: str
    name: str
    treatment: Treatment
    hint: str = ""

    def to_report(self) -> dict[str, str]:
        """Return the shape in which `--json` prints it."""
        return {"kind": self.type_name, "name": self.name}


def find(state: State, *, strays: bool) -> list[Content]:
    """List the contents of all resources that a destroy would delete.

    Args:
        state: the stack's
        strays: also delete stores that the stack did not create in its datasets

    Raises:
        ScriptError: a service does not answer
    """
    ids = {entry.id for entry in state.managed}
    rows: dict[str, Callable[[Entry], Iterator[Content]]] = {
        HEALTHCARE_DATASET: lambda entry: _stores(entry, ids, strays=strays),
        BIGQUERY_DATASET: lambda entry: _tables(entry, ids),
        BUCKET: lambda entry: _objects(entry, state),
        GROUP: _spools,
    }
    return [
        content
        for type_, look in rows.items()
        for entry in state.destroyed(type_)
        for content in look(entry)
    ]


def empty(contents: list[Content], report: Callable[[str], None]) -> list[str]:
    """Delete the BigQuery tables that go with the stack; views first, as they depend on tables.

    Returns:
        Their names.

    Raises:
        ScriptError: BigQuery refused
    """
    due = [content for content in contents if content.treatment is Treatment.EMPTIED]
    for content in due:
        report(f"Deleting {content.type_name} {content.name} ...")
        client = clients.big_query(content.name.partition(".")[0])
        with translate_errors(f"deleting {content.type_name} {content.name}"):
            delete = partial(client.delete_table, content.name, not_found_ok=True, retry=retry.ONCE)
            retry.call(delete)
    return [content.name for content in due]


def _tables(dataset: Entry, ids: set[str]) -> Iterator[Content]:
    _, project, _, name = dataset.id.split("/")
    found = _or_nothing(
        f"listing the tables of {project}.{name}",
        lambda: list(clients.big_query(project).list_tables(f"{project}.{name}", retry=retry.ONCE)),
    )
    others = [t for t in found if f"{dataset.id}/tables/{t.table_id}" not in ids]
    treatment = (
        Treatment.EMPTIED if dataset.values.get("deleteContentsOnDestroy") else Treatment.BLOCKS
    )
    for table in sorted(others, key=lambda t: (t.table_type not in _VIEWS, t.table_id)):
        type_name = "BigQuery view" if table.table_type in _VIEWS else "BigQuery table"
        hint = (
            "Set bigqueryDeleteContents and run `make up STACK=...`, or delete or copy the tables."
        )
        yield Content(type_name, f"{project}.{name}.{table.table_id}", treatment, hint)


def _stores(dataset: Entry, ids: set[str], *, strays: bool) -> Iterator[Content]:
    parent = clients.healthcare().projects().locations().datasets()
    for collection, type_name in _STORES.items():
        at = getattr(parent, collection)()
        doing = f"listing {collection} of {dataset.id}"
        for item in paging.items(at, collection, doing, parent=dataset.id):
            name = item["name"]
            if name not in ids:
                hint = "Adopt it (docs/adoption.md), delete it, or add --strays to delete it too."
                yield Content(type_name, name, Treatment.GOES if strays else Treatment.BLOCKS, hint)


def _objects(bucket: Entry, state: State) -> Iterator[Content]:
    client = clients.cloud_storage(str(bucket.values.get("project", "")))
    ours = {
        str(entry.values.get("name"))
        for entry in state.destroyed(BUCKET_OBJECT)
        if entry.values.get("bucket") == bucket.id
    }
    some = len(ours) + 1
    # Noncurrent versions block too.
    found = _or_nothing(
        f"listing the objects of bucket {bucket.id}",
        lambda: list(
            client.list_blobs(bucket.id, versions=True, max_results=some, retry=retry.ONCE)
        ),
    )
    if len(found) == some or {blob.name for blob in found} - ours:
        treatment = Treatment.GOES if bucket.values.get("forceDestroy") else Treatment.BLOCKS
        hint = "Set forceDestroy and run `make up STACK=...`, or move the objects."
        yield Content("objects of bucket", bucket.id, treatment, hint)


def _spools(group: Entry) -> Iterator[Content]:
    """Yield the disks that the instances of an adapter keep: no service knows what is on them."""
    if group.values.get("statefulDisks"):
        yield Content("disks of spools, with what no store has yet, of", group.id, Treatment.GOES)


def _or_nothing(doing: str, ask: Callable[[], list[Any]]) -> list[Any]:
    with translate_errors(doing):
        try:
            return retry.call(ask)
        except NotFound:
            return []
