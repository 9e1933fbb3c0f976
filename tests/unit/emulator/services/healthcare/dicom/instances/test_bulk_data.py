"""Bulk data references in metadata, and their contents."""

import io
import json
import math
import struct
from collections.abc import Callable
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless
from starlette.testclient import TestClient

OCTETS = "application/octet-stream"


@pytest.fixture
def put(client: TestClient, store: str, make: Any) -> Callable[..., tuple[str, dict[str, Any]]]:
    """Stores an instance; gives its path and its metadata."""

    def put(content: bytes = b"", **elements: Any) -> tuple[str, dict[str, Any]]:
        web = f"/v1/{store}/dicomWeb/studies"
        headers = {"Content-Type": "application/dicom"}
        body = content or make(**elements)
        client.post(web, content=body, headers=headers).raise_for_status()
        path = f"{web}/1.2.3/series/1.2.3.4/instances/1.2.3.4.5"
        [metadata] = client.get(f"{path}/metadata").json()
        return path, metadata

    return put


def follow(client: TestClient, element: dict[str, Any], **headers: str) -> Any:
    """Retrieve what an element refers to."""
    url = element["BulkDataURI"].removeprefix("http://127.0.0.1:1")
    return client.get(url, headers={"Accept": OCTETS} | headers)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, None])
def test_binary_values_always_go_by_reference(client: TestClient, put: Any, syntax: Any) -> None:
    item = Dataset()
    item.add_new("EncapsulatedDocument", "OB", b"xyz!")
    item.add_new(0x00091001, "UN", b"ab")
    more = {"syntax": syntax} if syntax else {}
    path, metadata = put(ContentSequence=[Dataset(), item], ICCProfile=b"y" * 10, **more)
    nested = metadata["0040A730"]["Value"][1]
    profile = metadata["00282000"]
    assert profile == {"vr": "OB", "BulkDataURI": f"http://127.0.0.1:1{path}/bulkdata/00282000"}
    assert follow(client, profile).content == b"y" * 10
    assert nested["00420011"]["BulkDataURI"].endswith("/bulkdata/0040A730/1/00420011")
    assert follow(client, nested["00420011"]).content == b"xyz!"
    assert follow(client, nested["00091001"]).content == b"ab"
    answer = follow(client, profile, Accept=f'multipart/related; type="{OCTETS}"')
    assert answer.headers["content-type"].startswith(f'multipart/related; type="{OCTETS}"')
    assert b"\r\n\r\nyyyyyyyyyy\r\n" in answer.content


def test_many_numbers_go_by_reference(client: TestClient, put: Any) -> None:
    few, many = [float(n) for n in range(512)], [float(n) for n in range(513)]
    _, metadata = put(
        SelectorFDValue=few,
        SelectorFLValue=many,
        SelectorULValue=list(range(513)),
        SelectorSSValue=list(range(600)),
        SelectorUTValue="x" * 100_000,
    )
    assert metadata["00720074"]["Value"] == few
    assert follow(client, metadata["00720076"]).content == struct.pack("<513f", *many)
    assert follow(client, metadata["00720078"]).content == struct.pack("<513I", *range(513))
    # Neither SS nor text is in the service's definition of bulk data.
    assert metadata["0072007E"]["Value"] == list(range(600))
    assert len(metadata["00720070"]["Value"][0]) == 100_000


def test_words_are_inline_up_to_two_kibibytes(client: TestClient, put: Any) -> None:
    short, long = struct.pack("<512f", *range(512)), struct.pack("<513f", *range(513))
    _, metadata = put(SelectorOFValue=short, SelectorODValue=b"", FloatPixelData=long)
    assert "InlineBinary" in metadata["00720067"]
    assert metadata["00720073"] == {"vr": "OD"}
    assert follow(client, metadata["7FE00008"]).content == long


def test_inline_words_are_little_endian(put: Any, make: Any) -> None:
    big = struct.pack(">3f", 1, 2, 3)
    dataset = pydicom.dcmread(io.BytesIO(make()))
    dataset.SelectorOFValue = big
    buffer = io.BytesIO()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    pydicom.dcmwrite(buffer, dataset, little_endian=False, implicit_vr=False)
    _, metadata = put(buffer.getvalue())
    read = Dataset.from_json({"00720067": metadata["00720067"]})
    assert read.SelectorOFValue == struct.pack("<3f", 1, 2, 3)


def test_very_large_sequences_are_left_out(put: Any) -> None:
    items = [Dataset() for _ in range(2)]
    for item in items:
        item.TextValue = "x" * 600_000
    _, metadata = put(ContentSequence=items, AcquisitionContextSequence=items[:1])
    assert "0040A730" not in metadata
    assert "00400555" in metadata


def test_numbers_that_json_lacks_are_names(put: Any) -> None:
    values = [1.5, math.nan, math.inf, -math.inf]
    _, metadata = put(SelectorFDValue=values)
    assert metadata["00720074"]["Value"] == [1.5, "NaN", "inf", "-inf"]


def test_pixel_data(client: TestClient, put: Any, make: Any, pixels: Any) -> None:
    dataset = pydicom.dcmread(io.BytesIO(make(pixels=pixels)))
    dataset.compress(RLELossless, generate_instance_uid=False)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    _, metadata = put(buffer.getvalue())
    element = metadata["7FE00010"]
    # Bulk data is never decoded: that is what frames are for.
    for accept in (OCTETS, f"{OCTETS}; transfer-syntax=*"):
        assert follow(client, element, Accept=accept).content == dataset.PixelData
    whole = follow(client, element, Accept="*/*")
    assert whole.headers["content-type"].startswith(f'multipart/related; type="{OCTETS}"')
    head, _, body = whole.content.partition(b"\r\n\r\n")
    assert head.endswith(b"Content-Type: application/octet-stream; transfer-syntax=*")
    assert body.startswith(dataset.PixelData)
    url = element["BulkDataURI"]
    refused = client.get(url, headers={"Accept": f"{OCTETS}; transfer-syntax=1.2.840.10008.1.2.1"})
    assert refused.status_code == 406
    assert "1.2.840.10008.1.2.1" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    "where", ["00100020", "7FE00010", "0040A730/0/00420011", "x", '00282000"', "0/0", ""]
)
def test_what_is_not_referred_to_is_not_there(client: TestClient, put: Any, where: str) -> None:
    path, metadata = put(ICCProfile=b"y" * 10)
    assert "BulkDataURI" not in metadata["00100020"]
    answer = client.get(f"{path}/bulkdata/{where}")
    assert answer.status_code == 404
    assert client.get(f"{path}/bulkdata/00282000", headers={"Accept": "a/b"}).status_code == 406


def test_searches_give_references_that_lead_somewhere(client: TestClient, put: Any) -> None:
    item = Dataset()
    item.add_new("EncapsulatedDocument", "OB", b"xyz!")
    path, _ = put(ContentSequence=[item], ICCProfile=b"y" * 10, StudyDescription="d", SeriesTime="")
    web = path.split("/studies/")[0]
    [found] = client.get(f"{web}/instances?includefield=all").json()
    assert follow(client, found["00282000"]).content == b"y" * 10
    assert follow(client, found["0040A730"]["Value"][0]["00420011"]).content == b"xyz!"
    [study] = client.get(f"{web}/studies?includefield=all").json()
    assert study["00081030"]["Value"] == ["d"]
    assert "00282000" not in study
    [series] = client.get(f"{web}/series?includefield=0040A730").json()
    assert "$INSTANCE" not in json.dumps(series)
    assert series["0040A730"]["Value"] == [{}]
    assert "00080031" in client.get(f"{web}/series?includefield=all").json()[0]
