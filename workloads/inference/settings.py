"""The settings of the workload: environment variables, as functions of Cloud Run have them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from workloads.common import dicomweb

DICOM_STORE, FHIR_STORE = "INFERENCE_DICOM_STORE", "INFERENCE_FHIR_STORE"
DEAD_LETTERS, MODEL = "INFERENCE_DEAD_LETTER_TOPIC", "INFERENCE_MODEL"
PRESENTATION = "INFERENCE_PRESENTATION_STATE"
_FHIR = re.compile(r"projects/[^/]+/locations/[^/]+/datasets/[^/]+/fhirStores/[^/]+")
_TOPIC = re.compile(r"projects/[^/]+/topics/[^/]+")
_FLAGS = {"true": True, "false": False, "": False}


class SettingsError(Exception):
    """A setting that can't be used, in a sentence for people."""


@dataclass(frozen=True)
class Settings:
    """The settings.

    Attributes:
        dicom_store: full name of the store of the images, which takes the reports too
        dead_letters: full name of the topic for messages that can't be worked on
        fhir_store: full name of the store of the observations; empty for none
        model: `cardiothoracic-ratio`, or the path of the description of an ONNX model
        has_presentation_state: whether a presentation state is stored beside each report
    """

    dicom_store: str
    dead_letters: str
    fhir_store: str = ""
    model: str = "cardiothoracic-ratio"
    has_presentation_state: bool = False


def read(environment: Mapping[str, str]) -> Settings:
    """Return the settings in an environment.

    Raises:
        SettingsError: a variable is missing or not valid
    """
    store, dead = environment.get(DICOM_STORE, ""), environment.get(DEAD_LETTERS, "")
    _require(DICOM_STORE, store, dicomweb.STORE, "projects/P/locations/L/datasets/D/dicomStores/S")
    _require(DEAD_LETTERS, dead, _TOPIC, "projects/P/topics/T")
    fhir = environment.get(FHIR_STORE, "")
    if fhir:
        _require(FHIR_STORE, fhir, _FHIR, "projects/P/locations/L/datasets/D/fhirStores/S")
    flag = environment.get(PRESENTATION, "").lower()
    if flag not in _FLAGS:
        raise SettingsError(f"{PRESENTATION} is {flag!r}. Set it to true or false.")
    model = environment.get(MODEL) or Settings.model
    return Settings(store, dead, fhir, model, _FLAGS[flag])


def _require(name: str, value: str, pattern: re.Pattern[str], expected: str) -> None:
    if not pattern.fullmatch(value):
        raise SettingsError(f"{name} is {value!r}. Set it to {expected}.")
