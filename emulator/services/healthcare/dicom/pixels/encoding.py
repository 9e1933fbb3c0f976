"""Compression of pixels: RLE by pydicom, JPEG-LS by CharLS, JPEG Lossless by GDCM, else by Pillow.

GDCM runs in a process of its own. pydicom would also call it for RLE, in this process.
"""

import io
from typing import Any

import numpy as np
import pydicom
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.multival import MultiValue
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000Lossless,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from emulator.services.healthcare.dicom.pixels import decoding, gdcm_codec
from emulator.services.healthcare.dicom.pixels.gdcm_encoder import Form

QUALITY = 90
"""Quality of a JPEG, 1 to 100."""
_PLUGINS = {
    RLELossless: "pydicom",
    JPEGLSLossless: "pyjpegls",
    JPEGLSNearLossless: "pyjpegls",
}
_LOSSLESS = frozenset({JPEG2000, JPEG2000Lossless, JPEGLossless, JPEGLosslessSV1})
"""Both UIDs of JPEG 2000 are encoded reversibly. GDCM also encodes signed values and 12 bits."""
SYNTAXES = frozenset({*_PLUGINS, *_LOSSLESS, JPEGBaseline8Bit})
_MAY_LOSE = frozenset({JPEGBaseline8Bit, JPEGLSNearLossless, JPEG2000})
"""Transfer syntaxes that allow a loss, though only JPEG loses anything here."""
_LOSES = frozenset({JPEGBaseline8Bit})
_JPEG_METHOD = "ISO_10918_1"


class NotEncodableError(ValueError):
    """The picture can't be encoded; the message says why, without patient data."""


def compress(dataset: pydicom.FileDataset, syntax: UID) -> None:
    """Encode an uncompressed instance's pixels in place.

    Raises:
        NotEncodableError: they have no such form
        Exception: one of `pydicom_errors.DECODE_ERRORS`
    """
    form = _form(dataset, syntax)
    plain_bytes = len(dataset.PixelData)
    count = decoding.set_frame_count(dataset)
    frames = [_frame(dataset, number, form, syntax) for number in range(1, count + 1)]
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    if form.samples > 1:
        dataset.PlanarConfiguration = 0
        dataset.PhotometricInterpretation = _photometric(form, syntax)
    if syntax == JPEGBaseline8Bit:
        _record_loss(dataset, plain_bytes / max(1, sum(map(len, frames))))
    dataset.file_meta.TransferSyntaxUID = syntax


def is_lossy(syntax: str) -> bool:
    """Whether an encoding of this transfer syntax changes values."""
    return syntax in _LOSES


def frame(dataset: pydicom.FileDataset, number: int, syntax: UID) -> bytes:
    """Encode a frame of an instance, whatever its transfer syntax; frames count from 1.

    Raises:
        NotEncodableError: it has no such form
        Exception: one of `pydicom_errors.DECODE_ERRORS`
    """
    decoding.set_frame_count(dataset)
    return _frame(dataset, number, _form(dataset, syntax), syntax)


def _form(dataset: pydicom.FileDataset, syntax: UID) -> Form:
    """Return the form of an instance's values, or refuse values that can't be encoded."""
    if syntax not in SYNTAXES:
        raise NotEncodableError("there is no free encoder for it")
    if "PixelData" not in dataset:
        raise NotEncodableError("the instance has no integer pixel data")
    form = Form(
        int(dataset.Rows),
        int(dataset.Columns),
        int(dataset.SamplesPerPixel),
        int(dataset.BitsAllocated),
        int(dataset.BitsStored),
        bool(dataset.PixelRepresentation),
        decoding.photometric(dataset),
    )
    # The limits of Google's conformance statement, and of what the forms of JPEG can hold.
    if form.allocated == 1:
        raise NotEncodableError("pictures of single bits are served uncompressed only")
    if form.allocated > 16 and syntax != RLELossless:
        raise NotEncodableError(f"values of {form.allocated} bits are too large for it")
    frame_bytes = form.rows * form.columns * form.samples * form.allocated // 8
    if syntax in (JPEGLossless, JPEGLosslessSV1) and frame_bytes % 2:
        raise NotEncodableError("GDCM does not encode frames of an odd number of bytes")
    if form.photometric == "PALETTE COLOR" and syntax in _MAY_LOSE:
        raise NotEncodableError("it may change values, which are indexes of a palette")
    if syntax == JPEGBaseline8Bit and (form.allocated > 8 or form.signed):
        raise NotEncodableError("it holds unsigned values of 8 bits")
    return form


def _frame(dataset: pydicom.FileDataset, number: int, form: Form, syntax: UID) -> bytes:
    values = decoding.values(dataset, number)
    if syntax == JPEGBaseline8Bit:
        return _jpeg(values.astype(np.uint8), form)
    if syntax in JPEG2000TransferSyntaxes and form.stored == 8 and not form.signed:
        return _jpeg_2000(values.astype(np.uint8))
    if syntax not in _PLUGINS:
        return gdcm_codec.encode(values.tobytes(), form, str(syntax))
    encoded = get_encoder(syntax).encode(
        values,
        encoding_plugin=_PLUGINS[syntax],
        rows=form.rows,
        columns=form.columns,
        number_of_frames=1,
        samples_per_pixel=form.samples,
        bits_allocated=form.allocated,
        bits_stored=form.stored,
        pixel_representation=int(form.signed),
        photometric_interpretation=form.photometric,
        planar_configuration=0,
    )
    return bytes(encoded)  # CharLS returns a bytearray


def _jpeg(values: Any, form: Form) -> bytes:
    buffer = io.BytesIO()
    if form.samples == 1:
        Image.fromarray(values).save(buffer, "JPEG", quality=QUALITY)
        return buffer.getvalue()
    mode = "RGB" if form.photometric == "RGB" else "YCbCr"
    picture = Image.frombytes(mode, (form.columns, form.rows), values.tobytes())
    picture.save(buffer, "JPEG", quality=QUALITY, subsampling="4:2:2")
    return buffer.getvalue()


def _jpeg_2000(values: Any) -> bytes:
    buffer = io.BytesIO()
    # A bare codestream, reversible, whose components stay what they are.
    Image.fromarray(values).save(buffer, "JPEG2000", no_jp2=True, irreversible=False, mct=0)
    return buffer.getvalue()


def _photometric(form: Form, syntax: UID) -> str:
    """Return the photometric interpretation of encoded colours."""
    if syntax == JPEGBaseline8Bit:
        return "YBR_FULL_422"
    return "YBR_FULL" if form.photometric == "YBR_FULL_422" else form.photometric


def _record_loss(dataset: pydicom.FileDataset, ratio: float) -> None:
    """Record the lossy compression in the attributes (PS3.3 C.7.6.1.1.5)."""
    dataset.LossyImageCompression = "01"
    for keyword, value in (
        ("LossyImageCompressionRatio", f"{ratio:.4g}"),
        ("LossyImageCompressionMethod", _JPEG_METHOD),
    ):
        known = dataset.get(keyword)
        before = known if isinstance(known, MultiValue) else [] if known is None else [known]
        setattr(dataset, keyword, [*before, value])
