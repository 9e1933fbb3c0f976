"""Healthcare datasets and stores, from check to import, as the engine drives them."""

from typing import Any

import pytest

from engine.pulumi_proto import provider_pb2
from engine.standin.values import UNKNOWN, Values
from tests.support.fake_google import FakeGoogle, Reply, Request, error
from tests.support.plugin import Engine, RefusedError

DATASET = "gcp:healthcare/dataset:Dataset"
DICOM = "gcp:healthcare/dicomStore:DicomStore"
FHIR = "gcp:healthcare/fhirStore:FhirStore"
HL7 = "gcp:healthcare/hl7Store:Hl7Store"
CONSENT = "gcp:healthcare/consentStore:ConsentStore"
PARENT = "projects/local-project/locations/us-central1/datasets/dataset1"
STORE = f"{PARENT}/dicomStores/dicomstore1"
ATTRIBUTION = {"goog-pulumi-provisioned": "true"}
DiffKind = provider_pb2.PropertyDiff


def _dataset(**more: Any) -> Values:
    return {"name": "dataset1", "location": "us-central1", **more}


def _store(**more: Any) -> Values:
    return {"name": "dicomstore1", "dataset": PARENT, **more}


def _changes(response: Any) -> dict[str, int]:
    return {path: diff.kind for path, diff in response.detailedDiff.items()}


def test_creates_a_dataset_as_googles_provider_does(engine: Engine, google: FakeGoogle) -> None:
    id_, outputs = engine.create(DATASET, _dataset())

    post, get = google.requests
    assert id_ == PARENT
    assert (post.method, post.path, post.query, post.body) == (
        "POST",
        "/v1beta1/projects/local-project/locations/us-central1/datasets",
        {"datasetId": "dataset1"},
        {"name": "dataset1"},
    )
    assert (get.method, get.path) == ("GET", f"/v1beta1/{PARENT}")
    assert outputs.pop("__meta").startswith('{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{"create":12')
    assert outputs == {
        "id": PARENT,
        "name": "dataset1",
        "location": "us-central1",
        "project": "local-project",
        "timeZone": "UTC",
        "deletionPolicy": "DELETE",
        "selfLink": PARENT,
        "encryptionSpec": None,
    }


def test_creates_a_store_with_the_attribution_label(engine: Engine, google: FakeGoogle) -> None:
    id_, outputs = engine.create(DICOM, _store(labels={"env": "lab"}))

    assert id_ == STORE
    assert google.requests[0].query == {"dicomStoreId": "dicomstore1"}
    assert google.requests[0].body == {
        "name": "dicomstore1",
        "labels": {"env": "lab", **ATTRIBUTION},
    }
    assert outputs["labels"] == {"env": "lab"}
    assert outputs["pulumiLabels"] == {"env": "lab", **ATTRIBUTION}
    assert outputs["effectiveLabels"] == {"env": "lab", **ATTRIBUTION}


def test_a_preview_reports_what_is_known_and_calls_no_one(
    engine: Engine, google: FakeGoogle
) -> None:
    id_, outputs = engine.create(DICOM, _store(dataset=UNKNOWN), preview=True)

    assert id_ == ""
    assert google.requests == []
    assert outputs["dataset"] == UNKNOWN
    assert outputs["id"] == outputs["selfLink"] == UNKNOWN
    assert outputs["name"] == "dicomstore1"
    assert outputs["effectiveLabels"] == ATTRIBUTION
    assert outputs["deletionPolicy"] == "DELETE"


def test_a_preview_with_unknown_labels_leaves_the_label_outputs_open(engine: Engine) -> None:
    _, outputs = engine.create(DICOM, _store(labels={"env": UNKNOWN}), preview=True)

    assert outputs["labels"] == {"env": UNKNOWN}
    assert outputs["pulumiLabels"] == outputs["effectiveLabels"] == UNKNOWN


def test_without_a_change_there_is_no_difference(engine: Engine) -> None:
    id_, state = engine.create(DICOM, _store(labels={"env": "lab"}))

    response = engine.diff(DICOM, id_, state, _store(labels={"env": "lab"}))

    assert response.changes == provider_pb2.DiffResponse.DIFF_NONE
    assert _changes(response) == {}


def test_a_label_change_shows_that_label_alone(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(DICOM, _store(labels={"env": "lab", "old": "1"}))
    news = _store(labels={"env": "prod", "new": "2"})

    response = engine.diff(DICOM, id_, state, news)
    outputs = engine.update(DICOM, id_, state, news)

    assert _changes(response) == {
        "labels.env": DiffKind.UPDATE,
        "labels.new": DiffKind.ADD,
        "labels.old": DiffKind.DELETE,
        "effectiveLabels": DiffKind.UPDATE,
        "pulumiLabels": DiffKind.UPDATE,
    }
    assert list(response.diffs) == ["labels", "effectiveLabels", "pulumiLabels"]
    assert not response.replaces
    (patch,) = google.calls("PATCH")
    assert (patch.path, patch.query) == (f"/v1beta1/{STORE}", {"updateMask": "labels"})
    assert patch.body == {"labels": {"env": "prod", "new": "2", **ATTRIBUTION}}
    assert outputs["effectiveLabels"] == {"env": "prod", "new": "2", **ATTRIBUTION}


def test_labels_of_others_stay(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(DICOM, _store(labels={"env": "lab"}))
    google.resources[STORE]["labels"]["cost"] = "42"
    _, state, inputs = engine.read(
        DICOM, id_, state, engine.inputs(DICOM, _store(labels={"env": "lab"}))
    )

    assert state["labels"] == {"env": "lab"}
    assert inputs["labels"] == {"env": "lab"}
    assert not _changes(engine.diff(DICOM, id_, state, _store(labels={"env": "lab"})))
    engine.update(DICOM, id_, state, _store())
    assert google.resources[STORE]["labels"] == {"cost": "42", **ATTRIBUTION}


def test_default_labels_and_the_attribution_can_be_set(engine: Engine, google: FakeGoogle) -> None:
    engine.configure(defaultLabels='{"team": "a"}', addPulumiAttributionLabel="false")

    _, outputs = engine.create(DICOM, _store())

    assert google.resources[STORE]["labels"] == {"team": "a"}
    assert outputs["pulumiLabels"] == {"team": "a"}
    assert "labels" not in outputs or outputs["labels"] == {}


def test_a_new_name_makes_a_new_dataset(engine: Engine) -> None:
    id_, state = engine.create(DATASET, _dataset())

    response = engine.diff(DATASET, id_, state, _dataset(name="dataset2"))

    assert _changes(response) == {"name": DiffKind.UPDATE_REPLACE}
    assert list(response.replaces) == ["name"]
    assert response.deleteBeforeReplace is False
    assert "location" in response.stables
    assert "name" not in response.stables


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ("location", "us-east4"),
        ("project", "other-project"),
        ("encryptionSpec", {"kmsKeyName": "projects/p/locations/l/keyRings/r/cryptoKeys/k"}),
    ],
)
def test_what_cannot_change_replaces_the_dataset(engine: Engine, changed: str, value: Any) -> None:
    id_, state = engine.create(DATASET, _dataset())

    response = engine.diff(DATASET, id_, state, _dataset(**{changed: value}))

    assert list(response.replaces) == [changed]
    assert response.deleteBeforeReplace is True  # the name stays: two of it cannot be


def test_another_project_of_the_provider_replaces(engine: Engine) -> None:
    id_, state = engine.create(DATASET, _dataset())
    engine.configure(project="other-project")

    assert list(engine.diff(DATASET, id_, state, _dataset()).replaces) == ["project"]


def test_a_replaced_dataset_replaces_its_stores(engine: Engine) -> None:
    id_, state = engine.create(DICOM, _store())

    response = engine.diff(DICOM, id_, state, _store(dataset=UNKNOWN))

    assert _changes(response) == {"dataset": DiffKind.UPDATE_REPLACE}


def test_the_time_zone_changes_in_place(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(DATASET, _dataset())
    news = _dataset(timeZone="Europe/Berlin")

    assert _changes(engine.diff(DATASET, id_, state, news)) == {"timeZone": DiffKind.UPDATE}
    assert engine.update(DATASET, id_, state, news, preview=True)["timeZone"] == "Europe/Berlin"
    assert not google.calls("PATCH")
    assert engine.update(DATASET, id_, state, news)["timeZone"] == "Europe/Berlin"
    (patch,) = google.calls("PATCH")
    assert (patch.query, patch.body) == ({"updateMask": "timeZone"}, {"timeZone": "Europe/Berlin"})


def test_nested_properties_differ_by_their_path(engine: Engine, google: FakeGoogle) -> None:
    topic, other = "projects/p/topics/a", "projects/p/topics/b"
    table = {"bigqueryDestination": {"tableUri": "bq://p.d.t"}}
    id_, state = engine.create(
        DICOM, _store(notificationConfig={"pubsubTopic": topic}, streamConfigs=[table])
    )
    news = _store(notificationConfig={"pubsubTopic": other, "sendForBulkImport": True})

    response = engine.diff(DICOM, id_, state, news)
    outputs = engine.update(DICOM, id_, state, news)

    assert _changes(response) == {
        "notificationConfig.pubsubTopic": DiffKind.UPDATE,
        "notificationConfig.sendForBulkImport": DiffKind.ADD,
        "streamConfigs": DiffKind.DELETE,
    }
    (patch,) = google.calls("PATCH")
    assert patch.query == {"updateMask": "notificationConfig,streamConfigs"}
    assert patch.body == {
        "notificationConfig": {"pubsubTopic": other, "sendForBulkImport": True},
        "labels": ATTRIBUTION,
    }
    assert outputs["streamConfigs"] == []


def test_a_list_differs_by_its_items(engine: Engine) -> None:
    tables = [{"bigqueryDestination": {"tableUri": f"bq://p.d.t{n}"}} for n in range(3)]
    id_, state = engine.create(DICOM, _store(streamConfigs=tables[:2]))

    grown = engine.diff(DICOM, id_, state, _store(streamConfigs=tables))
    changed = engine.diff(DICOM, id_, state, _store(streamConfigs=[tables[2]]))

    assert _changes(grown) == {"streamConfigs[2]": DiffKind.ADD}
    assert _changes(changed) == {
        "streamConfigs[0].bigqueryDestination.tableUri": DiffKind.UPDATE,
        "streamConfigs[1]": DiffKind.DELETE,
    }


def test_the_deletion_policy_is_a_matter_of_the_provider(
    engine: Engine, google: FakeGoogle
) -> None:
    id_, state = engine.create(DICOM, _store())

    state = engine.update(DICOM, id_, state, _store(deletionPolicy="PREVENT"))

    assert state["deletionPolicy"] == "PREVENT"
    assert not google.calls("PATCH")
    with pytest.raises(RefusedError) as refused:
        engine.delete(DICOM, id_, state)
    assert refused.value.text == (
        f'cannot destroy DicomStore "{STORE}": its deletionPolicy is "PREVENT"; set it to '
        '"DELETE", run `pulumi up`, then try again'
    )
    engine.delete(DICOM, id_, {**state, "deletionPolicy": "ABANDON"})
    assert STORE in google.resources


def test_delete_takes_404_for_done(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(DICOM, _store())

    engine.delete(DICOM, id_, state)
    engine.delete(DICOM, id_, state)

    assert STORE not in google.resources


def test_read_says_when_a_store_is_gone(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(DICOM, _store())
    google.resources.clear()

    assert engine.read(DICOM, id_, state) == ("", {}, {})


def test_refresh_sees_what_another_user_changed(engine: Engine, google: FakeGoogle) -> None:
    inputs = engine.inputs(DICOM, _store(labels={"env": "lab"}))
    id_, state = engine.create(DICOM, _store(labels={"env": "lab"}))
    google.resources[STORE]["labels"]["env"] = "changed"
    google.resources[STORE]["notificationConfig"] = {"pubsubTopic": "projects/p/topics/t"}

    _, state, inputs = engine.read(DICOM, id_, state, inputs)

    assert state["labels"] == {"env": "changed"}
    assert inputs["notificationConfig"] == {"pubsubTopic": "projects/p/topics/t"}
    assert _changes(engine.diff(DICOM, id_, state, _store(labels={"env": "lab"}))) == {
        "labels.env": DiffKind.UPDATE,
        "effectiveLabels": DiffKind.UPDATE,
        "pulumiLabels": DiffKind.UPDATE,
        "notificationConfig": DiffKind.DELETE,
    }


def test_refresh_without_a_change_keeps_state_and_inputs(engine: Engine) -> None:
    news = _store(labels={"env": "lab"}, notificationConfig={"pubsubTopic": "projects/p/topics/t"})
    inputs = engine.inputs(DICOM, news)
    id_, state = engine.create(DICOM, news)

    assert engine.read(DICOM, id_, state, inputs) == (id_, state, inputs)


@pytest.mark.parametrize(
    "given",
    [
        STORE,
        f"{PARENT}/dicomstore1",
        "local-project/us-central1/dataset1/dicomstore1",
        "us-central1/dataset1/dicomstore1",
    ],
)
def test_imports_a_store_by_any_id(engine: Engine, google: FakeGoogle, given: str) -> None:
    google.resources[STORE] = {"name": STORE, "labels": {"by": "hand"}}

    id_, state, inputs = engine.read(DICOM, given)

    assert id_ == STORE
    assert inputs == {
        "__defaults": [],
        "dataset": PARENT,
        "name": "dicomstore1",
        "deletionPolicy": "DELETE",
    }
    assert state["effectiveLabels"] == {"by": "hand"}
    assert not _changes(engine.diff(DICOM, id_, state, _store()))


@pytest.mark.parametrize(
    "given", [PARENT, "local-project/us-central1/dataset1", "us-central1/dataset1"]
)
def test_imports_a_dataset_by_any_id(engine: Engine, google: FakeGoogle, given: str) -> None:
    google.resources[PARENT] = {"name": PARENT, "timeZone": "UTC"}

    id_, state, inputs = engine.read(DATASET, given)

    assert id_ == PARENT
    assert {k: inputs[k] for k in ("name", "location", "project")} == {
        "name": "dataset1",
        "location": "us-central1",
        "project": "local-project",
    }
    assert not _changes(engine.diff(DATASET, id_, state, _dataset()))


def test_import_refuses_an_id_it_cannot_read(engine: Engine) -> None:
    with pytest.raises(RefusedError) as refused:
        engine.read(DICOM, "dicomstore1")

    assert (
        '"dicomstore1" is not an id of gcp:healthcare/dicomStore:DicomStore' in refused.value.text
    )
    assert "{location}/{dataset}/{name}" in refused.value.text


def test_import_of_nothing_says_that_it_is_gone(engine: Engine) -> None:
    assert engine.read(DICOM, STORE) == ("", {}, {})


def test_a_duplicate_is_refused_in_the_real_words(engine: Engine, google: FakeGoogle) -> None:
    google.resources[STORE] = {"name": STORE}

    with pytest.raises(RefusedError) as refused:
        engine.create(DICOM, _store())

    assert refused.value.text == (
        f"Error creating DicomStore: googleapi: Error 409: already exists: {STORE}, alreadyExists"
    )


def test_a_dataset_that_is_not_ready_is_waited_for(engine: Engine, google: FakeGoogle) -> None:
    answers = [error(404, "dataset not initialized", "NOT_FOUND")] * 3

    def not_ready(request: Request) -> Reply | None:
        return answers.pop() if request.method == "GET" and answers else None

    google.faults.append(not_ready)

    _, outputs = engine.create(DATASET, _dataset())

    assert outputs["selfLink"] == PARENT
    assert len(google.calls("GET")) == 4


def test_a_dataset_that_is_never_ready_is_waited_for_until_the_deadline(
    engine: Engine, google: FakeGoogle
) -> None:
    def not_ready(request: Request) -> Reply | None:
        never = error(404, "dataset not initialized", "NOT_FOUND")
        return never if request.method == "GET" else None

    google.faults.append(not_ready)

    with pytest.raises(RefusedError) as refused:
        engine.create(DATASET, _dataset())

    # In the end, the 404 means to the provider that the dataset vanished.
    assert refused.value.text.startswith("expected non-nil error with nil state during Create of")
    assert len(google.calls("GET")) > 3


def test_a_store_that_cannot_be_read_after_its_creation_is_kept(
    engine: Engine, google: FakeGoogle
) -> None:
    def forbid(request: Request) -> Reply | None:
        return error(403, "no", "PERMISSION_DENIED") if request.method == "GET" else None

    google.faults.append(forbid)

    with pytest.raises(RefusedError) as refused:
        engine.create(DICOM, _store())

    assert f"DicomStore {STORE} was created, but: googleapi: Error 403: no" in refused.value.text
    assert STORE.encode() in refused.value.details
    assert b"ErrorResourceInitFailed" in refused.value.details


def test_a_store_gets_a_made_up_name_and_keeps_it(engine: Engine) -> None:
    first = engine.check(DICOM, {"dataset": PARENT}, name="store")
    again = engine.check(
        DICOM, {"dataset": PARENT}, olds={"name": "store-1", "__defaults": ["name"]}
    )

    name = first.inputs["name"]
    assert name.startswith("store-")
    assert len(name) == len("store-") + 7
    assert "name" in list(first.inputs["__defaults"])
    assert again.inputs["name"] == "store-1"


def test_fhir_stores_replace_on_their_version(engine: Engine, google: FakeGoogle) -> None:
    news = {"name": "fhirstore1", "dataset": PARENT}
    id_, state = engine.create(FHIR, {**news, "version": "R4", "enableUpdateCreate": True})

    assert id_ == f"{PARENT}/fhirStores/fhirstore1"
    assert google.requests[0].query == {"fhirStoreId": "fhirstore1"}
    assert google.requests[0].body == {
        "name": "fhirstore1",
        "version": "R4",
        "enableUpdateCreate": True,
        "labels": ATTRIBUTION,
    }
    response = engine.diff(FHIR, id_, state, {**news, "version": "STU3"})
    assert _changes(response) == {
        "version": DiffKind.UPDATE_REPLACE,
        "enableUpdateCreate": DiffKind.DELETE,
    }
    assert engine.inputs(FHIR, news)["version"] == "STU3"


def test_hl7_stores_send_their_schema_as_an_object(engine: Engine, google: FakeGoogle) -> None:
    news: Values = {
        "name": "hl7v2store1",
        "dataset": PARENT,
        "parserConfig": {"schema": '{ "a": 1 }'},
    }
    id_, state = engine.create(HL7, news)

    assert id_ == f"{PARENT}/hl7V2Stores/hl7v2store1"
    assert google.requests[0].query == {"hl7V2StoreId": "hl7v2store1"}
    assert google.requests[0].body is not None
    assert google.requests[0].body["parserConfig"] == {"schema": {"a": 1}, "version": "V1"}
    assert state["parserConfig"]["schema"] == '{"a":1}'
    assert not _changes(engine.diff(HL7, id_, state, news))
    news["parserConfig"]["version"] = "V3"
    assert _changes(engine.diff(HL7, id_, state, news)) == {
        "parserConfig.version": DiffKind.UPDATE_REPLACE
    }


def test_the_default_of_a_parser_is_no_difference(engine: Engine) -> None:
    news: Values = {"name": "h", "dataset": PARENT, "parserConfig": {"segmentTerminator": "DQ=="}}
    id_, state = engine.create(HL7, news)
    news["parserConfig"] = {"segmentTerminator": "DQ==", "allowNullHeader": False}
    assert not _changes(engine.diff(HL7, id_, state, news))


def test_consent_stores_have_no_name_in_their_body(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(
        CONSENT, {"name": "consent1", "dataset": PARENT, "defaultConsentTtl": "86400s"}
    )

    assert id_ == f"{PARENT}/consentStores/consent1"
    assert google.requests[0].body == {"defaultConsentTtl": "86400s", "labels": ATTRIBUTION}
    assert state["name"] == "consent1"
    assert "selfLink" not in state


def test_ignored_changes_are_no_difference(engine: Engine) -> None:
    id_, state = engine.create(DICOM, _store(labels={"env": "lab"}))
    old = {"labels": {"env": "lab"}}

    response = engine.diff(
        DICOM, id_, state, _store(labels={"env": "prod"}), ignoreChanges=["labels.env"],
        old_inputs=old,
    )  # fmt: skip

    assert not _changes(response)
