"""The inference services of a stack: from their settings to components after the stores."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components import existing_grants
from components.adapters.adapter_repository import AdapterRepository
from components.encryption_key import EncryptionKey, EncryptionKeyArgs
from components.healthcare_dataset import HealthcareDataset
from components.inference.arguments import InferenceServiceArgs
from components.inference.inference_service import InferenceService
from components.notification_topic import NotificationTopic
from components.project_services import ProjectServices
from program.component_args import PUBSUB, full_topic
from program.config import InferenceServiceSettings, Settings
from program.stores_and_images import image_of, store_name, store_parts

IMAGE = "inference"
"""The name of the image in the repository of the stack."""


def make_inference_services(
    settings: Settings,
    services: ProjectServices,
    datasets: Mapping[str, HealthcareDataset],
    topics: Mapping[str, NotificationTopic],
    repository: AdapterRepository | None,
) -> dict[str, InferenceService]:
    """Make the inference services.

    Args:
        settings: of the stack
        services: that must be enabled
        datasets: name -> dataset, with the stores of the services
        topics: topic as the settings write it -> its component
        repository: of their images, if the stack has one

    Returns:
        name -> service
    """
    found = {}
    for item in settings.inference_services:
        key = _key(item, services)
        used = [item.dicom_store, *([item.fhir_store] if item.fhir_store else [])]
        waits: list[Any] = [services, *topics.values()]
        waits += [datasets[name] for name in dict.fromkeys(store_parts(each)[0] for each in used)]
        waits += [each for each in (key, repository) if each is not None]
        found[item.name] = InferenceService(
            f"inference-{item.name}",
            _args(settings, item, services, datasets, key),
            pulumi.ResourceOptions(depends_on=waits),
        )
    return found


def inference_outputs(services: Mapping[str, InferenceService]) -> dict[str, Any]:
    """Return the outputs of the services, by the names that stacks export them under."""
    summaries = {name: service.summary for name, service in services.items()}
    return {"inferenceServices": summaries} if summaries else {}


def _args(
    settings: Settings,
    item: InferenceServiceSettings,
    services: ProjectServices,
    datasets: Mapping[str, HealthcareDataset],
    key: EncryptionKey | None,
) -> InferenceServiceArgs:
    def store(reference: str, collection: str) -> pulumi.Output[str]:
        return store_name(datasets, reference, collection)

    dead = item.dead_letter
    return InferenceServiceArgs(
        project=settings.project,
        region=item.region or settings.location,
        service=item.name,
        image=image_of(settings, item.image, IMAGE),
        dicom_store=store(item.dicom_store, "dicomStores"),
        topic=full_topic(settings, item.topic),
        pubsub_agent=services.agent_members[PUBSUB],
        fhir_store=None if item.fhir_store is None else store(item.fhir_store, "fhirStores"),
        model=item.model,
        presentation_state=item.presentation_state,
        dead_letter_topic=None if dead.topic is None else full_topic(settings, dead.topic),
        max_delivery_attempts=dead.max_delivery_attempts,
        min_instances=item.min_instances,
        max_instances=item.max_instances,
        concurrency=item.concurrency,
        cpu=item.cpu,
        memory=item.memory,
        kms_key_name=None if key is None else key.kms_key_name,
        labels={**settings.labels, **item.labels},
    )


def _key(item: InferenceServiceSettings, services: ProjectServices) -> EncryptionKey | None:
    """Let Cloud Run use the key of a service."""
    if item.kms_key_name is None:
        return None
    # Documented: https://cloud.google.com/run/docs/securing/using-cmek
    agent = pulumi.Output.concat(
        "serviceAccount:service-",
        services.project_number,
        "@serverless-robot-prod.iam.gserviceaccount.com",
    )
    return EncryptionKey(
        f"inference-{item.name}-key",
        EncryptionKeyArgs({"run": agent}, kms_key_name=item.kms_key_name),
        existing_grants.options(depends_on=[services]),
    )
