"""Metadata as XML (PS3.19): read back, it is what the DICOM JSON model says."""

import base64
from typing import Any
from xml.etree import ElementTree as ET

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.datadict import keyword_for_tag
from starlette.testclient import TestClient

from emulator.services.healthcare.dicom.dicomweb import native_xml
from emulator.services.healthcare.dicom.parsing import instance_json

SPACE = f"{{{native_xml.NAMESPACE}}}"


def read(parent: ET.Element) -> dict[str, Any]:
    """Return the DICOM JSON model of an XML document, all values as text."""
    model: dict[str, Any] = {}
    for attribute in parent:
        assert attribute.tag == f"{SPACE}DicomAttribute"
        element: dict[str, Any] = {"vr": attribute.attrib["vr"]}
        values: dict[int, Any] = {}
        for child in attribute:
            name = child.tag.removeprefix(SPACE)
            if name == "BulkData":
                element["BulkDataURI"] = child.attrib["uri"]
            elif name == "InlineBinary":
                element["InlineBinary"] = child.text
            else:
                values[int(child.attrib["number"])] = read_value(name, child)
        if values:
            element["Value"] = [values.get(number) for number in range(1, max(values) + 1)]
        model[attribute.attrib["tag"]] = element
        keyword = keyword_for_tag(int(attribute.attrib["tag"], 16))
        assert attribute.attrib.get("keyword", "") == keyword
    return model


def read_value(name: str, child: ET.Element) -> Any:
    if name == "Item":
        return read(child)
    if name == "Value":
        return child.text or ""
    assert name == "PersonName"
    order = ["FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"]
    return {
        group.tag.removeprefix(SPACE): {
            order.index(part.tag.removeprefix(SPACE)): part.text for part in group
        }
        for group in child
    }


def as_text(model: dict[str, Any]) -> dict[str, Any]:
    """Return a model with values as in XML: text, names in parts, no empty values."""

    def value(vr: str, given: Any) -> Any:
        if given is None:
            return None
        if vr == "SQ":
            return as_text(given)
        if vr == "PN":
            return {
                group: {n: part for n, part in enumerate(text.split("^")) if part}
                for group, text in given.items()
                if text
            }
        return str(given)

    normal = {}
    for tag, element in model.items():
        normal[tag] = {**element}
        if "Value" in element:
            values = [value(element["vr"], one) for one in element["Value"]]
            while values and values[-1] is None:
                values.pop()
            normal[tag].pop("Value")
            if values:
                normal[tag]["Value"] = values
    return normal


@pytest.mark.parametrize(
    "name",
    ["CT_small.dcm", "test-SR.dcm", "reportsi.dcm", "waveform_ecg.dcm", "rtplan.dcm"],
)
def test_documents_hold_what_the_json_model_holds(name: str) -> None:
    model = instance_json.serialize(pydicom.dcmread(str(get_testdata_file(name)))).model
    assert read(ET.fromstring(native_xml.document(model))) == as_text(model)


def test_text_that_xml_finds_hard() -> None:
    text = '<a> & "b"\r\nc\td ]]> \N{SNOWMAN}'
    model: dict[str, Any] = {
        "00081030": {"vr": "LO", "Value": [text, None, " x "]},
        "00104000": {"vr": "LT", "Value": ["bell\x07, nothing\x00"]},
    }
    found = read(ET.fromstring(native_xml.document(model)))
    assert found["00081030"]["Value"] == [text, None, " x "]
    assert found["00104000"]["Value"] == ["bell\ufffd, nothing\ufffd"]


def test_names_binary_values_and_private_elements() -> None:
    model: dict[str, Any] = {
        "00090010": {"vr": "LO", "Value": ['A "B"']},
        "00091001": {"vr": "OB", "InlineBinary": base64.b64encode(b"\1\2").decode()},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jo^^Dr", "Phonetic": "ド^ジョ"}]},
        "7FE00010": {"vr": "OW", "BulkDataURI": "http://127.0.0.1/a?b&c"},
    }
    root = ET.fromstring(native_xml.document(model))
    assert read(root) == as_text(model)
    creators = [attribute.get("privateCreator") for attribute in root]
    assert creators == [None, 'A "B"', None, None]


def parts(answer: Any) -> list[tuple[str, bytes]]:
    """Return the media type and the content of each part of a response."""
    boundary = answer.headers["content-type"].split("boundary=")[1]
    found = []
    for part in answer.content.split(f"\r\n--{boundary}".encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        found.append((head.decode().split(": ")[1], content))
    return found


@pytest.fixture
def web(client: TestClient, store: str, make: Any) -> str:
    """The DICOMweb path of a store with two instances of one series."""
    web = f"/v1/{store}/dicomWeb"
    for number in (1, 2):
        content = make(SOPInstanceUID=f"1.2.3.4.{number}", PatientName="Doe^Jo")
        headers = {"Content-Type": "application/dicom"}
        client.post(f"{web}/studies", content=content, headers=headers).raise_for_status()
    return web


XML = 'multipart/related; type="application/dicom+xml"'


@pytest.mark.parametrize("path", ["studies/1.2.3", "studies/1.2.3/series/1.2.3.4"])
@pytest.mark.parametrize("asked", [XML, "application/dicom+xml", f"{XML}, */*;q=0.1"])
def test_metadata_of_several_instances(client: TestClient, web: str, path: str, asked: str) -> None:
    answer = client.get(f"{web}/{path}/metadata", headers={"Accept": asked})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(f"{XML}; boundary=")
    plain = client.get(f"{web}/{path}/metadata").json()
    found = parts(answer)
    assert [media_type for media_type, _ in found] == ["application/dicom+xml"] * 2
    assert [read(ET.fromstring(one)) for _, one in found] == [as_text(one) for one in plain]


def test_metadata_of_an_instance(client: TestClient, web: str) -> None:
    url = f"{web}/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.2/metadata"
    [model] = client.get(url).json()
    answer = client.get(url, headers={"Accept": "application/dicom+xml"})
    assert answer.headers["content-type"] == "application/dicom+xml"
    assert read(ET.fromstring(answer.content)) == as_text(model)
    [(_, document)] = parts(client.get(url, headers={"Accept": XML}))
    assert document == answer.content


@pytest.mark.parametrize("path", ["studies", "series", "instances"])
def test_searches(client: TestClient, web: str, path: str) -> None:
    plain = client.get(f"{web}/{path}").json()
    answer = client.get(f"{web}/{path}", headers={"Accept": XML})
    documents = [read(ET.fromstring(one)) for _, one in parts(answer)]
    assert documents == [as_text(one) for one in plain]
    nothing = client.get(f"{web}/{path}?PatientID=other", headers={"Accept": XML})
    assert (nothing.status_code, nothing.content) == (204, b"")


def test_what_can_not_be_given(client: TestClient, web: str) -> None:
    refused = client.get(f"{web}/studies/1.2.3/metadata", headers={"Accept": "text/xml"})
    assert refused.status_code == 406
    assert "application/dicom+xml" in refused.json()["error"]["message"]
    missing = client.get(f"{web}/studies/1.9/metadata", headers={"Accept": XML})
    assert missing.status_code == 404
