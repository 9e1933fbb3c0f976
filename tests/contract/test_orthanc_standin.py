"""The server that the benchmarks measure by, and other tests compare with, starts and answers."""

from pathlib import Path

import httpx
import pytest

from benchmarks import orthanc
from tests.support import http
from tests.support.dicom_files import make_dicom


@pytest.mark.skipif(orthanc.why_not() is not None, reason=str(orthanc.why_not()))
def test_it_stores_over_rest_and_finds_over_dicomweb(tmp_path: Path) -> None:
    with orthanc.running(tmp_path) as url:
        file = make_dicom(PatientID="88", SOPInstanceUID="1.2.3.4")
        http.post(f"{url}/instances", content=file).raise_for_status()
        answer = http.get(f"{url}/dicom-web/instances", params={"PatientID": "88"})
        assert [one["00080018"]["Value"] for one in answer.json()] == [["1.2.3.4"]]
        assert http.get(f"{url}/dicom-web/instances?PatientID=89").json() == []
    with pytest.raises(httpx.ConnectError):
        http.get(f"{url}/system")


def test_without_apt_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    running = orthanc.running(tmp_path)
    with pytest.raises(orthanc.OrthancError, match="there is no apt-get"):
        running.__enter__()
