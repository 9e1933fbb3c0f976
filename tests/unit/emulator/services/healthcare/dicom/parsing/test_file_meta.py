"""The private function of pydicom that the parser uses."""

import io

from pydicom.filereader import read_preamble

from emulator.services.healthcare.dicom.parsing.file_meta import read_file_meta
from tests.support.dicom_files import make_dicom


def test_the_file_meta_information_is_read_by_itself() -> None:
    """Fails when pydicom moves its private reader.

    Then look for a public one, or parse group 0002 in `file_meta.py`: it is always Explicit VR
    Little Endian. `dcmread(stop_before_pixels=True)` won't do: it inflates the whole data set.
    """
    file = io.BytesIO(make_dicom())
    read_preamble(file, force=False)

    assert read_file_meta(file).TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert file.read(2) == b"\x08\x00"  # the data set comes next
