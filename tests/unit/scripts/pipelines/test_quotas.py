"""Quotas of a region against the need of workers."""

import pytest

from scripts.pipelines.quotas import Need, Shortage, cpus, shortages


@pytest.mark.parametrize(
    ("machine_type", "found"),
    [
        ("", ("n1", 1)),
        ("n1-standard-4", ("n1", 4)),
        ("n2d-highmem-16", ("n2d", 16)),
        ("e2-medium", ("e2", 2)),
        ("n2-custom-6-10240", ("n2", 6)),
        ("c3-standard-22-lssd", ("c3", 22)),
        ("strange", None),
    ],
)
def test_cpus_of_machine_types(machine_type: str, found: tuple[str, int] | None) -> None:
    assert cpus(machine_type) == found


def quota(metric: str, limit: float, usage: float = 0) -> dict[str, object]:
    return {"metric": metric, "limit": limit, "usage": usage}


def test_each_quota_that_is_too_small_is_found() -> None:
    quotas = [
        quota("CPUS", 100),
        quota("N2_CPUS", 16, 4),
        quota("DISKS_TOTAL_GB", 100),
        quota("INSTANCES", 100),
        quota("IN_USE_ADDRESSES", 2),
    ]
    found = [*shortages(quotas, Need(4, "n2-standard-4"))]
    assert found == [
        Shortage("DISKS_TOTAL_GB", 100, 0, 25, 3),  # the launcher has one too
        Shortage("N2_CPUS", 16, 4, 4, 2),
    ]
    [address] = shortages(quotas[-1:], Need(4, "n2-standard-4", has_addresses=True))
    assert (address.metric, address.workers) == ("IN_USE_ADDRESSES", 1)


def test_a_family_without_a_quota_of_its_own_counts_for_all() -> None:
    assert [one.metric for one in shortages([quota("CPUS", 8)], Need(4, "n2-standard-2"))] == [
        "CPUS"
    ]


def test_a_quota_that_suffices_is_no_shortage() -> None:
    assert not [*shortages([quota("CPUS", 5), quota("INSTANCES", 5)], Need(4))]
