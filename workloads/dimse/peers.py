"""Facts about the peer of an event."""

from pydicom.dataset import Dataset
from pynetdicom.events import Event

from workloads.common.logs import Log
from workloads.dimse.errors import CANNOT_UNDERSTAND, PROCESSING_FAILURE, Refusal
from workloads.dimse.query import LEVELS
from workloads.dimse.sop_classes import STUDY_ROOT

LOG = Log("dimse")


def calling_aet(event: Event) -> str:
    """Return the title of the peer."""
    return str(event.assoc.requestor.ae_title)


def levels_of(event: Event) -> tuple[str, ...]:
    """Return the levels of the information model of a request: Study Root has no PATIENT level."""
    return LEVELS[1:] if event.context.abstract_syntax in STUDY_ROOT else LEVELS


def identifier_of(event: Event) -> Dataset:
    """Return the identifier of a request, all of its elements decoded.

    Raises:
        Refusal: it can't be decoded
    """
    try:
        dataset = event.identifier
        dataset.decode()
        list(dataset.iterall())
    except Exception as error:
        raise Refusal(CANNOT_UNDERSTAND, "the identifier can't be read") from error
    return dataset


def as_refusal(error: Exception) -> Refusal:
    """Return what a peer gets for an exception: the log has its type and where it was raised."""
    if isinstance(error, Refusal):
        return error
    LOG.exception("request crashed")
    return Refusal(PROCESSING_FAILURE, f"internal error ({type(error).__name__})")
