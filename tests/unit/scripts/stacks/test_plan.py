"""The engine's own import file, cut down to what is adopted."""

from typing import Any

from scripts.adoption.plan import Plan, place_of, read
from scripts.preview.model import Preview

STACK, PROJECT = "urn:pulumi:dev", "lab"
TYPE = "gcp:healthcare/dicomStore:DicomStore"
DATASET = "gcp:healthcare/dataset:Dataset"
BOX = "x:index:Box"
DOCUMENT: dict[str, Any] = {
    "nameTable": {"old": f"{STACK}::{PROJECT}::{BOX}::old"},
    "resources": [
        {"type": BOX, "name": "outer", "component": True},
        {"type": BOX, "name": "inner", "component": True, "parent": "outer"},
        {"type": BOX, "name": "empty", "component": True},
        {"type": DATASET, "name": "outerDataset", "logicalName": "outer", "parent": "outer"},
        {"type": TYPE, "name": "a", "id": "<PLACEHOLDER>", "parent": "inner", "version": "1"},
        {"type": TYPE, "name": "aStore", "logicalName": "a", "parent": "old"},
        {"type": TYPE, "name": "b", "parent": "outerDataset"},
        {"type": TYPE, "name": "alone"},
    ],
}
PLAN = Plan(Preview("dev"), DOCUMENT)
DEEP = f"{STACK}::{PROJECT}::{BOX}${BOX}${TYPE}::a"
OLD = f"{STACK}::{PROJECT}::{BOX}${TYPE}::a"
CHILD = f"{STACK}::{PROJECT}::{BOX}${DATASET}${TYPE}::b"
ALONE = f"{STACK}::{PROJECT}::{TYPE}::alone"


def test_a_resource_brings_the_components_around_it() -> None:
    document = PLAN.importable({DEEP: "id-a"})
    assert [entry["name"] for entry in document["resources"]] == ["outer", "inner", "a"]
    assert document["resources"][-1]["id"] == "id-a"
    assert document["resources"][-1]["version"] == "1"
    assert document["nameTable"] == DOCUMENT["nameTable"]


def test_resources_of_one_name_are_told_apart_by_what_they_stand_in() -> None:
    [entry] = PLAN.importable({OLD: "id"})["resources"]
    assert (entry["name"], entry["id"]) == ("aStore", "id")
    both = PLAN.importable({OLD: "1", DEEP: "2"})["resources"]
    assert {e["name"]: e.get("id") for e in both if e["type"] == TYPE} == {"aStore": "1", "a": "2"}


def test_components_can_be_wanted_without_the_resource_in_them() -> None:
    document = PLAN.importable({}, [DEEP])
    assert [entry["name"] for entry in document["resources"]] == ["outer", "inner"]
    assert PLAN.importable({})["resources"] == []


def test_parents() -> None:
    assert PLAN.parent(DEEP) == f"{STACK}::{PROJECT}::{BOX}${BOX}::inner"
    assert PLAN.parent(OLD) == DOCUMENT["nameTable"]["old"]
    assert PLAN.parent(ALONE) == f"{STACK}::{PROJECT}::pulumi:pulumi:Stack::{PROJECT}-dev"
    assert PLAN.orphan(CHILD)
    assert not PLAN.orphan(DEEP)
    assert not PLAN.orphan(ALONE)


def test_names_may_hold_what_separates_the_parts_of_an_urn() -> None:
    assert place_of(f"{STACK}::{PROJECT}::{TYPE}::a::b") == (TYPE, "a::b")


def test_no_import_file_is_an_empty_one() -> None:
    assert read("") == {}
    assert Plan(Preview("dev"), read("")).importable({}) == {"resources": []}
