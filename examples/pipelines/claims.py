"""Claims of the pipelines, each with what was seen of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from files import Files
from google.cloud import bigquery

from scripts.lib.google import clients
from scripts.lib.google.bigquery import Table, query
from scripts.lib.google.dicomweb import (
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    DicomWeb,
    value,
)
from scripts.stacks.claims import Claim

PATIENT_ID, PATIENT_NAME = "00100020", "00100010"

Report = Mapping[str, Any]


def of_ingest(report: Report, files: Files, store: str) -> Iterator[Claim]:
    """Yield the claims about the ingest.

    Args:
        report: of the run
        files: that were there
        store: the full name of the DICOM store
    """
    stored = [str(value(one, SOP_INSTANCE_UID)) for one in _instances(store)]
    known = len(files.instances & {*stored})
    yield Claim(
        "each good file is in the store",
        f"{known} of {len(files.instances)} instances",
        known == len(files.instances),
    )
    yield Claim("no instance is there twice", f"{len(stored)} instances", _is_distinct(stored))
    yield Claim(
        "damaged and contradictory files are dead letters, with reasons",
        f"{report['dead_letters']} of {report['files']} files",
        (report["dead_letters"], report["files"]) == (files.dead, files.number),
    )


def of_features(report: Report, store: str, client: bigquery.Client, table: Table) -> Claim:
    """Return the claim about the table of features."""
    rows = query(client, f"SELECT instance_uid AS uid FROM {table.sql}")  # noqa: S608
    found = sorted(str(uid) for uid in rows.column("uid"))
    stored = sorted(str(value(one, SOP_INSTANCE_UID)) for one in _instances(store))
    is_right = found == stored and report["rows"] == len(stored)
    return Claim("each instance has one row of features", f"{len(found)} rows", is_right)


def of_cohort(
    report: Report, chosen: int, source: str, copies: str, patients: frozenset[str]
) -> Iterator[Claim]:
    """Yield the claims about the cohort.

    Args:
        report: of the run
        chosen: number of instances that the query selects
        source: the full name of the store of originals
        copies: the full name of the store of copies
        patients: ids of the patients of the files
    """
    found = [*_instances(copies)]
    uids = [str(value(one, SOP_INSTANCE_UID)) for one in found]
    text = "the cohort has the chosen instances, each once"
    is_right = len(found) == chosen == report["selected"] > 0 and _is_distinct(uids)
    yield Claim(text, f"{len(found)} of {chosen} instances", is_right)
    shown = {str(value(one, PATIENT_ID)) for one in found} & patients
    names = {str(value(one, PATIENT_NAME)) for one in found} - {"", "None"}
    yield Claim(
        "no copy shows whose it is",
        f"{len(shown)} known patients, {len(names)} names",
        not shown and not names,
    )
    studies = {str(value(one, STUDY_INSTANCE_UID)) for one in found}
    both = studies & {str(value(one, STUDY_INSTANCE_UID)) for one in _instances(source)}
    yield Claim("no copy has a UID of its original", f"{len(both)} known UIDs", not both)


def _instances(store: str) -> Iterator[Any]:
    session, root = clients.dicom_web(store)
    return DicomWeb(session, root).search()


def _is_distinct(values: list[str]) -> bool:
    return len({*values}) == len(values)
