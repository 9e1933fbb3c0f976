"""Arguments of the inference service."""

# Unevaluated, the annotations load nothing of the provider for programs without services.
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components import rules
from components.base import ArgumentError, require_each
from components.notification_topic import DELIVERY_ATTEMPTS


@dataclass(frozen=True, kw_only=True)
class InferenceServiceArgs:
    """Arguments of `InferenceService`.

    Attributes:
        project: The id of the project.
        region: The region of the service.
        service: The name of the service; names of its resources end with it. Replaces.
        image: The container image.
        dicom_store: The full name of the DICOM store of the images, which takes the reports too.
        topic: The full name of the topic that the store notifies.
        pubsub_agent: Pub/Sub's own service agent, as IAM writes it.
        fhir_store: The full name of the FHIR store of the observations, of R4; none if None.
        model: The path of the description of an ONNX model in the image; the cardiothoracic ratio
            if None.
        presentation_state: Whether a presentation state is stored beside each report.
        dead_letter_topic: The full name of the topic of messages that can't be worked on; one of
            its own, with a subscription that keeps them, if None.
        max_delivery_attempts: Deliveries before a message counts as dead, 5 to 100.
        min_instances: Instances that always run.
        max_instances: Instances that may run at once.
        concurrency: Images that an instance works on at once.
        cpu: CPUs of an instance.
        memory: Memory of an instance, such as 1Gi.
        kms_key_name: The full name of a key for the service, in its region; Google's own if None.
        labels: Labels of the resources that take some.
    """

    project: pulumi.Input[str]
    region: str
    service: str
    image: str
    dicom_store: pulumi.Input[str]
    topic: str
    pubsub_agent: pulumi.Input[str]
    fhir_store: pulumi.Input[str] | None = None
    model: str | None = None
    presentation_state: bool = False
    dead_letter_topic: str | None = None
    max_delivery_attempts: int = DELIVERY_ATTEMPTS
    min_instances: int = 0
    max_instances: int = 4
    concurrency: int = 4
    cpu: str = "1"
    memory: str = "1Gi"
    kms_key_name: pulumi.Input[str] | None = None
    labels: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the arguments.

        Raises:
            ArgumentError: an argument can't be used
        """
        owner = type(self).__name__
        require_each(
            self,
            project=rules.project,
            region=rules.region,
            service=rules.adapter,
            image=rules.image,
            model=rules.model,
            cpu=rules.cpu,
            memory=rules.memory,
            kms_key_name=rules.kms_key_name,
        )
        for name in ("topic", "dead_letter_topic"):
            topic = getattr(self, name)
            if topic is not None and ("/" not in topic or rules.topic(topic) is not None):
                raise ArgumentError(f'{owner}.{name}: "{topic}" is not projects/P/topics/T')
        if self.dead_letter_topic == self.topic:
            raise ArgumentError(f"{owner}.dead_letter_topic: is the topic itself")
        if message := rules.memory_of_cpus(self.memory, self.cpu):
            raise ArgumentError(f'{owner}.memory: "{self.memory}" {message}')
        if not 0 <= self.min_instances <= self.max_instances or self.max_instances < 1:
            raise ArgumentError(
                f"{owner}.max_instances: {self.max_instances} is less than 1 or min_instances"
            )
