"""Clients of slides open one: ez-wsi-dicomweb, which Google made for the service, and wsidicom."""

import io
import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    VLWholeSlideMicroscopyImageStorage,
)

from emulator.server.server_file import ServerInfo
from emulator.services.healthcare.dicom.pixels import encoding
from tests.contract.clients import installing
from tests.support import http
from tests.support.dicom_files import make_dicom

pytestmark = pytest.mark.sockets

TILE, TILES = 16, 4
SYNTAXES = (ExplicitVRLittleEndian, JPEG2000Lossless)


@pytest.fixture
def web(emulator: ServerInfo, project: str) -> str:
    """The DICOMweb address of an empty store."""
    api = f"{emulator.url}/v1/projects/{project}/locations/us-central1/datasets"
    http.post(f"{api}?datasetId=d", json={}).raise_for_status()
    http.post(f"{api}/d/dicomStores?dicomStoreId=slides", json={}).raise_for_status()
    return f"{api}/d/dicomStores/slides/dicomWeb"


def file_of(tiles: Any, syntax: UID, number: int) -> bytes:
    dataset = pydicom.dcmread(
        io.BytesIO(
            make_dicom(
                SeriesInstanceUID=f"1.2.3.{number}",
                SOPInstanceUID=f"1.2.3.{number}.1",
                SOPClassUID=VLWholeSlideMicroscopyImageStorage,
                Modality="SM",
                ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
                InstanceNumber="1",
                NumberOfFrames=TILES,
                Rows=TILE,
                Columns=TILE,
                TotalPixelMatrixRows=2 * TILE,
                TotalPixelMatrixColumns=2 * TILE,
                ImagedVolumeWidth=0.016,
                ImagedVolumeHeight=0.016,
                ImagedVolumeDepth=1.0,
                DimensionOrganizationType="TILED_FULL",
                SamplesPerPixel=3,
                PhotometricInterpretation="RGB",
                PlanarConfiguration=0,
                BitsAllocated=8,
                BitsStored=8,
                HighBit=7,
                PixelRepresentation=0,
                PixelData=tiles.tobytes(),
            )
        )
    )
    if syntax.is_compressed:
        encoding.compress(dataset, syntax)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()


def test_clients_of_slides_open_them(web: str) -> None:
    """ez-wsi-dicomweb reads frames and patches, wsidicom finds instances."""
    try:
        packages = installing.python_packages("slides")
    except installing.MissingError as error:
        pytest.skip(str(error))
    tiles = np.random.default_rng(3).integers(0, 255, (TILES, TILE, TILE, 3), dtype=np.uint8)
    for number, syntax in enumerate(SYNTAXES, start=1):
        content = file_of(tiles, syntax, number)
        headers = {"Content-Type": "application/dicom"}
        http.post(f"{web}/studies", content=content, headers=headers).raise_for_status()
    addresses = [f"{web}/studies/1.2.3/series/1.2.3.{number}" for number in (1, 2)]
    done = subprocess.run(
        [sys.executable, installing.PYTHON / "slides.py", *addresses],
        env=os.environ | {"PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    whole = np.vstack([np.hstack(list(tiles[:2])), np.hstack(list(tiles[2:]))])
    for number, saw in enumerate(json.loads(done.stdout), start=1):
        assert saw["ez"] == {
            "size": [2 * TILE, 2 * TILE],
            "frames": tiles.tolist(),
            "patch": whole[8:24, 8:24].tolist(),
        }
        assert saw["wsidicom"] == {
            "instance": f"1.2.3.{number}.1",
            "syntaxes": None,
            "supported": [True, True],
            "class": str(VLWholeSlideMicroscopyImageStorage),
        }
