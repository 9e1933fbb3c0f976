"""Arrivals: the claims of the example, each as a count of what was sent."""

import base64
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from scripts.lib.google import clients, retry
from scripts.lib.google.bigquery import Table
from scripts.lib.google.dicomweb import SOP_INSTANCE_UID, DicomWeb, value
from scripts.lib.google.errors import translate_errors

PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Claim:
    """Something that was sent, and must arrive.

    Attributes:
        what: such as "instances"
        where: for people
        sent: names of what was sent
        arrived: returns the names of what has arrived so far, others included
    """

    what: str
    where: str
    sent: frozenset[str]
    arrived: Callable[[], set[str]]


@dataclass(frozen=True)
class Arrival:
    """How much of a claim has arrived.

    Attributes:
        claim: what was sent
        count: how many of them arrived
    """

    claim: Claim
    count: int

    @property
    def is_complete(self) -> bool:
        """Whether all of it has arrived."""
        return self.count == len(self.claim.sent)


def wait(claims: Sequence[Claim], report: Callable[[str], None]) -> list[Arrival]:
    """Wait until everything has arrived, or until patience ends.

    Args:
        claims: what was sent
        report: called with the claim that is waited for
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    return [_wait_for(claim, deadline, report) for claim in claims]


def _wait_for(claim: Claim, deadline: float, report: Callable[[str], None]) -> Arrival:
    report(f"Waiting for {len(claim.sent)} {claim.what} in {claim.where} ...")
    while True:
        count = len(claim.arrived() & claim.sent)
        if count == len(claim.sent) or time.monotonic() > deadline:
            return Arrival(claim, count)
        time.sleep(_POLL_SECONDS)


def instances(store: str) -> set[str]:
    """Return the SOP Instance UIDs in a DICOM store."""
    web = DicomWeb(*clients.dicom_web(store))
    return {str(value(found, SOP_INSTANCE_UID)) for found in web.search()}


def rows(project: str, location: str, table_uri: str) -> set[str]:
    """Return the SOP Instance UIDs in the table that the store streams into."""
    client: bigquery.Client = clients.big_query(project, location)
    table = Table.from_uri(table_uri)
    question = f"SELECT DISTINCT SOPInstanceUID AS uid FROM {table.sql}"  # noqa: S608
    try:
        return {str(row.uid) for row in client.query_and_wait(question)}
    except NotFound:  # the first instance of a stream creates it
        return set()


def control_ids(store: str) -> set[str]:
    """Return the control ids of the messages in an HL7v2 store."""
    messages = clients.healthcare().projects().locations().datasets().hl7V2Stores().messages()
    request = messages.list(parent=store, view="RAW_ONLY", pageSize=1000)
    found: set[str] = set()
    while request is not None:
        with translate_errors(f"listing the messages of {store}"):
            page = retry.call(request.execute)
        found |= {_control_id(message) for message in page.get("hl7V2Messages", [])}
        request = messages.list_next(request, page)
    return found


def _control_id(message: dict[str, Any]) -> str:
    header = base64.b64decode(message["data"]).partition(b"\r")[0].split(b"|")
    return header[9].decode()
