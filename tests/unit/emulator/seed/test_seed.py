"""The synthetic public bucket: true metadata, valid DICOM, the same bytes everywhere."""

import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import config

from emulator.seed import bucket, cache, dicom_file, glyphs, picture, records
from emulator.services.healthcare.dicom.parsing import parser
from emulator.services.storage import object_files, xattrs
from emulator.services.storage.public_bucket import BUCKET

EXAMPLE = "00000088_000"
EXAMPLE_SHA256 = "031b5bd78279db4e59e33e8f0dc31d8457565c8c50285817fde871bca4b43358"


def record(image: str = EXAMPLE) -> records.ImageRecord:
    return next(one for one in records.load() if one.image == image)


def test_the_labs_true_answers_are_in_the_metadata() -> None:
    everything = records.load()
    assert len(everything) == 405
    assert len({one.patient_id for one in everything}) == 99
    assert [one.findings for one in everything if one.patient_id == "88"] == [
        "Cardiomegaly|Effusion"
    ]
    assert sum(one.findings == "No Finding" for one in everything) == 151
    assert max(len(one.findings) for one in everything) == 56


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Files built by these tests: what an earlier run has cached proves nothing."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("seed")
        patch.setattr(cache, "cache_dir", lambda: folder)
        yield


def test_the_labs_true_answers_are_in_the_files(tmp_path: Path) -> None:
    """Over what is really in the bytes, not over the table that they were made from."""
    bucket.ensure_public_bucket(tmp_path / "storage")
    files = sorted((tmp_path / "storage" / BUCKET).rglob("*.dcm"))
    rows = [json.loads(parser.parse(file).row) for file in files]
    assert len(files) == 405
    assert all(file.name.startswith("000000") for file in files)
    assert len({row["PatientID"] for row in rows}) == 99
    assert [r["StudyDescription"] for r in rows if r["PatientID"] == "88"] == [
        "Cardiomegaly|Effusion"
    ]
    assert Counter(row["StudyDescription"] for row in rows)["No Finding"] == 151
    assert max(len(row["StudyDescription"]) for row in rows) == 56
    assert len({row["SOPInstanceUID"] for row in rows}) == 405


def test_the_bytes_are_pinned_and_the_same_in_another_process() -> None:
    assert hashlib.sha256(dicom_file.build(record())).hexdigest() == EXAMPLE_SHA256
    code = (
        "import hashlib; from emulator.seed import dicom_file, records;"
        f"r = next(r for r in records.load() if r.image == {EXAMPLE!r});"
        "print(hashlib.sha256(dicom_file.build(r)).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == EXAMPLE_SHA256


@pytest.mark.parametrize("image", ["00000001_000", EXAMPLE, "00000099_013"])
def test_files_pass_pydicoms_validation(image: str) -> None:
    mode = config.settings.reading_validation_mode
    config.settings.reading_validation_mode = config.RAISE
    try:
        dataset = pydicom.dcmread(io.BytesIO(dicom_file.build(record(image))))
        for element in dataset.iterall():
            assert element.value is not None or element.is_empty
    finally:
        config.settings.reading_validation_mode = mode
    one = record(image)
    assert dataset.PatientID == one.patient_id == str(int(image[:8]))
    assert dataset.StudyDescription == one.findings
    assert dataset.PatientAge == f"{one.age:03d}Y"
    assert dataset.ViewPosition == one.view
    assert dataset.Modality == "DX"
    assert dataset.BurnedInAnnotation == "YES"
    assert "SYNTHETIC" in dataset.ImageComments
    assert "https://nihcc.app.box.com/v/ChestXray-NIHCC" in dataset.ImageComments
    covered = float(dataset.ImagerPixelSpacing[0]) * max(dataset.Rows, dataset.Columns)
    assert covered == pytest.approx(one.spacing_mm * max(one.width, one.height), abs=0.01)


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not here")
@pytest.mark.parametrize("image", ["00000001_000", "00000013_000", EXAMPLE])
def test_files_pass_dciodvfy(image: str, tmp_path: Path) -> None:
    file = tmp_path / "x.dcm"
    file.write_bytes(dicom_file.build(record(image)))
    done = subprocess.run(
        ["dciodvfy", "-new", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert (done.stdout + done.stderr).split() == ["DXImageForPresentation"]


def test_pictures_show_the_mark_and_differ() -> None:
    one, other = (picture.draw(record(image)) for image in ("00000001_000", "00000001_001"))
    assert one.dtype == np.uint8
    assert one.shape == picture.size(record("00000001_000"))
    assert one.std() > 30
    mark = glyphs.stencil("SYNTHETIC", 3)
    rows, columns = one.shape
    left = (columns - 159) // 2
    shown = one[rows - 32 : rows - 32 + mark.shape[0], left : left + mark.shape[1]]
    assert (shown[mark] == 250).all()
    assert (shown[~mark] < 100).all()
    assert one.shape != other.shape or (one != other).any()


def test_filling_again_adds_only_what_is_missing(tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    progress: list[tuple[int, int]] = []
    assert bucket.ensure_public_bucket(storage, lambda done, total: progress.append((done, total)))
    assert progress[-1] == (405, 405)
    assert bucket.ensure_public_bucket(storage) == 0
    folder = storage / BUCKET / "dicom"
    (folder / "00000007_000.dcm").unlink()
    stale = folder / "00000088_000.dcm"
    object_files.write_object(stale, tmp_path, b"old", "application/dicom", {"generator": "0"})
    abandoned = tmp_path / "storage-drafts" / "abandoned"
    abandoned.parent.mkdir()
    abandoned.write_text("by a run that was killed")
    assert bucket.ensure_public_bucket(storage) == 2
    assert hashlib.sha256(stale.read_bytes()).hexdigest() == EXAMPLE_SHA256
    assert not list((tmp_path / "storage-drafts").iterdir())


def test_an_object_carries_what_cloud_storage_reports_of_it(tmp_path: Path) -> None:
    path = tmp_path / "b" / "o"
    object_files.write_object(
        path, tmp_path / "drafts", b"content", "application/dicom", {"a": "b"}
    )
    raw = xattrs.read(path, object_files.ATTRIBUTE)
    assert raw
    attributes = json.loads(raw)
    md5 = hashlib.md5(b"content", usedforsecurity=False).digest()
    assert base64.b64decode(attributes["Md5Hash"]) == md5
    assert attributes["ContentType"] == "application/dicom"
    assert object_files.metadata_of(path) == {"a": "b"}
    assert object_files.metadata_of(tmp_path / "absent") == {}


def test_a_folder_that_cant_be_written_is_reported_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "storage").write_text("a file where the folder should be")
    with pytest.raises(bucket.SeedError, match=r"Could not fill the bucket"):
        bucket.ensure_public_bucket(tmp_path / "storage")
