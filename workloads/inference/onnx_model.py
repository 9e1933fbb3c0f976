"""A model in an ONNX file, with a description of its input and outputs beside it.

The description is a JSON object:

    {"file": "model.onnx", "name": "...", "version": "1", "manufacturer": "...",
     "sopClasses": ["1.2.840.10008.5.1.4.1.1.1.1.1"], "size": [224, 224],
     "outputs": [{"code": "...", "scheme": "99...", "meaning": "...", "unit": "1"}]}

The input is one picture, 1 x 1 x rows x columns of float32 from 0 to 1; the first output of the
model holds a number for each of `outputs`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from workloads.inference.models import (
    Algorithm,
    Findings,
    Measurement,
    ModelError,
    NotMeasurableError,
    Pixels,
)

_KEYS = frozenset({"file", "name", "version", "manufacturer", "sopClasses", "size", "outputs"})


class OnnxModel:
    """A model that ONNX Runtime evaluates.

    Args:
        description: the content of its description
        file: the model

    Raises:
        ModelError: ONNX Runtime is missing, or can't read the file
    """

    def __init__(self, description: Mapping[str, Any], file: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelError(
                "ONNX Runtime is not installed: install the packages of"
                " workloads/inference/requirements-onnx.txt."
            ) from error
        try:
            self._session = onnxruntime.InferenceSession(str(file))
        except Exception as error:  # its exceptions have no base of their own
            raise ModelError(f"{file} can't be read as an ONNX model: {error}") from error
        self._input = self._session.get_inputs()[0].name
        self._classes = frozenset(description["sopClasses"])
        self._size = tuple(int(each) for each in description["size"])
        self._outputs = [
            (Code(one["code"], one["scheme"], one["meaning"]), Code(one["unit"], "UCUM", "unit"))
            for one in description["outputs"]
        ]
        self.algorithm = Algorithm(
            description["name"],
            description["version"],
            codes.cid7162.ArtificialIntelligence,
            description["manufacturer"],
        )

    def refusal(self, header: Dataset) -> str:
        """Return why it does not measure an instance, by its attributes; empty if it does."""
        known = header.get("SOPClassUID", "") in self._classes
        return "" if known else "its SOP class is not one of the model's"

    def measure(self, pixels: Pixels) -> Findings:
        """Evaluate the model.

        Raises:
            NotMeasurableError: it has other outputs than described
        """
        picture = _resized(pixels, self._size)[None, None].astype(np.float32)
        values = np.ravel(self._session.run(None, {self._input: picture})[0])
        if len(values) != len(self._outputs) or not np.isfinite(values).all():
            raise NotMeasurableError(
                f"The model returned {len(values)} numbers, or some that are not finite;"
                f" {len(self._outputs)} are described."
            )
        pairs = zip(self._outputs, values, strict=True)
        return Findings([Measurement(name, float(value), unit) for (name, unit), value in pairs])


def read(description: Path) -> OnnxModel:
    """Return the model of a description.

    Raises:
        ModelError: it can't be read, lacks a key, or its file can't be used
    """
    try:
        content = json.loads(description.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{description} can't be read as a description: {error}") from error
    missing = sorted(_KEYS - content.keys()) if isinstance(content, dict) else sorted(_KEYS)
    if missing:
        raise ModelError(f"{description} lacks {', '.join(missing)}.")
    return OnnxModel(content, description.parent / content["file"])


def _resized(pixels: Pixels, size: tuple[int, ...]) -> Pixels:
    """Return the nearest pixels, from 0 for the darkest to 1 for the brightest one."""
    rows, columns = (
        np.linspace(0, have - 1, want).round().astype(int)
        for have, want in zip(pixels.shape, size, strict=True)
    )
    chosen = pixels[np.ix_(rows, columns)]
    spread = float(np.ptp(chosen)) or 1.0
    scaled: Pixels = (chosen - chosen.min()) / spread
    return scaled
