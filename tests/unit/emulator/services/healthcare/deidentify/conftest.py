"""An instance that names a person wherever it can."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from emulator.healthcare.deidentify import config, files

KEY = b"k" * 32
STUDY, SERIES, SOP, FRAME = map(
    UID, ("1.3.46.670589.1", "1.3.46.670589.1.2", "1.3.46.670589.1.2.3", "1.3.46.670589.9")
)


def person() -> FileDataset:
    """Make an instance full of identifiers, nested and private ones too."""
    head = FileMetaDataset()
    head.TransferSyntaxUID = ExplicitVRLittleEndian
    head.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    head.MediaStorageSOPInstanceUID = SOP
    head.SourceApplicationEntityTitle = "GATEWAY"
    made = FileDataset("", {}, file_meta=head, preamble=b"Ramirez".ljust(128, b"\0"))
    made.SOPClassUID = SecondaryCaptureImageStorage
    made.StudyInstanceUID, made.SeriesInstanceUID, made.SOPInstanceUID = STUDY, SERIES, SOP
    made.FrameOfReferenceUID = FRAME
    made.PatientName, made.PatientID = "Ramirez^Ofelia", "MRN-77421"
    made.PatientBirthDate, made.PatientAge, made.PatientSex = "19610424", "062Y", "F"
    made.InstitutionName, made.InstitutionAddress = "Kettering Northside", "12 Elm Road"
    made.PatientTelephoneNumbers = "555 0199"
    made.AccessionNumber, made.ReferringPhysicianName = "ACC-5512", "Vasquez^Ana"
    made.StudyDate, made.StudyTime, made.AcquisitionDateTime = (
        "20240117",
        "101112",
        "20240117101112",
    )
    made.StationName, made.Modality = "SCANNER7", "DX"
    made.StudyDescription = "Chest, Ofelia Ramirez, seen by Dr. Vasquez on 2024-01-17"
    made.BodyPartExamined = "CHEST"
    made.ReferencedImageSequence = [Dataset()]
    made.ReferencedImageSequence[0].ReferencedSOPClassUID = SecondaryCaptureImageStorage
    made.ReferencedImageSequence[0].ReferencedSOPInstanceUID = SOP
    made.OtherPatientIDsSequence = [Dataset()]
    made.OtherPatientIDsSequence[0].PatientID = "MRN-77421"
    made.add_new((0x0009, 0x0010), "LO", "ACME")
    made.add_new((0x0009, 0x1001), "LO", "secret-private")
    made.add_new((0x6000, 0x4000), "LT", "Ramirez in an overlay")
    return made


def _add_picture(dataset: FileDataset, *texts: str, frames: int = 1) -> None:
    """Give it frames of 8-bit grey, with a text a line burned into each."""
    shades = np.random.default_rng(7).normal(90, 12, (480, 640)).clip(0, 200).astype(np.uint8)
    picture = Image.fromarray(shades)
    drawn, font = ImageDraw.Draw(picture), ImageFont.load_default(26)
    for line, text in enumerate(texts):
        drawn.text((20, 20 + 60 * line), text, fill=255, font=font)
    pixels = np.stack([np.asarray(picture)] * frames) if frames > 1 else np.asarray(picture)
    dataset.set_pixel_data(pixels, "MONOCHROME2", 8, generate_instance_uid=False)


@pytest.fixture
def source() -> FileDataset:
    return person()


@pytest.fixture
def add_picture() -> Callable[..., None]:
    return _add_picture


@pytest.fixture
def deidentify() -> Callable[[FileDataset, dict[str, Any]], FileDataset]:
    """Applies a DeidentifyConfig in memory."""

    def apply(dataset: FileDataset, settings: dict[str, Any]) -> FileDataset:
        files.apply(dataset, config.read(settings), KEY)
        return dataset

    return apply
