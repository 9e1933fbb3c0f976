"""The engine's own import file, cut down to what is adopted."""

from pathlib import Path
from typing import Any

import pytest

from scripts.lib.errors import ScriptError
from scripts.preview.model import Preview
from scripts.stacks.plan import Plan, key_of, preview, read
from tests.support.fake_pulumi import FakePulumi

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


def test_resources_of_one_name_are_distinguished_by_their_parents() -> None:
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
    assert key_of(f"{STACK}::{PROJECT}::{TYPE}::a::b") == (TYPE, "a::b")


def test_no_import_file_is_an_empty_one() -> None:
    assert read("") == {}
    assert Plan(Preview("dev"), read("")).importable({}) == {"resources": []}


@pytest.mark.sockets
def test_a_preview_brings_the_import_file_and_the_configuration(tmp_path: Path) -> None:
    pulumi = FakePulumi(tmp_path)
    config = {"gcp:project": "p"}
    pulumi.answer("preview", {"steps": [], "changeSummary": {}, "config": config})
    pulumi.answer("--import-file", {"resources": [{"type": "t", "name": "n"}]})
    plan = preview(pulumi.stack)
    assert plan.lists("urn:pulumi:dev::lab::t::n")
    assert plan.preview.config == config
    assert "--stack acme/dev" in pulumi.call
    assert (pulumi.call.backend, pulumi.call.folder) == ("file://own", str(pulumi.program))


@pytest.mark.sockets
def test_a_failed_preview_says_why(tmp_path: Path) -> None:
    pulumi = FakePulumi(tmp_path)
    diagnostic = {"severity": "error", "message": "location: mars is not allowed"}
    pulumi.answer("preview", {"steps": [], "diagnostics": [diagnostic]})
    pulumi.answer("preview.error", "error: preview failed")
    with pytest.raises(ScriptError, match="mars is not allowed"):
        preview(pulumi.stack)
    pulumi.answer("preview", "")
    pulumi.answer("preview.error", "error: no such plugin")
    with pytest.raises(ScriptError, match="error: no such plugin"):
        preview(pulumi.stack)
