"""Objects put into fake-gcs-server's folder as files, without its help and beside it.

Its filesystem backend keeps an object as a file, and the object's metadata as JSON in the file's
extended attribute `user.metadata`. A file without the attribute breaks the listing of the whole
bucket, so a file gets its attribute before it gets its name.
"""

import base64
import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import google_crc32c

from emulator.core import disk
from emulator.core.timestamps import to_rfc3339
from emulator.services.storage import xattrs

ATTRIBUTE = "user.metadata"
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_NEVER = "0001-01-01T00:00:00Z"


def write_object(
    path: Path, draft: Path, content: bytes, content_type: str, metadata: dict[str, str]
) -> None:
    """Write an object: whole or not at all, and on the disk before it has a name.

    Args:
        path: the object's file, under the bucket's folder.
        draft: a folder of the same file system, outside of all buckets.
        content: its bytes.
        content_type: its media type.
        metadata: its custom metadata.

    Raises:
        OSError: the disk is full, or the file system has no extended attributes.
    """
    draft.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = draft / uuid4().hex
    try:
        file.write_bytes(content)
        disk.fsync(file)
        xattrs.write(file, ATTRIBUTE, _attributes(content, content_type, metadata))
        file.replace(path)
    finally:
        file.unlink(missing_ok=True)


def hard_link(root: Path, bucket: str, name: str, path: Path) -> bool:
    """Create a second name for an object's file, instead of copying its bytes.

    They stay as they are: fake-gcs-server writes an object into a new file, which takes the place
    of the old one.

    Args:
        root: the folder of the buckets.
        bucket: the bucket.
        name: the object.
        path: the second name, on the same file system.

    Returns:
        Whether it was done. Where not, there may be an object nevertheless: that is for the server
        to say, who writes names of other characters in ways of its own.
    """
    if not _PLAIN.fullmatch(bucket) or not all(map(_PLAIN.fullmatch, name.split("/"))):
        return False
    try:
        path.hardlink_to(root / bucket / name)
    except OSError:
        return False
    return True


def has_metadata(path: Path) -> bool:
    """Return whether fake-gcs-server can list an object's file."""
    return xattrs.read(path, ATTRIBUTE) is not None


def set_metadata(path: Path, content_type: str) -> None:
    """Set the metadata of an object on a file that has none.

    Raises:
        OSError: the disk is full, or the file system has no extended attributes.
    """
    xattrs.write(path, ATTRIBUTE, _attributes(path.read_bytes(), content_type, {}))


def metadata_of(path: Path) -> dict[str, str]:
    """Return an object's custom metadata; empty if the object does not exist."""
    value = xattrs.read(path, ATTRIBUTE)
    try:
        return dict(json.loads(value)["Metadata"] or {}) if value else {}
    except (ValueError, KeyError, TypeError):
        return {}


def _attributes(content: bytes, content_type: str, metadata: dict[str, str]) -> bytes:
    moment = datetime.now(UTC)
    written = to_rfc3339(moment)
    # Cloud Storage returns the MD5 of an object; it is not a protection.
    md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    crc = base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()
    attributes = {
        "StorageClass": "STANDARD",
        "ContentType": content_type,
        "Crc32c": crc,
        "Md5Hash": md5,
        "Etag": md5,
        "ACL": [{"Entity": "allUsers", "Role": "READER"}],
        "Metadata": metadata,
        "Created": written,
        "Updated": written,
        "Deleted": _NEVER,
        "CustomTime": _NEVER,
        "Generation": int(moment.timestamp() * 1_000_000),
    }
    return json.dumps(attributes).encode()
