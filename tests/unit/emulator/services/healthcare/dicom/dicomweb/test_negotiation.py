"""Requests in forms that clients use: lists of Accept, equal ranges, repeated parameters."""

import io
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000, ExplicitVRLittleEndian, JPEGBaseline8Bit
from starlette.testclient import TestClient

from emulator.services.healthcare.dicom.pixels import encoding
from tests.support.dicom_files import make_dicom

JPEG = f'multipart/related; type="image/jpeg"; transfer-syntax={JPEGBaseline8Bit}'
JPEG_2000 = f'multipart/related; type="image/jp2"; transfer-syntax={JPEG2000}'
STORED = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
VALUES = np.random.default_rng(5).integers(0, 255, (16, 16), dtype=np.uint8)


@pytest.fixture
def studies(client: TestClient, store: str) -> str:
    """The address of the studies of one instance uncompressed and one of JPEG 2000."""
    address = f"/v1/{store}/dicomWeb/studies"
    for number, syntax in enumerate([ExplicitVRLittleEndian, JPEG2000], start=1):
        content = make_dicom(
            pixels=VALUES, SeriesInstanceUID=f"1.2.3.{number}", SOPInstanceUID=f"1.2.3.4.{number}"
        )
        dataset = pydicom.dcmread(io.BytesIO(content))
        if syntax.is_compressed:
            encoding.compress(dataset, JPEG2000)
        buffer = io.BytesIO()
        dataset.save_as(buffer)
        headers = {"Content-Type": "application/dicom"}
        client.post(address, content=buffer.getvalue(), headers=headers).raise_for_status()
    return address


def instance(studies: str, number: int) -> str:
    return f"{studies}/1.2.3/series/1.2.3.{number}/instances/1.2.3.4.{number}"


def served(answer: Any) -> str:
    """Return the transfer syntax of the first part, or of the whole."""
    assert answer.status_code == 200, answer.text
    head = answer.content.partition(b"\r\n\r\n")[0].decode(errors="replace")
    content_type = (
        head if "multipart" in answer.headers["content-type"] else answer.headers["content-type"]
    )
    return str(content_type.partition("transfer-syntax=")[2].strip())


def test_frames_come_as_they_are_stored_rather_than_with_a_loss(
    client: TestClient, studies: str
) -> None:
    accept = f"{JPEG}, {JPEG_2000}, {STORED}"
    expected = {1: str(JPEG2000), 2: str(JPEG2000)}
    for number, syntax in expected.items():
        url = f"{instance(studies, number)}/frames/1"
        assert served(client.get(url, headers={"Accept": accept})) == syntax
        assert served(client.get(url, headers={"Accept": f"{JPEG}, {STORED}"})) != JPEGBaseline8Bit
        weighed = {"Accept": f"{JPEG}, {JPEG_2000};q=0.9"}
        assert served(client.get(url, headers=weighed)) == JPEGBaseline8Bit


def test_so_do_files(client: TestClient, studies: str) -> None:
    def files(*syntaxes: str) -> dict[str, str]:
        return {
            "Accept": ", ".join(f"application/dicom; transfer-syntax={one}" for one in syntaxes)
        }

    for number, stored in ((1, ExplicitVRLittleEndian), (2, JPEG2000)):
        url = instance(studies, number)
        assert served(client.get(url, headers=files(JPEGBaseline8Bit, "*"))) == stored
        assert served(client.get(url, headers=files("1.2.3.4", "*"))) == stored
        refused = client.get(url, headers=files("1.2.3.4", "1.2.840.10008.1.2.4.201"))
        assert refused.status_code == 406
        assert "1.2.3.4." in refused.json()["error"]["message"]


def test_each_instance_of_a_study_comes_in_its_own_best_form(
    client: TestClient, studies: str
) -> None:
    accept = 'multipart/related; type="application/dicom"; transfer-syntax='
    headers = {"Accept": f"{accept}{JPEGBaseline8Bit};q=0.5, {accept}*"}
    answer = client.get(f"{studies}/1.2.3", headers=headers)
    for syntax in (ExplicitVRLittleEndian, JPEG2000):
        assert f"application/dicom; transfer-syntax={syntax}\r\n".encode() in answer.content


def test_an_accept_header_may_come_in_lines(client: TestClient, studies: str) -> None:
    url = f"{instance(studies, 1)}/metadata"
    lines = [("Accept", "text/html;q=0.9"), ("Accept", "application/dicom+json;q=0.1")]
    assert client.get(url, headers=lines).json()
    split = [("Accept", "application/dicom+json;q=0"), ("Accept", "application/dicom+xml")]
    answer = client.get(url, headers=split)
    assert answer.headers["content-type"] == "application/dicom+xml"


NAMED = [
    ("", "application/dicom; transfer-syntax=*"),
    ("/frames/1", "application/octet-stream"),
    ("/frames/1", "image/png"),
    ("/bulkdata/7FE00010", "application/octet-stream"),
    ("/metadata", "application/dicom+xml"),
    ("/rendered", "image/png"),
]


def test_a_media_type_that_is_named_is_served_beside_a_wildcard(
    client: TestClient, studies: str
) -> None:
    for path, accept in NAMED:
        for wildcard in ("*/*;q=0.1", "*/*; q=0.01", "*/*"):
            headers = {"Accept": f"{accept}, {wildcard}"}
            answer = client.get(instance(studies, 1) + path, headers=headers)
            served_type = answer.headers["content-type"].partition(";")[0]
            assert served_type == accept.partition(";")[0], (path, wildcard)


REPEATED = [
    ("SeriesInstanceUID=1.2.3.1&SeriesInstanceUID=1.2.3.2", 2),
    ("0020000E=1.2.3.1&0020000E=1.2.3.2", 2),
    ("SeriesInstanceUID=1.2.3.1&0020000E=1.2.3.2", 2),
    ("SeriesInstanceUID=1.2.3.1,1.2.3.2", 2),
    ("SeriesInstanceUID=1.2.3.1&SeriesInstanceUID=9", 1),
    ("includefield=PatientID&includefield=00080060", 2),
    ("alt=json&alt=json", 2),
]


def test_parameters_that_are_repeated(client: TestClient, studies: str) -> None:
    instances = f"{studies.removesuffix('studies')}instances"
    for query, count in REPEATED:
        assert len(client.get(f"{instances}?{query}").json()) == count, query
    for query in ("PatientID=p1&PatientID=p1", "PatientID=p1&00100020=p2", "limit=1&limit=2"):
        answer = client.get(f"{instances}?{query}")
        assert answer.status_code == 400
        assert "repeated" in answer.json()["error"]["message"]


def test_a_window_that_is_repeated_is_refused(client: TestClient, studies: str) -> None:
    url = f"{instance(studies, 1)}/rendered?window=1,2&window=3,4"
    assert client.get(url).status_code == 400


def test_the_query_asks_for_a_media_type_before_the_header_does(
    client: TestClient, studies: str
) -> None:
    """PS3.18 8.7.8.1; OHIF asks for thumbnails so."""
    url = f"{instance(studies, 1)}/rendered"
    octets = {"Accept": 'multipart/related; type="application/octet-stream"'}
    answer = client.get(f"{url}?accept=image%2Fjpeg", headers=octets)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8")
    png = {"Accept": "image/png"}
    by_query = {
        "accept=image/jpeg": "image/jpeg",
        "accept=image/bmp,image/jpeg": "image/jpeg",
        "accept=image/bmp&accept=image/jpeg": "image/jpeg",
        "accept=image/jpeg;q=0": "image/png",
        "accept=image/bmp": "image/png",  # not served, so that the header decides
        "accept=": "image/png",
    }
    seen = {
        query: client.get(f"{url}?{query}", headers=png).headers["content-type"]
        for query in by_query
    }
    assert seen == by_query
    refused = client.get(f"{url}?accept=image/bmp", headers={"Accept": "image/gif"})
    assert refused.status_code == 406
    assert "image/gif" in refused.json()["error"]["message"]


def test_every_retrieval_and_search_reads_accept_from_the_query(
    client: TestClient, studies: str
) -> None:
    json, one = {"Accept": "application/dicom+json"}, instance(studies, 1)
    seen = {
        "search": f"{studies}?PatientID=p1&accept=application/dicom%2Bxml",
        "metadata": f"{one}/metadata?accept=application/dicom%2Bxml",
        "file": f"{one}?accept=application/dicom",
        "frame": f"{one}/frames/1?accept=application/octet-stream",
        "value": f"{one}/bulkdata/7FE00010?accept=application/octet-stream",
    }
    types = {
        name: client.get(url, headers=json).headers["content-type"].partition(";")[0]
        for name, url in seen.items()
    }
    assert types == {
        "search": "multipart/related",
        "metadata": "application/dicom+xml",
        "file": "application/dicom",
        "frame": "application/octet-stream",
        "value": "application/octet-stream",
    }
