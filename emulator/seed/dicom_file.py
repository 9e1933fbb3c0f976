"""Build a valid DICOM file of a record: Digital X-Ray Image Storage - For Presentation.

PS3.3 A.26 (IOD), C.8.11 (its modules). DX has attributes for all that NIH publishes
about a radiograph: view, detector spacing, pixel spacing. Dates are invented (NIH published none):
they keep the order of a patient's examinations and agree with the ages.
"""

import io
import uuid
from datetime import date, timedelta
from functools import cache

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    UID,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
)

from emulator.seed import picture, records
from emulator.seed.records import ImageRecord

GENERATOR = "2"
"""Incremented whenever the bytes change: files of another generation are replaced."""

_NAMESPACE = uuid.UUID("8d3b8f7e-5f0a-5c1b-9e62-1f3c1c1f6f15")
_COMMENT = (
    "SYNTHETIC PIXELS, computed; not a radiograph of any person. Metadata: ChestX-ray14, data "
    "provider NIH Clinical Center, https://nihcc.app.box.com/v/ChestXray-NIHCC; Wang X, Peng Y, "
    "Lu L, Lu Z, Bagheri M, Summers RM. ChestX-ray8. IEEE CVPR 2017. Dates are invented."
)
_VIEWS = {
    "PA": ("272479007", "postero-anterior"),
    "AP": ("399348003", "antero-posterior"),
}


def uid(level: str, image: str = "") -> UID:
    """Derive a UID from a name (PS3.5 B.2, with a name-based UUID)."""
    return UID(f"2.25.{uuid.uuid5(_NAMESPACE, f'{level} {image}').int}")


@cache
def _first_age(patient_id: str) -> int:
    return min(record.age for record in records.load() if record.patient_id == patient_id)


def study_date(record: ImageRecord) -> date:
    """Return the invented day of an examination."""
    years = record.age - _first_age(record.patient_id)
    return date(2000 + years, 1, 3) + timedelta(days=7 * record.follow_up)


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue = value
    code.CodingSchemeDesignator = "SCT"
    code.CodeMeaning = meaning
    return code


def _describe_patient_and_study(dataset: Dataset, record: ImageRecord) -> None:
    dataset.PatientName = f"Synthetic^Patient {record.patient_id}"
    dataset.PatientID = record.patient_id
    dataset.PatientBirthDate = ""
    dataset.PatientSex = record.sex
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "Published without identifiers by the NIH"
    dataset.PatientAge = f"{record.age:03d}Y"
    dataset.StudyInstanceUID = uid("study", record.image)
    dataset.StudyDate = study_date(record).strftime("%Y%m%d")
    dataset.StudyTime = "080000"
    dataset.ReferringPhysicianName = ""
    dataset.StudyID = str(record.follow_up)
    dataset.AccessionNumber = record.image
    dataset.StudyDescription = record.findings


def _describe_series(dataset: Dataset, record: ImageRecord) -> None:
    dataset.Modality = "DX"
    dataset.SeriesInstanceUID = uid("series", record.image)
    dataset.SeriesNumber = 1
    dataset.SeriesDescription = f"Chest {record.view}"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.BodyPartExamined = "CHEST"
    dataset.Manufacturer = "gcp-healthcare-dicom"
    dataset.ManufacturerModelName = "Synthetic chest x-ray"
    dataset.SoftwareVersions = GENERATOR


def _describe_acquisition(dataset: Dataset, record: ImageRecord) -> None:
    view, meaning = _VIEWS[record.view]
    spacing = record.spacing_mm * max(record.width, record.height) / picture.LONGER_SIDE
    dataset.AcquisitionDate = dataset.ContentDate = dataset.StudyDate
    dataset.AcquisitionTime = dataset.ContentTime = dataset.StudyTime
    dataset.InstanceNumber = 1
    dataset.ImageType = ["DERIVED", "PRIMARY", ""]
    dataset.DerivationDescription = "Synthetic pixels of the original's proportions"
    dataset.PatientOrientation = ["L", "F"]  # hung as usual: the patient's left at the right
    dataset.ImageLaterality = "U"
    dataset.AnatomicRegionSequence = [_code("51185008", "Chest")]
    dataset.ViewPosition = record.view
    dataset.ViewCodeSequence = [_code(view, meaning)]
    dataset.ViewCodeSequence[0].ViewModifierCodeSequence = []
    dataset.PositionerType = ""
    dataset.DetectorType = ""
    dataset.DetectorElementSpacing = [f"{record.spacing_mm:.6f}"] * 2
    # Equal, and without PixelSpacingCalibrationType: nothing was calibrated (PS3.3 10.7.1.3).
    dataset.ImagerPixelSpacing = dataset.PixelSpacing = [f"{spacing:.6f}"] * 2
    dataset.AcquisitionContextSequence = []
    dataset.ImageComments = _COMMENT


def _describe_pixels(dataset: Dataset, record: ImageRecord) -> None:
    pixels = picture.draw(record)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = -1
    dataset.RescaleIntercept = "0"
    dataset.RescaleSlope = "1"
    dataset.RescaleType = "US"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.WindowCenter = "128"
    dataset.WindowWidth = "256"
    dataset.LossyImageCompression = "00"
    dataset.BurnedInAnnotation = "YES"
    dataset.RecognizableVisualFeatures = "NO"
    content = pixels.tobytes()
    dataset.add_new("PixelData", "OB", content + b"\0" * (len(content) % 2))


def _file_meta(dataset: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    # By default these two are pydicom's, and change with its version.
    meta.ImplementationClassUID = uid("implementation")
    meta.ImplementationVersionName = f"SYNTHETIC_{GENERATOR}"
    return meta


def build(record: ImageRecord) -> bytes:
    """Build the file of a record: the same record always has the same bytes."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = uid("instance", record.image)
    _describe_patient_and_study(dataset, record)
    _describe_series(dataset, record)
    _describe_acquisition(dataset, record)
    _describe_pixels(dataset, record)
    dataset.file_meta = _file_meta(dataset)
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
