"""Recovery of buckets after a kill of fake-gcs-server during an upload.

It writes an object's bytes under the object's name first, and its metadata afterwards. A file
without metadata breaks the listing of its whole bucket.
"""

import logging
import mimetypes
import re
import shutil
from pathlib import Path

from emulator.services.storage import object_files

LOG = logging.getLogger(__name__)
DICOM = "application/dicom"
OCTETS = "application/octet-stream"
_PROBE = re.compile(r"\..+\d+")
"""Its library tries whether a file can be renamed into a folder, with an empty file beside the
object: `.NAME` and a number."""


def recover(root: Path, drafts: Path) -> None:
    """Make every bucket one that can be listed; for the moment before fake-gcs-server starts.

    Args:
        root: its `-filesystem-root`.
        drafts: its folder for uploads that are not whole yet.

    Raises:
        OSError: a folder can't be read or written.
    """
    shutil.rmtree(drafts, ignore_errors=True)
    drafts.mkdir(parents=True, exist_ok=True)
    for bucket in root.iterdir():
        for path in bucket.rglob("*") if bucket.is_dir() else ():
            if path.is_file() and not object_files.has_metadata(path):
                _repair(path)
    for path in root.glob(".*.bucketMetadata*"):  # the probes of a bucket's own file
        path.unlink()


def _repair(path: Path) -> None:
    if _PROBE.fullmatch(path.name) and not path.stat().st_size:
        path.unlink()
        return
    # The bytes are whole, and may have taken the place of older ones: they stay.
    LOG.warning("an upload was interrupted: %s keeps its bytes, not its media type", path.name)
    object_files.set_metadata(path, media_type(path.name))


def media_type(name: str) -> str:
    """Guess an object's media type from its name."""
    if name.endswith(".dcm"):
        return DICOM
    return mimetypes.guess_type(name)[0] or OCTETS
