"""Identifiers of C-FIND and of retrievals, as searches of the store."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from pydicom.dataset import Dataset

from workloads.dimse import query
from workloads.dimse.dicomweb import DicomWeb, Parameters, Result
from workloads.dimse.errors import Refusal


class FakeStore:
    """A store that records the searches and returns fixed results."""

    def __init__(self, **results: list[Result]) -> None:
        self.results, self.searches = results, list[tuple[str, dict[str, str]]]()

    def search(self, resource: str, parameters: Parameters) -> Iterator[Result]:
        self.searches.append((resource, {k: v for k, v in parameters if k != "includefield"}))
        return iter(self.results.get(resource, []))


def identifier(level: str, **keys: Any) -> Dataset:
    dataset = Dataset()
    dataset.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(dataset, keyword, value)
    return dataset


def study(uid: str, patient: str) -> Result:
    return {"0020000D": {"vr": "UI", "Value": [uid]}, "00100020": {"vr": "LO", "Value": [patient]}}


def found(store: FakeStore, asked: Dataset) -> list[str]:
    results = query.search(cast(DicomWeb, store), query.parse(asked))
    return [result["0020000D"]["Value"][0] for result in results]


def test_patients_are_studies_of_different_patients() -> None:
    store = FakeStore(studies=[study("1", "A"), study("2", "A"), study("3", "B")])
    assert found(store, identifier("PATIENT", PatientID="")) == ["1", "3"]


def test_a_list_of_uids_is_a_search_for_each() -> None:
    store = FakeStore()
    found(store, identifier("STUDY", StudyInstanceUID=["1.2", "1.3"], PatientID="A"))
    assert [parameters for _, parameters in store.searches] == [
        {"StudyInstanceUID": "1.2", "PatientID": "A"},
        {"StudyInstanceUID": "1.3", "PatientID": "A"},
    ]


def test_modalities_of_studies_are_searched_among_the_series() -> None:
    store = FakeStore(studies=[study("1", "A"), study("2", "B")], series=[study("2", "B")])
    asked = identifier("STUDY", ModalitiesInStudy=["CT", "MR"], StudyDate="20240101-")
    assert found(store, asked) == ["2"]
    assert [(resource, one.get("Modality")) for resource, one in store.searches] == [
        ("series", "CT"),
        ("series", "MR"),
        ("studies", None),
    ]


@pytest.mark.parametrize(
    ("keys", "searched", "supported"),
    [
        ({"StudyDate": "20240101-20240131"}, ["StudyDate"], True),
        ({"PatientName": "Amber"}, ["PatientName"], True),
        ({"PatientName": "Amber*"}, [], False),
        ({"PatientID": "*"}, [], True),
        ({"StudyTime": "10-11"}, [], False),
        ({"RetrieveAETitle": "", "SpecificCharacterSet": "ISO_IR 192"}, [], True),
        ({"AvailableTransferSyntaxUID": ""}, [], False),
    ],
)
def test_keys_that_the_store_searches_and_others(
    keys: dict[str, Any], searched: list[str], supported: bool
) -> None:
    parsed = query.parse(identifier("STUDY", **keys))
    assert list(parsed.searched) == searched
    assert parsed.is_partly_supported is not supported


def test_private_keys_are_not_supported() -> None:
    asked = identifier("STUDY")
    asked.private_block(0x0011, "SOMEONE", create=True).add_new(1, "LO", "x")
    assert query.parse(asked).is_partly_supported


@pytest.mark.parametrize(
    ("asked", "comment"),
    [
        (identifier("IMAGE", StudyInstanceUID="1"), "SOPInstanceUID is required at IMAGE level"),
        (identifier("PATIENT", PatientID="A*"), "PatientID: wildcards not allowed here"),
        (identifier("FRAME"), "QueryRetrieveLevel is not one of PATIENT, STUDY, SERIES, IMAGE"),
    ],
)
def test_retrievals_that_are_refused(asked: Dataset, comment: str) -> None:
    with pytest.raises(Refusal) as caught:
        query.instances(cast(DicomWeb, FakeStore()), asked)
    assert (caught.value.status, caught.value.comment) == (0xA900, comment)


def test_a_retrieval_finds_each_instance_once() -> None:
    one = study("1", "A") | {"00080018": {"vr": "UI", "Value": ["1.1"]}}
    store = FakeStore(instances=[one, one])
    asked = identifier("STUDY", StudyInstanceUID=["1", "2"], StudyDescription="ignored")
    assert query.instances(cast(DicomWeb, store), asked) == [one]
    assert store.searches == [
        ("instances", {"StudyInstanceUID": "1"}),
        ("instances", {"StudyInstanceUID": "2"}),
    ]
