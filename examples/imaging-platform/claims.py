"""Claims of the imaging platform, each with what was seen of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from google.cloud.exceptions import NotFound

from scripts.lib.google import clients
from scripts.lib.google.bigquery import Table, query
from scripts.lib.google.dicomweb import DicomWeb, value
from scripts.lib.google.errors import translate_errors
from scripts.lib.stack_outputs import Outputs
from scripts.stacks.claims import Claim

IMAGE = "DX"
"""Modality of the x-rays."""
_LOG = "cloudaudit_googleapis_com_data_access"
"""The table of data access that a sink fills."""
_ACCOUNT = "protopayload_auditlog.authenticationInfo.principalEmail"
_LAB_ROLES = frozenset({"roles/bigquery.admin", "roles/storage.admin", "roles/storage.objectAdmin"})


def of_arrivals(outcome: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield the claims about what the hospital has sent.

    Args:
        outcome: the JSON of the hospital's run
    """
    for each in outcome["arrivals"]:
        sent, arrived = each["sent"], each["arrived"]
        text = f"{each['what']} arrive in {_short(each['where'])}"
        yield Claim(text, f"{arrived} of {sent}", arrived == sent)


def of_measurements(outcome: Mapping[str, Any], outputs: Outputs) -> Iterator[Claim]:
    """Yield the claims about x-rays that were measured.

    Args:
        outcome: the JSON of the inference's run
        outputs: of the stack
    """
    names = ("truePositive", "falseNegative", "falsePositive", "trueNegative")
    images, rows = outcome["images"], sum(outcome[name] for name in names)
    yield Claim(
        "each x-ray is measured, and its row is in BigQuery", f"{rows} rows", rows >= images
    )
    [store] = outputs.fhir_stores.values()
    found = _count_of_observations(store)
    yield Claim(
        "each measurement is an Observation", f"{found} of {images} studies", found >= images
    )


def of_copies(outputs: Outputs, outcome: Mapping[str, Any]) -> Iterator[Claim]:
    """Yield the claims about the copy for research.

    Args:
        outputs: of the stack
        outcome: the JSON of the de-identification
    """
    originals, copies = (
        list(DicomWeb(*clients.dicom_web(store)).search(Modality=IMAGE))
        for store in (_first(outputs, "healthcare"), _first(outputs, "research"))
    )
    copied = outcome["success"]
    yield Claim("the store is copied for research", f"{copied} instances", copied >= len(originals))
    patients = {str(value(each, "00100020")) for each in originals} - {"None", ""}
    shown = {str(value(each, "00100020")) for each in copies} & patients
    text = "no copy shows whose it is"
    yield Claim(
        text, f"{len(copies)} copies, {len(shown)} known patients", bool(copies) and not shown
    )


def of_audit(outputs: Outputs) -> Claim:
    """Return the claim about who accessed data, by the tables of the sink."""
    client = clients.big_query(outputs.project, outputs.location)
    table = Table(outputs.project, outputs.bigquery_dataset, _LOG)
    sql = f"SELECT DISTINCT {_ACCOUNT} AS account FROM {table.sql}"  # noqa: S608 (no input)
    try:
        rows = query(client, sql).rows
    except NotFound:
        rows = []
    accounts = {str(row["account"]) for row in rows}
    readers = {each for each in accounts if each.startswith("gateway-")}
    text = "reads through the gateway are in the audit logs"
    return Claim(text, f"{len(accounts)} accounts accessed data", bool(readers))


def of_roles(access: list[Mapping[str, str]]) -> Claim:
    """Return the claim about the roles of the service agent.

    Args:
        access: the output of the stack
    """
    wide = [each["role"] for each in access if each["role"] in _LAB_ROLES]
    text = "the service agent has no role of an administrator"
    return Claim(text, f"{len(access)} roles, each on what needs it", not wide)


def _count_of_observations(store: str) -> int:
    with translate_errors(f"searching {store}"):
        answer = clients.session().get(
            f"{clients.healthcare_root()}v1/{store}/fhir/Observation?_count=1"
        )
        answer.raise_for_status()
    return int(answer.json()["total"])


def _first(outputs: Outputs, dataset: str) -> str:
    """Return the full name of a dataset's first DICOM store."""
    found = outputs.datasets[dataset]
    return found.dicom_stores[found.first_dicom_store]


def _short(where: str) -> str:
    """Return the last part of a full name."""
    return where.rpartition("/")[2] if where.startswith("projects/") else where
