"""DICOM stores in process, and files for them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.services.healthcare.dicom.instances.staged_file import StagedFile
from emulator.services.healthcare.dicom.parsing.parser import parse
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from tests.support.dicom_files import Make, make_dicom


@pytest.fixture
def make() -> Make:
    return make_dicom


@pytest.fixture
def pixels() -> Any:
    """Two 8-bit frames of 4 by 6 pixels."""
    return np.arange(48, dtype=np.uint8).reshape(2, 4, 6)


@pytest.fixture
def incoming(cloud: Cloud) -> Callable[[bytes], StagedFile]:
    """Puts bytes into the incoming folder and parses them."""

    def put(content: bytes) -> StagedFile:
        path = cloud.healthcare.dicom.contents.blobs.new_staging_file()
        path.write_bytes(content)
        return StagedFile(parse(path), path)

    return put


@pytest.fixture
def store(client: TestClient, dataset: str) -> str:
    """The full name of a DICOM store."""
    answer = client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=store1", json={})
    answer.raise_for_status()
    return str(answer.json()["name"])


@pytest.fixture
def resource_path(store: str) -> ResourcePath:
    return ResourcePath(store)
