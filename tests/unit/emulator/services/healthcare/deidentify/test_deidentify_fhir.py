"""De-identification of FHIR resources, field by field, and of a store."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.services.healthcare.deidentify import config
from emulator.services.healthcare.deidentify.fhir_fields import ResourceTransformer, shift
from tests.support.fhir_resources import observation, patient
from tests.support.waiting import wait_until

KEY = b"k" * 32
ANN = patient(
    "a",
    birthDate="1980-12-05",
    gender="female",
    name=[{"family": "Sample", "given": ["Ann"], "use": "official"}],
    address=[{"city": "Anycity", "country": "US", "state": "CA"}],
    identifier=[{"system": "urn:mrn", "value": "12345"}],
    text={"status": "generated", "div": "<div>Sample, born 1980-12-05</div>"},
    extension=[{"url": "http://example.org/x", "valueString": "Ann"}],
)


def changed(resource: dict[str, Any], **settings: Any) -> dict[str, Any]:
    config.read(settings)
    rules = config.read_fhir(settings)
    return ResourceTransformer(rules, KEY, resource, lambda _: ANN).transformed()


def fields(*pairs: tuple[str, str]) -> dict[str, Any]:
    listed = [{"paths": [path], "action": action} for path, action in pairs]
    return {"fieldMetadataList": listed}


def test_fields_without_a_match_stay_and_extensions_go() -> None:
    assert changed(ANN, fhir={}) == {k: v for k, v in ANN.items() if k != "extension"}
    assert changed(ANN, fhir={"defaultKeepExtensions": True}) == ANN


def test_a_field_that_is_transformed_is_removed_without_a_transformation() -> None:
    found = changed(ANN, fhir=fields(("Patient.address.city", "TRANSFORM"), ("Date", "TRANSFORM")))
    assert found["address"] == [{"country": "US", "state": "CA"}]
    assert "birthDate" not in found
    assert "name" not in changed(ANN, fhir=fields(("HumanName", "TRANSFORM")))


def test_the_first_match_applies() -> None:
    given = fields(("HumanName.use", "DO_NOT_TRANSFORM"), ("Patient.name", "TRANSFORM"))
    assert changed(ANN, fhir=given)["name"] == [{"use": "official"}]


@pytest.mark.parametrize(
    ("transformation", "family"),
    [
        ({"characterMaskConfig": {"maskingCharacter": "#"}}, "######"),
        ({"replaceWithInfoTypeConfig": {}}, "[PERSON_NAME]"),
        ({"redactConfig": {}}, None),
        ({"dateShiftConfig": {}}, None),
    ],
)
def test_a_text_config_transforms_whole_fields(
    transformation: dict[str, Any], family: str | None
) -> None:
    text = {"additionalTransformations": [transformation]}
    found = changed(ANN, fhir=fields(("HumanName.family", "TRANSFORM")), text=text)
    assert found["name"][0].get("family") == family


def test_texts_are_inspected() -> None:
    given = fields(("Xhtml", "INSPECT_AND_TRANSFORM"))
    div = changed(ANN, fhir=given)["text"]["div"]
    assert "Sample" not in div
    assert "[PERSON_NAME]" in div
    assert "1980-12-05" not in div
    note = observation("Patient/a", "o", note=[{"text": "Sample is well"}])
    given = fields(("Annotation.text", "INSPECT_AND_TRANSFORM"))
    assert changed(note, fhir=given)["note"] == [{"text": "[PERSON_NAME] is well"}]


def test_dates_of_a_patient_shift_alike_and_keep_their_precision() -> None:
    text: dict[str, Any] = {"additionalTransformations": [{"dateShiftConfig": {}}]}
    given = {"fhir": fields(("Date", "TRANSFORM"), ("DateTime", "TRANSFORM")), "text": text}
    born = changed(ANN, **given)["birthDate"]
    seen = observation("Patient/a", "o", effectiveDateTime="1980-12-05T10:00:00+01:00")
    assert born != "1980-12-05"
    assert changed(seen, **given)["effectiveDateTime"] == f"{born}T10:00:00+01:00"
    assert shift("1980", 400) == "1981"
    assert shift("1980-12", 31) == "1981-01"
    assert shift("soon", 1) is None


def test_references_follow_new_ids() -> None:
    text: dict[str, Any] = {"additionalTransformations": [{"cryptoHashConfig": {}}]}
    given = {"fhir": fields(("Patient.id", "TRANSFORM")), "text": text}
    new = changed(ANN, **given)["id"]
    assert len(new) == 64
    seen = changed(observation("Patient/a", "o"), **given)
    assert seen["subject"] == {"reference": f"Patient/{new}"}
    assert seen["id"] == "o"


def test_the_basic_profile_removes_what_identifies() -> None:
    found = changed(ANN, fhirFieldConfig={})
    assert found["address"] == [{"country": "US"}]
    assert found["name"] == [{"use": "official"}]
    assert found["gender"] == "female"
    assert found["identifier"][0]["value"] != "12345"
    assert found["birthDate"] != "1980-12-05"
    assert "Sample" not in str(found)
    assert changed(ANN, fhirFieldConfig={"profileType": "KEEP_ALL"}) == {
        k: v for k, v in ANN.items() if k != "extension"
    }


@pytest.mark.parametrize(
    ("action", "value"),
    [("characterMaskField", "XXXXXX"), ("removeField", None), ("keepField", "Sample")],
)
def test_actions_of_field_configs(action: str, value: str | None) -> None:
    listed = [{"paths": ["HumanName.family"], action: {}}]
    options = {"characterMaskConfig": {"maskingCharacter": "X"}}
    given = {"fieldMetadataList": listed, "options": options, "profileType": "KEEP_ALL"}
    assert changed(ANN, fhirFieldConfig=given)["name"][0].get("family") == value


def test_a_store_is_copied_into_another(client: TestClient, dataset: str) -> None:
    stores = [f"{dataset}/fhirStores/{name}" for name in ("from", "to")]
    for store in stores:
        body = {"version": "R4", "enableUpdateCreate": True, "disableReferentialIntegrity": True}
        path = f"/v1/{dataset}/fhirStores?fhirStoreId={store.rpartition('/')[2]}"
        client.post(path, json=body).raise_for_status()
    for resource in (ANN, observation("Patient/a", "o")):
        path = f"/v1/{stores[0]}/fhir/{resource['resourceType']}/{resource['id']}"
        headers = {"Content-Type": "application/fhir+json"}
        client.put(path, json=resource, headers=headers).raise_for_status()

    def run(**more: Any) -> Any:
        settings = {"fhir": fields(("HumanName", "TRANSFORM"))}
        body = {"destinationStore": stores[1], "config": settings, **more}
        started = client.post(f"/v1/{stores[0]}:deidentify", json=body)
        assert started.status_code == 200, started.text
        path = f"/v1/{started.json()['name']}"
        return wait_until(lambda: _done(client, path), "the operation does not end")

    some = run(resourceFilter={"resources": {"resources": ["Patient/a", "Patient/none"]}})
    assert some["metadata"]["counter"] == {"success": "1", "failure": "1"}
    done = run()
    assert done["metadata"]["counter"] == {"success": "2"}
    assert done["response"]["@type"].endswith("v1.deidentify.DeidentifyFhirStoreSummary")
    copy = client.get(f"/v1/{stores[1]}/fhir/Patient/a").json()
    assert copy["birthDate"] == "1980-12-05"
    assert not {"name", "extension"} & copy.keys()
    assert client.get(f"/v1/{stores[0]}/fhir/Patient/a").json()["name"] == ANN["name"]


def _done(client: TestClient, path: str) -> Any:
    operation = client.get(path).json()
    return operation if operation.get("done") else None
