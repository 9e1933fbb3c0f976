"""The simple_example of terraform-google-healthcare as our one stack file, brought up."""

import json

import pytest
import yaml

from tests.support.labs import ROOT, Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

FILE = ROOT / "examples" / "from-terraform" / "Pulumi.local-simple.yaml"
PROJECT = "local-simple"
DATASET = f"projects/{PROJECT}/locations/us-central1/datasets/example-healthcare-dataset"
TOPIC = f"projects/{PROJECT}/topics/example-topic"
MEMBER = f"serviceAccount:example-sa@{PROJECT}.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def simple(lab: Lab) -> Stack:
    stack = lab.stack(PROJECT)
    stack.file.write_text(yaml.safe_dump(yaml.safe_load(FILE.read_text())))
    stack.up()
    return stack


def test_every_store_is_as_the_module_makes_it(simple: Stack) -> None:
    get = simple.lab.call
    stores = f"v1beta1/{DATASET}"
    assert get("GET", f"{stores}/dicomStores/example-dicom-a")["notificationConfig"] == {
        "pubsubTopic": TOPIC
    }
    streams = get("GET", f"{stores}/dicomStores/example-dicom-c")["streamConfigs"]
    table = f"bq://{PROJECT}.example_dataset.example_table"
    assert streams == [{"bigqueryDestination": {"tableUri": table}}]
    fhir = get("GET", f"{stores}/fhirStores/example-fhir")
    assert (fhir["version"], fhir["enableUpdateCreate"]) == ("R4", True)
    assert fhir["complexDataTypeReferenceParsing"] == "DISABLED"
    assert fhir["notificationConfigs"] == [
        {"pubsubTopic": TOPIC, "sendFullResource": True, "sendPreviousResourceOnDelete": True}
    ]
    [stream] = fhir["streamConfigs"]
    assert stream["bigqueryDestination"]["datasetUri"] == f"bq://{PROJECT}.example_dataset"
    assert stream["bigqueryDestination"]["schemaConfig"]["lastUpdatedPartitionConfig"] == {
        "type": "HOUR",
        "expirationMs": "1000000",
    }
    hl7 = get("GET", f"{stores}/hl7V2Stores/example-hl7v2")
    assert hl7["parserConfig"]["version"] == "V2"
    schema = hl7["parserConfig"]["schema"]
    parsed = json.loads(schema) if isinstance(schema, str) else schema
    assert parsed == {"schematizedParsingType": "SOFT_FAIL", "ignoreMinOccurs": True}
    assert hl7["notificationConfigs"] == [{"pubsubTopic": TOPIC}]
    consent = get("GET", f"{stores}/consentStores/example-consent")
    assert consent["defaultConsentTtl"] == "90000s"


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("", "roles/healthcare.datasetViewer"),
        ("/dicomStores/example-dicom-b", "roles/healthcare.dicomEditor"),
        ("/fhirStores/example-fhir", "roles/healthcare.fhirResourceEditor"),
        ("/hl7V2Stores/example-hl7v2", "roles/healthcare.hl7V2Editor"),
        ("/consentStores/example-consent", "roles/healthcare.consentEditor"),
    ],
)
def test_members_hold_the_modules_roles(simple: Stack, path: str, role: str) -> None:
    policy = simple.lab.call("GET", f"v1/{DATASET}{path}:getIamPolicy")
    assert policy["bindings"] == [{"role": role, "members": [MEMBER]}]


def test_a_second_up_changes_nothing_and_destroy_leaves_nothing(simple: Stack) -> None:
    assert simple.plan() == {}
    simple.change("destroy")
    assert simple.resources() == {}
    assert not simple.lab.exists(DATASET)
    assert not simple.lab.exists(TOPIC)
