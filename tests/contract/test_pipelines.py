"""The pipelines on Beam's direct runner, in processes as on Dataflow, against the emulator."""

import pytest

from emulator.server.server_file import ServerInfo
from tests.support import pipelines
from tests.support.dicom_files import make_dicom
from tests.support.pipelines import Pipeline

pytestmark = pytest.mark.sockets
INSTANCES = 36


def test_ingest_survives_the_death_of_a_worker(emulator: ServerInfo, project: str) -> None:
    store = pipelines.make_store(emulator.url, project)
    bucket = pipelines.make_bucket(emulator.url, project)
    files = pipelines.instances(INSTANCES)
    again = {"in/again/1.dcm": files["in/study1/1.dcm"], "in/bad.dcm": b"no DICOM"}
    uids = {"StudyInstanceUID": "1.2.2", "SeriesInstanceUID": "1.2.2.2"}
    other = make_dicom(**uids, SOPInstanceUID="1.2.2.2.2", PatientID="another")
    first = files.pop("in/study2/2.dcm")
    pipelines.put_files(emulator.url, bucket, {**files, **again, "in/study2/2.dcm": first})
    pipelines.put_files(emulator.url, bucket, {"in/other.dcm": other})

    run = Pipeline(
        "ingest",
        f"--source=gs://{bucket}/in/",
        f"--store={store}",
        f"--output=gs://{bucket}/run",
        "--requests_per_second=4",
        "--direct_num_workers=2",
        environment=emulator.environment(),
    )
    run.kill_worker(0, 4)
    report = run.result(3)
    print(report, run.lines)
    assert report["files"] == INSTANCES + 3
