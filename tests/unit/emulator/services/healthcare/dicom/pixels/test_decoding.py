"""Pixels of every kind, whole and damaged."""

import base64
import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import HTJ2K, UID, HTJ2KLossless, HTJ2KLosslessRPCL, RLELossless

from emulator.core.errors import ApiError
from emulator.services.healthcare.dicom.pixels import decoding, gdcm_codec, rendering
from tests.support.dicom_files import make_dicom

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


GREY_HTJ2K = (
    "/0//UQApQAAAAAAIAAAACAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAUEBEAB/1wA"
    "EyCIkJCQkJCQkJCQkJCQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAFkAAf+TwAAmDfoFB3QAAADAABLA"
    "ABMAUAGHdACM+gMHdADAABNAABOAJNIBAnQAMpXpAKNUAMAAKiAAFWAIgiCqcIJ1AE46ceLkwEIB7LYA/9k="
)
"""64 values `37 * n % 4096` of 16 bits, by OpenJPH."""
COLOUR_HTJ2K = (
    "/0//UQAvQAAAAAAIAAAACAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAADBwEBBwEBBwEB/1AACAACAAAAA/9SAAwAAgABAQUE"
    "BEAB/1wAEyBQWFhYWFhYWFhYWFhYUFBQ/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAGEAAf+TwBKAgQEHdADA"
    "EgD+AGMAwBGAAGMAAAAAAAAAwAlgBKD6AMd0ANoBB3QAAADACWAEwOQAQnQAavUAI1QAAADAEsAVIACp4nQArnPuwAAB7LYA"
    "AAD/2Q=="
)
"""192 samples of 8 bits, each one more than the one before, by OpenJPH."""


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K])
def test_high_throughput_jpeg_2000_is_decoded(tmp_path: Path, syntax: UID) -> None:
    grey = (np.arange(64) * 37 % 4096).astype(np.uint16).reshape(8, 8)
    colour = np.arange(192).astype(np.uint8).reshape(8, 8, 3)
    for values, encoded in ((grey, GREY_HTJ2K), (colour, COLOUR_HTJ2K)):
        dataset = pydicom.dcmread(io.BytesIO(make_dicom(pixels=grey)))
        if values is colour:
            dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
            dataset.PhotometricInterpretation = "YBR_RCT"
            dataset.BitsAllocated = dataset.BitsStored = 8
            dataset.HighBit = 7
        dataset.PixelData = encapsulate([base64.b64decode(encoded)])
        dataset["PixelData"].VR = "OB"
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(tmp_path / "file")
        assert decoding.frame(decoding.read(tmp_path / "file"), 1) == values.tobytes()


def test_jpeg_of_twelve_bits_is_decoded() -> None:
    # Values that other decoders give.
    path = Path(str(get_testdata_file("JPGExtended.dcm")))
    values = np.frombuffer(decoding.frame(decoding.read(path), 1), "<u2").reshape(1024, 256)
    assert (values[420, 140], values[230, 120]) == (244, 95)
    assert rendering.render(path, 1, rendering.PNG).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "name",
    [
        "SC_rgb_dcmtk_+eb+cy+np.dcm",  # YBR_FULL_422, colours by pixel
        "SC_rgb_dcmtk_+eb+cy+s2.dcm",  # YBR_FULL_422
        "SC_rgb_dcmtk_+eb+cy+s4.dcm",  # YBR_FULL
        "SC_rgb_dcmtk_+eb+cr.dcm",  # RGB
        "examples_ybr_color.dcm",  # YBR_FULL_422, 30 frames
        "examples_jpeg2k.dcm",  # YBR_RCT
    ],
)
def test_a_decoded_frame_has_the_colours_of_the_decoded_file(name: str) -> None:
    dataset, whole = read(name), read(name)
    decoding.decompress(whole)
    assert (whole.PhotometricInterpretation, decoding.photometric(dataset)) == ("RGB", "RGB")
    frame = decoding.frame(dataset, 1)
    assert whole.PixelData.startswith(frame)
    assert len(frame) == whole.Rows * whole.Columns * 3


def test_decoded_colours_of_a_lossless_syntax_are_those_that_are_stored() -> None:
    """Its values are YBR_FULL: a change to RGB rounds them."""
    colours = np.random.default_rng(7).integers(0, 255, (4, 6, 3), dtype=np.uint8)
    dataset = read("SC_rgb_small_odd.dcm")
    dataset.set_pixel_data(colours, "YBR_FULL", 8, generate_instance_uid=False)
    dataset.compress(RLELossless, generate_instance_uid=False)
    assert decoding.photometric(dataset) == "YBR_FULL"
    assert decoding.frame(dataset, 1) == colours.tobytes()
    decoding.decompress(dataset)
    assert dataset.PhotometricInterpretation == "YBR_FULL"
    assert dataset.PixelData == colours.tobytes()
    # A label for pairs of pixels, which decoded values are not.
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    frame = decoding.frame(dataset, 1)
    decoding.decompress(dataset)
    assert (dataset.PhotometricInterpretation, dataset.PixelData) == ("RGB", frame)


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
    assert gdcm_codec.NAME in plugins
    assert "gdcm" not in plugins


def test_signs_are_corrected_when_a_file_is_decompressed() -> None:
    dataset = read("J2K_pixelrep_mismatch.dcm")
    expected = dataset.pixel_array
    decoding.decompress(dataset)
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    buffer.seek(0)
    assert np.array_equal(pydicom.dcmread(buffer).pixel_array, expected)
