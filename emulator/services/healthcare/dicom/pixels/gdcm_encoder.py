"""GDCM as an encoder, called only in the process of GDCM."""

from dataclasses import dataclass

import gdcm

_INTERPRETATIONS = {"YBR_FULL_422": "YBR_FULL"}
"""Photometric interpretations of values whose colours are stored by pixel."""


@dataclass(frozen=True)
class Form:
    """The form of a frame's values.

    Attributes:
        rows, columns, samples: its shape
        allocated, stored: bits of a value
        signed: whether values are signed
        photometric: the photometric interpretation
    """

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    signed: bool
    photometric: str


def encode(content: bytes, form: Form, syntax: str) -> bytes:
    """Encode a frame whose colours are by pixel.

    Raises:
        RuntimeError: GDCM can't encode it
    """
    # What an image of GDCM's is made of must outlive it: the writer, too.
    writer = gdcm.ImageWriter()
    image = writer.GetImage()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((form.columns, form.rows, 1))
    interpretation = gdcm.PhotometricInterpretation.GetPIType(
        _INTERPRETATIONS.get(form.photometric, form.photometric)
    )
    if interpretation == gdcm.PhotometricInterpretation.PI_END:
        raise RuntimeError("unknown photometric interpretation")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(interpretation))
    plain = gdcm.TransferSyntax.ImplicitVRLittleEndian
    image.SetTransferSyntax(gdcm.TransferSyntax(plain))
    high = form.stored - 1
    image.SetPixelFormat(
        gdcm.PixelFormat(form.samples, form.allocated, form.stored, high, int(form.signed))
    )
    if form.samples > 1:
        image.SetPlanarConfiguration(0)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetByteStringValue(content)
    image.SetDataElement(element)
    converter = gdcm.ImageChangeTransferSyntax()
    converter.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    converter.SetInput(image)
    if not converter.Change():
        raise RuntimeError("GDCM can't encode it")
    fragments = converter.GetOutput().GetDataElement().GetSequenceOfFragments()
    if fragments is None or fragments.GetNumberOfFragments() != 1:
        raise RuntimeError("GDCM returned more than one fragment")
    buffer: str = fragments.GetFragment(0).GetByteValue().GetBuffer()
    return buffer.encode("utf-8", "surrogateescape")
