"""GDCM as a decoder of pydicom's, in a process of its own.

GDCM alone of the free decoders reads JPEG Lossless, and it ends the whole process on some damaged
pictures. So nothing but one frame at a time is given to a process that may die of it.
"""

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from pydicom.pixels.decoders import gdcm
from pydicom.pixels.decoders.base import DecodeRunner, get_decoder
from pydicom.uid import UID

from emulator.healthcare.dicom.workers import end_with_parent

NAME = "gdcm-isolated"
DECODER_DEPENDENCIES = gdcm.DECODER_DEPENDENCIES
TRIES = 2
"""Another thread's picture may be what the process died of."""
_lock = threading.Lock()
_pool: ProcessPoolExecutor | None = None


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
    for attempt in range(TRIES):
        pool = _executor()
        try:
            frame, changed = pool.submit(
                _decode, src, str(runner.transfer_syntax), options
            ).result()
        except BrokenProcessPool:
            _drop(pool)
            if attempt == TRIES - 1:
                raise RuntimeError("the decoder died of this picture") from None
        else:
            runner.set_options(**changed)
            return frame
    raise AssertionError("unreachable")


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


def _executor() -> ProcessPoolExecutor:
    global _pool
    with _lock:
        if _pool is None:
            context = multiprocessing.get_context("spawn")
            _pool = ProcessPoolExecutor(1, context, end_with_parent)
        return _pool


def _drop(pool: ProcessPoolExecutor) -> None:
    global _pool
    with _lock:
        if _pool is pool:
            _pool = None
    pool.shutdown(wait=False, cancel_futures=True)
