"""Errors of pipelines: between their settings, and with the stores of the stack."""

from collections.abc import Iterator, Mapping

from program.config.datasets import named
from program.config.errors import ConfigError, show
from program.config.raw import Raw, items, text, texts, twice

_LISTS = ("dicomStores", "cohortStores", "sourceBuckets")


def pipeline_errors(raw: Raw, key: str, datasets: Mapping[str, Raw]) -> Iterator[ConfigError]:
    """Yield the errors of the stack's pipelines.

    Args:
        raw: the values by alias
        key: the full key of the pipelines
        datasets: name of each dataset, "" of the first one -> its raw settings
    """
    body = raw.get("pipelines")
    if not isinstance(body, dict) or not body:
        return
    if not body.get("bucket"):
        yield ConfigError(f"{key}.bucket", "is missing. Allowed: the name of a bucket to create.")
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


def _exists(reference: str, datasets: Mapping[str, Raw]) -> bool:
    dataset, _, store = reference.rpartition("/")
    stores = items(datasets.get(dataset, {}).get("dicomStores"))
    bodies = [body for body in map(named, stores) if isinstance(body, dict)]
    return store in [text(body.get("name")) for body in bodies if body.get("enabled", True)]
