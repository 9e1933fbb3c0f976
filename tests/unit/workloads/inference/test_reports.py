"""Reports, presentation states and observations of a measured x-ray."""

import io
from functools import cache
from typing import cast

import pydicom
from highdicom.sr import MeasurementReport, srread
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from emulator.seed import dicom_file, records
from workloads.inference import reports
from workloads.inference.arrival import pixels_of
from workloads.inference.cardiothoracic import RATIO, CardiothoracicRatio
from workloads.inference.models import Findings
from workloads.inference.observation import observations

MODEL = CardiothoracicRatio()


@cache
def measured() -> tuple[Dataset, Findings]:
    image = pydicom.dcmread(io.BytesIO(dicom_file.build(records.load()[0])))
    return image, MODEL.measure(pixels_of(image))


def test_the_report_has_the_measurement_with_code_unit_algorithm_and_image() -> None:
    image, findings = measured()
    report = srread(io.BytesIO(reports.structured_report(image, MODEL.algorithm, findings)))
    assert report.StudyInstanceUID == image.StudyInstanceUID
    assert report.PatientID == image.PatientID
    [group] = cast(MeasurementReport, report.content).get_image_measurement_groups()
    [measurement] = group.get_measurements(name=RATIO)
    assert measurement.value == findings.measurements[0].value
    assert measurement.unit == codes.UCUM.Ratio
    [source] = measurement.referenced_images
    assert source.referenced_sop_instance_uid == image.SOPInstanceUID
    assert MODEL.algorithm.name in str(report)


def test_a_repetition_makes_instances_of_the_same_uids() -> None:
    image, findings = measured()
    for make in (reports.structured_report, reports.presentation_state):
        first, second = (
            pydicom.dcmread(io.BytesIO(make(image, MODEL.algorithm, findings))) for _ in range(2)
        )
        assert first.SOPInstanceUID == second.SOPInstanceUID != image.SOPInstanceUID
        assert first.SeriesInstanceUID == second.SeriesInstanceUID


def test_the_presentation_state_draws_both_widths() -> None:
    image, findings = measured()
    content = reports.presentation_state(image, MODEL.algorithm, findings)
    state = pydicom.dcmread(io.BytesIO(content))
    [annotation] = state.GraphicAnnotationSequence
    heart, chest = (each.GraphicData for each in annotation.GraphicObjectSequence)
    ratio = (heart[2] - heart[0]) / (chest[2] - chest[0])
    assert abs(ratio - findings.measurements[0].value) < 0.001
    assert "not for clinical use" in annotation.TextObjectSequence[0].UnformattedTextValue


def test_the_observation_names_patient_study_code_and_unit() -> None:
    image, findings = measured()
    [found] = observations(image, MODEL.algorithm, findings)
    assert found["subject"]["identifier"] == {"value": image.PatientID}
    assert found["derivedFrom"][0]["identifier"]["value"] == f"urn:oid:{image.StudyInstanceUID}"
    assert found["code"]["coding"][0]["code"] == RATIO.value
    assert found["valueQuantity"]["code"] == "{ratio}"
    assert found["valueQuantity"]["value"] == findings.measurements[0].value
    assert found["effectiveDateTime"] == "2000-01-03"
