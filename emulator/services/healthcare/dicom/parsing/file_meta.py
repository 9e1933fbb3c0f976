"""Reader of the file meta information alone, for which pydicom has no public function."""

import io

from pydicom.dataset import FileMetaDataset
from pydicom.filereader import _read_file_meta_info


def read_file_meta(file: io.BytesIO | io.BufferedReader) -> FileMetaDataset:
    """Return the file meta information; the file stands behind its preamble, then behind this."""
    return _read_file_meta_info(file)
