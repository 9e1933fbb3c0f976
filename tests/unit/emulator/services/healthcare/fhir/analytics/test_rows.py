"""Rows and schemas of BigQuery, by the rules of google/fhir's analytics marshallers."""

from typing import Any

import pytest

from emulator.services.healthcare.fhir import json_text
from emulator.services.healthcare.fhir.analytics.extensions import ExtensionError
from emulator.services.healthcare.fhir.analytics.rows import RowFormat
from emulator.services.healthcare.fhir.analytics.schema import columns_of
from tests.support.fhir_resources import observation, patient

V1, V2 = RowFormat(is_v2=False), RowFormat()


def extension(url: str, **members: Any) -> dict[str, Any]:
    return {"url": url, **members}


def field(fields: list[dict[str, Any]], path: str) -> Any:
    """Return a column of a schema by its path, or None."""
    name, _, rest = path.partition(".")
    found = next((each for each in fields if each["name"] == name), None)
    return field(found.get("fields", []), rest) if found and rest else found


def test_choices_nest_and_references_name_their_type() -> None:
    resource = observation(
        "Patient/1",
        "o",
        valueQuantity={"value": json_text.ExactDecimal("1.50"), "id": "x"},
        performer=[
            {"reference": "#p"},
            {"reference": "Practitioner/2/_history/3", "display": "Dr."},
            {"reference": "https://example.org/fhir/Patient/1"},
            {"identifier": {"value": "7"}},
        ],
    )
    row = V1.row(resource)
    assert row["id"] == "o"
    assert "resourceType" not in row
    assert row["subject"] == {"patientId": "1"}
    assert row["value"] == {"quantity": {"value": json_text.ExactDecimal("1.50")}}
    assert row["performer"] == [
        {"reference": "#p"},
        {"practitionerId": "2", "display": "Dr."},
        {"reference": "https://example.org/fhir/Patient/1"},
        {"identifier": {"value": "7"}},
    ]


def test_extensions_are_columns() -> None:
    given = [
        extension("http://example.org/race", extension=[extension("text", valueString="a")]),
        extension("http://example.org/birth-place", valueAddress={"city": "X"}),
    ]
    single = V1.row(patient("a", extension=given))
    assert single["race"] == {"text": {"value": {"string": "a"}}}
    assert single["birth_place"] == {"value": {"address": {"city": "X"}}}
    repeated = V2.row(patient("a", extension=[*given, given[1]]))
    assert repeated["race"] == [{"text": [{"value": {"string": "a"}}]}]
    assert repeated["birth_place"] == [{"value": {"address": {"city": "X"}}}] * 2


def test_a_taken_name_is_the_whole_url() -> None:
    given = [
        extension("http://example.org/gender", valueCode="x"),
        extension("https://a.org/same", valueCode="y"),
        extension("https://b.org/same", valueCode="z"),
    ]
    for format_ in (V1, V2):
        row = format_.row(patient("a", gender="other", extension=given))
        assert row["gender"] == "other"
        assert {"example_org_gender", "a_org_same", "b_org_same"} < set(row)
        assert "same" not in row


def test_extensions_without_a_column_are_refused() -> None:
    twice = [extension("http://a/x", valueCode="y"), extension("http://a/x", valueCode="z")]
    with pytest.raises(ExtensionError, match="a_x"):
        V1.row(patient("a", extension=twice))
    for format_ in (V1, V2):
        with pytest.raises(ExtensionError, match="no name"):
            format_.row(patient("a", extension=[extension("", valueCode="y")]))


def test_contained_resources_are_text_in_v2() -> None:
    resource = patient("a", contained=[{"resourceType": "Organization", "id": "o"}])
    assert "contained" not in V1.row(resource)
    assert V2.row(resource)["contained"] == ['{"id":"o"}']


def test_recursion_ends_at_the_depth() -> None:
    item: dict[str, Any] = {"linkId": "4"}
    for link in ("3", "2", "1"):
        item = {"linkId": link, "item": [item]}
    resource = {"resourceType": "QuestionnaireResponse", "id": "q", "item": [item]}
    row = RowFormat(depth=2).row(resource)
    assert row["item"] == [{"linkId": "1", "item": [{"linkId": "2"}]}]
    columns = columns_of("QuestionnaireResponse", RowFormat(depth=3)).schema()
    assert field(columns, "item.item.item.linkId")
    assert field(columns, "item.item.item.item") is None


def test_a_schema_has_all_elements_and_what_rows_add() -> None:
    columns = columns_of("Observation", V2)
    columns.widen(V2.row(observation("Patient/1", "o", focus=[{"reference": "Media/1"}])))
    schema = columns.schema()
    assert field(schema, "value.quantity.value")["type"] == "FLOAT"
    assert field(schema, "value.integer")["type"] == "INTEGER"
    assert field(schema, "effective.dateTime")["type"] == "STRING"
    assert field(schema, "component")["mode"] == "REPEATED"
    assert field(schema, "subject.patientId")["type"] == "STRING"
    assert field(schema, "subject.encounterId") is None
    assert field(schema, "focus.mediaId")["type"] == "STRING"
    assert field(schema, "contained") == {
        "name": "contained",
        "type": "STRING",
        "mode": "REPEATED",
    }
    assert field(schema, "extension") is None
    assert field(schema, "meta.lastUpdated")
    assert field(schema, "code.id") is None
