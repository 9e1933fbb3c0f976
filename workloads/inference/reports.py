"""Instances that describe a measurement: a Comprehensive SR (TID 1500), a presentation state.

Their UIDs derive from the image and the model, so that a repetition makes the same instances.
"""

import io
import uuid
from typing import TypedDict

import numpy as np
from highdicom.pr import (
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GrayscaleSoftcopyPresentationState,
    TextObject,
)
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    SourceImageForMeasurement,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.sr.codedict import codes
from pydicom.uid import UID

from workloads.inference.models import Algorithm, Findings

_NAMESPACE = uuid.UUID("3f6c1f0a-7f2d-5d5e-9d0c-0f0f4a0b7d11")
_REPORT_SERIES, _PRESENTATION_SERIES = 9001, 9002
"""Series numbers: high, so that viewers list them after the images."""
_LAYER = "MEASURED"
_SERIAL = "1"


class _Equipment(TypedDict):
    """Attributes of the General Equipment and General Series modules."""

    manufacturer: str
    manufacturer_model_name: str
    software_versions: str
    device_serial_number: str
    series_description: str


def uid(algorithm: Algorithm, image: Dataset, what: str) -> UID:
    """Return the UID of what a model makes of an image (PS3.5 B.2, with a name-based UUID)."""
    name = f"{algorithm.name} {algorithm.version} {image.SOPInstanceUID} {what}"
    return UID(f"2.25.{uuid.uuid5(_NAMESPACE, name).int}")


def structured_report(image: Dataset, algorithm: Algorithm, findings: Findings) -> bytes:
    """Return the Comprehensive SR of a measurement, as a file.

    Args:
        image: what was measured
        algorithm: who measured
        findings: what it found
    """
    group = MeasurementsAndQualitativeEvaluations(
        TrackingIdentifier(uid=uid(algorithm, image, "tracking"), identifier=algorithm.name[:64]),
        measurements=[
            Measurement(
                name=CodedConcept.from_code(each.name),
                value=each.value,
                unit=CodedConcept.from_code(each.unit),
                algorithm_id=AlgorithmIdentification(
                    algorithm.name,
                    algorithm.version,
                    family=algorithm.family,
                    manufacturer=algorithm.manufacturer,
                ),
                referenced_images=[SourceImageForMeasurement.from_source_image(image)],
            )
            for each in findings.measurements
        ],
    )
    device = DeviceObserverIdentifyingAttributes(
        uid=UID(f"2.25.{uuid.uuid5(_NAMESPACE, f'{algorithm.name} {algorithm.version}').int}"),
        name=algorithm.name,
        manufacturer_name=algorithm.manufacturer,
    )
    context = ObservationContext(
        observer_device_context=ObserverContext(CodedConcept.from_code(codes.DCM.Device), device)
    )
    report = ComprehensiveSR(
        evidence=[image],
        content=MeasurementReport(
            context,
            procedure_reported=codes.SCT.ImagingProcedure,
            imaging_measurements=[group],
        ),
        series_instance_uid=uid(algorithm, image, "report series"),
        series_number=_REPORT_SERIES,
        sop_instance_uid=uid(algorithm, image, "report"),
        instance_number=1,
        is_complete=True,
        is_verified=False,
        **_equipment(algorithm),
    )
    return _file(report)


def presentation_state(image: Dataset, algorithm: Algorithm, findings: Findings) -> bytes:
    """Return the presentation state that draws the lines of a measurement, as a file."""
    layer = GraphicLayer(_LAYER, order=1, description="What an algorithm measured")
    lines = [
        # The upper left corner of an image is (0.5, 0.5) in graphics (PS3.3 C.10.5.1.2).
        GraphicObject("POLYLINE", np.array(line, dtype=float) + 0.5, "PIXEL")
        for line in findings.lines
    ]
    caption = TextObject(findings.caption, "DISPLAY", bounding_box=(0.02, 0.9, 0.98, 0.98))
    state = GrayscaleSoftcopyPresentationState(
        referenced_images=[image],
        series_instance_uid=uid(algorithm, image, "presentation series"),
        series_number=_PRESENTATION_SERIES,
        sop_instance_uid=uid(algorithm, image, "presentation"),
        instance_number=1,
        content_label=_LAYER,
        content_description=findings.caption[:64],
        graphic_layers=[layer],
        graphic_annotations=[
            GraphicAnnotation([image], layer, graphic_objects=lines, text_objects=[caption])
        ],
        **_equipment(algorithm),
    )
    return _file(state)


def _equipment(algorithm: Algorithm) -> _Equipment:
    """Return what both instances say of the device; VR LO holds 64 characters (PS3.5 6.2)."""
    return {
        "manufacturer": algorithm.manufacturer,
        "manufacturer_model_name": algorithm.name[:64],
        "software_versions": algorithm.version,
        "device_serial_number": _SERIAL,
        "series_description": algorithm.name[:64],
    }


def _file(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
