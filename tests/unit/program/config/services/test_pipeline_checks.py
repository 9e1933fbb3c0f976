"""Errors of pipelines: between their settings, and with the stores of the stack."""

from typing import Any

import pytest

from tests.support.settings import parse, problem

BUCKET = {"bucket": "local-project-pipelines"}


def test_complete_pipelines_are_read() -> None:
    lab = parse(
        datasets=[{"name": "ward", "dicomStores": ["us"]}],
        pipelines={**BUCKET, "dicomStores": ["dicomstore1", "ward/us"], "features": True},
    )
    assert lab.pipelines.dicom_stores == ["dicomstore1", "ward/us"]


@pytest.mark.parametrize(
    ("key", "settings"),
    [
        ("pipelines.bucket", {"dicomStores": ["dicomstore1"]}),
        ("pipelines.bucket", {"bucket": "No Bucket"}),
        ("pipelines.dicomStores[0]", {**BUCKET, "dicomStores": ["other"]}),
        ("pipelines.cohortStores[1]", {**BUCKET, "cohortStores": ["dicomstore1", "ward/us"]}),
        ("pipelines.sourceBuckets[1]", {**BUCKET, "sourceBuckets": ["scans", "scans"]}),
    ],
)
def test_errors_name_the_key(key: str, settings: dict[str, Any]) -> None:
    assert "Allowed" in problem(key, pipelines=settings)
