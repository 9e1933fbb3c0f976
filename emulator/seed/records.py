"""The published metadata of the images that the lab's wildcard matches.

Source: NIH Clinical Center, ChestX-ray14, `Data_Entry_2017_v2020`, patients 1 to 99.
"""

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

METADATA = "nih_chest_xray_000000.csv"


@dataclass(frozen=True)
class ImageRecord:
    """One image as NIH describes it.

    Attributes:
        image: file name without its ending, e.g. `00000088_000`.
        findings: labels joined by `|`, or `No Finding`.
        follow_up: number of the patient's examination, from 0.
        patient_id: without leading zeros.
        age: in years.
        sex: F or M.
        view: PA or AP.
        width: columns of the original radiograph.
        height: rows of the original radiograph.
        spacing_mm: the original's pixel spacing, the same in both directions.
    """

    image: str
    findings: str
    follow_up: int
    patient_id: str
    age: int
    sex: str
    view: str
    width: int
    height: int
    spacing_mm: float

    @property
    def object_name(self) -> str:
        """The object in the public bucket."""
        return f"dicom/{self.image}.dcm"

    @property
    def labels(self) -> frozenset[str]:
        """The findings, one by one; empty where there is none."""
        return frozenset(self.findings.split("|")) - {"No Finding"}


def _record(row: dict[str, str]) -> ImageRecord:
    return ImageRecord(
        image=row["image_index"].removesuffix(".png"),
        findings=row["finding_labels"],
        follow_up=int(row["follow_up"]),
        patient_id=row["patient_id"],
        age=int(row["patient_age"]),
        sex=row["patient_sex"],
        view=row["view_position"],
        width=int(row["image_width"]),
        height=int(row["image_height"]),
        spacing_mm=float(row["pixel_spacing_x"]),
    )


@cache
def load() -> tuple[ImageRecord, ...]:
    """Read the 405 records, in the order of their images."""
    text = resources.files(__package__).joinpath(METADATA).read_text(encoding="utf-8")
    return tuple(_record(row) for row in csv.DictReader(text.splitlines()))
