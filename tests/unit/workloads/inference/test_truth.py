"""The measured ratio on the lab's 405 synthetic x-rays, whose findings are known."""

from pathlib import Path

import pydicom

from emulator.seed import ensure_public_bucket
from workloads.inference.arrival import pixels_of
from workloads.inference.cardiothoracic import CardiothoracicRatio

CUT_OFF = 0.485
MIN_SENSITIVITY, MIN_SPECIFICITY = 0.95, 0.85
"""Measured: 0.979 and 0.869. Opacities beside the heart cost specificity."""


def test_the_ratio_separates_cardiomegaly_from_the_rest(tmp_path: Path) -> None:
    ensure_public_bucket(tmp_path)
    model = CardiothoracicRatio()
    large: list[float] = []
    rest: list[float] = []
    for file in sorted(tmp_path.rglob("*.dcm")):
        image = pydicom.dcmread(file)
        [measured] = model.measure(pixels_of(image)).measurements
        has_finding = "Cardiomegaly" in image.StudyDescription
        (large if has_finding else rest).append(measured.value)
    assert (len(large), len(rest)) == (47, 358)
    sensitivity = sum(value > CUT_OFF for value in large) / len(large)
    specificity = sum(value <= CUT_OFF for value in rest) / len(rest)
    assert sensitivity >= MIN_SENSITIVITY, f"sensitivity {sensitivity:.3f}"
    assert specificity >= MIN_SPECIFICITY, f"specificity {specificity:.3f}"
