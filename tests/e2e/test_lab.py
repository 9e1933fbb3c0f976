"""`make lab`, `make lab-down` and the scripts as people run them, on a lab of their own."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from google.cloud.storage import Client

from scripts.gsp615 import patient_answers
from scripts.lib.errors import ExitCode
from tests.support import http, viewer_pages
from tests.support.labs import ROOT, Lab
from tests.support.program_host import ProgramHost
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

SCRIPTS = ROOT / "scripts"
PROJECT = "local-project"
DATASET = f"projects/{PROJECT}/locations/us-central1/datasets/dataset1"
AGENT = "serviceAccount:service-123456789012@gcp-sa-healthcare.iam.gserviceaccount.com"
PUBLIC = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom"
TABLE = "bq://local-project.dataset1.dicomstore1"
IMPORT, EXPORT = "ImportDicomData", "ExportDicomData"


class Runs:
    """The lab, run once for all tests of this module, and its scripts."""

    def __init__(self, folder: Path, host: ProgramHost) -> None:
        self.lab = Lab(folder, host)
        # As people run it: in a process of its own, as are the program and the plugin.
        self.first = self.lab.python(str(SCRIPTS / "lab.py"), check=False)
        self.first_summary = self.summary()
        self.lab.start()

    def script(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a script to its end, whatever that is."""
        return self.lab.script(name.removesuffix(".py"), *arguments)

    def summary(self) -> dict[str, Any]:
        """The content of summary.json."""
        file = self.lab.folder / "summary.json"
        content: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
        return content

    def store(self, name: str) -> list[str]:
        """Make an empty store by hand; the flags that name it."""
        self.lab.call("POST", f"v1/{DATASET}/dicomStores?dicomStoreId={name}", {})
        options = ("--project", PROJECT, "--location", "us-central1", "--dataset", "dataset1")
        return [*options, "--store", name]

    def count(self, store: str) -> int:
        """Count a store's instances: rows of the answer, not different UIDs."""
        path = f"v1/{DATASET}/dicomStores/{store}/dicomWeb/instances?limit=5000"
        found = self.lab.call("GET", path)
        return len(found)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, host: ProgramHost) -> Iterator[Runs]:
    runs = Runs(tmp_path_factory.mktemp("runs"), host)
    yield runs
    runs.lab.stop()


def _ended(
    done: subprocess.CompletedProcess[str], code: int, *texts: str
) -> subprocess.CompletedProcess[str]:
    """Check the exit code of a script, its messages, and that it printed no traceback."""
    output = done.stdout + done.stderr
    assert done.returncode == code, output
    assert "Traceback" not in output
    for text in texts:
        assert text in output
    return done


def test_the_lab_finds_its_true_answers(runs: Runs) -> None:
    _ended(runs.first, ExitCode.OK, "All checks passed.", "Cardiomegaly|Effusion", "151 rows")
    summary = runs.first_summary
    assert summary["ok"] is True
    assert summary["instances"] == summary["rows"] == 405
    assert summary["patients"] == 99
    assert summary["no_finding_rows"] == 151
    assert summary["patient_88"] == ["Cardiomegaly|Effusion"]
    assert summary["engine"]["source"] in {"path", "download", "go-build"}
    assert summary["engine"]["version"].count(".") == 2
    assert summary["gcp_plugin"] in {"real", "stand-in"}
    assert summary["changes"] == {"create": summary["resources"]}
    assert set(summary["seconds"]) == {"place", "up", "import", "export", "queries", "total"}


def test_a_second_run_makes_nothing_again_and_doubles_no_row(runs: Runs) -> None:
    before = runs.lab.call("GET", f"v1/{DATASET}/operations")
    # It adds the second act, which takes an import and an export more.
    done = runs.script("lab.py", "--fhir")
    _ended(done, ExitCode.OK, "All checks passed.", "X-rays without finding")
    summary = runs.summary()
    assert summary["fhir"]["resources"] == patient_answers.RESOURCES
    assert summary["fhir"]["answers"] == [*patient_answers.ANSWERS]
    assert summary["changes"] == {"same": summary["resources"]}
    assert summary["resources"] == runs.first_summary["resources"]
    assert (summary["instances"], summary["rows"]) == (405, 405)
    assert runs.count("dicomstore1") == 405
    after = runs.lab.call("GET", f"v1/{DATASET}/operations")
    assert len(after["operations"]) == len(before["operations"]) + 4


def test_the_stack_files_of_the_project_stay_as_they_are(runs: Runs) -> None:
    assert runs.first.returncode == 0
    command = ["git", "status", "--porcelain", "--", "Pulumi.local.yaml", "Pulumi.dev.yaml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_the_queries_as_tables_and_as_json(runs: Runs) -> None:
    tables = _ended(runs.script("query_metadata.py"), ExitCode.OK)
    assert "Cardiomegaly|Effusion" in tables.stdout
    assert "151 rows, the first 10 shown" in tables.stdout
    shape = json.loads(_ended(runs.script("query_metadata.py", "--json"), ExitCode.OK).stdout)
    first, second = shape["queries"]
    assert first["rows"] == [{"StudyDescription": "Cardiomegaly|Effusion"}]
    assert len(second["rows"]) == 151


def test_own_sql_as_the_lab_writes_it(runs: Runs) -> None:
    sql = "SELECT StudyDescription FROM dataset1.dicomstore1 WHERE PatientID='88'"
    done = _ended(runs.script("query_metadata.py", "--sql", sql, "--csv"), ExitCode.OK)
    assert done.stdout == "StudyDescription\nCardiomegaly|Effusion\n"
    short = "SELECT COUNT(*) AS n FROM dicomstore1 WHERE PatientID = @p"
    done = runs.script("query_metadata.py", "--sql", short, "--param", "p=88", "--csv")
    assert _ended(done, ExitCode.OK).stdout == "n\n1\n"


def test_wrong_sql_is_reported(runs: Runs) -> None:
    done = runs.script("query_metadata.py", "--sql", "SELECT Nope FROM dicomstore1")
    _ended(done, ExitCode.FAILED, "Nope", "The query was: SELECT Nope FROM dicomstore1")
    done = runs.script("query_metadata.py", "--table", "bq://local-project.dataset1.absent")
    _ended(done, ExitCode.FAILED, "absent")


def test_a_picture_is_saved(runs: Runs, tmp_path: Path) -> None:
    done = runs.script("view_instance.py", "--into", str(tmp_path), "--json")
    [saved] = json.loads(_ended(done, ExitCode.OK).stdout)["files"]
    assert Path(saved["file"]).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_the_viewer_opens_at_patient_88(runs: Runs) -> None:
    if reason := viewer_pages.why_not():
        pytest.skip(reason)
    done = runs.script("view.py", "--json")
    shown = json.loads(_ended(done, ExitCode.OK).stdout)
    assert shown["study_instance_uid"] == viewer_pages.study_of("00000088_000")
    assert shown["store"] == f"{DATASET}/dicomStores/dicomstore1"
    assert "<title>OHIF Viewer</title>" in http.get(shown["url"]).text


class Grants:
    """Takes a role from the service agent for the length of a block."""

    def __init__(self, lab: Lab, role: str) -> None:
        self._lab = lab
        self._role = role

    def _set(self, change: Any) -> None:
        policy = self._lab.call("POST", f"v1/projects/{PROJECT}:getIamPolicy", {})
        policy["bindings"] = change(policy["bindings"])
        body = {"policy": policy}
        self._lab.call("POST", f"v1/projects/{PROJECT}:setIamPolicy", body)

    def __enter__(self) -> None:
        self._set(lambda bindings: [b for b in bindings if b["role"] != self._role])

    def __exit__(self, *_: object) -> None:
        self._set(lambda bindings: [*bindings, {"role": self._role, "members": [AGENT]}])


class Closed:
    """Takes away everybody's access to the public bucket for the length of a block."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._path = f"storage/v1/b/{PUBLIC.split('/')[2]}/iam"
        self._before = lab.call("GET", self._path)["bindings"]

    def __enter__(self) -> None:
        self._lab.call("PUT", self._path, {"bindings": []})

    def __exit__(self, *_: object) -> None:
        self._lab.call("PUT", self._path, {"bindings": self._before})


def test_without_the_storage_role_the_import_fails(runs: Runs) -> None:
    with Grants(runs.lab, "roles/storage.objectAdmin"):
        with Closed(runs.lab):
            done = runs.script("import_dicom.py")
            _ended(done, ExitCode.FAILED, "storage.objects.list", "PERMISSION_DENIED")
            whole = runs.script("lab.py")
            _ended(whole, ExitCode.FAILED, "storage.objects.list")
            assert runs.summary() == {}
        # What everybody may read needs no role.
        _ended(runs.script("import_dicom.py"), ExitCode.OK, "405 files stored")


def test_without_the_bigquery_role_the_export_fails(runs: Runs) -> None:
    truncate = ("--write-disposition", "truncate")
    with Grants(runs.lab, "roles/bigquery.admin"):
        _ended(runs.script("export_metadata.py", *truncate), ExitCode.FAILED, "bigquery.")
    done = runs.script("export_metadata.py", *truncate)
    _ended(done, ExitCode.OK, f"{TABLE} has 405 rows.")


def test_a_table_with_rows_is_refused_replaced_or_added_to(runs: Runs) -> None:
    _ended(runs.script("export_metadata.py"), ExitCode.FAILED, "has rows")
    table = "bq://local-project.dataset1.another"
    to_table = ("--table", table, "--json")
    rows = [
        json.loads(_ended(runs.script("export_metadata.py", *to_table, *more), ExitCode.OK).stdout)
        for more in ([], ["-w", "append"], ["-w", "truncate"])
    ]
    assert [shape["rows"] for shape in rows] == [405, 810, 405]


@pytest.mark.parametrize(
    ("uri", "code", "text"),
    [
        (f"{PUBLIC}/nothing*.dcm", ExitCode.FAILED, "zero GCS objects"),
        ("gs://no-such-bucket-anywhere/*.dcm", ExitCode.FAILED, "no-such-bucket-anywhere"),
        ("gs://gcs-public-data--healthcare-nih-chest-xray/**/a.dcm", ExitCode.USAGE, "has a **"),
    ],
)
def test_bad_sources_are_reported(runs: Runs, uri: str, code: ExitCode, text: str) -> None:
    _ended(runs.script("import_dicom.py", uri), code, text)


def test_an_unknown_store_lists_the_others(runs: Runs) -> None:
    done = runs.script("import_dicom.py", "--store", "nosuch")
    _ended(done, ExitCode.USAGE, "no DICOM store 'nosuch'", "dicomstore1, dicomstore2")


def test_a_stack_that_is_not_up(runs: Runs) -> None:
    for script in ("import_dicom.py", "export_metadata.py", "query_metadata.py"):
        done = runs.script(script, "--stack", "local-absent")
        _ended(
            done, ExitCode.FAILED, "Stack 'local-absent' is not up.", "make lab STACK=local-absent"
        )


def test_bad_files_fail_alone_and_are_named(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORAGE_EMULATOR_HOST", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.setenv(name, runs.lab.environment[name])
    client = Client(project=PROJECT)
    public = client.bucket("gcs-public-data--healthcare-nih-chest-xray")
    good = [public.blob(f"dicom/0000000{n}_000.dcm").download_as_bytes() for n in (1, 2)]
    files = {
        "good1.dcm": good[0],
        "good2.dcm": good[1],
        "text.dcm": b"Plain text only.\n" * 20,
        "empty.dcm": b"",
        "truncated.dcm": good[0][: len(good[0]) // 2],
        "without_uids.dcm": _without_uids(good[0]),
    }
    bucket = client.create_bucket("mixed-files")
    for name, content in files.items():
        bucket.blob(name).upload_from_string(content, content_type="application/dicom")
    flags = runs.store("mixed")
    done = runs.script("import_dicom.py", "gs://mixed-files/*.dcm", *flags, "--json")
    error = json.loads(_ended(done, ExitCode.PARTLY_FAILED).stdout)["error"]
    assert (error["success"], error["failure"]) == (2, 4)
    failed = {failure["source"].rpartition("/")[2] for failure in error["failures"]}
    assert failed == {"text.dcm", "empty.dcm", "truncated.dcm", "without_uids.dcm"}
    assert runs.count("mixed") == 2
    again = runs.script("import_dicom.py", "gs://mixed-files/*.dcm", *flags)
    _ended(
        again, ExitCode.PARTLY_FAILED, "4 of 6 failed", "gs://mixed-files/text.dcm: ", "The log:"
    )


def _without_uids(content: bytes) -> bytes:
    """Take the study, series and instance UIDs out of a DICOM file."""
    from io import BytesIO

    import pydicom

    dataset = pydicom.dcmread(BytesIO(content))
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        delattr(dataset, keyword)
    written = BytesIO()
    dataset.save_as(written)
    return written.getvalue()


def _import_under_way(runs: Runs, flags: list[str]) -> tuple[subprocess.Popen[str], str]:
    """Start the import script and wait until its operation has done a part of the work."""
    return _under_way(runs, "import_dicom.py", flags, IMPORT, half_done=True)


def _under_way(
    runs: Runs, script: str, flags: list[str], method: str, *, half_done: bool
) -> tuple[subprocess.Popen[str], str]:
    """Start a script in a group of its own and wait until its operation is there, or half done."""
    environment = {**os.environ, **runs.lab.environment, "LAB_DIR": str(runs.lab.folder)}
    before = _operations(runs.lab)
    process = subprocess.Popen(
        [sys.executable, str(SCRIPTS / script), *flags],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        for name, operation in _operations(runs.lab).items():
            metadata = operation.get("metadata", {})
            counter = metadata.get("counter", {})
            begun, left = int(counter.get("success", 0)), int(counter.get("pending", 0))
            new = name not in before and metadata.get("apiMethodName", "").endswith(method)
            if new and (not half_done or (begun and left)):
                return process, name
    process.kill()
    raise AssertionError(f"{script} was never seen in the middle of its {method}")


def _operations(lab: Lab) -> dict[str, dict[str, Any]]:
    listed = lab.call("GET", f"v1/{DATASET}/operations").get("operations", [])
    return {operation["name"]: operation for operation in listed}


def test_a_killed_script_is_taken_up_again(runs: Runs) -> None:
    flags = runs.store("killed-script")
    script, name = _import_under_way(runs, flags)
    script.kill()
    script.communicate()
    done = runs.script("import_dicom.py", *flags, "--resume", name)
    _ended(done, ExitCode.OK, "405 files stored, none failed.")
    assert runs.count("killed-script") == 405


def test_an_interrupted_script_says_how_to_go_on_and_that_works(runs: Runs) -> None:
    flags = runs.store("interrupted-script")
    script, name = _import_under_way(runs, flags)
    script.send_signal(signal.SIGINT)
    _, output = script.communicate(timeout=PATIENCE_SECONDS)
    assert script.returncode == ExitCode.INTERRUPTED, output
    command = output.partition("Follow it again: ")[2].split()
    assert command[-2:] == ["--resume", name]
    done = runs.script("import_dicom.py", *command[2:])
    _ended(done, ExitCode.OK, "405 files stored, none failed.")


def test_a_lab_that_was_interrupted_is_simply_run_again(runs: Runs) -> None:
    """Each run but the last is interrupted; the next one has nothing of it twice."""
    store = f"{DATASET}/dicomStores/dicomstore2"
    runs.lab.call("DELETE", f"v1/{store}")
    runs.store("dicomstore2")
    flags = ["--store", "dicomstore2"]
    for method, number in itertools.product((IMPORT, EXPORT), (signal.SIGINT, signal.SIGKILL)):
        process, _ = _under_way(runs, "lab.py", flags, method, half_done=method == IMPORT)
        os.killpg(process.pid, number)
        output = "".join(process.communicate(timeout=PATIENCE_SECONDS))
        if number == signal.SIGINT:
            assert process.returncode == ExitCode.INTERRUPTED, output
            assert "Traceback" not in output
        assert runs.summary() == {}, f"after {number.name} in {method}"
    again = _ended(runs.script("lab.py", *flags), ExitCode.OK, "All checks passed.")
    summary = runs.summary()
    assert (summary["instances"], summary["rows"]) == (405, 405), again.stdout
    assert summary["changes"] == {"same": summary["resources"]}, again.stdout
    assert runs.count("dicomstore2") == 405


def test_a_killed_emulator_loses_and_doubles_nothing(runs: Runs) -> None:
    flags = runs.store("killed-emulator")
    script, name = _import_under_way(runs, flags)
    status = json.loads(runs.lab.python("-m", "emulator", "status", "--json").stdout)
    emulator = psutil.Process(status["pid"])
    emulator.kill()
    script.kill()
    script.communicate()
    runs.lab.start()
    done = runs.script("import_dicom.py", *flags, "--resume", name)
    _ended(done, ExitCode.OK, "405 files stored, none failed.")
    assert runs.count("killed-emulator") == 405


def test_the_lab_is_torn_down_and_a_second_time_there_is_nothing(runs: Runs) -> None:
    """The last test of the module: nothing is there afterwards."""
    # The tests before have made stores of their own in the stack's dataset.
    done = runs.script("teardown.py", "--keep-running")
    _ended(
        done, ExitCode.REFUSED, "Nothing was changed", f"{DATASET}/dicomStores/mixed", "--strays"
    )
    assert runs.count("dicomstore1") == 405
    done = runs.script("teardown.py", "--keep-running", "--strays")
    _ended(done, ExitCode.OK, "gone", "Nothing of the stack is left.")
    assert not runs.lab.exists(DATASET)
    policy = runs.lab.call("POST", f"v1/projects/{PROJECT}:getIamPolicy", {})
    assert AGENT not in json.dumps(policy)
    again = runs.script("teardown.py")
    _ended(again, ExitCode.OK, "nothing to tear down")
    status = json.loads(
        runs.lab.python("-m", "emulator", "status", "--json", check=False).stdout or "{}"
    )
    assert not status.get("running")
    assert not list(runs.lab.folder.glob("teardown-*.json"))


def test_without_an_engine_and_without_go_it_says_what_to_install(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    empty = tmp_path / "cache"
    empty.mkdir()
    environment = {"PATH": "/nonexistent", "HOME": str(tmp_path), "XDG_CACHE_HOME": str(empty)}
    environment |= {"LAB_DIR": str(lab.folder), "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "lab.py")],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    _ended(done, ExitCode.FAILED, "pulumi", "go.dev")
