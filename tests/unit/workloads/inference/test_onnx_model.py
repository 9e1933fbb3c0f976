"""Models in ONNX files, by their description."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from pydicom.dataset import Dataset

from workloads.inference.loading import load
from workloads.inference.models import ModelError

DESCRIPTION = {
    "file": "mean.onnx",
    "name": "Mean",
    "version": "1",
    "manufacturer": "tests",
    "sopClasses": ["1.2.840.10008.5.1.4.1.1.1.1"],
    "size": [4, 4],
    "outputs": [{"code": "mean", "scheme": "99TEST", "meaning": "Mean", "unit": "1"}],
}


@pytest.fixture
def description(tmp_path: Path) -> Path:
    """A model that returns the mean of its input."""
    node = helper.make_node("ReduceMean", ["picture"], ["mean"], keepdims=0)
    graph = helper.make_graph(
        [node],
        "mean",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 1, 4, 4])],
        [helper.make_tensor_value_info("mean", TensorProto.FLOAT, [])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "mean.onnx")
    path = tmp_path / "mean.json"
    path.write_text(json.dumps(DESCRIPTION))
    return path


def test_a_model_measures_by_its_description(description: Path) -> None:
    model = load(str(description))
    pixels = np.zeros((8, 8), dtype=np.float32)
    pixels[:, 4:] = 200
    [measured] = model.measure(pixels).measurements
    assert measured.value == pytest.approx(0.5)
    assert (measured.name.value, measured.unit.value) == ("mean", "1")
    assert model.algorithm.name == "Mean"


def test_it_takes_the_classes_of_its_description_alone(description: Path) -> None:
    model = load(str(description))
    header = Dataset()
    header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    assert model.refusal(header) == ""
    header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    assert model.refusal(header) == "its SOP class is not one of the model's"


def test_errors_name_what_is_wrong(description: Path, tmp_path: Path) -> None:
    (tmp_path / "mean.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"mean\.onnx can't be read as an ONNX model"):
        load(str(description))
    description.write_text(json.dumps({"file": "mean.onnx"}))
    with pytest.raises(ModelError, match="lacks manufacturer, name, outputs"):
        load(str(description))
    with pytest.raises(ModelError, match=r"'resnet' is not a model\. Name cardiothoracic-ratio"):
        load("resnet")
