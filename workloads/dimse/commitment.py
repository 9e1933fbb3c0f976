"""Storage commitment: the store is asked which instances it holds (PS3.4 J)."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import build_role
from pynetdicom.association import Association
from pynetdicom.events import Event
from pynetdicom.presentation import build_context

from workloads.common.counters import Counters
from workloads.common.delivery import Backoff
from workloads.common.logs import Log
from workloads.dimse import errors, query
from workloads.dimse.aet_dictionary import Peer
from workloads.dimse.dicomweb import DicomWeb, value
from workloads.dimse.errors import Refusal, status_dataset
from workloads.dimse.peers import calling_aet
from workloads.dimse.sop_classes import STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE

LOG = Log("dimse.commitment")
REQUEST = 1
"""The only action type of the SOP class."""
ALL_COMMITTED, FAILURES_EXIST = 1, 2
"""Event types."""
CLASS_CONFLICT, NO_SUCH_ACTION, MISSING_ATTRIBUTE = 0x0119, 0x0123, 0x0120
WORKERS = 4
MAX_WAIT_SECONDS = 60.0
"""For instances that are still in the spool."""


class Committer:
    """Answers storage commitment requests.

    Args:
        dicomweb: the store
        connect: opens an association with a peer, in the role of the SCP
        peers: the AET dictionary: those in it get the result on an association of their own
        has_pending: whether instances wait for delivery
        counters: counts `commitment_requests`, `committed` and `not_committed`
    """

    def __init__(
        self,
        dicomweb: DicomWeb,
        connect: Callable[[Peer], Association],
        peers: dict[str, Peer],
        has_pending: Callable[[], bool],
        counters: Counters,
    ) -> None:
        self._dicomweb, self._connect, self._peers = dicomweb, connect, peers
        self._has_pending, self._counters = has_pending, counters
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="commitment")
        self._stop = threading.Event()

    def handle(self, event: Event) -> tuple[int | Dataset, Dataset | None]:
        """Accept a request, and answer it later, in another thread."""
        try:
            request = _checked(event)
        except Refusal as refusal:
            LOG.warning(
                "storage commitment refused", peer=calling_aet(event), reason=refusal.comment
            )
            return status_dataset(refusal), None
        self._counters.add("commitment_requests")
        self._workers.submit(self._answer, request, calling_aet(event), event.assoc)
        return errors.SUCCESS, None

    def stop(self) -> None:
        """Drop what is not answered: peers ask again."""
        self._stop.set()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _answer(self, request: Dataset, aet: str, association: Association) -> None:
        try:
            report = self._report(request)
            failed = len(report.get("FailedSOPSequence", []))
            self._counters.add("not_committed", failed)
            self._counters.add("committed", len(report.get("ReferencedSOPSequence", [])))
            status = self._send(report, aet, association)
            LOG.info("storage commitment answered", peer=aet, failed=failed, status=status)
        except Exception:
            LOG.exception("storage commitment not answered", peer=aet)

    def _report(self, request: Dataset) -> Dataset:
        """Return the result of a request."""
        report = Dataset()
        report.TransactionUID = request.TransactionUID
        held: list[Dataset] = []
        failed: list[Dataset] = []
        for item in request.ReferencedSOPSequence:
            outcome = Dataset()
            outcome.ReferencedSOPClassUID = item.ReferencedSOPClassUID
            outcome.ReferencedSOPInstanceUID = item.ReferencedSOPInstanceUID
            reason = self._failure_reason(item)
            if reason:
                outcome.FailureReason = reason
            (failed if reason else held).append(outcome)
        if held:
            report.ReferencedSOPSequence = held
        if failed:
            report.FailedSOPSequence = failed
        return report

    def _failure_reason(self, item: Dataset) -> int:
        """Return why an instance is not committed; 0 if it is."""
        backoff, waited = Backoff(), 0.0
        while True:
            # Asked before the search: an instance can be delivered between the two.
            has_pending = self._has_pending()
            try:
                parameters = [("SOPInstanceUID", str(item.ReferencedSOPInstanceUID))]
                found = list(self._dicomweb.search("instances", parameters))
            except Refusal:
                return errors.PROCESSING_FAILURE
            if found:
                classes = {value(one, query.CLASS_UID) for one in found}
                return 0 if str(item.ReferencedSOPClassUID) in classes else CLASS_CONFLICT
            if not has_pending or waited >= MAX_WAIT_SECONDS or self._stop.is_set():
                return errors.NO_SUCH_INSTANCE
            seconds = backoff.seconds()
            waited += seconds
            self._stop.wait(seconds)

    def _send(self, report: Dataset, aet: str, association: Association) -> str:
        """Send a result, on a new association if the dictionary has the peer's address."""
        event_type = FAILURES_EXIST if "FailedSOPSequence" in report else ALL_COMMITTED
        peer = self._peers.get(aet)
        opened = self._connect(peer) if peer else association
        try:
            status, _ = opened.send_n_event_report(
                report, event_type, UID(STORAGE_COMMITMENT), UID(STORAGE_COMMITMENT_INSTANCE)
            )
        finally:
            if opened is not association and opened.is_established:
                opened.release()
        return f"{status.Status:04X}" if "Status" in status else "no answer"


def _checked(event: Event) -> Dataset:
    """Return the request of an event.

    Raises:
        Refusal: it is not a request for storage commitment, or lacks an attribute
    """
    if event.action_type != REQUEST:
        raise Refusal(NO_SUCH_ACTION, f"action type {event.action_type} is not 1")
    request = event.action_information
    if not request.get("TransactionUID"):
        raise Refusal(MISSING_ATTRIBUTE, "TransactionUID is missing")
    items = request.get("ReferencedSOPSequence")
    if not items:
        raise Refusal(MISSING_ATTRIBUTE, "ReferencedSOPSequence is missing")
    needed = ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID")
    if not all(item.get(keyword) for item in items for keyword in needed):
        raise Refusal(MISSING_ATTRIBUTE, "a referenced class or instance is missing")
    return request


CONTEXTS = [build_context(STORAGE_COMMITMENT)]
ROLE = build_role(STORAGE_COMMITMENT, scp_role=True)
"""Of associations for results: there the SCP is the requestor."""
