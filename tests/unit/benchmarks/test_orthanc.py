"""Where Orthanc finds what its packages have."""

from pathlib import Path

from benchmarks import orthanc


def test_a_package_that_the_system_has_is_found_there(tmp_path: Path) -> None:
    libraries = tmp_path / "usr" / "lib" / "x86_64-linux-gnu"
    libraries.mkdir(parents=True)
    assert orthanc._environment(tmp_path) == {"LD_LIBRARY_PATH": str(libraries)}
    dictionary = tmp_path / "usr" / "share" / "libdcmtk17" / "dicom.dic"
    dictionary.parent.mkdir(parents=True)
    dictionary.touch()
    assert orthanc._environment(tmp_path)["DCMDICTPATH"] == str(dictionary)
