"""The viewer of the local Google Cloud, for the scripts."""

from collections.abc import Callable

from engine.errors import EngineError
from engine.loopback import is_loopback


def study_page(
    endpoint: str, store: str, study_uid: str, report: Callable[[str], None]
) -> str | None:
    """Return the address of the page that shows a study; fetch the viewer on first use.

    Args:
        endpoint: address of the Healthcare API
        store: full name of the DICOM store
        study_uid: StudyInstanceUID
        report: called with the progress of a download

    Returns:
        The address; None for a store on Google Cloud, which serves no viewer.

    Raises:
        EngineError: the viewer can't be fetched
    """
    if not is_loopback(endpoint):
        return None
    # Imported late: a stack on Google Cloud needs none of the emulator's packages.
    from viewer import address, fetch

    try:
        fetch.fetch(report)
    except fetch.ViewerError as error:
        raise EngineError(str(error)) from error
    return address.study(endpoint.rstrip("/"), store, study_uid)
