"""Searches by name: without regard to case, in any alphabet."""

import unicodedata
from typing import Any

import pytest
from pydicom.dataset import Dataset
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from tests.support.dicom_files import make_dicom

NAME = "MÜLLER^Straße"


@pytest.fixture
def studies(client: TestClient, store: str) -> str:
    """The address of a store's studies: one of a patient with such a name, one of another."""
    address = f"/v1/{store}/dicomWeb/studies"
    for study, name in (("1.1", NAME), ("1.2", "Muller^Strand")):
        content = make_dicom(
            StudyInstanceUID=study,
            SeriesInstanceUID=f"{study}.1",
            SOPInstanceUID=f"{study}.1.1",
            SpecificCharacterSet="ISO_IR 192",
            PatientName=name,
            ReferringPhysicianName=name,
        )
        answer = client.post(
            address, content=content, headers={"Content-Type": "application/dicom"}
        )
        assert answer.status_code == 200, answer.text
    return address


@pytest.mark.parametrize("keyword", ["PatientName", "ReferringPhysicianName"])
@pytest.mark.parametrize(
    ("value", "found"),
    [
        (NAME, ["1.1"]),
        (NAME.lower(), ["1.1"]),
        ("müller^STRASSE", ["1.1"]),
        (unicodedata.normalize("NFD", NAME), ["1.1"]),
        ("mÜ*", ["1.1"]),
        ("m?ller^stra*", ["1.1", "1.2"]),
        ("müller", []),
    ],
)
def test_a_name_is_found_by_itself_in_any_case(
    client: TestClient, studies: str, keyword: str, value: str, found: list[str]
) -> None:
    answer = client.get(studies, params={keyword: value})

    assert _uids(answer) == found


@pytest.mark.parametrize(
    ("words", "found"), [("MÜL", ["1.1"]), ("strass", ["1.1"]), ("STR", ["1.1", "1.2"])]
)
def test_fuzzy_matching_finds_words_that_begin_so(
    client: TestClient, studies: str, words: str, found: list[str]
) -> None:
    answer = client.get(studies, params={"PatientName": words, "fuzzymatching": "true"})

    assert _uids(answer) == found


JAPANESE = "Yamada^Tarou=山田^太郎=やまだ^たろう"

SEVERAL: list[dict[str, Any]] = [
    {"PatientName": JAPANESE, "ReferringPhysicianName": "=山口^花子"},
    {"PatientID": "A\\ B\\C ", "AccessionNumber": ["1", "2"], "StudyDate": "20240101"},
    {"PatientName": "DOE ^JOHN^^", "PatientID": " D ", "StudyDate": ["", "20240301"]},
    {"PatientName": ["ROE^A", "POE^B=C"], "ReferringPhysicianName": ["X", "Y"]},
]


@pytest.fixture
def several(client: TestClient, store: str) -> str:
    """The address of the studies of instances whose elements have several values."""
    address = f"/v1/{store}/dicomWeb/studies"
    for number, elements in enumerate(SEVERAL, start=1):
        content = make_dicom(
            StudyInstanceUID=f"1.{number}",
            SeriesInstanceUID=f"1.{number}.1",
            SOPInstanceUID=f"1.{number}.1.1",
            **{"SpecificCharacterSet": "ISO_IR 192", "PatientID": "x", **elements},
        )
        headers = {"Content-Type": "application/dicom"}
        answer = client.post(address, content=content, headers=headers)
        assert answer.status_code == 200, answer.text
    return address


SEARCHES: list[tuple[dict[str, str], list[str]]] = [
    ({"PatientName": "yamada^tarou"}, ["1.1"]),
    ({"PatientName": "山田^太郎"}, ["1.1"]),
    ({"PatientName": "やまだ*"}, ["1.1"]),
    ({"PatientName": JAPANESE}, ["1.1"]),
    ({"PatientName": "山田", "fuzzymatching": "true"}, ["1.1"]),
    ({"PatientName": "太郎", "fuzzymatching": "true"}, ["1.1"]),
    ({"PatientName": "yamada*たろう"}, ["1.1"]),
    ({"PatientName": "tarou"}, []),
    ({"ReferringPhysicianName": "山口^花子"}, ["1.1"]),
    ({"ReferringPhysicianName": "=山口^花子"}, ["1.1"]),
    ({"PatientID": "A"}, ["1.2"]),
    ({"PatientID": "B"}, ["1.2"]),
    ({"PatientID": "C"}, ["1.2"]),
    ({"PatientID": "?"}, ["1.2", "1.3", "1.1", "1.4"]),
    ({"AccessionNumber": "2"}, ["1.2"]),
    ({"PatientName": "doe^john"}, ["1.3"]),
    ({"PatientName": "DOE ^JOHN^^"}, ["1.3"]),
    ({"PatientName": "doe^j*"}, ["1.3"]),
    ({"PatientID": "D"}, ["1.3"]),
    ({"PatientID": " D "}, ["1.3"]),
    ({"StudyDate": "20240301"}, ["1.3"]),
    ({"StudyDate": "20240201-"}, ["1.3"]),
    ({"StudyDate": "20240101-20240331"}, ["1.2", "1.3"]),
    ({"PatientName": "poe^b"}, ["1.4"]),
    ({"PatientName": "C"}, ["1.4"]),
    ({"ReferringPhysicianName": "y"}, ["1.4"]),
    ({"ReferringPhysicianName": "y", "PatientName": "roe*"}, ["1.4"]),
    ({"ReferringPhysicianName": "y", "PatientName": "doe*"}, []),
]


def test_every_group_of_a_name_and_every_value_of_an_id_is_found(
    client: TestClient, several: str
) -> None:
    for query, found in SEARCHES:
        for path in (several, several.replace("studies", "instances")):
            answer = client.get(path, params=query)
            assert sorted(_uids(answer)) == sorted(found), query


def test_a_deleted_instance_takes_its_other_values_along(
    client: TestClient, several: str, cloud: Cloud
) -> None:
    contents = cloud.healthcare.dicom.contents
    before = contents.select("SELECT DISTINCT instance FROM dicom_other_values")
    assert len(before) == 4
    client.delete(f"{several}/1.1/series/1.1.1/instances/1.1.1.1").raise_for_status()
    assert len(contents.select("SELECT DISTINCT instance FROM dicom_other_values")) == 3


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SOPClassUID=1.2", "SOPClassUID is not a supported instance"),
        ("00080016=1.2", "SOPClassUID is not a supported instance"),
        ("BodyPartExamined=HEAD", "BodyPartExamined is not a supported instance"),
        ("Nonsense=1", "Nonsense is not a supported instance"),
        (
            "includefield=AvailableTransferSyntaxUID",
            "unknown/unsupported QIDO attribute: AvailableTransferSyntaxUID",
        ),
        (
            "includefield=00083002",
            "unknown/unsupported QIDO attribute: AvailableTransferSyntaxUID",
        ),
        ("includefield=PatientID,Nonsense", "unknown/unsupported QIDO attribute: Nonsense"),
    ],
)
def test_parameters_that_google_refuses(
    client: TestClient, store: str, query: str, message: str
) -> None:
    answer = client.get(f"/v1/{store}/dicomWeb/instances?{query}")
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_file_meta_elements_are_returned_if_they_are_asked_for(
    client: TestClient, studies: str
) -> None:
    instances = studies.replace("studies", "instances")
    asked = "00020010&includefield=MediaStorageSOPClassUID,00020016,00020001"
    for one in client.get(f"{instances}?includefield={asked}").json():
        assert one["00020010"] == {"vr": "UI", "Value": ["1.2.840.10008.1.2.1"]}
        assert one["00020002"] == {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.7"]}
        assert not {"00020016", "00020001"} & set(one)
    [one, _] = client.get(f"{instances}?includefield=PatientID").json()
    assert "00020010" not in one
    [one, _] = client.get(f"{instances}?includefield=all").json()
    meta = [tag for tag in one if tag.startswith("0002")]
    assert meta == ["00020002", "00020003", "00020010", "00020012", "00020013"]
    uids = (one[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
    path = "{}/{}/series/{}/instances/{}/metadata".format(studies, *uids)
    [metadata] = client.get(path).json()
    assert [tag for tag in metadata if tag.startswith("0002")] == meta


def _uids(answer: Any) -> list[str]:
    if answer.status_code == 204:
        return []
    return [study["0020000D"]["Value"][0] for study in answer.json()]


def test_a_search_never_shows_the_placeholder_of_bulk_data(client: TestClient, store: str) -> None:
    item = Dataset()
    item.private_block(0x0029, "EXAMPLE", create=True).add_new(0x10, "OB", b"\1\2")
    item.ScheduledProcedureStepID = "7"
    content = make_dicom(RequestAttributesSequence=[item])
    web = f"/v1/{store}/dicomWeb"
    headers = {"Content-Type": "application/dicom"}
    client.post(f"{web}/studies", content=content, headers=headers).raise_for_status()
    for query in ("", "?includefield=all", "?includefield=00400275"):
        assert "$INSTANCE" not in client.get(f"{web}/studies{query}").text
        [series] = client.get(f"{web}/series{query}").json()
        assert series["00400275"]["Value"] == [
            {
                "00290010": {"vr": "LO", "Value": ["EXAMPLE"]},
                "00400009": {"vr": "SH", "Value": ["7"]},
            }
        ]
        [instance] = client.get(f"{web}/instances{query}").json()
        uri = instance["00400275"]["Value"][0]["00291010"]["BulkDataURI"]
        assert uri == f"http://127.0.0.1:1{web}/studies/1.2.3/series/1.2.3.4/instances/" + (
            "1.2.3.4.5/bulkdata/00400275/0/00291010"
        )
        in_xml = client.get(f"{web}/instances{query}", headers={"Accept": "application/dicom+xml"})
        assert "$INSTANCE" not in in_xml.text
