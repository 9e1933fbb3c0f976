"""The resources of an inference service: who may do what, and where messages end."""

import re
from typing import Any

import pytest

from components.base import ArgumentError
from components.inference.arguments import InferenceServiceArgs
from components.inference.inference_service import InferenceService
from engine.standin import provider_schema
from tests.unit.components.deployment import Deployment, deploy

DATASET = "projects/my-project/locations/europe-west4/datasets/d"
DICOM, FHIR = f"{DATASET}/dicomStores/ct", f"{DATASET}/fhirStores/records"
TOPIC, DEAD = (f"projects/my-project/topics/{name}" for name in ("arrivals", "letters"))
AGENT = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
KEY = "projects/my-project/locations/europe-west4/keyRings/r/cryptoKeys/k"
PROGRAM = "serviceAccount:inference-chest@my-project.iam.gserviceaccount.com"
CALLER = "serviceAccount:invoker-chest@my-project.iam.gserviceaccount.com"
SERVICE = "gcp:cloudrunv2/service:Service"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"


def args(**changed: Any) -> InferenceServiceArgs:
    given: dict[str, Any] = {
        "project": "my-project",
        "region": "europe-west4",
        "service": "chest",
        "image": "europe-west4-docker.pkg.dev/my-project/adapters/inference:1",
        "dicom_store": DICOM,
        "topic": TOPIC,
        "pubsub_agent": AGENT,
    }
    return InferenceServiceArgs(**given | changed)


def up(**changed: Any) -> Deployment:
    return deploy(lambda: InferenceService("inference", args(**changed)))


def granted(deployed: Deployment, member: str) -> set[str]:
    """The roles of a member, each with the type of what it is on."""
    return {
        f"{item.type.rpartition(':')[2]} {item.inputs['role']}"
        for item in deployed.resources
        if item.inputs.get("member") == member
    }


def test_the_program_has_roles_on_the_stores_and_on_its_dead_letters() -> None:
    assert granted(up(fhir_store=FHIR), PROGRAM) == {
        "DicomStoreIamMember roles/healthcare.dicomEditor",
        "FhirStoreIamMember roles/healthcare.fhirResourceEditor",
        "TopicIAMMember roles/pubsub.publisher",
    }
    assert "FhirStoreIamMember" not in {one.split()[0] for one in granted(up(), PROGRAM)}


def test_pubsub_pushes_as_an_account_that_may_call_the_service_alone() -> None:
    deployed = up()
    assert granted(deployed, CALLER) == {"ServiceIamMember roles/run.invoker"}
    assert granted(deployed, AGENT) == {
        "IAMMember roles/iam.serviceAccountTokenCreator",
        "TopicIAMMember roles/pubsub.publisher",
        "SubscriptionIAMMember roles/pubsub.subscriber",
    }
    [tokens] = deployed.of_type("gcp:serviceaccount/iAMMember:IAMMember")
    assert tokens.inputs["serviceAccountId"].endswith(f"/serviceAccounts/{CALLER[15:]}")
    push = deployed["inference-push-inference-chest"].inputs
    assert push["topic"] == TOPIC
    assert push["pushConfig"] == {
        "pushEndpoint": "https://inference-chest.run.app",
        "oidcToken": {"serviceAccountEmail": CALLER.partition(":")[2]},
    }
    assert push["ackDeadlineSeconds"] == 120
    assert push["retryPolicy"] == {"minimumBackoff": "10s", "maximumBackoff": "600s"}


def test_the_service_starts_after_its_grants_and_is_called_after_its_own() -> None:
    deployed = up(fhir_store=FHIR)
    [service] = deployed.of_type(SERVICE)
    granted_before = {"inference-store", "inference-observations", "inference-dead-program"}
    assert granted_before <= service.dependencies
    push = deployed["inference-push-inference-chest"]
    # The invoker and the tokens are "inference-push", the service is "inference".
    assert {"inference", "inference-push", "inference-dead-program"} <= push.dependencies


def test_the_service_is_internal_and_has_the_settings_of_the_program() -> None:
    [service] = up(
        fhir_store=FHIR,
        model="/models/mine.json",
        presentation_state=True,
        min_instances=1,
        cpu="4",
        memory="2Gi",
        kms_key_name=KEY,
        labels={"team": "imaging"},
    ).of_type(SERVICE)
    assert service.inputs["ingress"] == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    assert service.inputs["labels"] == {"team": "imaging"}
    assert service.inputs["deletionProtection"] is False
    template = service.inputs["template"]
    assert template["scaling"] == {"minInstanceCount": 1, "maxInstanceCount": 4}
    assert template["encryptionKey"] == KEY
    [container] = template["containers"]
    assert container["resources"] == {"limits": {"cpu": "4", "memory": "2Gi"}}
    assert {one["name"]: one["value"] for one in container["envs"]} == {
        "INFERENCE_DICOM_STORE": DICOM,
        "INFERENCE_FHIR_STORE": FHIR,
        "INFERENCE_MODEL": "/models/mine.json",
        "INFERENCE_PRESENTATION_STATE": "true",
        "INFERENCE_DEAD_LETTER_TOPIC": "projects/my-project/topics/inference-chest-dead",
    }


def test_dead_letters_are_kept_by_a_subscription_of_their_own_topic() -> None:
    deployed = up(max_delivery_attempts=7, labels={"team": "imaging"})
    kept = deployed["inference-dead-inference-chest-dead"].inputs
    own = "projects/my-project/topics/inference-chest-dead"
    assert (kept["topic"], kept["labels"]) == (own, {"team": "imaging"})
    assert "pushConfig" not in kept
    policy = deployed["inference-push-inference-chest"].inputs["deadLetterPolicy"]
    assert policy == {"deadLetterTopic": own, "maxDeliveryAttempts": 7}
    outputs = deployed.outputs["inference"]
    assert outputs["deadLetterTopic"] == own
    assert outputs["deadLetterSubscription"].endswith("/subscriptions/inference-chest-dead")


def test_a_topic_of_dead_letters_that_exists_is_used() -> None:
    deployed = up(dead_letter_topic=DEAD)
    assert deployed.of_type("gcp:pubsub/topic:Topic") == []
    assert len(deployed.of_type(SUBSCRIPTION)) == 1
    assert deployed["inference-dead-program"].inputs["topic"] == "letters"
    assert deployed.outputs["inference"]["deadLetterSubscription"] == ""


def test_outputs_say_where_the_service_is() -> None:
    outputs = up().outputs["inference"]
    assert outputs["uri"] == "https://inference-chest.run.app"
    assert outputs["serviceAccount"] == PROGRAM.partition(":")[2]
    assert outputs["subscription"] == "projects/my-project/subscriptions/inference-chest"


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"topic": "arrivals"}, 'topic: "arrivals" is not projects/P/topics/T'),
        ({"dead_letter_topic": "x"}, 'dead_letter_topic: "x" is not projects/P/topics/T'),
        ({"dead_letter_topic": TOPIC}, "dead_letter_topic: is the topic itself"),
        ({"memory": "1G"}, 'memory: "1G" is not an amount of memory. Allowed: 512Mi to 32Gi'),
        ({"cpu": "8"}, 'memory: "1Gi" is too little for 8 CPUs. Allowed: 4Gi or more.'),
        ({"cpu": "3"}, 'cpu: "3" is not a number of CPUs.'),
        ({"model": "mine.json"}, 'model: "mine.json" is not a model. Allowed: cardiothoracic'),
        ({"min_instances": 5}, "max_instances: 4 is less than 1 or min_instances"),
        ({"service": "Chest"}, 'service: "Chest" is not a name'),
        ({"region": "eu"}, 'region: "eu" is not a region'),
    ],
)
def test_arguments_that_can_not_be_used(changed: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(complaint)):
        args(**changed)


def test_the_provider_takes_every_input() -> None:
    for resource in up(fhir_store=FHIR, kms_key_name=KEY, model="/m.json").resources:
        if not resource.type.startswith("gcp:"):
            continue
        fields = provider_schema.load(resource.type).fields
        for path in _paths(resource.inputs):
            assert not fields[path].output, (resource.type, path)
        required = {path for path, field in fields.items() if field.required and "." not in path}
        assert required <= set(resource.inputs), resource.type


def _paths(value: dict[str, Any], prefix: str = "") -> set[str]:
    """The fields that inputs give, nested ones by their path; keys of maps are no fields."""
    found = set()
    for key, item in value.items():
        found.add(f"{prefix}{key}")
        for each in item if isinstance(item, list) else [item]:
            if isinstance(each, dict) and key not in {"labels", "limits"}:
                found |= _paths(each, f"{prefix}{key}.")
    return found
