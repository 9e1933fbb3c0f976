"""Storing instances as JSON metadata and bulk data."""

import base64
import io
import json
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from starlette.testclient import TestClient

JPEG, PLAIN = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.1"
MEDIA_TYPE = "application/dicom+json"
OUTER = f'multipart/related; type="{MEDIA_TYPE}"; boundary=edge'


def element(vr: str, *values: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)}


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((8, 8), 128, np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def model(syntax: str = JPEG, sop: str = "1.2.3.4.5", **changes: Any) -> dict[str, Any]:
    """The metadata of a small picture; a change to None takes an element away."""
    elements = {
        "00020010": element("UI", syntax),
        "00080005": element("CS", "ISO_IR 192"),
        "00080016": element("UI", "1.2.840.10008.5.1.4.1.1.7"),
        "00080018": element("UI", sop),
        "0020000D": element("UI", "1.2.3"),
        "0020000E": element("UI", "1.2.3.4"),
        "00100010": element("PN", {"Alphabetic": "Müller^Jörg"}),
        "00280002": element("US", 1),
        "00280004": element("CS", "MONOCHROME2"),
        "00280010": element("US", 8),
        "00280011": element("US", 8),
        "00280100": element("US", 8),
        "00280101": element("US", 8),
        "00280102": element("US", 7),
        "00280103": element("US", 0),
        "7FE00010": {"vr": "OB", "BulkDataURI": "picture"},
    } | {tag.removeprefix("x"): value for tag, value in changes.items()}
    return {tag: one for tag, one in elements.items() if one is not None}


def body(*parts: tuple[str, bytes]) -> bytes:
    whole = b"".join(b"--edge\r\n%s\r\n\r\n%s\r\n" % (h.encode(), c) for h, c in parts)
    return whole + b"--edge--\r\n"


def metadata(*models: Any, syntax: str = "") -> tuple[str, bytes]:
    suffix = f"; transfer-syntax={syntax}" if syntax else ""
    return f"Content-Type: {MEDIA_TYPE}{suffix}", json.dumps(models).encode()


def bulk(content: bytes, media_type: str, location: str = "picture") -> tuple[str, bytes]:
    return f"Content-Type: {media_type}\r\nContent-Location: {location}", content


def post(client: TestClient, store: str, *parts: tuple[str, bytes]) -> Any:
    headers = {"Content-Type": OUTER, "Accept": MEDIA_TYPE}
    return client.post(f"/v1/{store}/dicomWeb/studies", content=body(*parts), headers=headers)


def stored(client: TestClient, store: str, sop: str = "1.2.3.4.5") -> pydicom.FileDataset:
    path = f"/v1/{store}/dicomWeb/studies/1.2.3/series/1.2.3.4/instances/{sop}"
    answer = client.get(path, headers={"Accept": "application/dicom; transfer-syntax=*"})
    return pydicom.dcmread(io.BytesIO(answer.raise_for_status().content))


def test_a_jpeg_becomes_an_instance(client: TestClient, store: str) -> None:
    image = f"image/jpeg; transfer-syntax={JPEG}"
    answer = post(client, store, metadata(model()), bulk(picture(), image))
    assert answer.status_code == 200
    assert answer.json()["00081199"]["Value"][0]["00081155"]["Value"] == ["1.2.3.4.5"]
    read = stored(client, store)
    assert read.file_meta.TransferSyntaxUID == JPEG
    assert read.file_meta.MediaStorageSOPInstanceUID == "1.2.3.4.5"
    assert str(read.PatientName) == "Müller^Jörg"
    assert np.abs(read.pixel_array.astype(int) - 128).max() <= 2
    [found] = client.get(f"/v1/{store}/dicomWeb/instances").json()
    assert found["00280010"]["Value"] == [8]
    # The same request is the same instance.
    assert post(client, store, metadata(model()), bulk(picture(), image)).status_code == 200


def test_several_instances_with_inline_and_bulk_values(client: TestClient, store: str) -> None:
    inline = {"vr": "OB", "InlineBinary": base64.b64encode(b"profile!").decode()}
    nested = {"00282000": inline}
    pixels = bytes(range(64))
    answer = post(
        client,
        store,
        metadata(
            model(PLAIN, "1.2.3.4.6", x00282000=inline),
            model(PLAIN, "1.2.3.4.7", x7FE00010=None, x00081140=element("SQ", nested)),
            syntax=PLAIN,
        ),
        bulk(pixels, "application/octet-stream"),
    )
    assert answer.status_code == 200
    first, second = stored(client, store, "1.2.3.4.6"), stored(client, store, "1.2.3.4.7")
    assert first.pixel_array.tobytes() == pixels
    assert first.ICCProfile == b"profile!"
    assert "PixelData" not in second


IMAGE = bulk(b"\xff\xd8\xff\xd9", f"image/jpeg; transfer-syntax={JPEG}")
TEXT = {"vr": "LO", "BulkDataURI": "picture"}
INLINE = {"vr": "OB", "InlineBinary": "AAAA"}


@pytest.mark.parametrize(
    ("parts", "culprit"),
    [
        ([IMAGE], "The first part must be of the media type application/dicom+json"),
        ([(f"Content-Type: {MEDIA_TYPE}", b"[")], "not valid JSON"),
        ([(f"Content-Type: {MEDIA_TYPE}", b"{}")], "must be an array of DICOM instances"),
        ([metadata()], "has no instance"),
        ([metadata(model(x00080018=None)), IMAGE], "Instance 0 of the JSON metadata: SOPInstance"),
        ([metadata(model(x00080005=None)), IMAGE], "SpecificCharacterSet (00080005) is required"),
        ([metadata(model(x00080005=element("CS", "ISO_IR 100"))), IMAGE], "must be ISO_IR 192"),
        ([metadata(model("1.2.840.10008.1.2.2")), IMAGE], "1.2.840.10008.1.2.2 is not supported"),
        ([metadata(model())], "no part has the Content-Location 'picture'"),
        ([metadata(model(), model(sop="1.9")), IMAGE], "Instance 1 of the JSON metadata: 7FE00010"),
        ([metadata(model(x7FE00010=None)), IMAGE], "No instance refers to the part 'picture'"),
        ([metadata(model()), IMAGE, IMAGE], "a Content-Location of its own: 'picture'"),
        ([metadata(model()), bulk(b"x", "text/plain")], "'text/plain' is not supported"),
        ([metadata(model(x7FE00010=INLINE), syntax=PLAIN)], "PixelData must be sent as a bulk"),
        ([metadata(model(x00282000=INLINE)), IMAGE], "00282000 is InlineBinary"),
        (
            [metadata(model(x00282000={"vr": "OB", "BulkDataURI": "other"})), IMAGE],
            "one part of bulk data only",
        ),
        (
            [
                metadata(model(x7FE00010=None, x00100020={"vr": "LO", "BulkDataURI": "picture"})),
                IMAGE,
            ],
            "00100020: only OB, OW and UN",
        ),
        ([metadata(model(PLAIN)), IMAGE], "both must be of one compression"),
        ([metadata(model()), bulk(b"x", "application/octet-stream")], "of one compression"),
        ([metadata(model(x00280008=element("IS", 2))), IMAGE], "of one frame"),
        ([metadata(model(x00100020=7)), IMAGE], "00100020 is not an element"),
        ([metadata(model(x00100020={"vr": "ZZ"})), IMAGE], "It is not valid DICOM JSON"),
        ([metadata(model(x00280010=element("US", "x"))), IMAGE], "It is not valid DICOM JSON"),
        ([metadata(model(x00280010=element("US", 1 << 20))), IMAGE], "It is not valid DICOM JSON"),
        (
            [metadata(model(x00081140={"vr": "SQ", "Value": 7})), IMAGE],
            "It is not valid DICOM JSON",
        ),
    ],
)
def test_what_is_refused_by_name(
    client: TestClient, store: str, parts: list[tuple[str, bytes]], culprit: str
) -> None:
    answer = post(client, store, *parts)
    assert answer.status_code == 400
    assert culprit in answer.json()["error"]["message"]
    assert client.get(f"/v1/{store}/dicomWeb/instances").status_code == 204
