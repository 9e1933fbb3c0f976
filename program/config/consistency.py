"""Errors between settings that are each valid.

The checks read the raw values, so that they find their errors even beside others. Values of the
wrong type are skipped: the schema check reports them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from components import rules
from components.rules import google_provider
from program.config.adapter_checks import ADAPTERS, adapter_errors, adapter_regions
from program.config.datasets import STORE_TYPES, named
from program.config.errors import ConfigError, show
from program.config.grant_checks import grant_errors
from program.config.log_checks import log_errors
from program.config.raw import Raw, items, maps, text, texts, twice
from program.config.references import TopicReference, topic_references
from program.config.services.gateway_checks import gateway_errors
from program.config.services.inference_checks import INFERENCE, inference_errors
from program.config.services.pipeline_checks import pipeline_errors, pipeline_region
from program.config.stack import DICOM_STORES, FIRST_DATASET, SERVICES
from program.config.topic_checks import topic_errors

NEEDED_SERVICES = ("healthcare.googleapis.com", "bigquery.googleapis.com")
"""The services without which no stack can be made."""

_ONCE = (
    "allowedLocations",
    "serviceAgentRoles",
    "importBuckets",
    "exportBuckets",
    "auditLogs",
    "services",
)


@dataclass(frozen=True)
class _Dataset:
    """A dataset of the stack as it is written. `key` is the prefix of its keys."""

    key: str
    body: Raw
    name: str
    id: str
    location: str


def cross_field_errors(raw: Raw, full_key: Mapping[str, str]) -> Iterator[ConfigError]:
    """Yield the errors between settings, in no particular order.

    Args:
        raw: the values by alias
        full_key: alias -> full key
    """
    datasets = _datasets(raw, full_key)
    for alias in _ONCE:
        yield from twice(texts(raw.get(alias)), full_key[alias], "", "Remove one of them.")
    for dataset in datasets:
        yield from _stores(raw, dataset)
        yield from _encryption(dataset)
        yield from grant_errors(dataset.body.get("members"), f"{dataset.key}members")
    yield from _dataset_names(datasets)
    yield from topic_errors(raw, full_key["topics"], _references(raw, full_key, datasets))
    bodies = {dataset.name: dataset.body for dataset in datasets[1:]}
    bodies[""] = {"dicomStores": [{"name": name} for name in DICOM_STORES], **raw}
    yield from adapter_errors(raw, full_key, bodies, datasets[0].location)
    yield from inference_errors(raw, full_key, bodies, datasets[0].location)
    yield from gateway_errors(raw, full_key, bodies, datasets[0].location)
    yield from pipeline_errors(raw, full_key["pipelines"], bodies, datasets[0].location)
    for alias in ("projectMembers", "bigqueryMembers"):
        yield from grant_errors(raw.get(alias), full_key[alias])
    yield from _locations(raw, full_key, datasets)
    yield from _access(raw, full_key)
    yield from log_errors(raw, full_key)
    missing = [item for item in NEEDED_SERVICES if item not in raw.get("services", SERVICES)]
    if missing:
        yield ConfigError(
            full_key["services"], f"lacks {' and '.join(missing)}, which every stack needs: add it."
        )


def _datasets(raw: Raw, full_key: Mapping[str, str]) -> list[_Dataset]:
    """Return the first dataset, whose keys are the stack's, and the further ones."""
    namespace = full_key["dataset"].removesuffix("dataset")
    location = text(raw.get("location", "us-central1"))
    first_id = text(raw.get("dataset", "dataset1"))
    found = [_Dataset(namespace, raw, FIRST_DATASET, first_id, location)]
    for index, body in maps(raw.get("datasets")):
        name = text(body.get("name"))
        key = f"{full_key['datasets']}[{index}]."
        at = text(body.get("location", location))
        found.append(_Dataset(key, body, name, text(body.get("dataset", name)), at))
    return found


def _stores(raw: Raw, dataset: _Dataset) -> Iterator[ConfigError]:
    for store_type in STORE_TYPES:
        stores = [named(item) for item in items(dataset.body.get(store_type))]
        names = [text(item.get("name")) if isinstance(item, dict) else "" for item in stores]
        key = f"{dataset.key}{store_type}"
        yield from twice(names, key, ".name", "A switched-off store counts too.")
        for index, store in enumerate(stores):
            if isinstance(store, dict):
                yield from _too_many_labels(raw, store, f"{key}[{index}].labels")
                yield from _both_forms(store, f"{key}[{index}]")
                yield from _bare_parser_version(store, f"{key}[{index}].parserConfig")
                yield from grant_errors(store.get("members"), f"{key}[{index}].members")


def _both_forms(store: Raw, key: str) -> Iterator[ConfigError]:
    if store.get("notificationConfig") and store.get("notificationConfigs"):
        yield ConfigError(
            f"{key}.notificationConfig",
            "is given beside notificationConfigs. Allowed: one of the two; the list is the newer.",
        )


def _bare_parser_version(store: Raw, key: str) -> Iterator[ConfigError]:
    """Refuse what the Google provider refuses: see `atLeastOneOf` in its schema."""
    given = store.get("parserConfig")
    if isinstance(given, dict) and given.keys() <= {"version"}:
        yield ConfigError(key, google_provider.BARE_PARSER_VERSION)


def _encryption(dataset: _Dataset) -> Iterator[ConfigError]:
    body = dataset.body.get("encryption")
    if not isinstance(body, dict) or not body:
        return
    key = f"{dataset.key}encryption"
    given = body.get("kmsKeyName")
    key_settings = [name for name in ("keyRing", "key", "rotationPeriod") if body.get(name)]
    if given and key_settings:
        yield ConfigError(
            key,
            f"has kmsKeyName and {', '.join(key_settings)}. Allowed: kmsKeyName for a key that "
            "exists, or keyRing and key for one to make.",
        )
    elif not given and not {"keyRing", "key"} <= set(key_settings):
        yield ConfigError(key, "is incomplete. Allowed: kmsKeyName, or keyRing and key together.")
    if isinstance(given, str) and rules.kms_key_name(given) is None:
        at = rules.kms_location(given)
        if at != dataset.location:
            yield ConfigError(
                f"{key}.kmsKeyName",
                f"is a key in {at}, but the dataset is in {dataset.location}. Allowed: a key in "
                "the dataset's location.",
                show(given),
            )


def _dataset_names(datasets: Sequence[_Dataset]) -> Iterator[ConfigError]:
    names: dict[str, str] = {}
    locations: dict[tuple[str, str], str] = {}
    for dataset in datasets:
        if dataset.name and dataset.name in names:
            reserved = "is what the stack calls its first dataset."
            taken = f"is the same as {names[dataset.name]}name."
            message = reserved if dataset.name == FIRST_DATASET else taken
            yield ConfigError(
                f"{dataset.key}name", f"{message} Allowed: each once.", show(dataset.name)
            )
        located = (dataset.location, dataset.id)
        if dataset.id and located in locations:
            yield ConfigError(
                f"{dataset.key}dataset",
                f"is also the id of {locations[located]}dataset in {dataset.location}. Allowed: "
                "each once in a location.",
                show(dataset.id),
            )
        names.setdefault(dataset.name, dataset.key)
        locations.setdefault(located, dataset.key)


def _references(
    raw: Raw, full_key: Mapping[str, str], datasets: Sequence[_Dataset]
) -> list[TopicReference]:
    """Every mention of a topic."""
    found = [
        reference
        for alias in ("topics", *ADAPTERS, INFERENCE)
        for reference in topic_references(raw.get(alias), full_key[alias])
    ]
    for dataset in datasets:
        for store_type in STORE_TYPES:
            found += topic_references(dataset.body.get(store_type), f"{dataset.key}{store_type}")
    return found


def _locations(
    raw: Raw, full_key: Mapping[str, str], datasets: Sequence[_Dataset]
) -> Iterator[ConfigError]:
    allowed = texts(raw.get("allowedLocations"))
    if not allowed:
        return
    locations = {f"{dataset.key}location": dataset.location for dataset in datasets}
    locations |= adapter_regions(raw, full_key)
    locations |= pipeline_region(raw, full_key["pipelines"])
    for index, topic in maps(raw.get("topics")):
        for number, region in enumerate(texts(topic.get("allowedPersistenceRegions"))):
            key = f"{full_key['topics']}[{index}].allowedPersistenceRegions[{number}]"
            locations[key] = region
    for key, location in locations.items():
        if location and location not in allowed:
            yield ConfigError(
                key,
                f"is not among {full_key['allowedLocations']}.{rules.nearest(location, allowed)} "
                f"Allowed: {', '.join(allowed)}.",
                show(location),
            )


def _access(raw: Raw, full_key: Mapping[str, str]) -> Iterator[ConfigError]:
    mode = raw.get("access", "lab")
    needs = {
        "serviceAgentRoles": "explicit",
        "importBuckets": "least-privilege",
        "exportBuckets": "least-privilege",
    }
    for alias, needed in needs.items():
        if raw.get(alias) and mode != needed:
            yield ConfigError(
                full_key[alias],
                f'has no effect with {full_key["access"]} = "{mode}". Set access to '
                f"{needed}, or remove this.",
            )


def _too_many_labels(raw: Raw, store: Raw, key: str) -> Iterator[ConfigError]:
    own, general = store.get("labels"), raw.get("labels")
    together = {*(own if isinstance(own, dict) else ()), *(general or ())}
    if len(together) > rules.MAX_LABELS:
        yield ConfigError(
            key,
            f"makes {len(together)} labels together with those of the stack. Allowed: at most "
            f"{rules.MAX_LABELS} on a store.",
        )
