"""GDCM as a decoder of pydicom's, in a process of its own.

GDCM alone of the free decoders reads JPEG Lossless.
"""

from typing import Any

from pydicom.pixels.decoders import gdcm
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder
from pydicom.uid import UID

from emulator.healthcare.dicom import isolated

NAME = "gdcm-isolated"
DECODER_DEPENDENCIES = gdcm.DECODER_DEPENDENCIES


def install() -> None:
    """Put it in the place of pydicom's own GDCM decoder, after all others."""
    for syntax in DECODER_DEPENDENCIES:
        decoder = get_decoder(syntax)
        if "gdcm" in decoder.available_plugins:
            decoder.remove_plugin("gdcm")
            decoder.add_plugin(NAME, (__name__, "_decode_frame"))


def is_available(uid: str) -> bool:
    """Whether a transfer syntax can be decoded, as pydicom asks its decoders."""
    return gdcm.is_available(uid)


def _decode_frame(src: bytes, runner: DecodeRunner) -> bytes:
    options = {name: value for name, value in runner.options.items() if _travels(value)}
    frame, changed = isolated.call(_decode, src, str(runner.transfer_syntax), options)
    runner.set_options(**changed)
    return frame


def _travels(value: object) -> bool:
    return isinstance(value, str | int | float | bool | None)


def _decode(src: bytes, syntax: str, options: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Decode a frame, in the process of its own; gives it with the options that it changed."""
    runner = DecodeRunner(UID(syntax))
    given = {name: value for name, value in options.items() if name != "transfer_syntax_uid"}
    runner.set_options(**given)
    frame = gdcm._decode_frame(src, runner)
    after = {name: value for name, value in runner.options.items() if _travels(value)}
    return frame, {name: value for name, value in after.items() if options.get(name) != value}
