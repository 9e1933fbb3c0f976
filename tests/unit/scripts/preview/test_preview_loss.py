"""Resources that count as lost, and the words for them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from scripts.preview.loss import left_behind, losses, lowered_guards
from scripts.preview.model import Preview
from scripts.preview.names import type_name_of
from scripts.preview.parse import parse
from scripts.preview.sentences import text

Read = Callable[[str], Preview]
DATASET = "projects/p/locations/us-central1/datasets/archive"


def preview(*steps: dict[str, Any]) -> Preview:
    return parse(json.dumps({"steps": steps, "changeSummary": {}}))


def step(op: str, type_: str, name: str, **state: Any) -> dict[str, Any]:
    """One step; `old` and `new` are inputs, all else belongs to both states."""
    urn = f"urn:pulumi:dev::p::{type_}::{name}"
    old, new, detailed = (state.pop(key, {}) for key in ("old", "new", "detailed"))
    whole = {"urn": urn, "type": type_, "custom": True, **state}
    raw: dict[str, Any] = {"op": op, "urn": urn, "detailedDiff": detailed}
    if op != "create":
        raw["oldState"] = {**whole, "inputs": old, "outputs": old}
    if op != "delete":
        raw["newState"] = {**whole, "inputs": new}
    return raw


def sentences(found: Preview) -> list[str]:
    return [text(loss.sentence) for loss in losses(found)]


@pytest.mark.parametrize("form", ["rename", "rename.events", "rename-steps"])
def test_a_renamed_dataset_takes_its_stores_with_it(read: Read, form: str) -> None:
    (loss,) = losses(read(form))
    assert text(loss.sentence) == (
        "Healthcare dataset `dataset1` would be replaced, because its `name` can't change in "
        "place from `dataset1` to `dataset2`: its 2 DICOM stores (`dicomstore1`, `dicomstore2`), "
        "its FHIR store (`fhirstore1`) and its HL7v2 store (`hl7v2store1`) and all images, FHIR "
        "resources and HL7v2 messages in them would be lost. So would stores in it that Pulumi "
        "never saw."
    )
    assert (loss.type_name, loss.name, loss.cause) == ("Healthcare dataset", "dataset1", "replaced")
    assert len(loss.takes) == 4


def test_a_removed_store_loses_its_images(read: Read) -> None:
    assert sentences(read("removed")) == [
        "DICOM store `dicomstore2` would be deleted: all images in it would be lost."
    ]


def test_bigquery_dataset_bucket_and_key(read: Read) -> None:
    dataset, bucket, key = sentences(read("warehouse"))
    assert dataset.startswith("BigQuery dataset `dataset1` would be replaced")
    assert dataset.endswith(
        "its BigQuery table (`patients`) and all rows in them would be lost. "
        "So would tables in it that Pulumi never saw."
    )
    assert "Google refuses it as long as the bucket holds objects (`forceDestroy` is off)" in bucket
    assert key.endswith("everything encrypted with it would become permanently unreadable.")


@pytest.mark.parametrize(
    "recording",
    ["create", "nothing", "update", "refresh", "import", "retained", "discard", "read", "secret"],
)
def test_nothing_is_lost_by(read: Read, recording: str) -> None:
    assert losses(read(recording)) == []


@pytest.mark.parametrize(
    ("type_", "words"),
    [
        ("gcp:healthcare/fhirStore:FhirStore", "all FHIR resources in it"),
        ("gcp:healthcare/hl7Store:Hl7Store", "all HL7v2 messages in it"),
        ("gcp:healthcare/consentStore:ConsentStore", "all consents in it"),
        ("gcp:healthcare/dataset:Dataset", "every store and all data in it"),
        ("gcp:bigquery/dataset:Dataset", "all tables in it"),
        ("gcp:bigquery/table:Table", "all rows in it"),
        ("gcp:storage/bucket:Bucket", "all objects in it"),
        ("gcp:storage/bucketObject:BucketObject", "its content would be lost"),
        ("gcp:kms/cryptoKeyVersion:CryptoKeyVersion", "permanently unreadable"),
        ("gcp:organizations/project:Project", "all resources in it"),
    ],
)
@pytest.mark.parametrize("op", ["delete", "replace"])
def test_each_holder_of_data(type_: str, words: str, op: str) -> None:
    (sentence,) = sentences(preview(step(op, type_, "x")))
    assert words in sentence
    assert f"would be {'deleted' if op == 'delete' else 'replaced'}" in sentence


@pytest.mark.parametrize(
    "type_",
    ["gcp:pubsub/topic:Topic", "gcp:projects/iAMMember:IAMMember", "gcp:kms/keyRing:KeyRing"],
)
def test_what_holds_no_data_is_no_loss(type_: str) -> None:
    assert losses(preview(step("delete", type_, "x"))) == []


def test_a_view_holds_no_data_of_its_own() -> None:
    view = step("delete", "gcp:bigquery/table:Table", "v", old={"view": {"query": "SELECT 1"}})
    assert losses(preview(view)) == []


def test_a_store_is_found_by_its_reference_even_where_it_stays_as_it_is() -> None:
    dataset = step(
        "replace", "gcp:healthcare/dataset:Dataset", "d", id=DATASET, old={"name": "archive"}
    )
    kept = {"dataset": DATASET, "name": "ct"}
    other = {"dataset": DATASET + "2", "name": "mr"}
    store = "gcp:healthcare/dicomStore:DicomStore"
    (loss,) = losses(
        preview(
            dataset,
            step("same", store, "ct", id="x", old=kept, new=kept),
            step("same", store, "mr", id="y", old=other, new=other),
        )
    )
    assert [state.get("name") for state in loss.takes] == ["ct"]


def test_a_retained_store_goes_with_its_dataset() -> None:
    dataset = step(
        "delete", "gcp:healthcare/dataset:Dataset", "d", id=DATASET, old={"name": "archive"}
    )
    store = step(
        "replace",
        "gcp:healthcare/dicomStore:DicomStore",
        "ct",
        id=f"{DATASET}/dicomStores/ct",
        old={"name": "ct"},
        retainOnDelete=True,
    )
    found = preview(dataset, store)
    (loss,) = losses(found)
    assert [state.get("name") for state in loss.takes] == ["ct"]
    assert left_behind(found) == []


@pytest.mark.parametrize(
    "guard", [{"retainOnDelete": True}, {"old": {"deletionPolicy": "ABANDON"}}]
)
def test_what_pulumi_only_lets_go_of_is_not_lost(guard: dict[str, Any]) -> None:
    store = "gcp:healthcare/dicomStore:DicomStore"
    replaced = preview(step("replace", store, "ct", **guard))
    assert losses(preview(step("delete", store, "ct", **guard))) == losses(replaced) == []
    assert [change.urn for change in left_behind(replaced)] == [f"urn:pulumi:dev::p::{store}::ct"]


def test_many_stores_are_counted_after_the_tenth() -> None:
    stores = [
        step(
            "delete",
            "gcp:healthcare/dicomStore:DicomStore",
            f"site{n:02}",
            id=f"{DATASET}/dicomStores/site{n:02}",
        )
        for n in range(30)
    ]
    (sentence,) = sentences(
        preview(step("delete", "gcp:healthcare/dataset:Dataset", "d", id=DATASET), *stores)
    )
    assert "its 30 DICOM stores (`site00`, " in sentence
    assert "`site09` and 20 more)" in sentence


def update(type_: str, path: str, diff_kind: str, old: Any, new: Any) -> Preview:
    return preview(
        step("update", type_, "x", old=old, new=new, detailed={path: {"kind": diff_kind}})
    )


def test_rules_that_let_data_expire() -> None:
    rule = [{"action": {"type": "Delete"}, "condition": {"age": 30}}]
    bucket = "gcp:storage/bucket:Bucket"
    added = update(bucket, "lifecycleRules", "add", {}, {"lifecycleRules": rule})
    assert sentences(added) == [
        "Bucket `x` would get a rule that deletes objects by itself (`lifecycleRules`)."
    ]
    removed = update(bucket, "lifecycleRules", "delete", {"lifecycleRules": rule}, {})
    assert sentences(removed) == []
    table = "gcp:bigquery/table:Table"
    expires = update(table, "expirationTime", "add", {}, {"expirationTime": 1})
    assert sentences(expires) == [
        "BigQuery table `x` would expire, with all rows in it (`expirationTime`)."
    ]
    days = [{"timePartitioning": {"expirationMs": n}} for n in (2, 1)]
    path = "timePartitioning.expirationMs"
    assert len(losses(update(table, path, "update", days[0], days[1]))) == 1
    assert losses(update(table, path, "update", days[1], days[0])) == []


GROUP = "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager"
SPOOL = {"statefulDisks": [{"deviceName": "spool"}]}


def test_a_group_whose_instances_keep_disks_holds_undelivered_data() -> None:
    assert sentences(preview(step("delete", GROUP, "dimse-ct", old=SPOOL))) == [
        "Instance group `dimse-ct` would be deleted: all undelivered data on disks in it would be "
        "lost."
    ]
    assert sentences(preview(step("delete", GROUP, "mllp-adt"))) == []


def test_a_group_that_shrinks_or_drops_its_disks_loses_what_is_on_them() -> None:
    two, one = {**SPOOL, "targetSize": 2}, {**SPOOL, "targetSize": 1}
    assert sentences(update(GROUP, "targetSize", "update", two, one)) == [
        "Instance group `x` would delete disks of instances, with the undelivered data on them "
        "(`targetSize`)."
    ]
    assert sentences(update(GROUP, "targetSize", "update", one, two)) == []
    [lost] = losses(update(GROUP, "statefulDisks", "delete", one, {"targetSize": 1}))
    assert text(lost.sentence).endswith("(`statefulDisks`).")
    bare = {"targetSize": 2}
    assert losses(update(GROUP, "targetSize", "update", bare, {"targetSize": 1})) == []


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("deletionPolicy", "PREVENT", "DELETE"),
        ("deletionProtection", True, False),
        ("forceDestroy", False, True),
        ("deleteContentsOnDestroy", False, True),
    ],
)
def test_guards_that_go_are_named(key: str, old: Any, new: Any) -> None:
    type_ = "gcp:bigquery/table:Table"
    found = update(type_, key, "update", {key: old}, {key: new})
    assert [text(s) for s in lowered_guards(found)] == [
        f"BigQuery table `x` would lose its guard `{key}`."
    ]
    assert lowered_guards(update(type_, key, "update", {key: new}, {key: old})) == []
    assert losses(found) == []


def test_taking_protection_away_is_named(read: Read) -> None:
    assert [text(s) for s in lowered_guards(read("unprotect"))] == [
        "Healthcare dataset `dataset1` would lose Pulumi's protection (`protect`)."
    ]


def test_a_guard_that_would_stop_the_deletion_is_named() -> None:
    dataset = step(
        "delete", "gcp:healthcare/dataset:Dataset", "d", old={"deletionPolicy": "PREVENT"}
    )
    (sentence,) = sentences(preview(dataset))
    assert sentence.endswith("The provider would refuse it: `deletionPolicy` is set.")


@pytest.mark.parametrize("token", [":", "", "gcp:x/y:"])
def test_a_type_token_without_a_name_is_still_shown(token: str) -> None:
    assert type_name_of(token) == (token or "resource")
