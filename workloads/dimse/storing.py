"""C-STORE: instances of peers into the store, at once or by way of the spool."""

import io

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pynetdicom.events import Event

from workloads.common.counters import Counters
from workloads.common.delivery import Refused, Unavailable
from workloads.common.logs import Log
from workloads.common.spool import Item, Spool
from workloads.dimse import errors
from workloads.dimse.dicomweb import DicomWeb, StoreRefusal
from workloads.dimse.errors import Refusal, status_dataset
from workloads.dimse.peers import as_refusal, calling_aet

LOG = Log("dimse.store")
_IDENTIFYING = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


class Storer:
    """Answers C-STORE requests.

    Args:
        dicomweb: the store
        spool: where instances are kept until they are delivered; None stores before the answer
        max_bytes: of an instance
        counters: counts `stored`, `spooled` and `store_refusals`
    """

    def __init__(
        self, dicomweb: DicomWeb, spool: Spool | None, max_bytes: int, counters: Counters
    ) -> None:
        self._dicomweb, self._spool, self._max_bytes = dicomweb, spool, max_bytes
        self._counters = counters

    def handle(self, event: Event) -> int | Dataset:
        """Store an instance and return the status."""
        uid = str(event.request.AffectedSOPInstanceUID)  # type: ignore[union-attr]
        try:
            self._accept(event, uid)
        except Exception as error:  # noqa: BLE001 (the peer gets the reason)
            refusal = as_refusal(error)
            self._counters.add("store_refusals")
            LOG.warning(
                "C-STORE refused",
                peer=calling_aet(event),
                instance=uid,
                status=f"{refusal.status:04X}",
                reason=refusal.comment,
            )
            return status_dataset(refusal)
        return errors.SUCCESS

    def _accept(self, event: Event, uid: str) -> None:
        content = event.encoded_dataset()
        if len(content) > self._max_bytes:
            raise Refusal(
                errors.OUT_OF_RESOURCES,
                f"instance has {len(content)} bytes, the limit is {self._max_bytes}",
            )
        if self._spool is None:
            self._dicomweb.store(content)
            self._counters.add("stored")
            return
        _check(content, uid)
        try:
            self._spool.put(content, instance=uid, peer=calling_aet(event))
        except OSError as error:
            raise Refusal(errors.OUT_OF_RESOURCES, f"spool: {error.strerror}") from error
        self._counters.add("spooled")


def _check(content: bytes, uid: str) -> None:
    """Raise `Refusal` for an instance that the store would refuse after it was acknowledged."""
    try:
        dataset = dcmread(
            io.BytesIO(content), stop_before_pixels=True, specific_tags=list(_IDENTIFYING)
        )
        values = {keyword: str(dataset.get(keyword, "")) for keyword in _IDENTIFYING}
    except (InvalidDicomError, EOFError, ValueError, OSError, NotImplementedError) as error:
        raise Refusal(errors.CANNOT_UNDERSTAND, "the dataset can't be read") from error
    if missing := [keyword for keyword, value in values.items() if not value]:
        raise Refusal(errors.DATASET_MISMATCH, f"{missing[0]} is missing")
    if values["SOPInstanceUID"] != uid:
        raise Refusal(errors.DATASET_MISMATCH, "SOPInstanceUID is not that of the request")


def deliver(dicomweb: DicomWeb, item: Item) -> None:
    """Store an instance of the spool.

    Raises:
        Refused: the store will never take it
        Unavailable: the store may take it later
    """
    try:
        dicomweb.store(item.read())
    except StoreRefusal as refusal:
        # A missing role or store is repaired by a person: the instance itself is in order.
        waits = refusal.transient or refusal.code in {403, 404}
        raise (Unavailable if waits else Refused)(refusal.comment) from refusal
