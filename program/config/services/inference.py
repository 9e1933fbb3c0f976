"""Settings of inference services: programs that measure new instances of DICOM stores."""

from typing import Annotated, Literal

from pydantic import Field

from components import rules
from program.config.model import KmsKeyName, Labels, Model, Topic, follows


class InferenceDeadLetterSettings(Model):
    """The dead letters of an inference service."""

    topic: Topic | None = None
    """One of the stack's topics, or another by its full name; the service's own if not given."""
    max_delivery_attempts: Annotated[int, Field(ge=5, le=100)] = 5
    """Deliveries before a message counts as dead, 5 to 100."""


class InferenceServiceSettings(Model):
    """A service that measures new instances of a DICOM store."""

    name: Annotated[str, follows(rules.adapter)]
    """The name of the service; names of its resources end with it. A change replaces them."""
    dicom_store: str
    """The store by its name, or as DATASET/STORE in a further dataset; reports go there too."""
    topic: Topic
    """The topic that the store notifies, by its name or its full name."""
    fhir_store: str | None = None
    """The FHIR store of the observations, of R4, named as the DICOM store; none if not given."""
    region: Annotated[str, follows(rules.region)] | None = None
    """The region of the service; the stack's location if not given. A change replaces it."""
    image: Annotated[str, follows(rules.image)] | None = None
    """The container image; `inference` of the adapters' repository if not given."""
    model: Annotated[str, follows(rules.model)] | None = None
    """The path of the description of an ONNX model in the image; the cardiothoracic ratio."""
    presentation_state: bool = False
    """Whether a presentation state is stored beside each report."""
    min_instances: Annotated[int, Field(ge=0, le=100)] = 0
    """Instances that always run."""
    max_instances: Annotated[int, Field(ge=1, le=100)] = 4
    """Instances that may run at once."""
    concurrency: Annotated[int, Field(ge=1, le=80)] = 4
    """Images that an instance works on at once."""
    cpu: Literal["1", "2", "4", "6", "8"] = "1"
    """CPUs of an instance."""
    memory: Annotated[str, follows(rules.memory)] = "1Gi"
    """Memory of an instance, 512Mi to 32Gi."""
    dead_letter: InferenceDeadLetterSettings = InferenceDeadLetterSettings()
    """Where messages go that can't be worked on."""
    kms_key_name: KmsKeyName | None = None
    """An existing key for the service, in its region; Google's own if not given."""
    labels: Labels = {}
    """Labels of its resources, over those of the stack."""
