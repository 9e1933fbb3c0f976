"""A dataset to de-identify, by Google's own client and dicomweb-client."""

import io
from collections.abc import Iterator
from typing import Any

import pydicom
from dicomweb_client.api import DICOMwebClient
from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build
from pydicom.data import get_testdata_file

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.waiting import wait_until

FILES = (
    "CT_small.dcm",
    "MR_small_RLE.dcm",
    "SC_rgb_rle_2frame.dcm",
    "examples_palette.dcm",
    "examples_ybr_color.dcm",
    "examples_overlay.dcm",
    "rtplan.dcm",
    "rtdose_1frame.dcm",
    "reportsi.dcm",
    "waveform_ecg.dcm",
)
"""Of many kinds: images, plans, doses, reports, waveforms."""


class Site:
    """A dataset with one DICOM store that holds the files."""

    def __init__(self, running: ServerInfo, project: str) -> None:
        self.url = running.url
        self.project = project
        options = {"api_endpoint": running.url}
        api = build(
            "healthcare",
            "v1",
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options=options,
            static_discovery=True,
        )
        self.api = api
        self.datasets = api.projects().locations().datasets()
        self.location = f"projects/{project}/locations/us-central1"
        self.datasets.create(parent=self.location, datasetId="clinic", body={}).execute()
        self.dataset = f"{self.location}/datasets/clinic"
        self.store = self.add_store("originals")
        self.sources = [pydicom.dcmread(str(get_testdata_file(name))) for name in FILES]
        self.web(self.store).store_instances(self.sources)

    def add_store(self, store_id: str) -> str:
        stores = self.datasets.dicomStores()
        store = stores.create(parent=self.dataset, dicomStoreId=store_id, body={}).execute()
        return str(store["name"])

    def web(self, store: str) -> DICOMwebClient:
        return DICOMwebClient(f"{self.url}/v1/{store}/dicomWeb")

    def finish(self, operation: dict[str, Any]) -> dict[str, Any]:
        def look() -> dict[str, Any]:
            got: dict[str, Any] = self.datasets.operations().get(name=operation["name"]).execute()
            return got if got.get("done") else {}

        return wait_until(look, f"{operation['name']} does not end")

    def into_store(self, store_id: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        target = self.add_store(store_id)
        request = self.datasets.dicomStores().deidentify(
            sourceStore=self.store, body={"destinationStore": target, **body}
        )
        return target, self.finish(request.execute())

    def files(self, store: str) -> Iterator[tuple[bytes, pydicom.Dataset]]:
        """Every file of a store, as it is stored."""
        web = self.web(store)
        for found in web.search_for_instances():
            study, series, sop = (
                found[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018")
            )
            path = f"{self.url}/v1/{store}/dicomWeb/studies/{study}/series/{series}/instances/{sop}"
            accept = "application/dicom; transfer-syntax=*"
            content = http.get(path, headers={"Accept": accept}).raise_for_status().content
            yield content, pydicom.dcmread(io.BytesIO(content))
