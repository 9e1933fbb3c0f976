"""Quotas of a region, compared with what the workers of a job need at most.

Documented (https://cloud.google.com/dataflow/quotas#compute-engine-quotas): the quotas of Compute
Engine that Dataflow uses. Workers without external addresses need none of IN_USE_ADDRESSES.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.lib.cli import Output
from scripts.lib.errors import ScriptError
from scripts.lib.google import clients, retry
from scripts.lib.google.errors import translate_errors
from scripts.pipelines.jobs import Region

DEFAULT_MACHINE = "n1-standard-1"
"""Observed in public reports of batch jobs: the machine type that Dataflow chooses."""
DISK_GB = 25
"""The boot disk of a worker of a batch job.

Documented: https://cloud.google.com/dataflow/docs/shuffle-for-batch#disk-size-considerations
"""
_LAUNCHERS = 1
"""The machine that runs a flex template's launcher beside the workers."""
_FAMILY = re.compile(r"(?P<family>[a-z]\d+[a-z]?)-(?:[a-z]+-)?(?P<shape>[a-z0-9-]+)")
_OWN_QUOTA = frozenset(
    {"a2", "c2", "c2d", "c3", "e2", "m1", "m2", "m3", "n2", "n2a", "n2d", "t2a", "t2d"}
)
"""Families with a quota `FAMILY_CPUS`, if the region lists it; others count for `CPUS`.

Documented: `metric` of Quota in the discovery document of Compute Engine.
"""
_SHARED_CORE = {"micro": 2, "small": 2, "medium": 2}
"""Shapes with a shared core -> the number that their quota counts."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Need:
    """Workers of a job at most.

    Attributes:
        workers: their number
        machine_type: of each; empty for Dataflow's choice
        has_addresses: whether each has an external address
    """

    workers: int
    machine_type: str = ""
    has_addresses: bool = False


@dataclass(frozen=True)
class Shortage:
    """A quota that is too small.

    Attributes:
        metric: its name
        limit, usage: as Compute Engine has them
        each: what a worker needs
        workers: the most that fit in
    """

    metric: str
    limit: float
    usage: float
    each: float
    workers: int


def check(region: Region, need: Need, output: Output) -> None:
    """Compare the quotas of a region with the need of a job; report if they can't be read.

    Raises:
        ScriptError: a quota is too small
    """
    try:
        quotas = read(region)
    except ScriptError as error:
        output.report(f"The quotas of {region.location} were not checked: {error}")
        return
    found = [*shortages(quotas, need)]
    if not found:
        return
    machine = need.machine_type or DEFAULT_MACHINE
    lines = (
        f"{one.metric} has {one.limit:g}, of which {one.usage:g} are used, and a worker needs"
        f" {one.each:g}"
        for one in found
    )
    fit = min(one.workers for one in found)
    cure = f"Give --max-workers {fit}, or ask" if fit else "Ask"
    raise ScriptError(
        f"The quotas of {region.location} are too small for {need.workers} workers ({machine}) and"
        f" a launcher: {'; '.join(lines)}.",
        f"{cure} for more at https://console.cloud.google.com/iam-admin/quotas?project="
        f"{region.project}. --no-quota-check launches nevertheless.",
    )


def read(region: Region) -> list[Json]:
    """Return the quotas of a region.

    Raises:
        ScriptError: Compute Engine refuses or can't be reached
    """
    request = clients.compute_engine().regions().get(project=region.project, region=region.location)
    with translate_errors(f"reading the quotas of {region.location}"):
        found: list[Json] = retry.call(request.execute).get("quotas", [])
    return found


def shortages(quotas: Iterable[Json], need: Need) -> Iterator[Shortage]:
    """Yield the quotas that are too small."""
    listed = {str(quota["metric"]): quota for quota in quotas}
    for metric, each in _each(need, listed).items():
        quota = listed.get(metric)
        if quota is None:
            continue
        limit, usage = float(quota["limit"]), float(quota.get("usage", 0))
        fit = int((limit - usage) // each) - _LAUNCHERS
        if fit < need.workers:
            yield Shortage(metric, limit, usage, each, max(fit, 0))


def cpus(machine_type: str) -> tuple[str, int] | None:
    """Return the family and the CPUs in the name of a machine type; None if it does not say."""
    match = _FAMILY.fullmatch(machine_type or DEFAULT_MACHINE)
    if match is None:
        return None
    first = match["shape"].partition("-")[0]
    if first in _SHARED_CORE:
        return match["family"], _SHARED_CORE[first]
    return (match["family"], int(first)) if first.isdecimal() else None


def _each(need: Need, listed: Mapping[str, Json]) -> dict[str, float]:
    """Return what one worker needs, by metric."""
    found: dict[str, float] = {"INSTANCES": 1, "DISKS_TOTAL_GB": DISK_GB}
    if need.has_addresses:
        found["IN_USE_ADDRESSES"] = 1
    if known := cpus(need.machine_type):
        family, number = known
        own = f"{family.upper()}_CPUS"
        found[own if family in _OWN_QUOTA and own in listed else "CPUS"] = number
    return found
