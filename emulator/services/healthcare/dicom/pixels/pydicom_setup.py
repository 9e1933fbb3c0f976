"""The settings of pydicom in a process of the emulator."""

import logging

from pydicom import config

from emulator.services.healthcare.dicom.pixels import gdcm_codec, htj2k_codec
from emulator.services.healthcare.dicom.pixels.gdcm_process import GdcmProcess


def configure_pydicom(gdcm: GdcmProcess) -> None:
    """Keep patient data out of logs, run GDCM in a process of its own, and add decoders.

    Args:
        gdcm: runs GDCM for this process; the caller closes it
    """
    # pydicom's warnings quote the values that they complain of.
    config.settings.reading_validation_mode = config.IGNORE
    # pydicom logs what its decoders raise, with pieces of the file; here the caller gets the error.
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    gdcm_codec.install(gdcm)
    htj2k_codec.install()


def configure_worker() -> None:
    """Configure a worker process, which ends its GDCM process with itself."""
    configure_pydicom(GdcmProcess())
