from typing import Any

import pytest

from scripts.destroy import contents
from scripts.destroy.contents import Content, Treatment
from scripts.destroy.state import State
from scripts.lib.errors import ScriptError
from tests.unit.scripts.destroy.cloud import Cloud, forbidden
from tests.unit.scripts.services import DATASET, PROJECT


def _state(type_: str, id_: str, **properties: Any) -> State:
    return State.from_json({"deployment": {"resources": [_body(type_, id_, **properties)]}})


def _body(type_: str, id_: str, **properties: Any) -> dict[str, Any]:
    body = {"urn": f"urn::{id_}", "type": type_, "custom": True, "id": id_}
    return {**body, "outputs": {"project": PROJECT, **properties}}


def _bigquery_dataset(*, goes: bool) -> State:
    id_ = f"projects/{PROJECT}/datasets/b"
    return _state("gcp:bigquery/dataset:Dataset", id_, deleteContentsOnDestroy=goes)


def _found(state: State, *, strays: bool = False) -> list[tuple[str, str, Treatment]]:
    return [(c.type_name, c.name, c.treatment) for c in contents.find(state, strays=strays)]


def test_tables_block(cloud: Cloud) -> None:
    cloud.tables[f"{PROJECT}.b"] = {"t": "TABLE"}
    [found] = contents.find(_bigquery_dataset(goes=False), strays=False)
    assert (found.type_name, found.name, found.treatment) == (
        "BigQuery table",
        f"{PROJECT}.b.t",
        Treatment.BLOCKS,
    )
    assert "bigqueryDeleteContents" in found.hint


def test_where_contents_go_views_go_first(cloud: Cloud) -> None:
    types = {"a": "TABLE", "b": "EXTERNAL", "y": "MATERIALIZED_VIEW", "z": "VIEW"}
    cloud.tables[f"{PROJECT}.b"] = dict(types)
    found = contents.find(_bigquery_dataset(goes=True), strays=False)
    assert {content.treatment for content in found} == {Treatment.EMPTIED}
    reported: list[str] = []
    names = [f"{PROJECT}.b.{name}" for name in ("y", "z", "a", "b")]
    assert contents.empty(found, reported.append) == names
    assert cloud.deleted == names
    assert reported[0] == f"Deleting BigQuery view {PROJECT}.b.y ..."
    assert cloud.tables[f"{PROJECT}.b"] == {}


def test_tables_of_the_stack_are_the_engines(cloud: Cloud) -> None:
    bigquery_dataset = f"projects/{PROJECT}/datasets/b"
    cloud.tables[f"{PROJECT}.b"] = {"mine": "TABLE", "other": "TABLE"}
    bodies = [
        _body("gcp:bigquery/dataset:Dataset", bigquery_dataset),
        _body("gcp:bigquery/table:Table", f"{bigquery_dataset}/tables/mine"),
    ]
    found = _found(State.from_json({"deployment": {"resources": bodies}}))
    assert found == [("BigQuery table", f"{PROJECT}.b.other", Treatment.BLOCKS)]


def test_a_bigquery_dataset_that_is_gone_or_left_has_no_contents_that_matter(cloud: Cloud) -> None:
    assert _found(_bigquery_dataset(goes=False)) == []
    cloud.tables[f"{PROJECT}.b"] = {"t": "TABLE"}
    id_ = f"projects/{PROJECT}/datasets/b"
    assert _found(_state("gcp:bigquery/dataset:Dataset", id_, deletionPolicy="PREVENT")) == []


@pytest.mark.parametrize(
    ("strays", "treatment"), [(False, Treatment.BLOCKS), (True, Treatment.GOES)]
)
def test_stores_that_others_made(cloud: Cloud, *, strays: bool, treatment: Treatment) -> None:
    cloud.found = {
        f"{DATASET}/dicomStores": {
            "dicomStores": [
                {"name": f"{DATASET}/dicomStores/{name}"} for name in ("mine", "theirs")
            ]
        },
        f"{DATASET}/hl7V2Stores": {"hl7V2Stores": [{"name": f"{DATASET}/hl7V2Stores/h"}]},
    }
    bodies = [
        _body("gcp:healthcare/dataset:Dataset", DATASET),
        _body("gcp:healthcare/dicomStore:DicomStore", f"{DATASET}/dicomStores/mine"),
    ]
    assert _found(State.from_json({"deployment": {"resources": bodies}}), strays=strays) == [
        ("DICOM store", f"{DATASET}/dicomStores/theirs", treatment),
        ("HL7v2 store", f"{DATASET}/hl7V2Stores/h", treatment),
    ]


@pytest.mark.parametrize(
    ("force", "treatment"), [(False, Treatment.BLOCKS), (True, Treatment.GOES)]
)
def test_objects_of_a_bucket_are_never_named(
    cloud: Cloud, *, force: bool, treatment: Treatment
) -> None:
    cloud.objects["bucket"] = ["a-patient.dcm"]
    state = _state("gcp:storage/bucket:Bucket", "bucket", forceDestroy=force)
    assert _found(state) == [("objects of bucket", "bucket", treatment)]
    cloud.objects["bucket"] = []
    assert _found(state) == []


def test_objects_of_the_stack_do_not_block(cloud: Cloud) -> None:
    template = _body("gcp:storage/bucketObject:BucketObject", "bucket-templates/a.json")
    template["outputs"] |= {"bucket": "bucket", "name": "templates/a.json"}
    bodies = [_body("gcp:storage/bucket:Bucket", "bucket"), template]
    state = State.from_json({"deployment": {"resources": bodies}})
    cloud.objects["bucket"] = ["templates/a.json"]
    assert _found(state) == []
    for others in (["runs/1/report.json"], ["templates/a.json", "templates/a.json"]):
        cloud.objects["bucket"] = others
        assert [found[:2] for found in _found(state)] == [("objects of bucket", "bucket")]


def test_disks_of_spools_go_with_their_group(cloud: Cloud) -> None:
    group = "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager"
    id_ = f"projects/{PROJECT}/regions/us-central1/instanceGroupManagers/dimse-ct"
    assert _found(_state(group, id_, statefulDisks=[{"deviceName": "spool"}])) == [
        ("disks of spools, with what no store has yet, of", id_, Treatment.GOES)
    ]
    assert _found(_state(group, id_, statefulDisks=[])) == []


def test_a_service_that_can_not_report_is_an_error(cloud: Cloud) -> None:
    cloud.refused[f"{DATASET}/dicomStores"] = forbidden("may not: dicomStores.list")
    with pytest.raises(ScriptError, match="may not"):
        _found(_state("gcp:healthcare/dataset:Dataset", DATASET))


def test_only_what_is_to_be_emptied_is(cloud: Cloud) -> None:
    left = [
        Content("BigQuery table", "p.b.t", Treatment.BLOCKS),
        Content("DICOM store", "s", Treatment.GOES),
    ]
    assert contents.empty(left, lambda _: None) == []
    assert cloud.deleted == []
