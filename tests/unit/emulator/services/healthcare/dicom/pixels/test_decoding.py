"""Pixels of every kind, whole and damaged."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels.decoders.base import get_decoder

from emulator.errors import ApiError
from emulator.healthcare.dicom import decoding, isolated_decoder, rendering

LOSSLESS = "SC_rgb_jpeg_gdcm.dcm"


def read(name: str) -> pydicom.FileDataset:
    return pydicom.dcmread(str(get_testdata_file(name)))


def damaged() -> bytes:
    """A JPEG Lossless picture with a sampling factor on which GDCM ends its process."""
    content = bytearray(Path(str(get_testdata_file(LOSSLESS))).read_bytes())
    content[content.rfind(b"\xff\xd8\xff") + 22] = 87
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "same"),
    [
        (LOSSLESS, "SC_rgb_small_odd.dcm"),
        ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
        ("MR_small_jp2klossless.dcm", "MR_small.dcm"),
        ("MR_small_RLE.dcm", "MR_small.dcm"),
    ],
)
def test_lossless_syntaxes_give_the_pixels_back(name: str, same: str) -> None:
    decoded = read(name).pixel_array
    if name == LOSSLESS:
        assert decoded.shape == (100, 100, 3)
        assert tuple(decoded[5, 50]) == (255, 0, 0)
    else:
        assert np.array_equal(decoded, read(same).pixel_array)


def test_a_picture_that_kills_its_decoder_is_an_error_and_the_next_one_is_read(
    tmp_path: Path,
) -> None:
    path = tmp_path / "damaged.dcm"
    path.write_bytes(damaged())
    with pytest.raises(ApiError, match="can't be decoded") as refusal:
        rendering.render(path, 1, rendering.PNG)
    assert refusal.value.code == 406
    assert read(LOSSLESS).pixel_array.shape == (100, 100, 3)


def test_no_decoder_that_may_kill_runs_in_this_process() -> None:
    plugins = get_decoder(pydicom.uid.JPEGLosslessSV1).available_plugins
    assert isolated_decoder.NAME in plugins
    assert "gdcm" not in plugins


def test_signs_are_corrected_when_a_file_is_decompressed() -> None:
    dataset = read("J2K_pixelrep_mismatch.dcm")
    expected = dataset.pixel_array
    decoding.decompress(dataset)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    buffer.seek(0)
    assert np.array_equal(pydicom.dcmread(buffer).pixel_array, expected)
