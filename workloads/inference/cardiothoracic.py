"""The cardiothoracic ratio, measured by edges in a frontal chest radiograph. Not for clinical use.

The ratio is the greatest width of the heart over the greatest inner width of the chest. The method:

1. The midline is the brightest column of the middle third: spine and mediastinum.
2. On each side of it, the inner wall of the chest is where the mean of the rows of the upper lung
   rises most.
3. The diaphragm is where a strip of the lateral lung rises most, downwards.
4. In bands of rows above the diaphragm, the border of the heart is where the band falls most. The
   median of the bands counts.

An opacity beside the heart, such as an infiltration or an effusion, may be taken for its border.
The chest has to be upright in the picture and to fill it; AP views enlarge the heart.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
)

from workloads.inference.models import (
    Algorithm,
    Findings,
    Measurement,
    NotMeasurableError,
    Pixels,
    Point,
)

NAME = "cardiothoracic-ratio"
RATIO = Code("cardiothoracic-ratio", "99GHDICOM", "Cardiothoracic ratio")
"""Of an own scheme: PS3.16 has ratios of the fetal heart alone."""
CLASSES = frozenset({ComputedRadiographyImageStorage, DigitalXRayImageStorageForPresentation})
VIEWS = frozenset({"", "AP", "PA"})

LONGER_SIDE = 256
"""Pixels of the longer side in which edges are looked for; larger images are averaged."""
MIN_SIDE = 64
_EDGE = 5
"""Pixels on each side of an edge whose means are compared."""
_BAND, _BAND_STEP = 9, 3
"""Rows of a band, and between two bands."""
_UPPER_LUNG = (0.33, 0.62)
_DIAPHRAGM = (0.58, 0.80)
_WALL = (0.55, 0.93)
_LATERAL = (0.72, 0.90)
_BORDER = (0.24, 0.93)
"""Ranges to look in: of the rows, of the rows, of half the width, and twice of the wall's distance
from the midline."""
_BANDS = (0.13, 0.04)
"""The bands begin and end so far above the diaphragm, as a part of all rows."""
_MIN_CONTRAST = 0.02
"""Of the wall of the chest, as a part of the range of the picture."""


@dataclass(frozen=True)
class _Side:
    """Distances from the midline in pixels, and the row where the heart was measured."""

    wall: int
    heart: float
    row: int


class CardiothoracicRatio:
    """The measured cardiothoracic ratio."""

    algorithm = Algorithm(
        name="Measured cardiothoracic ratio (not for clinical use)",
        version="1",
        family=codes.cid7162.EdgeDetection,
        manufacturer="gcp-healthcare-dicom",
    )

    def refusal(self, header: Dataset) -> str:
        """Return why it does not measure an instance; empty for a frontal radiograph of a chest."""
        if header.get("SOPClassUID", "") not in CLASSES:
            return "it is not a radiograph"
        if str(header.get("BodyPartExamined", "CHEST")).upper() not in ("", "CHEST", "THORAX"):
            return "it does not show a chest"
        if str(header.get("ViewPosition", "") or "").upper() not in VIEWS:
            return "it is not a frontal view"
        return ""

    def measure(self, pixels: Pixels) -> Findings:
        """Measure the ratio.

        Raises:
            NotMeasurableError: the image is too small, or shows no wall of the chest
        """
        scale = max(1, max(pixels.shape) // LONGER_SIDE)
        small = _reduced(pixels, scale)
        if min(small.shape) < MIN_SIDE:
            raise NotMeasurableError(f"The image is smaller than {MIN_SIDE} pixels.")
        middle = _midline(small)
        half = min(middle, small.shape[1] - middle)
        halves = small[:, middle - half : middle][:, ::-1], small[:, middle : middle + half]
        walls = _walls(*halves)
        right, left = (_side(each, wall) for each, wall in zip(halves, walls, strict=True))
        ratio = (right.heart + left.heart) / (right.wall + left.wall)
        row = (right.row + left.row) // 2

        def line(to_right: float, to_left: float, at: int) -> tuple[Point, Point]:
            ends = (middle - to_right, middle + to_left)
            return (ends[0] * scale, at * scale), (ends[1] * scale, at * scale)

        return Findings(
            [Measurement(RATIO, round(float(ratio), 3), codes.UCUM.Ratio)],
            [
                line(right.heart, left.heart, row),
                line(right.wall, left.wall, min(row + _BAND, small.shape[0] - 1)),
            ],
            f"Cardiothoracic ratio {ratio:.2f}, not for clinical use",
        )


def _reduced(pixels: Pixels, scale: int) -> Pixels:
    """Return the means of squares, from 0 for the darkest to 1 for the brightest ones."""
    rows, columns = (size // scale * scale for size in pixels.shape)
    squares = pixels[:rows, :columns].reshape(rows // scale, scale, columns // scale, scale)
    means = squares.mean(axis=(1, 3))
    low, high = np.percentile(means, (1, 99))
    if not high > low:
        raise NotMeasurableError("The image has a single grey value.")
    scaled: Pixels = np.clip((means - low) / (high - low), 0.0, 1.0)
    return scaled


def _midline(image: Pixels) -> int:
    rows, columns = image.shape
    profile = image[rows // 5 : rows * 4 // 5].mean(axis=0)
    width = columns // 12 | 1
    smooth: NDArray[np.floating[Any]] = np.convolve(profile, np.ones(width) / width, mode="same")
    third = columns // 3
    brightest = int(smooth[third : 2 * third].argmax())
    return int(third + brightest)


def _walls(*halves: Pixels) -> list[int]:
    """Return where the inner wall of the chest is on each side, from the midline on.

    An opacity may hide it on one side: that side then has the distance of the other one.
    """
    edges = []
    for half in halves:
        rows, columns = half.shape
        upper = half[_part(rows, _UPPER_LUNG)].mean(axis=0)
        edges.append(_steepest(upper, _part(columns, _WALL)))
    seen = [index for index, rise in edges if rise >= _MIN_CONTRAST]
    if not seen:
        raise NotMeasurableError("The image does not show the inner wall of the chest.")
    return [index if rise >= _MIN_CONTRAST else seen[0] for index, rise in edges]


def _side(half: Pixels, wall: int) -> _Side:
    """Measure one side, whose first column is the midline."""
    rows = half.shape[0]
    lateral = half[:, _part(wall, _LATERAL)].mean(axis=1)
    diaphragm, _ = _steepest(lateral, _part(rows, _DIAPHRAGM))
    first, last = (diaphragm - int(part * rows) for part in _BANDS)
    around = _BAND // 2
    borders = [
        _steepest(-half[row - around : row + around + 1].mean(axis=0), _part(wall, _BORDER))[0]
        for row in range(first, last, _BAND_STEP)
    ]
    return _Side(wall, float(np.median(borders)), (first + last) // 2)


def _part(size: int, part: tuple[float, float]) -> slice:
    return slice(int(size * part[0]), int(size * part[1]))


def _steepest(profile: NDArray[np.floating[Any]], within: slice) -> tuple[int, float]:
    """Return where a profile rises most, and how much.

    Args:
        profile: grey values along a line
        within: where to look
    """
    sums = np.concatenate(([0.0], np.cumsum(profile)))
    means = (sums[_EDGE:] - sums[:-_EDGE]) / _EDGE
    rises = (means[_EDGE:] - means[:-_EDGE])[within.start - _EDGE : within.stop - _EDGE]
    index = int(rises.argmax())
    return within.start + index, float(rises[index])
