"""Draw an image that looks like a frontal chest radiograph, but is not one of any person.

Only additions, multiplications, divisions and comparisons of single elements are used, and the
random numbers are PCG64's raw output: IEEE 754 and numpy's promise for bit generators then give
the same bytes on every machine, which sums, exponentials and sines do not.
"""

import hashlib
from typing import Any

import numpy as np
from numpy.random import PCG64
from numpy.typing import NDArray

from emulator.seed import glyphs
from emulator.seed.records import ImageRecord

LONGER_SIDE = 256
"""Pixels of the longer side; the shorter one keeps the original's aspect ratio."""

Plane = NDArray[np.floating[Any]]


class Draws:
    """Uniform random numbers, seeded by a text."""

    def __init__(self, text: str) -> None:
        digest = hashlib.sha256(text.encode()).digest()
        self._bits = PCG64(int.from_bytes(digest[:16], "big"))

    def between(self, low: float, high: float) -> float:
        """Draw one number."""
        return low + (high - low) * float(self.plane(1, 1)[0, 0])

    def plane(self, rows: int, columns: int) -> Plane:
        """Draw a plane of numbers in [0, 1)."""
        raw = self._bits.random_raw(rows * columns)
        return (raw >> np.uint64(40)).astype(np.float32).reshape(rows, columns) / 2.0**24


def size(record: ImageRecord) -> tuple[int, int]:
    """Return the rows and columns of the image."""
    long_side = max(record.width, record.height)
    rows = (record.height * LONGER_SIDE + long_side // 2) // long_side
    columns = (record.width * LONGER_SIDE + long_side // 2) // long_side
    return rows, columns


def _soft(value: Plane) -> Plane:
    """Return a smooth step from 0 to 1."""
    bounded = np.clip(value, 0.0, 1.0)
    smooth: Plane = bounded * bounded * (3.0 - 2.0 * bounded)
    return smooth


def _noise(draws: Draws, shape: tuple[int, int], cells: int) -> Plane:
    """Return smooth noise in [0, 1): random values on a grid, interpolated."""
    grid = draws.plane(cells + 2, cells + 2)
    row = np.arange(shape[0], dtype=np.float32) * (cells / shape[0])
    column = np.arange(shape[1], dtype=np.float32) * (cells / shape[1])
    top, left = row.astype(np.int64), column.astype(np.int64)
    down = (row - top).astype(np.float32)[:, None]
    right = (column - left).astype(np.float32)[None, :]
    upper = grid[np.ix_(top, left)] * (1.0 - right) + grid[np.ix_(top, left + 1)] * right
    lower = grid[np.ix_(top + 1, left)] * (1.0 - right) + grid[np.ix_(top + 1, left + 1)] * right
    between: Plane = upper * (1.0 - down) + lower * down
    return between


class _Chest:
    """An image that is being drawn: x runs from -1 (the patient's right) to 1, y from 0 to 1."""

    def __init__(self, record: ImageRecord) -> None:
        self.record = record
        self.person = Draws(f"person {record.patient_id}")
        self.draws = Draws(f"image {record.image}")
        self.shape = size(record)
        shift = self.draws.between(-0.04, 0.04)
        rows, columns = self.shape
        down = (np.arange(rows, dtype=np.float32) + 0.5) / rows
        self.y = down[:, None] + self.draws.between(-0.025, 0.025)
        across = (np.arange(columns, dtype=np.float32) + 0.5) / columns * 2.0 - 1.0
        self.x = across[None, :] + shift
        self.supine = record.view == "AP"

    def ellipse(self, x: float, y: float, across: float, along: float, edge: float) -> Plane:
        """Return 1 inside, 0 outside, with a soft edge."""
        distance = ((self.x - x) / across) ** 2 + ((self.y - y) / along) ** 2
        return _soft((1.0 - distance) / edge)

    def body(self) -> Plane:
        """Return the trunk: grey, darker at the rim, with shoulders and neck."""
        waist = 0.86 + self.person.between(-0.04, 0.06)
        shoulders = _soft((self.y - 0.02 - 0.16 * self.x * self.x) / 0.10)
        sides = _soft((waist + 0.10 * (1.0 - self.y) - np.abs(self.x)) / 0.16)
        neck = _soft((0.24 - np.abs(self.x)) / 0.12)
        return 0.03 + 0.50 * np.maximum(shoulders * sides, neck * sides)

    def lungs(self) -> Plane:
        """Both lungs, 0 to 1: an upper dome and a base that the diaphragm cuts."""
        width = self.person.between(0.31, 0.36)
        bottom = 0.80 if "Emphysema" in self.record.labels else 0.75
        bottom -= (0.06 if self.supine else 0.0) + self.person.between(-0.01, 0.02)
        mask: Plane = np.zeros(self.shape, dtype=np.float32)
        for side in (-1.0, 1.0):
            field = self.ellipse(side * 0.42, 0.46, width, 0.40, 0.16)
            inner = _soft((np.abs(self.x) - 0.10) / 0.07)
            dome = bottom - (0.035 if side < 0 else 0.0)
            arch = dome + 0.30 * (self.x - side * 0.34) ** 2
            mask = np.maximum(
                mask, field * inner * _soft((arch - self.y) / 0.035) * (self.x * side > 0)
            )
        return mask

    def ribs(self) -> Plane:
        """Nine pairs: the back parts bright and flat, the front parts faint and steep."""
        slope = self.person.between(0.20, 0.28)
        plane: Plane = np.zeros(self.shape, dtype=np.float32)
        away = np.abs(self.x)
        for number in range(9):
            line = 0.13 + 0.078 * number
            back = (self.y - line - slope * (away - 0.35) ** 2 + 0.02) / 0.0125
            plane = plane + 0.10 * _soft(1.2 - back * back)
            front = (self.y - line - 0.05 - 0.22 * (0.80 - away)) / 0.014
            plane = plane + 0.045 * _soft(1.2 - front * front) * _soft((away - 0.28) / 0.2)
        return plane * _soft((0.80 - away) / 0.1) * _soft((away - 0.08) / 0.06)

    def spine(self) -> Plane:
        """Return the column of vertebrae behind the middle."""
        column = _soft((0.105 - np.abs(self.x)) / 0.05)
        step = self.y * 17.0
        ripple = step - np.floor(step) - 0.5
        return column * (0.13 + 0.05 * _soft(1.0 - 9.0 * ripple * ripple)) * _soft(self.y / 0.1)

    def heart(self) -> Plane:
        """Heart, aortic arch and the vessels at the hila; larger in AP and in cardiomegaly."""
        large = 1.0 + (0.10 if self.supine else 0.0)
        large += 0.28 if "Cardiomegaly" in self.record.labels else 0.0
        large *= self.person.between(0.94, 1.06)
        shadow = self.ellipse(0.13 * large, 0.62, 0.30 * large, 0.165 * large, 0.22)
        shadow = np.maximum(shadow, self.ellipse(-0.08, 0.60, 0.16 * large, 0.14, 0.25))
        shadow = np.maximum(shadow, 0.9 * self.ellipse(0.13, 0.29, 0.10, 0.062, 0.5))
        vessels = np.maximum(
            self.ellipse(-0.22, 0.45, 0.10, 0.085, 1.0), self.ellipse(0.24, 0.43, 0.10, 0.085, 1.0)
        )
        both: Plane = np.maximum(shadow, 0.45 * vessels)
        return both

    def clavicles(self) -> Plane:
        """Both collar bones; higher over the lungs in AP."""
        away = np.abs(self.x)
        line = (0.115 if self.supine else 0.15) - 0.11 * away + 0.10 * away * away
        bone = (self.y - line) / 0.018
        return (
            0.15
            * _soft(1.3 - bone * bone)
            * _soft((away - 0.09) / 0.05)
            * _soft((0.82 - away) / 0.1)
        )

    def scapulae(self) -> Plane:
        """Shoulder blades, which lie over the lungs in AP only."""
        offset = 0.66 if self.supine else 0.84
        blades = [self.ellipse(side * offset, 0.28, 0.13, 0.16, 0.35) for side in (-1.0, 1.0)]
        return 0.10 * np.maximum(*blades)

    def findings(self, lungs: Plane) -> Plane:
        """Draw the findings within the lungs, at random positions."""
        labels, draws = self.record.labels, self.draws
        side = -1.0 if draws.between(0.0, 1.0) < 0.5 else 1.0
        plane: Plane = np.zeros(self.shape, dtype=np.float32)
        patches = _noise(draws, self.shape, 7)
        if labels & {"Infiltration", "Pneumonia", "Consolidation", "Edema", "Fibrosis"}:
            both = 1.0 if "Edema" in labels else _soft(0.5 + side * self.x * 2.0)
            plane = plane + 0.30 * _soft((patches - 0.42) / 0.4) * both
        if "Effusion" in labels:
            level = 0.62 - 0.05 * side * self.x
            plane = plane + 0.36 * _soft((self.y - level) / 0.10) * (self.x * side > 0)
        if "Atelectasis" in labels:
            band = (self.y - 0.60 - 0.1 * side * self.x) / 0.016
            plane = plane + 0.22 * _soft(1.2 - band * band) * (self.x * side > 0.1)
        for label, radius in (("Mass", 0.10), ("Nodule", 0.035)):
            if label in labels:
                x, y = side * draws.between(0.30, 0.58), draws.between(0.28, 0.56)
                plane = plane + 0.30 * self.ellipse(x, y, radius, radius / 2.0, 0.5)
        if "Pneumothorax" in labels:
            plane = plane - 0.10 * _soft((side * self.x - 0.50) / 0.08) * _soft(
                (0.5 - self.y) / 0.1
            )
        if "Emphysema" in labels:
            plane = plane - 0.05
        return plane * lungs

    def marks(self, pixels: NDArray[np.uint8]) -> None:
        """Burn in SYNTHETIC, the view, and the marker of the patient's left side."""
        rows, columns = self.shape
        words = (
            ("SYNTHETIC", 3, rows - 32, (columns - 159) // 2),
            (self.record.view, 2, 8, 8),
            ("L", 3, 10, columns - 26),
        )
        for word, scale, top, left in words:
            mask = glyphs.stencil(word, scale)
            high, wide = mask.shape
            pixels[top - 3 : top + high + 3, left - 3 : left + wide + 3] //= 4
            pixels[top : top + high, left : left + wide][mask] = 250


def draw(record: ImageRecord) -> NDArray[np.uint8]:
    """Draw the image of a record.

    Returns:
        Grey values, shape `size(record)`, bones bright (MONOCHROME2).
    """
    chest = _Chest(record)
    lungs = chest.lungs()
    plane = chest.body() - 0.36 * lungs
    plane = plane + 0.17 * _noise(chest.draws, chest.shape, 34) * lungs
    plane = plane + chest.ribs() + chest.clavicles() + chest.scapulae() + chest.findings(lungs)
    plane = np.minimum(plane, 0.66)
    assert plane.dtype == np.float32
    heart = chest.heart()
    plane = plane * (1.0 - heart) + np.maximum(plane, 0.62) * heart + chest.spine()
    grain = chest.draws.plane(*chest.shape) - 0.5
    plane = plane + 0.05 * (_noise(chest.draws, chest.shape, 60) - 0.5) + 0.035 * grain
    pixels: NDArray[np.uint8] = (np.clip(plane, 0.0, 1.0) * 243.0 + 0.5).astype(np.uint8)
    chest.marks(pixels)
    return pixels
