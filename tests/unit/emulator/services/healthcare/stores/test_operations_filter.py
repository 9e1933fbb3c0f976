from typing import Any

import pytest

from emulator.core.errors import ApiError
from emulator.services.healthcare.stores.filters import OPERATIONS

IMPORT = "google.cloud.healthcare.v1.dicom.DicomService.ImportDicomData"
DONE: dict[str, Any] = {
    "name": "projects/p/locations/l/datasets/d/operations/7",
    "done": True,
    "metadata": {
        "apiMethodName": IMPORT,
        "createTime": "2026-05-01T10:00:00.500000Z",
        "endTime": "2026-05-01T10:00:09.000000Z",
        "counter": {"success": "405"},
    },
    "response": {},
}
FAILED = {
    **DONE,
    "metadata": {**DONE["metadata"], "counter": {"success": "39", "failure": "2"}},
    "error": {"code": 2, "message": "2 of the items failed"},
}
RUNNING = {
    "name": "projects/p/locations/l/datasets/d/operations/8",
    "metadata": {
        "apiMethodName": IMPORT.replace("Import", "Export"),
        "createTime": "2026-05-02T10:00:00.000000Z",
        "cancelRequested": True,
    },
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [DONE, FAILED, RUNNING]),
        ("done=true", [DONE, FAILED]),
        ("done = false", [RUNNING]),
        ("NOT done=true", [RUNNING]),
        ("-done=true", [RUNNING]),
        ("done!=true", [RUNNING]),
        ("metadata.cancelRequested=true", [RUNNING]),
        ("error:*", [FAILED]),
        ("error.code=2", [FAILED]),
        ("error.message:items", [FAILED]),
        ("metadata.counter:failure", [FAILED]),
        # Counters are texts in JSON, and numbers all the same.
        ("metadata.counter.success > 100", [DONE]),
        ("metadata.counter.success<=39", [FAILED]),
        # The half second is after the full one, and zones count.
        ('metadata.createTime>"2026-05-01T10:00:00Z"', [DONE, FAILED, RUNNING]),
        ('metadata.createTime>="2026-05-01T12:00:01+02:00"', [RUNNING]),
        (f'metadata.apiMethodName="{IMPORT}"', [DONE, FAILED]),
        ("metadata.apiMethodName=*.ExportDicomData", [RUNNING]),
        ("metadata.apiMethodName:Import AND error:*", [FAILED]),
        ("name=*/operations/8", [RUNNING]),
        # OR binds closer than AND.
        ("done=true AND error:* OR metadata.counter.success=405", [DONE, FAILED]),
        ("(done=true AND error:*) OR done=false", [FAILED, RUNNING]),
        ("done=true AND NOT (error:* OR done=false)", [DONE]),
    ],
)
def test_what_a_filter_lets_pass(text: str, found: list[dict[str, Any]]) -> None:
    passes = OPERATIONS.compile(text)
    assert [each for each in (DONE, FAILED, RUNNING) if passes(each)] == found


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("done", "at 'done'"),
        ("done=", "'done='"),
        ("state=RUNNING", "'state=RUNNING'"),
        ("done=true AND", "at its end"),
        ("done=true done=false", "'done=false'"),
        ("(done=true", "at its end"),
        ("names=x", "'names=x'"),
    ],
)
def test_what_cant_be_read_is_named(text: str, position: str) -> None:
    with pytest.raises(ApiError, match="invalid filter") as caught:
        OPERATIONS.compile(text)
    assert caught.value.code == 400
    assert position in caught.value.message


def test_a_hostile_depth_is_refused() -> None:
    with pytest.raises(ApiError, match="nested too deeply"):
        OPERATIONS.compile("-" * 5000 + "done=true")
