"""Errors of inference services: with stores, topics, keys, the repository and each other."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components import rules
from program.config.errors import ConfigError, show
from program.config.raw import Raw, maps, text, twice
from program.config.services import written
from program.config.services.inference import InferenceServiceSettings

INFERENCE = "inferenceServices"
"""The key of the list of services."""
_DEFAULTS = InferenceServiceSettings.model_fields


@dataclass(frozen=True)
class _Service:
    """A service as it is written. `key` is that of its item."""

    key: str
    body: Raw
    region: str

    def text(self, name: str) -> str:
        return text(self.body.get(name))


def inference_errors(
    raw: Raw, full_key: Mapping[str, str], datasets: Mapping[str, Raw], location: str
) -> Iterator[ConfigError]:
    """Yield the errors of the stack's inference services.

    Args:
        raw: the values by alias
        full_key: alias -> full key
        datasets: name of each dataset, "" of the first one -> its raw settings
        location: of the stack
    """
    listed = maps(raw.get(INFERENCE))
    key, project = full_key[INFERENCE], text(raw.get("gcp:project"))
    yield from twice([text(body.get("name")) for _, body in listed], key, ".name", "Rename one.")
    taken = written.subscriptions(raw, full_key["topics"])
    topics = {
        text(topic.get("name")): f"{full_key['topics']}[{index}].name"
        for index, topic in maps(raw.get("topics"))
    }
    for index, body in listed:
        service = _Service(f"{key}[{index}]", body, text(body.get("region", location)))
        yield from _stores(service, datasets, topics, project)
        yield from _dead_letter(service, project)
        yield from _names(service, taken, topics)
        yield from _image(service, raw, full_key["adapterRepository"])
        yield from _region(service)
        yield from _instances(service)


def _stores(
    service: _Service, datasets: Mapping[str, Raw], topics: Mapping[str, str], project: str
) -> Iterator[ConfigError]:
    """Yield errors of stores that the stack does not have, or that do not fit."""
    for key, store_list in (("dicomStore", "dicomStores"), ("fhirStore", "fhirStores")):
        wanted, known = service.text(key), written.stores(datasets, store_list)
        if wanted and wanted not in known:
            yield ConfigError(
                f"{service.key}.{key}",
                f"is not one of the stack's {store_list}.{rules.nearest(wanted, known)} Allowed: "
                f"{', '.join(known) or 'none is switched on'}.",
                show(wanted),
            )
        elif wanted and store_list == "fhirStores":
            yield from _version(service, known[wanted])
        elif wanted and ("/" in service.text("topic") or service.text("topic") in topics):
            yield from _topic(service, known[wanted], project)


def _version(service: _Service, store: Raw) -> Iterator[ConfigError]:
    version = store.get("version", "R4")
    if version != "R4":
        yield ConfigError(
            f"{service.key}.fhirStore",
            f"is a store of {version}, but observations are resources of R4. Allowed: a store "
            "whose version is R4.",
            show(service.text("fhirStore")),
        )


def _topic(service: _Service, store: Raw, project: str) -> Iterator[ConfigError]:
    topic = service.text("topic")
    if topic and not written.notifies(store, topic, project):
        yield ConfigError(
            f"{service.key}.topic",
            f"is not notified by {service.text('dicomStore')}, so nothing would be measured. Add "
            f"notificationConfig {{pubsubTopic: {topic}}} to the store.",
            show(topic),
        )


def _dead_letter(service: _Service, project: str) -> Iterator[ConfigError]:
    letters = service.body.get("deadLetter")
    dead = text(letters.get("topic")) if isinstance(letters, dict) else ""
    topic = service.text("topic")
    if dead and written.full_topic(dead, project) == written.full_topic(topic, project):
        yield ConfigError(
            f"{service.key}.deadLetter.topic",
            "is the topic of the service, so a dead letter would come back to it. Allowed: "
            "another topic, or none for one of its own.",
            show(dead),
        )


def _names(
    service: _Service, taken: Mapping[str, str], topics: Mapping[str, str]
) -> Iterator[ConfigError]:
    """Yield an error for each name of its resources that the stack's topics have."""
    own = f"inference-{service.text('name')}"
    letters = service.body.get("deadLetter")
    has_own = not (isinstance(letters, dict) and letters.get("topic"))
    created = [("subscription", own, taken)]
    if has_own:
        created += [("topic", f"{own}-dead", topics), ("subscription", f"{own}-dead", taken)]
    for what, name, known in created:
        if name in known:
            yield ConfigError(
                f"{service.key}.name",
                f"makes the {what} {name}, which is also {known[name]}. Rename one.",
                show(service.text("name")),
            )


def _image(service: _Service, raw: Raw, key: str) -> Iterator[ConfigError]:
    repository = raw.get("adapterRepository")
    has_name = isinstance(repository, dict) and bool(repository.get("name"))
    if not has_name and not service.body.get("image"):
        yield ConfigError(
            f"{service.key}.image",
            f"is missing. Allowed: the reference of an image, or {key}.name for a repository of "
            "the stack whose image inference is taken.",
        )


def _region(service: _Service) -> Iterator[ConfigError]:
    if service.region in written.MULTI_REGIONS and "region" not in service.body:
        yield written.region_missing(service.key, service.region)
    key = service.text("kmsKeyName")
    if key and rules.kms_key_name(key) is None and rules.kms_location(key) != service.region:
        yield ConfigError(
            f"{service.key}.kmsKeyName",
            f"is a key in {rules.kms_location(key)}, but the service is in {service.region}. "
            "Allowed: a key in the service's region.",
            show(key),
        )


def _instances(service: _Service) -> Iterator[ConfigError]:
    least = service.body.get("minInstances", _DEFAULTS["min_instances"].default)
    most = service.body.get("maxInstances", _DEFAULTS["max_instances"].default)
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield ConfigError(
            f"{service.key}.minInstances",
            f"is more than maxInstances, {most}. Allowed: at most {most}, or a higher "
            "maxInstances.",
            show(least),
        )
    memory = text(service.body.get("memory", _DEFAULTS["memory"].default))
    message = rules.memory_of_cpus(memory, service.text("cpu"))
    if message:
        yield ConfigError(f"{service.key}.memory", message, show(memory))
