"""Inference services of a stack: from the keys of its file to resources and outputs."""

from typing import Any

from tests.support.program import run
from tests.unit.components.deployment import PROJECT_NUMBER

KEY = "projects/local-project/locations/us-central1/keyRings/r/cryptoKeys/k"
SERVICE = {"name": "chest", "dicomStore": "ct", "topic": "arrivals"}
STACK: dict[str, Any] = {
    "labels": {"team": "imaging"},
    "topics": [{"name": "arrivals"}, {"name": "letters"}],
    "dicomStores": [{"name": "ct", "notificationConfig": {"pubsubTopic": "arrivals"}}],
    "datasets": [{"name": "ward", "fhirStores": ["records"]}],
    "adapterRepository": {"name": "adapters"},
}
RUN = "gcp:cloudrunv2/service:Service"


def stack(**changed: Any) -> dict[str, Any]:
    return {**STACK, "inferenceServices": [{**SERVICE, **changed}]}


def test_a_service_works_on_the_stores_of_the_stack() -> None:
    deployed = run(**stack(fhirStore="ward/records", labels={"team": "ai"}))
    [service] = deployed.of_type(RUN)
    [container] = service.inputs["template"]["containers"]
    settings = {one["name"]: one["value"] for one in container["envs"]}
    path = "projects/local-project/locations/us-central1/datasets"
    assert settings["INFERENCE_DICOM_STORE"] == f"{path}/dataset1/dicomStores/ct"
    assert settings["INFERENCE_FHIR_STORE"] == f"{path}/ward/fhirStores/records"
    own = "us-central1-docker.pkg.dev/local-project/adapters"
    assert container["image"] == f"{own}/inference:latest"
    assert service.inputs["labels"] == {"team": "ai"}
    waited = deployed.all_dependencies(service.name)
    assert {"healthcare-ct", "healthcare-ward-records", "services-run", "topic-arrivals"} <= waited


def test_a_stack_enables_what_its_services_need() -> None:
    deployed = run(**stack(kmsKeyName=KEY))
    enabled = {item.inputs["service"] for item in deployed.of_type("gcp:projects/service:Service")}
    names = ("run", "pubsub", "iam", "cloudkms", "artifactregistry")
    assert enabled >= {f"{name}.googleapis.com" for name in names}
    assert "services-pubsub-agent" in deployed.names


def test_cloud_run_may_use_the_key() -> None:
    deployed = run(**stack(kmsKeyName=KEY))
    grant = deployed["inference-chest-key-run"].inputs
    agent = f"service-{PROJECT_NUMBER}@serverless-robot-prod.iam.gserviceaccount.com"
    assert (grant["cryptoKeyId"], grant["member"]) == (KEY, f"serviceAccount:{agent}")
    [service] = deployed.of_type(RUN)
    assert service.inputs["template"]["encryptionKey"] == KEY
    assert deployed.outputs["stack"]["keys"] == [KEY]


def test_dead_letters_go_where_the_settings_say() -> None:
    letters = {"topic": "letters", "maxDeliveryAttempts": 9}
    deployed = run(**stack(deadLetter=letters))
    push = deployed["inference-chest-push-inference-chest"].inputs
    topic = "projects/local-project/topics/letters"
    assert push["deadLetterPolicy"] == {"deadLetterTopic": topic, "maxDeliveryAttempts": 9}


def test_outputs_name_the_services() -> None:
    outputs = run(**stack()).outputs["stack"]
    assert outputs["inferenceServices"]["chest"] == {
        "uri": "https://inference-chest.run.app",
        "serviceAccount": "inference-chest@local-project.iam.gserviceaccount.com",
        "subscription": "projects/local-project/subscriptions/inference-chest",
        "deadLetterTopic": "projects/local-project/topics/inference-chest-dead",
        "deadLetterSubscription": "projects/local-project/subscriptions/inference-chest-dead",
    }
    assert "inferenceServices" not in run(**STACK).outputs["stack"]
