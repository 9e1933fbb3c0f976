"""References are found at every depth, and read in each of their forms."""

import pytest

from emulator.services.healthcare.fhir.references import Form, references


@pytest.mark.parametrize(
    ("value", "form", "of_type", "target", "version"),
    [
        ("Patient/1", Form.LOCAL, "Patient", "1", ""),
        ("Patient/a-b.c/_history/MTY3=", Form.LOCAL, "Patient", "a-b.c", "MTY3="),
        ("https://example.com/fhir/Patient/1", Form.ABSOLUTE, "Patient", "1", ""),
        ("urn:uuid:7c1b", Form.ABSOLUTE, "", "", ""),
        ("#contained", Form.CONTAINED, "", "contained", ""),
        ("#", Form.CONTAINED, "", "", ""),
        ("Patient?identifier=a|b", Form.CONDITIONAL, "Patient", "", ""),
        ("Patient/1/2", Form.INVALID, "", "", ""),
        ("just text", Form.INVALID, "", "", ""),
    ],
)
def test_the_text_of_a_reference_is_read(
    value: str, form: Form, of_type: str, target: str, version: str
) -> None:
    resource = {"resourceType": "Observation", "subject": {"reference": value}}
    [found] = references(resource)
    assert (found.form, found.type, found.id, found.version) == (form, of_type, target, version)
    assert (found.path, found.value) == ("Observation.subject", value)
    assert found.element is resource["subject"]


def test_references_are_found_in_lists_bundles_contained_resources_and_extensions() -> None:
    resource = {
        "resourceType": "Bundle",
        "entry": [
            {
                "resource": {
                    "resourceType": "Observation",
                    "performer": [{"reference": "Practitioner/1", "display": "A"}],
                    "contained": [
                        {"resourceType": "Device", "patient": {"reference": "Patient/1"}}
                    ],
                    "extension": [{"url": "u", "valueReference": {"reference": "Group/1"}}],
                    "subject": {"identifier": {"value": "1"}, "type": "Patient"},
                }
            }
        ],
    }
    inside = "Bundle.entry[0].resource"
    assert [(one.path, one.form, one.value) for one in references(resource)] == [
        (f"{inside}.performer[0]", Form.LOCAL, "Practitioner/1"),
        (f"{inside}.contained[0].patient", Form.LOCAL, "Patient/1"),
        (f"{inside}.extension[0].valueReference", Form.LOCAL, "Group/1"),
        (f"{inside}.subject", Form.LOGICAL, ""),
    ]


def test_other_elements_with_the_name_of_a_reference_are_none() -> None:
    expression = {"language": "text/cql", "reference": "http://example.com"}
    education = [{"reference": "http://example.com/leaflet"}, {"documentType": "a"}]
    claim = [{"reference": {"value": "1"}}]
    assert not [*references({"resourceType": "PlanDefinition", "condition": expression})]
    assert not [*references({"resourceType": "Immunization", "education": education})]
    assert not [*references({"resourceType": "Claim", "related": claim})]
