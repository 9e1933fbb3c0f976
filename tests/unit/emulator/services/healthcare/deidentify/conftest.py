"""An instance that names a person wherever it can."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from emulator.services.healthcare.deidentify import config, worker

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
    dataset = FileDataset("", {}, file_meta=head, preamble=b"Ramirez".ljust(128, b"\0"))
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID = STUDY, SERIES, SOP
    dataset.FrameOfReferenceUID = FRAME
    dataset.PatientName, dataset.PatientID = "Ramirez^Ofelia", "MRN-77421"
    dataset.PatientBirthDate, dataset.PatientAge, dataset.PatientSex = "19610424", "062Y", "F"
    dataset.InstitutionName, dataset.InstitutionAddress = "Kettering Northside", "12 Elm Road"
    dataset.PatientTelephoneNumbers = "555 0199"
    dataset.AccessionNumber, dataset.ReferringPhysicianName = "ACC-5512", "Vasquez^Ana"
    dataset.StudyDate, dataset.StudyTime, dataset.AcquisitionDateTime = (
        "20240117",
        "101112",
        "20240117101112",
    )
    dataset.StationName, dataset.Modality = "SCANNER7", "DX"
    dataset.StudyDescription = "Chest, Ofelia Ramirez, seen by Dr. Vasquez on 2024-01-17"
    dataset.BodyPartExamined = "CHEST"
    dataset.ReferencedImageSequence = [Dataset()]
    dataset.ReferencedImageSequence[0].ReferencedSOPClassUID = SecondaryCaptureImageStorage
    dataset.ReferencedImageSequence[0].ReferencedSOPInstanceUID = SOP
    dataset.OtherPatientIDsSequence = [Dataset()]
    dataset.OtherPatientIDsSequence[0].PatientID = "MRN-77421"
    dataset.add_new((0x0009, 0x0010), "LO", "ACME")
    dataset.add_new((0x0009, 0x1001), "LO", "secret-private")
    dataset.add_new((0x6000, 0x4000), "LT", "Ramirez in an overlay")
    return dataset


def _add_picture(dataset: FileDataset, *texts: str, frames: int = 1) -> None:
    """Add frames of 8-bit grey, with one burned-in text a line."""
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
        worker.apply(dataset, config.read(settings), KEY)
        return dataset

    return apply
