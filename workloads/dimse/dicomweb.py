"""The DICOMweb service of a store, with failures in the terms of DIMSE."""

from workloads.common import dicomweb, google
from workloads.common.dicomweb import STORE, Parameters, Result, value
from workloads.dimse import errors
from workloads.dimse.errors import Refusal, UsageError

__all__ = ["DicomWeb", "Parameters", "Result", "StoreRefusal", "value"]

_STATUSES = {
    401: errors.NOT_AUTHORIZED,
    403: errors.NOT_AUTHORIZED,
    408: errors.OUT_OF_RESOURCES,
    429: errors.OUT_OF_RESOURCES,
    500: errors.OUT_OF_RESOURCES,
    502: errors.OUT_OF_RESOURCES,
    503: errors.OUT_OF_RESOURCES,
    504: errors.OUT_OF_RESOURCES,
}


class StoreRefusal(Refusal):
    """A request that the store refused or did not answer.

    Args:
        status: of DIMSE
        comment: the reason, without patient data
        transient: whether the same request may succeed later
        code: the HTTP status; None without an answer
    """

    def __init__(self, status: int, comment: str, *, transient: bool, code: int | None) -> None:
        super().__init__(status, comment)
        self.transient, self.code = transient, code


class DicomWeb(dicomweb.DicomWeb):
    """A store's DICOMweb service, for several threads; a failed request raises `StoreRefusal`.

    Args:
        store: `projects/P/locations/L/datasets/D/dicomStores/S`
        connections: open at most
    """

    def __init__(self, store: str, connections: int) -> None:
        if not STORE.fullmatch(store):
            raise UsageError(
                f"{store!r} is not a valid DICOM store:"
                " projects/P/locations/L/datasets/D/dicomStores/S is expected."
            )
        super().__init__(store, connections)

    def _error(self, reason: str, code: int | None) -> Exception:
        """Return the refusal that a request raises that failed."""
        if code is None:
            return StoreRefusal(errors.OUT_OF_RESOURCES, reason, transient=True, code=None)
        status = _STATUSES.get(code, errors.PROCESSING_FAILURE)
        if code == 409:
            duplicate = reason.startswith("already exists")
            status = errors.DUPLICATE_INSTANCE if duplicate else errors.CANNOT_UNDERSTAND
        transient = code in google.TRANSIENT_CODES
        comment = reason if code == 409 else f"store: HTTP {code} {reason}"
        return StoreRefusal(status, comment, transient=transient, code=code)
