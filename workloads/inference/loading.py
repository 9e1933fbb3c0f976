"""Models by their configuration: the measured ratio, or a description of an ONNX model."""

from pathlib import Path

from workloads.inference import cardiothoracic, onnx_model
from workloads.inference.cardiothoracic import CardiothoracicRatio
from workloads.inference.models import Model, ModelError


def load(name: str) -> Model:
    """Return a model.

    Args:
        name: `cardiothoracic-ratio`, or the path of the description of an ONNX model

    Raises:
        ModelError: there is no such model, or it can't be used
    """
    if name == cardiothoracic.NAME:
        return CardiothoracicRatio()
    if not name.endswith(".json"):
        raise ModelError(
            f"{name!r} is not a model. Name {cardiothoracic.NAME}, or the path of a description"
            " that ends with .json."
        )
    return onnx_model.read(Path(name))
