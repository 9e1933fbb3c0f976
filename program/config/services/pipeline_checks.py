"""Errors of pipelines: between their settings, and with the stores of the stack."""

from collections.abc import Iterator, Mapping

from components import rules
from program.config.datasets import named
from program.config.errors import ConfigError, show
from program.config.raw import Raw, items, text, texts, twice
from program.config.services import written
from program.config.services.pipelines import PipelinesSettings

_LISTS = ("dicomStores", "cohortStores", "sourceBuckets")


def pipeline_region(raw: Raw, key: str) -> Iterator[tuple[str, str]]:
    """Yield the key and the region of the jobs, if the stack names one."""
    body = raw.get("pipelines")
    if isinstance(body, dict) and (region := text(body.get("region"))):
        yield f"{key}.region", region


def pipeline_errors(
    raw: Raw, key: str, datasets: Mapping[str, Raw], location: str
) -> Iterator[ConfigError]:
    """Yield the errors of the stack's pipelines.

    Args:
        raw: the values by alias
        key: the full key of the pipelines
        datasets: name of each dataset, "" of the first one -> its raw settings
        location: of the stack
    """
    body = raw.get("pipelines")
    if not isinstance(body, dict) or not body:
        return
    if not body.get("bucket"):
        yield ConfigError(f"{key}.bucket", "is missing. Allowed: the name of a bucket to create.")
    yield from _network_errors(body, key, location)
    for alias in _LISTS:
        yield from twice(texts(body.get(alias)), f"{key}.{alias}", "", "Remove one of them.")
    for alias in ("dicomStores", "cohortStores"):
        for index, reference in enumerate(texts(body.get(alias))):
            if reference and not _exists(reference, datasets):
                yield ConfigError(
                    f"{key}.{alias}[{index}]",
                    "is not a DICOM store of the stack. Allowed: its name, or DATASET/STORE.",
                    show(reference),
                )


def _network_errors(body: Raw, key: str, location: str) -> Iterator[ConfigError]:
    region = text(body.get("region", location))
    if region in written.MULTI_REGIONS and "region" not in body:
        yield written.region_missing(key, region)
    subnetwork = text(body.get("subnetwork"))
    if "/regions/" in subnetwork and f"/regions/{region}/" not in subnetwork:
        yield ConfigError(
            f"{key}.subnetwork",
            f"is not in {region}. Allowed: a subnetwork of the region of the jobs.",
            show(subnetwork),
        )
    if subnetwork and "subnetworkRange" in body:
        yield ConfigError(
            f"{key}.subnetworkRange",
            "is of a subnetwork to create, but subnetwork names one that exists. Allowed: one of "
            "the two.",
        )
    elif not subnetwork:
        yield from _address_errors(body, key)


def _address_errors(body: Raw, key: str) -> Iterator[ConfigError]:
    """Yield an error if the subnetwork to create has too few addresses for the workers."""
    wanted = {
        alias: body.get(alias, PipelinesSettings.model_fields[name].default)
        for alias, name in (("maxWorkers", "max_workers"), ("subnetworkRange", "subnetwork_range"))
    }
    workers, addresses = wanted["maxWorkers"], wanted["subnetworkRange"]
    is_range = isinstance(addresses, str) and rules.subnetwork_range(addresses) is None
    if not is_range or not isinstance(workers, int):
        return
    fit = rules.workers_in(addresses)
    if workers > fit:
        yield ConfigError(
            f"{key}.subnetworkRange",
            f"has addresses for {fit} workers and a launcher, and maxWorkers is {workers}. "
            "Allowed: a larger range, or fewer workers.",
            show(addresses),
        )


def _exists(reference: str, datasets: Mapping[str, Raw]) -> bool:
    dataset, _, store = reference.rpartition("/")
    stores = items(datasets.get(dataset, {}).get("dicomStores"))
    bodies = [body for body in map(named, stores) if isinstance(body, dict)]
    return store in [text(body.get("name")) for body in bodies if body.get("enabled", True)]
