"""Files into records, and errors for incomplete DICOM files."""

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from emulator.services.healthcare.dicom.parsing.parser import ParseError, parse, parse_content
from tests.support.dicom_files import make_dicom


def write(folder: Path, content: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content)
    return path


def test_a_record_holds_what_answers_need(make: Any, pixels: Any, tmp_path: Path) -> None:
    content = make(pixels=pixels, PatientName="A^B=C^D", StudyDate="20200102", Modality="OT")
    record = parse(write(tmp_path, content))
    assert (record.study_uid, record.series_uid, record.sop_uid) == (
        "1.2.3",
        "1.2.3.4",
        "1.2.3.4.5",
    )
    assert (record.patient_id, record.patient_name) == ("p1", "A^B")
    assert (record.study_date, record.modality, record.frames) == ("20200102", "OT", 2)
    assert record.size == len(content)
    metadata = json.loads(record.metadata)
    assert metadata["00100010"]["Value"] == [{"Alphabetic": "A^B", "Ideographic": "C^D"}]
    assert metadata["7FE00010"] == {"vr": "OB", "BulkDataURI": "$INSTANCE/bulkdata/7FE00010"}
    assert json.loads(record.row)["StudyDate"] == "2020-01-02"
    assert json.loads(record.study)["00100020"]["Value"] == ["p1"]
    assert pickle.loads(pickle.dumps(record)) == record
    values = dataclasses.asdict(record)
    assert values.pop("other_values") == {"patient_name": ("a^b=c^d", "c^d")}
    assert all(isinstance(value, str | int) for value in values.values())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"just some text\n" * 40, "Not a DICOM file"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 300, "Not a DICOM file"),
    ],
)
def test_what_is_no_dicom_file(content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ParseError, match=reason):
        parse(write(tmp_path, content))


@pytest.mark.parametrize("uid", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
def test_files_without_uids(uid: str, make: Any, tmp_path: Path) -> None:
    with pytest.raises(ParseError, match=f"no {uid}"):
        parse(write(tmp_path, make(**{uid: None})))


@pytest.mark.parametrize("bad", [b"1.2.840\x0110008.1.2.1", b"1.2.840\r\nCookie:a"])
def test_a_transfer_syntax_that_is_no_uid_is_refused(bad: bytes, make: Any, tmp_path: Path) -> None:
    """It would go into a header of HTTP."""
    content = make().replace(b"1.2.840.10008.1.2.1\0", bad.ljust(20, b"\0"))
    assert bad in content
    with pytest.raises(ParseError, match="TransferSyntaxUID is not a valid UID"):
        parse(write(tmp_path, content))


@pytest.mark.parametrize("bad", ["../../etc/passwd", "1.2.x", "1." * 40 + "1"])
def test_uids_that_are_none_are_refused_and_not_quoted(bad: str, make: Any, tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="StudyInstanceUID is not a valid UID") as caught:
        parse(write(tmp_path, make(StudyInstanceUID=bad)))
    assert bad not in str(caught.value)


def test_cuts_anywhere_within_an_element_are_refused(
    make: Any, pixels: Any, tmp_path: Path
) -> None:
    """A cut exactly between two elements leaves a file that is whole by all that can be seen."""
    content = make(pixels=pixels)
    accepted = []
    for end in range(len(content) - 1, 140, -1):
        try:
            parse(write(tmp_path, content[:end]))
        except ParseError:
            continue
        accepted.append(end)
    boundaries = {content.rindex(b"\xe0\x7f\x10\x00")}
    assert accepted
    assert max(accepted) in boundaries
    assert len(accepted) < 15


def test_errors_hold_no_patient_data(make: Any, tmp_path: Path) -> None:
    content = make(PatientName="Secret^Name", StudyInstanceUID=None)
    with pytest.raises(ParseError) as caught:
        parse(write(tmp_path, content[:-3]))
    assert "Secret" not in str(caught.value)


def test_patient_data_in_values_that_cant_be_decoded_is_kept_by_reference(
    make: Any, tmp_path: Path
) -> None:
    content = make(PatientName="A").replace(b"PN\x02\x00A ", b"PN\x02\x00\xff\xfe")
    record = parse(write(tmp_path, content))
    assert "00100010" in json.loads(record.metadata)


def test_a_file_whose_last_element_is_not_that_of_the_greatest_tag_is_whole(
    tmp_path: Path,
) -> None:
    group = (0x0029).to_bytes(2, "little")
    odd = group + b"\x10\0" + b"LO\4\0ACME" + group + b"\x01\x10UN\0\0\4\0\0\0abcd"
    last = b"\x08\0\x60\0CS\2\0CT"
    path = tmp_path / "a.dcm"
    # What has no defined length is read by pydicom.
    undefined = b"\x08\0\x40\x11SQ\0\0" + b"\xff" * 4 + b"\xfe\xff\xdd\xe0\0\0\0\0"
    path.write_bytes(make_dicom() + undefined + odd + last)
    assert parse(path).modality == "CT"
    path.write_bytes(make_dicom() + odd + last)
    assert parse(path).modality == "CT"
    path.write_bytes(make_dicom() + odd + last[:-1])
    with pytest.raises(ParseError, match="truncated"):
        parse(path)


@pytest.mark.parametrize(
    ("value", "frames"),
    [(b"0 ", 1), (b"-2", 1), (b"1a", 1), (b"1.5 ", 1), (b"2.0 ", 2), (b"3\\", 3), (b"9" * 12, 1)],
)
def test_an_odd_number_of_frames_is_one(value: bytes, frames: int, make: Any) -> None:
    placeholder = "1" * len(value)
    content = make(NumberOfFrames=placeholder).replace(placeholder.encode(), value)
    assert parse_content(content).frames == frames
