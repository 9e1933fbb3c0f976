"""Addresses of the viewer's pages."""

from collections.abc import Mapping
from urllib.parse import urlencode

SEPARATOR = "~"
"""Between the ids of a store in the name of its data source: no id has one."""


def data_source(store: str) -> str:
    """Return the name of a store's data source, one segment of a path.

    Args:
        store: projects/P/locations/L/datasets/D/dicomStores/S
    """
    return SEPARATOR.join(store.split("/")[1::2])


def study(root: str, store: str, study_uid: str) -> str:
    """Return the address of the page that shows a study.

    Args:
        root: the emulator's address, `http://127.0.0.1:PORT`
        store: full name of the DICOM store
        study_uid: StudyInstanceUID
    """
    return _with(f"{root}/viewer/{data_source(store)}", {"StudyInstanceUIDs": study_uid})


def study_list(root: str, store: str) -> str:
    """Return the address of the page that lists the studies of a store."""
    return _with(f"{root}/", {"datasources": data_source(store)})


def _with(address: str, query: Mapping[str, str]) -> str:
    return f"{address}?{urlencode(query)}"
