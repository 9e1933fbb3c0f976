"""A store of patients for cohorts, whose copies are known again by their pixels."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pydicom
from PIL import Image, ImageDraw, ImageFont

from tests.support import http
from tests.support.dicom_files import make_dicom

ROOT = "2.999.7"
"""What the UIDs of originals begin with, and no other."""
MODALITIES = ("CT", "MR")
IDENTIFYING = {
    "PatientName": "Quixote^Alonso",
    "PatientID": "MRN-20016",
    "AccessionNumber": "ACC-20016",
    "ReferringPhysicianName": "Cervantes^Miguel",
    "InstitutionName": "La Mancha General",
    "PatientBirthDate": "19470922",
}
"""Keyword -> a value that no copy may have."""


@dataclass(frozen=True)
class Original:
    """An instance of the store.

    Attributes:
        study, series, uid: its UIDs
        modality: of its series
        content: the file
    """

    study: str
    series: str
    uid: str
    modality: str
    content: bytes

    @property
    def mark(self) -> int:
        """The value of its lower half, which no other instance has, and a copy keeps."""
        return mark_of(self.content)


def originals(studies: int, instances: int) -> list[Original]:
    """Return instances of two series in each study; one says whose it is in its pixels."""
    originals: list[Original] = []
    for number in range(studies):
        for modality in MODALITIES:
            for _ in range(instances):
                study = f"{ROOT}.{number + 1}"
                series = f"{study}.{ord(modality[0])}"
                uid = f"{series}.{len(originals) + 1}"
                content = make_dicom(
                    pixels=_pixels(
                        len(originals) + 1, text="ALONSO QUIXOTE" if not originals else ""
                    ),
                    StudyInstanceUID=study,
                    SeriesInstanceUID=series,
                    SOPInstanceUID=uid,
                    StudyDate=f"2024010{number + 1}",
                    Modality=modality,
                    **IDENTIFYING,
                )
                originals.append(Original(study, series, uid, modality, content))
    return originals


def copies(url: str, store: str) -> Iterator[bytes]:
    """Yield the files of a store."""
    for one in _instances(url, store):
        study, series, instance = (
            one[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018")
        )
        path = f"studies/{study}/series/{series}/instances/{instance}"
        headers = {"Accept": "application/dicom; transfer-syntax=*"}
        found = http.get(f"{url}/v1/{store}/dicomWeb/{path}", headers=headers)
        yield found.raise_for_status().content


def mark_of(content: bytes) -> int:
    """Return the value of the lower half of an instance's pixels."""
    pixels = pydicom.dcmread(io.BytesIO(content)).pixel_array
    [mark] = np.unique(pixels[pixels.shape[0] // 2 :])
    return int(mark)


def has_text(content: bytes) -> bool:
    """Whether the upper half of an instance's pixels shows anything bright."""
    pixels = pydicom.dcmread(io.BytesIO(content)).pixel_array
    return bool((pixels[: pixels.shape[0] // 2] > _BRIGHT).any())


def store_all(url: str, store: str, instances: list[Original]) -> None:
    """Store instances."""
    headers = {"Content-Type": "application/dicom"}
    for one in instances:
        web = f"{url}/v1/{store}/dicomWeb/studies"
        http.post(web, content=one.content, headers=headers).raise_for_status()


def json_at(url: str, bucket: str, name: str) -> Any:
    """Return an object of JSON, or a list of its lines if it is of JSON lines."""
    found = http.get(f"{url}/storage/v1/b/{bucket}/o/{name.replace('/', '%2F')}?alt=media")
    lines = [json.loads(line) for line in found.raise_for_status().text.splitlines()]
    return lines if name.endswith(".ndjson") else lines[0]


_BRIGHT = 200


def _pixels(mark: int, text: str) -> Any:
    picture = Image.new("L", (320, 160), 0)
    ImageDraw.Draw(picture).text((20, 20), text, fill=255, font=ImageFont.load_default(26))
    pixels = np.array(picture)
    pixels[80:] = mark
    return pixels


def _instances(url: str, store: str) -> list[Mapping[str, Any]]:
    answer = http.get(f"{url}/v1/{store}/dicomWeb/instances?limit=5000").raise_for_status()
    found: list[Mapping[str, Any]] = answer.json() if answer.content else []
    return found
