"""Errors of inference services: between their settings, and with what they refer to."""

from typing import Any

import pytest

from tests.support.settings import parse, problem, problems

KEY = "projects/p12345/locations/{}/keyRings/r/cryptoKeys/k"
SERVICE: dict[str, Any] = {"name": "chest", "dicomStore": "ct", "topic": "arrivals"}
STACK: dict[str, Any] = {
    "topics": [{"name": "arrivals"}, {"name": "letters"}],
    "dicomStores": [
        {"name": "ct", "notificationConfig": {"pubsubTopic": "arrivals"}},
        {"name": "quiet"},
        {"name": "off", "enabled": False},
    ],
    "fhirStores": [{"name": "records"}, {"name": "older", "version": "STU3"}],
    "adapterRepository": {"name": "adapters"},
}


def inference(**changed: Any) -> dict[str, Any]:
    return {**STACK, "inferenceServices": [{**SERVICE, **changed}]}


def test_a_complete_service_is_read() -> None:
    lab = parse(**inference(fhirStore="records", deadLetter={"topic": "letters"}, cpu="2"))
    [service] = lab.inference_services
    assert (service.name, service.fhir_store, service.cpu) == ("chest", "records", "2")
    assert (service.dead_letter.topic, service.dead_letter.max_delivery_attempts) == ("letters", 5)
    assert (service.min_instances, service.max_instances, service.memory) == (0, 4, "1Gi")


def test_stores_of_further_datasets_and_topics_by_their_full_names_are_known() -> None:
    topic = "projects/local-project/topics/arrivals"
    store = {"name": "ct", "notificationConfig": {"pubsubTopic": topic}}
    datasets = [{"name": "ward", "dicomStores": [store], "fhirStores": ["records"]}]
    changed = inference(dicomStore="ward/ct", fhirStore="ward/records", topic=topic)
    assert parse(**changed, datasets=datasets).inference_services


@pytest.mark.parametrize(
    ("changed", "key", "message"),
    [
        (
            {"dicomStore": "quit"},
            "dicomStore",
            'is not one of the stack\'s dicomStores. Did you mean "quiet"? Allowed: ct, quiet.',
        ),
        ({"dicomStore": "off"}, "dicomStore", "is not one of the stack's dicomStores."),
        ({"fhirStore": "other"}, "fhirStore", "is not one of the stack's fhirStores."),
        ({"fhirStore": "older"}, "fhirStore", "is a store of STU3, but observations are"),
        (
            {"dicomStore": "quiet"},
            "topic",
            "is not notified by quiet, so nothing would be measured. Add notificationConfig "
            "{pubsubTopic: arrivals} to the store.",
        ),
        ({"topic": "arrival"}, "topic", "is not one of the stack's topics."),
        (
            {"deadLetter": {"topic": "arrivals"}},
            "deadLetter.topic",
            "is the topic of the service, so a dead letter would come back to it.",
        ),
        ({"deadLetter": {"topic": "lost"}}, "deadLetter.topic", "is not one of the stack's topics"),
        (
            {"kmsKeyName": KEY.format("europe-west4")},
            "kmsKeyName",
            "is a key in europe-west4, but the service is in us-central1.",
        ),
        ({"minInstances": 5}, "minInstances", "is more than maxInstances, 4."),
        ({"cpu": "8"}, "memory", "is too little for 8 CPUs. Allowed: 4Gi or more."),
        ({"memory": "64Gi"}, "memory", "is not an amount of memory."),
        ({"model": "mine"}, "model", "is not a model."),
        ({"name": "Chest"}, "name", "is not a name"),
        ({"dicomstore": "ct"}, "dicomstore", 'is not a setting. Did you mean "dicomStore"?'),
    ],
)
def test_what_can_not_work_is_refused(changed: dict[str, Any], key: str, message: str) -> None:
    found = problems(**inference(**changed))
    assert message in found[f"inferenceServices[0].{key}"]


def test_an_image_is_of_the_repository_or_named() -> None:
    without = {key: value for key, value in STACK.items() if key != "adapterRepository"}
    message = problem("inferenceServices[0].image", **without, inferenceServices=[SERVICE])
    assert "or gcp-healthcare-dicom:adapterRepository.name for a repository" in message
    named = {**SERVICE, "image": "registry.example/inference:1"}
    assert parse(**without, inferenceServices=[named])


def test_two_services_have_two_names() -> None:
    doubled = {**STACK, "inferenceServices": [SERVICE, SERVICE]}
    assert "is the same as" in problem("inferenceServices[1].name", **doubled)


@pytest.mark.parametrize(
    ("topics", "what"),
    [
        ([{"name": "inference-chest-dead"}], "the topic inference-chest-dead"),
        (
            [{"name": "other", "subscriptions": [{"name": "inference-chest"}]}],
            "the subscription inference-chest",
        ),
    ],
)
def test_names_of_resources_are_not_those_of_topics(topics: list[Any], what: str) -> None:
    changed = {**inference(), "topics": [*STACK["topics"], *topics]}
    message = problem("inferenceServices[0].name", **changed)
    assert f"makes {what}, which is also" in message


def test_a_region_is_named_in_a_multi_region_and_allowed() -> None:
    key = "inferenceServices[0].region"
    assert "location eu is not a region" in problem(key, **inference(), location="eu")
    elsewhere = inference(region="europe-west4")
    assert parse(**elsewhere, location="eu")
    assert "is not among" in problem(key, **elsewhere, allowedLocations=["us-central1"])
