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
        ("pipelines.region", {**BUCKET, "region": "us"}),
        (
            "pipelines.subnetwork",
            {**BUCKET, "subnetwork": "projects/p/regions/us-east1/subnetworks/s"},
        ),
        (
            "pipelines.subnetworkRange",
            {**BUCKET, "subnetwork": "workers", "subnetworkRange": "10.1.0.0/24"},
        ),
        ("pipelines.subnetworkRange", {**BUCKET, "subnetworkRange": "10.1.0.0/29"}),
        (
            "pipelines.subnetworkRange",
            {**BUCKET, "subnetworkRange": "10.1.0.0/24", "maxWorkers": 252},
        ),
        ("pipelines.sourceBuckets[1]", {**BUCKET, "sourceBuckets": ["scans", "scans"]}),
    ],
)
def test_errors_name_the_key(key: str, settings: dict[str, Any]) -> None:
    assert "Allowed" in problem(key, pipelines=settings)


def test_a_stack_that_is_not_in_a_region_names_one() -> None:
    assert "is not a region" in problem("pipelines.region", location="us", pipelines=BUCKET)
    lab = parse(location="us", pipelines={**BUCKET, "region": "us-east4"})
    assert lab.pipelines.region == "us-east4"


def test_a_range_holds_the_workers_a_launcher_and_four_addresses_of_google() -> None:
    settings = {**BUCKET, "subnetworkRange": "10.1.0.0/24"}
    assert parse(pipelines={**settings, "maxWorkers": 251}).pipelines.max_workers == 251
    complaint = problem("pipelines.subnetworkRange", pipelines={**settings, "maxWorkers": 252})
    assert "addresses for 251 workers and a launcher" in complaint


def test_an_existing_subnetwork_has_any_number_of_addresses() -> None:
    settings = {**BUCKET, "subnetwork": "workers", "maxWorkers": 1_000}
    assert parse(pipelines={**settings}).pipelines.subnetwork == "workers"


def test_more_workers_than_a_template_may_name_are_refused() -> None:
    settings = {**BUCKET, "maxWorkers": 1_001}
    assert "less than or equal to 1000" in problem("pipelines.maxWorkers", pipelines=settings)
