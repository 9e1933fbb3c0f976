"""The interface of models: one takes an image, and returns measurements with codes and units."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.coding import Code

Pixels = NDArray[np.floating[Any]]
"""Rows x columns of one frame; bright is dense, as in MONOCHROME2."""
Point = tuple[float, float]
"""Column and row, from the upper left corner of the image, as PS3.3 C.10.5 counts them."""


class ModelError(Exception):
    """A model that can't be loaded, in a sentence for people."""


class NotMeasurableError(Exception):
    """An image that the model can't measure, in a sentence for people without patient data."""


@dataclass(frozen=True)
class Measurement:
    """A measured value.

    Attributes:
        name: what was measured
        value: in `unit`
        unit: of UCUM
    """

    name: Code
    value: float
    unit: Code


@dataclass(frozen=True)
class Findings:
    """The findings of a model in an image.

    Attributes:
        measurements: one at least
        lines: where it measured, to be drawn over the image
        caption: a few words beside the lines
    """

    measurements: Sequence[Measurement]
    lines: Sequence[tuple[Point, Point]] = ()
    caption: str = ""


@dataclass(frozen=True)
class Algorithm:
    """The identification of a model, as reports state it (PS3.16 TID 4019).

    Attributes:
        name: of the algorithm
        version: changes whenever its results may
        family: of algorithms, from CID 7162
        manufacturer: who made it
    """

    name: str
    version: str
    family: Code
    manufacturer: str


class Model(Protocol):
    """A model: a program that measures images."""

    @property
    def algorithm(self) -> Algorithm:
        """Who measures."""

    def refusal(self, header: Dataset) -> str:
        """Return why it does not measure an instance, by its attributes; empty if it does."""

    def measure(self, pixels: Pixels) -> Findings:
        """Measure an image.

        Raises:
            NotMeasurableError: there is nothing to measure in it
        """
