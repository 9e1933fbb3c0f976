"""Names of objects that fake-gcs-server would write somewhere else than into their bucket.

It keeps an object as a file of the object's name, so `../x` lies beside the bucket, and enough of
them lie outside of the state folder. In the cloud such names are only names; here they are refused.
"""

import re

from emulator.services.storage.errors import StorageError

BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
"""https://cloud.google.com/storage/docs/buckets#naming; fake-gcs-server stumbles over others."""


def validate(name: str) -> None:
    """Refuse a name that leads elsewhere.

    Raises:
        StorageError: 400.
    """
    if {".", ".."} & set(re.split(r"[/\\]", name)):
        raise StorageError(
            400,
            f"{name[:200]!r} has a part that is '.' or '..': the local Google Cloud keeps objects "
            "as files of their names, and can't keep it. Choose another name.",
        )
