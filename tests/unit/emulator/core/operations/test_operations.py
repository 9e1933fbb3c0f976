"""Long-running operations: counters, ends of every kind, restarts."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from emulator.cloud import Cloud
from emulator.core.errors import ApiError, permission_denied
from emulator.core.operations.operation_type import OperationRun
from emulator.services.healthcare.operation_types import operation_type

PARENT = "projects/p/locations/l/datasets/d"
METHOD = "dicom.DicomService.ImportDicomData"


def finished(cloud: Cloud, run: Callable[[OperationRun], dict[str, Any]]) -> dict[str, Any]:
    cloud.operations.register(operation_type(METHOD, run))
    name = cloud.operations.start(PARENT, METHOD, {"key": "value"}, version="v1beta1")["name"]
    return cloud.operations.wait(name, 10)


def test_the_first_answer_is_a_name_alone(cloud: Cloud) -> None:
    cloud.operations.register(operation_type(METHOD, lambda _run: {}))
    answer = cloud.operations.start(PARENT, METHOD, {}, version="v1")

    assert list(answer) == ["name"]
    parent, _, number = answer["name"].rpartition("/operations/")
    assert parent == PARENT
    assert number.isdigit()


def test_success_carries_metadata_counters_and_answer(cloud: Cloud) -> None:
    def run(operation: OperationRun) -> dict[str, Any]:
        assert operation.request == {"key": "value"}
        operation.progress(success=3, failure=0, pending=0)
        return {}

    operation = finished(cloud, run)

    assert operation["done"] is True
    assert operation["response"] == {
        "@type": "type.googleapis.com/google.cloud.healthcare.v1beta1.dicom.ImportDicomDataResponse"
    }
    metadata = operation["metadata"]
    assert metadata["apiMethodName"] == (
        "google.cloud.healthcare.v1beta1.dicom.DicomService.ImportDicomData"
    )
    assert metadata["counter"] == {"success": "3"}
    assert metadata["createTime"] <= metadata["endTime"]
    assert metadata["logsUrl"].endswith(operation["name"])


def test_counters_show_while_it_runs(cloud: Cloud) -> None:
    counted, go_on = threading.Event(), threading.Event()

    def run(operation: OperationRun) -> dict[str, Any]:
        operation.progress(success=1, failure=0, pending=4)
        counted.set()
        go_on.wait(10)
        return {}

    cloud.operations.register(operation_type(METHOD, run))
    name = cloud.operations.start(PARENT, METHOD, {}, version="v1")["name"]
    counted.wait(10)
    running = cloud.operations.get(name)
    go_on.set()

    assert "done" not in running
    assert running["metadata"]["counter"] == {"success": "1", "pending": "4"}
    assert cloud.operations.wait(name, 10)["metadata"]["counter"] == {"success": "1"}


def test_failed_items_end_it_with_an_error_and_a_log(cloud: Cloud) -> None:
    def run(operation: OperationRun) -> dict[str, Any]:
        operation.progress(success=2, failure=1, pending=0)
        operation.log_failure("gs://b/o", "not DICOM")
        return {}

    operation = finished(cloud, run)

    assert operation["error"] == {
        "code": 2,
        "message": "1 of the items failed; see logsUrl for each.",
    }
    assert "response" not in operation
    assert cloud.operations.failures(operation["name"]) == [
        {"source": "gs://b/o", "error": "not DICOM"}
    ]


def test_an_api_error_ends_it_with_that_status(cloud: Cloud) -> None:
    def run(_operation: OperationRun) -> dict[str, Any]:
        raise permission_denied("no storage.objects.get")

    assert finished(cloud, run)["error"] == {"code": 7, "message": "no storage.objects.get"}


def test_an_unexpected_error_ends_it_too(cloud: Cloud) -> None:
    def run(_operation: OperationRun) -> dict[str, Any]:
        raise RuntimeError("secret inner workings")

    error = finished(cloud, run)["error"]

    assert error["code"] == 13
    assert "secret" not in error["message"]


def test_a_cancelled_one_ends_with_code_1(cloud: Cloud) -> None:
    begun = threading.Event()

    def run(operation: OperationRun) -> dict[str, Any]:
        begun.set()
        while True:
            operation.check_cancelled()

    cloud.operations.register(operation_type(METHOD, run))
    name = cloud.operations.start(PARENT, METHOD, {}, version="v1")["name"]
    begun.wait(10)
    cloud.operations.cancel(name)
    operation = cloud.operations.wait(name, 10)

    assert operation["error"]["code"] == 1
    assert operation["metadata"]["cancelRequested"] is True
    with pytest.raises(ApiError, match="already done"):
        cloud.operations.cancel(name)


def test_what_a_restart_interrupts_goes_on_after_it(open_cloud: Callable[..., Cloud]) -> None:
    begun = threading.Event()

    def interrupted(operation: OperationRun) -> dict[str, Any]:
        begun.set()
        while True:
            operation.check_cancelled()

    before = open_cloud()
    before.healthcare.resources.create(PARENT.removesuffix("/d"), "d", {})
    before.operations.register(operation_type(METHOD, interrupted))
    name = before.operations.start(PARENT, METHOD, {"key": "value"}, version="v1")["name"]
    begun.wait(10)
    before.operations.close()
    assert "done" not in before.operations.get(name)

    after = open_cloud()
    after.operations.register(operation_type(METHOD, lambda operation: dict(operation.request)))
    after.operations.resume_interrupted()

    assert after.operations.wait(name, 10)["response"]["key"] == "value"


def test_it_goes_on_once_the_services_that_it_calls_are_ready(
    open_cloud: Callable[..., Cloud],
) -> None:
    before = open_cloud()
    before.healthcare.resources.create(PARENT.removesuffix("/d"), "d", {})
    before.operations.register(operation_type(METHOD, lambda _operation: {}))
    before.operations.close()
    with before.database.write() as connection:
        connection.execute(
            "INSERT INTO operations (name, parent, number, method, version, request, created)"
            " VALUES (?, ?, 1, ?, 'v1', '{}', '2026')",
            (f"{PARENT}/operations/1", PARENT, METHOD),
        )
    ready = threading.Event()
    called_early: list[bool] = []

    def run(_operation: OperationRun) -> dict[str, Any]:
        called_early.append(not ready.is_set())
        return {}

    after = open_cloud()
    after.operations.register(operation_type(METHOD, run))
    after.operations.resume_interrupted(ready.is_set)
    assert "done" not in after.operations.get(f"{PARENT}/operations/1")
    ready.set()

    assert "response" in after.operations.wait(f"{PARENT}/operations/1", 10)
    assert called_early == [False]


def test_an_unknown_one_is_not_found(cloud: Cloud) -> None:
    with pytest.raises(ApiError, match="not found") as caught:
        cloud.operations.get(f"{PARENT}/operations/1")
    assert caught.value.code == 404


def test_those_of_a_dataset_that_is_gone_are_dropped(open_cloud: Callable[..., Cloud]) -> None:
    before = open_cloud()
    before.operations.register(operation_type(METHOD, lambda _operation: {}))
    name = before.operations.start(PARENT, METHOD, {}, version="v1")["name"]
    before.operations.wait(name, 10)
    before.close()

    with pytest.raises(ApiError, match="not found"):
        open_cloud().operations.get(name)


def test_pages_of_operations_begin_with_the_newest(cloud: Cloud) -> None:
    cloud.operations.register(operation_type(METHOD, lambda _run: {}))
    names = [cloud.operations.start(PARENT, METHOD, {}, version="v1")["name"] for _ in range(3)]
    first = cloud.operations.page(PARENT, None, 2)
    assert [each["name"] for _, each in first] == [names[2], names[1]]
    cloud.operations.start(PARENT, METHOD, {}, version="v1")
    rest = cloud.operations.page(PARENT, first[-1][0], 2)
    assert [each["name"] for _, each in rest] == [names[0]]
