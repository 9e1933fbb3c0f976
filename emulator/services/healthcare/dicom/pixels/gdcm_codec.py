"""GDCM as a decoder of pydicom and as an encoder, in a process of its own.

GDCM alone of the free decoders reads JPEG Lossless.
"""

from typing import Any

from pydicom.pixels.decoders import gdcm
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder
from pydicom.uid import UID, JPEGExtended12Bit

from emulator.services.healthcare.dicom.pixels import gdcm_decoder, gdcm_encoder
from emulator.services.healthcare.dicom.pixels.gdcm_encoder import Form
from emulator.services.healthcare.dicom.pixels.gdcm_process import GdcmProcess

NAME = "gdcm-isolated"
DECODER_DEPENDENCIES = gdcm.DECODER_DEPENDENCIES


_installed: list[GdcmProcess] = []
"""The process of the latest `install`: pydicom calls its decoders without a context."""


def install(process: GdcmProcess) -> None:
    """Replace pydicom's own GDCM decoder, which runs in this process, after all others."""
    _installed[:] = [process]
    for syntax in DECODER_DEPENDENCIES:
        decoder = get_decoder(syntax)
        if "gdcm" in decoder.available_plugins:
            decoder.remove_plugin("gdcm")
            decoder.add_plugin(NAME, (__name__, "_decode_frame"))


def _process() -> GdcmProcess:
    if not _installed:
        raise RuntimeError("GDCM has no process: call configure_pydicom() first")
    return _installed[0]


def encode(content: bytes, form: Form, syntax: str) -> bytes:
    """Encode a frame whose colours are by pixel.

    Raises:
        RuntimeError: GDCM can't encode it so
    """
    return _process().run(gdcm_encoder.encode, content, form, syntax)


def is_available(uid: str) -> bool:
    """Whether a transfer syntax can be decoded, as pydicom asks its decoders."""
    return gdcm.is_available(uid)


def _decode_frame(src: bytes, runner: DecodeRunner) -> bytes:
    options = {name: value for name, value in runner.options.items() if _is_picklable(value)}
    frame, changed = _process().run(_decode, src, str(runner.transfer_syntax), options)
    runner.set_options(**changed)
    return frame


def _is_picklable(value: object) -> bool:
    return isinstance(value, str | int | float | bool | None)


def _decode(src: bytes, syntax: str, options: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Return a decoded frame and the changed options; runs in the process of GDCM."""
    runner = DecodeRunner(UID(syntax))
    known = {name: value for name, value in options.items() if name != "transfer_syntax_uid"}
    runner.set_options(**known)
    is_extended = runner.transfer_syntax == JPEGExtended12Bit and runner.bits_stored > 8
    decode = gdcm_decoder.decode_jpeg_extended if is_extended else gdcm._decode_frame
    frame = decode(src, runner)
    after = {name: value for name, value in runner.options.items() if _is_picklable(value)}
    return frame, {name: value for name, value in after.items() if options.get(name) != value}
