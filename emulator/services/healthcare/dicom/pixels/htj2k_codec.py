"""Pillow as pydicom's decoder of High-Throughput JPEG 2000, which its OpenJPEG decodes.

pydicom has a decoder of these transfer syntaxes only with another library.
"""

from pydicom.pixels.decoders import pillow
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder
from pydicom.uid import HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL, JPEG2000Lossless

NAME = "pillow-htj2k"
SYNTAXES = (HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K)
DECODER_DEPENDENCIES = dict.fromkeys(SYNTAXES, pillow.DECODER_DEPENDENCIES[JPEG2000Lossless])
"""Read by pydicom."""


def install() -> None:
    """Let pydicom decode these transfer syntaxes, after all decoders of its own."""
    for syntax in SYNTAXES:
        decoder = get_decoder(syntax)
        if NAME not in decoder.available_plugins:
            decoder.add_plugin(NAME, (__name__, "_decode_frame"))


def is_available(uid: str) -> bool:
    """Whether a transfer syntax can be decoded, as pydicom asks its decoders."""
    return uid in SYNTAXES and pillow.is_available(JPEG2000Lossless)


def _decode_frame(src: bytes, runner: DecodeRunner) -> bytes:
    return pillow._decode_frame(src, runner)
