"""GDCM as an encoder: only to be called in a process of its own."""

from dataclasses import dataclass

import gdcm

_KINDS = {"YBR_FULL_422": "YBR_FULL"}
"""What uncompressed values stand for once the colours of each pixel are told apart."""


@dataclass(frozen=True)
class Form:
    """How the values of a frame are to be read.

    Attributes:
        rows, columns, samples: its shape.
        allocated, stored: bits of a value.
        signed: whether values are.
        photometric: what they stand for.
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
        RuntimeError: GDCM has no such form of it.
    """
    # What an image of GDCM's is made of must outlive it: the writer, too.
    writer = gdcm.ImageWriter()
    image = writer.GetImage()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((form.columns, form.rows, 1))
    kind = gdcm.PhotometricInterpretation.GetPIType(_KINDS.get(form.photometric, form.photometric))
    if kind == gdcm.PhotometricInterpretation.PI_END:
        raise RuntimeError("unknown photometric interpretation")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
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
        raise RuntimeError("GDCM gave no single fragment")
    buffer: str = fragments.GetFragment(0).GetByteValue().GetBuffer()
    return buffer.encode("utf-8", "surrogateescape")
