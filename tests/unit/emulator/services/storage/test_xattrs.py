from pathlib import Path

import pytest

from emulator.services.storage import xattrs

NAME = "user.metadata"


def test_an_attribute_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "a file of \u0105 name"
    file.touch()
    assert xattrs.read(file, NAME) is None
    for value in (b"", b'{"contentType":"application/dicom"}', bytes(range(256)) * 8):
        xattrs.write(file, NAME, value)
        assert xattrs.read(file, NAME) == value
    assert file.read_bytes() == b""


def test_a_missing_file_has_no_attribute(tmp_path: Path) -> None:
    assert xattrs.read(tmp_path / "missing", NAME) is None
    with pytest.raises(FileNotFoundError):
        xattrs.write(tmp_path / "missing", NAME, b"x")
