"""GDCM as a decoder of 12-bit JPEG Extended, called only in the process of GDCM.

pydicom refuses it to GDCM, which decodes it as DCMTK and dcm4che do:
https://github.com/tfmoraes/python-gdcm/issues/35
"""

import gdcm
from pydicom.pixels.decoders.base import DecodeRunner


def decode_jpeg_extended(src: bytes, runner: DecodeRunner) -> bytes:
    """Decode a frame.

    GDCM tries its 16-bit decoder first, which writes to stderr that it does not know 12 bits.

    Raises:
        RuntimeError: GDCM can't decode it
    """
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(src)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((runner.columns, runner.rows, 1))
    image.SetDataElement(element)
    photometric = gdcm.PhotometricInterpretation.GetPIType(str(runner.photometric_interpretation))
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(photometric))
    if runner.samples_per_pixel > 1:
        image.SetPlanarConfiguration(runner.planar_configuration)
    syntax = gdcm.TransferSyntax.GetTSType(str(runner.transfer_syntax))
    image.SetTransferSyntax(gdcm.TransferSyntax(syntax))
    image.SetPixelFormat(
        gdcm.PixelFormat(
            runner.samples_per_pixel,
            runner.bits_allocated,
            runner.bits_stored,
            runner.bits_stored - 1,
            runner.pixel_representation,
        )
    )
    buffer: str | None = image.GetBuffer()
    if buffer is None:
        raise RuntimeError("GDCM can't decode it")
    return buffer.encode("utf-8", "surrogateescape")
