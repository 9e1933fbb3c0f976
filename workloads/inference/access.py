"""Access to the DICOM store when the program starts."""

import time
from collections.abc import Callable

from workloads.common.delivery import Backoff
from workloads.common.dicomweb import DicomWeb, StoreError
from workloads.common.logs import Log
from workloads.inference.settings import SettingsError

LOG = Log("inference")
ROLE = "roles/healthcare.dicomEditor"
PATIENCE_SECONDS = 180.0
"""A new role takes effect in about two minutes, and Cloud Run waits four for the port.

Documented: https://cloud.google.com/iam/docs/access-change-propagation and
https://cloud.google.com/run/docs/configuring/healthchecks#tcp-startup-probe
"""
_BAD_REQUEST, _FORBIDDEN, _NOT_FOUND = 400, 403, 404


def wait_for_access(
    store: DicomWeb,
    patience: float = PATIENCE_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until this account may use a store; only log if the store does not answer.

    A service that starts before its role takes effect would make dead letters of its first images.

    Args:
        store: the store
        patience: seconds
        sleep: waits

    Raises:
        SettingsError: the store does not exist, or the account still may not use it
    """
    backoff, waited = Backoff(), 0.0
    while refusal := _refusal(store):
        if waited >= patience:
            raise SettingsError(refusal)
        seconds = min(backoff.seconds(), patience - waited)
        LOG.warning("waiting for access to the DICOM store", seconds=round(seconds, 1))
        sleep(seconds)
        waited += seconds


def _refusal(store: DicomWeb) -> str:
    """Return why this account may not use a store; empty if it may, or if none answers."""
    name = store.store_name
    try:
        store.check()
    except StoreError as error:
        if error.code in (_BAD_REQUEST, _NOT_FOUND):
            raise SettingsError(f"The DICOM store {name} does not exist: {error.reason}") from None
        if error.code == _FORBIDDEN:
            return f"This account may not use the DICOM store {name}: grant it {ROLE} on the store."
        LOG.warning("the DICOM store is unavailable", reason=error.reason)
    return ""
