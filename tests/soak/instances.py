"""A few instances with two contents each, for concurrent clients, and their responses."""

from typing import Any

import numpy as np

from tests.support.dicom_files import make_dicom

STUDIES, SERIES, INSTANCES = 3, 2, 3
Key = tuple[str, str, str]
"""Study, series and SOP Instance UID. Every series has instances of the same UIDs."""

KEYS: list[Key] = [
    (f"1.2.{study}", f"1.2.{study}.{series}", f"1.2.9.{number}")
    for study in range(1, STUDIES + 1)
    for series in range(1, SERIES + 1)
    for number in range(1, INSTANCES + 1)
]
CONTENTS = ("a", "b")


def _file(key: Key, content: str) -> bytes:
    pixels = np.full((4, 4), ord(content), np.uint8)
    uids = dict(zip(("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"), key, strict=True))
    return make_dicom(pixels=pixels, PatientComments=content, **uids)


FILES = {(key, content): _file(key, content) for key in KEYS for content in CONTENTS}


def path_of(uids: tuple[str, ...]) -> str:
    """The path of a study, a series or an instance below the service root."""
    levels = zip(("studies", "series", "instances"), uids, strict=False)
    return "/".join(f"{level}/{uid}" for level, uid in levels)


def value(item: dict[str, Any], tag: str) -> Any:
    """An element's only value."""
    [only] = item[tag]["Value"]
    return only


def key_of(item: dict[str, Any]) -> Key:
    """The instance that a search found."""
    return (value(item, "0020000D"), value(item, "0020000E"), value(item, "00080018"))


def parts_of(content_type: str, body: bytes) -> list[bytes]:
    """The bodies of a multipart answer's parts, which has to be whole."""
    boundary = content_type.rpartition("boundary=")[2].strip('"').encode()
    pieces = body.split(b"--" + boundary)
    assert pieces[-1].strip() == b"--", "the answer is cut off"
    return [piece.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for piece in pieces[1:-1]]
