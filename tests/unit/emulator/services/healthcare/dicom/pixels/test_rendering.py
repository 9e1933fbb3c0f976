"""Pictures of frames: windows, sizes, colours, and what can't be shown."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut

from emulator.errors import ApiError
from emulator.healthcare.dicom import rendering
from emulator.healthcare.dicom.rendering import PNG, View


def shown(path: Path, frame: int = 1, how: View | None = None) -> Any:
    return np.asarray(Image.open(io.BytesIO(rendering.render(path, frame, PNG, how))))


@pytest.fixture
def save(make: Any, tmp_path: Path) -> Any:
    def save(**elements: Any) -> Path:
        path = tmp_path / "file.dcm"
        path.write_bytes(make(**elements))
        return path

    return save


def test_frames_are_stretched_where_no_window_is_given(save: Any, pixels: Any) -> None:
    second = shown(save(pixels=pixels), 2)
    assert second.shape == (4, 6)
    assert (second.min(), second.max()) == (0, 255)


def test_windows_and_inversion(save: Any, pixels: Any) -> None:
    window = {"WindowCenter": "12", "WindowWidth": "2"}
    bright = shown(save(pixels=pixels, **window))
    assert (bright.ravel()[:11] == 0).all()
    assert (bright.ravel()[13:] == 255).all()
    dark = shown(save(pixels=pixels, PhotometricInterpretation="MONOCHROME1", **window))
    assert (dark == 255 - bright).all()
    asked = shown(save(pixels=pixels, **window), how=View(window=(6, 2, "LINEAR")))
    assert (asked.ravel()[7:] == 255).all()
    soft = shown(save(pixels=pixels), how=View(window=(12, 10, "SIGMOID")))
    assert soft.ravel()[12] == 127


def test_rescaled_sixteen_bit_values(save: Any) -> None:
    values = np.array([[0, 1000], [2000, 4000]], dtype=np.uint16)
    path = save(pixels=values, RescaleIntercept="-1000", RescaleSlope="1", WindowCenter="500.5",
                WindowWidth="1001")  # fmt: skip
    assert shown(path).tolist() == [[0, 0], [255, 255]]


def test_regions_and_sizes(save: Any, pixels: Any) -> None:
    how = rendering.view({"viewport": "30,30,0,0,3,2"})
    assert shown(save(pixels=pixels), how=how).shape == (20, 30)


@pytest.mark.parametrize(
    "query",
    [
        {"window": "1"},
        {"window": "1,0"},
        {"window": "1,2,cubic"},
        {"viewport": "5"},
        {"viewport": "99999,5"},
        {"viewport": "5,5,0,0,0,1"},
        {"quality": "0"},
        {"quality": "x"},
    ],
)
def test_parameters_that_are_refused(query: dict[str, str]) -> None:
    with pytest.raises(ApiError) as caught:
        rendering.view(query)
    assert caught.value.code == 400


def test_what_has_no_picture(save: Any, pixels: Any) -> None:
    with pytest.raises(ApiError) as caught:
        rendering.render(save(), 1, PNG)
    assert caught.value.code == 400
    with pytest.raises(ApiError) as caught:
        rendering.render(save(pixels=pixels), 3, PNG)
    assert caught.value.code == 404
    with pytest.raises(ApiError) as caught:
        rendering.render(save(pixels=pixels, BitsAllocated=16, BitsStored=16), 1, PNG)
    assert caught.value.code == 406


def test_lookup_table_without_values(save: Any, pixels: Any) -> None:
    table = Dataset()
    table.LUTDescriptor = [256, 0, 8]
    path = save(pixels=pixels, ModalityLUTSequence=[table])
    dataset = pydicom.dcmread(path)
    with pytest.raises(KeyError):
        apply_modality_lut(dataset.pixel_array, dataset)
    with pytest.raises(ApiError) as caught:
        rendering.render(path, 1, PNG)
    assert caught.value.code == 406
    assert "KeyError" in caught.value.message


@pytest.mark.parametrize(
    "query",
    [{"window": "nan,1"}, {"window": "1,inf"}, {"window": "1,nan"}, {"viewport": "inf,1"}],
)
def test_numbers_that_are_none_are_refused(query: dict[str, str]) -> None:
    with pytest.raises(ApiError, match="invalid window, viewport or quality"):
        rendering.view(query)
