"""The settings of a stack: typed, complete, and refused as a whole when any of them is wrong.

The defaults and the descriptions stand here. `Pulumi.yaml` declares them to the engine once more
and `docs/configuration.md` explains them; a test compares the three.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from components import rules
from components.problems import Problem, SettingsError, show, translate, unknown_key

NAMESPACE = "gcp-healthcare-dicom"
"""The namespace of the stack's own keys: the name of the project in `Pulumi.yaml`."""

SERVICES = (
    "healthcare.googleapis.com",
    "bigquery.googleapis.com",
    "storage.googleapis.com",
    "iam.googleapis.com",
    "cloudresourcemanager.googleapis.com",
)
"""The services that the lab works with."""

NEEDED_SERVICES = ("healthcare.googleapis.com", "bigquery.googleapis.com")
"""The services without which no stack can be made."""

LAB_ROLES = (
    "roles/bigquery.admin",
    "roles/storage.objectAdmin",
    "roles/healthcare.datasetAdmin",
    "roles/healthcare.dicomStoreAdmin",
)
"""The project roles that lab GSP615 gives to the Healthcare service agent."""


def _follows(rule: Callable[[str], str | None]) -> AfterValidator:
    """A validator out of a rule."""

    def check(value: str) -> str:
        complaint = rule(value)
        if complaint is not None:
            raise PydanticCustomError("rule", "{complaint}", {"complaint": complaint})
        return value

    return AfterValidator(check)


def _named(value: object) -> object:
    """A store given by its name alone."""
    return {"name": value} if isinstance(value, str) else value


HealthcareId = Annotated[str, _follows(rules.healthcare_id)]
Labels = dict[
    Annotated[str, _follows(rules.label_key)], Annotated[str, _follows(rules.label_value)]
]


class _Model(BaseModel):
    """Strict types, camelCase keys, nothing unknown."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
    )


class DicomStoreSettings(_Model):
    """One DICOM store."""

    name: Annotated[str, _follows(rules.dicom_store_id)]
    """The id of the store, and the name of the BigQuery table of its metadata."""
    enabled: bool = True
    """Whether the store exists. Turning it off deletes the store and all in it."""
    labels: Labels = {}
    """Labels of this store, over those of the stack."""


class FhirStoreSettings(_Model):
    """One FHIR store."""

    name: HealthcareId
    """The id of the store."""
    enabled: bool = True
    """Whether the store exists. Turning it off deletes the store and all in it."""
    labels: Labels = {}
    """Labels of this store, over those of the stack."""
    version: Literal["DSTU2", "STU3", "R4"] = "R4"
    """The FHIR version. A change replaces the store."""
    enable_update_create: bool | None = None
    """Whether an update may create a resource with the id that the client gives."""
    disable_referential_integrity: bool | None = None
    """Whether references to missing resources are accepted. A change replaces the store."""
    disable_resource_versioning: bool | None = None
    """Whether no history is kept. A change replaces the store."""
    enable_history_import: bool | None = None
    """Whether a bulk import may bring history. A change replaces the store."""
    default_search_handling_strict: bool | None = None
    """Whether a search with an unknown parameter is an error."""


class Hl7v2ParserSettings(_Model):
    """How an HL7v2 store parses messages."""

    version: Literal["V1", "V2", "V3"] | None = None
    """The parser's version; Google chooses V1 if not given. A change replaces the store."""
    allow_null_header: bool | None = None
    """Whether messages without a header are accepted."""
    segment_terminator: str | None = None
    """The bytes between segments, in base64; a carriage return if not given."""


class Hl7v2StoreSettings(_Model):
    """One HL7v2 store."""

    name: HealthcareId
    """The id of the store."""
    enabled: bool = True
    """Whether the store exists. Turning it off deletes the store and all in it."""
    labels: Labels = {}
    """Labels of this store, over those of the stack."""
    reject_duplicate_message: bool | None = None
    """Whether a message that is already in the store is refused."""
    parser_config: Hl7v2ParserSettings | None = None
    """How messages are parsed."""


StoreSettings = DicomStoreSettings | FhirStoreSettings | Hl7v2StoreSettings


def _first(stores: Sequence[StoreSettings]) -> str | None:
    return next((store.name for store in stores if store.enabled), None)


class Settings(_Model):
    """All settings of a stack. The keys are those of `Pulumi.<stack>.yaml`, in camelCase."""

    project: Annotated[str, _follows(rules.project)] = Field(alias="gcp:project")
    """The id of the Google Cloud project."""
    location: Annotated[str, _follows(rules.location)] = "us-central1"
    """Where the data is kept: a region, or the multi-regions us and eu."""
    dataset: HealthcareId = "dataset1"
    """The id of the Healthcare dataset. A change replaces it and all its stores."""
    time_zone: Annotated[str, _follows(rules.time_zone)] = "UTC"
    """The default time zone of the dataset, by its IANA name."""
    dicom_stores: list[Annotated[DicomStoreSettings, BeforeValidator(_named)]] = [
        DicomStoreSettings(name="dicomstore1"),
        DicomStoreSettings(name="dicomstore2"),
    ]
    """The DICOM stores. The first one is the lab's, the one to import into."""
    fhir_stores: list[Annotated[FhirStoreSettings, BeforeValidator(_named)]] = []
    """The FHIR stores."""
    hl7v2_stores: list[Annotated[Hl7v2StoreSettings, BeforeValidator(_named)]] = Field(
        default=[], alias="hl7v2Stores"
    )
    """The HL7v2 stores."""
    service_agent_roles: list[Annotated[str, _follows(rules.role)]] = list(LAB_ROLES)
    """The project roles of the Healthcare service agent. The default is exactly the lab's."""
    bigquery_dataset: Annotated[str, _follows(rules.bigquery_dataset_id)] = "dataset1"
    """The id of the BigQuery dataset, in the same location."""
    bigquery_description: str = "DICOM"
    """The description of the BigQuery dataset."""
    bigquery_delete_contents: bool = False
    """Whether destroying the stack deletes the tables too; without it, tables block a destroy."""
    labels: Labels = {}
    """Labels of every store and of the BigQuery dataset. Healthcare datasets carry none."""
    services: list[Annotated[str, _follows(rules.service)]] = list(SERVICES)
    """The Google Cloud services to enable. They stay enabled when the stack is destroyed."""

    def first_dicom_store(self) -> str | None:
        """The id of the first DICOM store that is switched on: the lab's."""
        return _first(self.dicom_stores)

    def lab_variables(self) -> dict[str, str]:
        """The variables that the lab's manual exports, those of switched-off stores left out."""
        variables = {
            "PROJECT_ID": self.project,
            "REGION": self.location,
            "DATASET_ID": self.dataset,
            "FHIR_STORE_ID": _first(self.fhir_stores),
            "DICOM_STORE_ID": _first(self.dicom_stores),
            "HL7_STORE_ID": _first(self.hl7v2_stores),
        }
        return {name: value for name, value in variables.items() if value is not None}


def load(config: pulumi.Config | None = None) -> Settings:
    """Read and check the configuration of the stack that is being run.

    Args:
        config: The stack's configuration; by default that of the running program.

    Raises:
        SettingsError: One or more settings can't be used. It lists all of them.
    """
    namespace = (config or pulumi.Config(NAMESPACE)).name
    values = {str(key): str(value) for key, value in {**get_config_env(), **CONFIG.get()}.items()}
    secret = {key for key in values if is_config_secret(key)}
    return parse(values, secret=secret, namespace=namespace, stack=pulumi.get_stack())


def parse(
    values: Mapping[str, str],
    *,
    secret: set[str] | frozenset[str] = frozenset(),
    namespace: str = NAMESPACE,
    stack: str = "dev",
) -> Settings:
    """Check a stack's configuration as the engine hands it to a program.

    Args:
        values: Full key -> value. Lists and maps are JSON texts, all else is plain text.
        secret: The full keys whose values are stored as secrets.
        namespace: The namespace of the stack's own keys.
        stack: The stack's name, for the message.

    Raises:
        SettingsError: One or more settings can't be used. It lists all of them.
    """
    full_key = {alias: _full_key(alias, namespace) for alias in _ALIASES}
    raw: dict[str, Any] = {}
    problems: list[Problem] = []
    for alias, key in full_key.items():
        if key in secret:
            problems.append(Problem(key, _NOT_ENCRYPTED))
        elif key in values:
            _decode(alias, key, values[key], raw, problems)
    hidden = None
    own = [alias for alias in _ALIASES if ":" not in alias]
    problems += [
        unknown_key(key.removeprefix(f"{namespace}:"), own, key, hidden if key in secret else text)
        for key, text in values.items()
        if key.startswith(f"{namespace}:") and key not in full_key.values()
    ]
    refused = {problem.key for problem in problems}
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        found = (translate(item, Settings, full_key, namespace) for item in error.errors())
        problems += [problem for problem in found if problem.key not in refused]
    problems += _contradictions(raw, full_key)
    if problems:
        order = list(full_key.values())
        problems.sort(key=lambda problem: (_rank(problem.key, order), problem.key))
        raise SettingsError([_with_cure(problem) for problem in problems], f"Pulumi.{stack}.yaml")
    return settings


_ALIASES = tuple(field.alias or name for name, field in Settings.model_fields.items())
_KINDS = {
    alias: declared["type"]
    for alias, declared in Settings.model_json_schema(by_alias=True)["properties"].items()
}
_NOT_ENCRYPTED = (
    "is stored as a secret, but every setting appears in plain text in the names, labels and "
    "permissions of cloud resources. Set it again without --secret."
)


def _full_key(alias: str, namespace: str) -> str:
    return alias if ":" in alias else f"{namespace}:{alias}"


def _decode(alias: str, key: str, text: str, raw: dict[str, Any], problems: list[Problem]) -> None:
    """Turn the engine's text for one key into a value of its type; a wrong type is a problem."""
    kind = _KINDS[alias]
    if kind == "string":
        raw[alias] = text
        return
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    wanted = {"boolean": bool, "array": list, "object": dict}[kind]
    if isinstance(value, wanted):
        raw[alias] = value
        return
    words = {"boolean": "true or false", "array": "a list", "object": "a map of keys to values"}
    problems.append(Problem(key, f"must be {words[kind]}.", show(value)))


def _contradictions(raw: Mapping[str, Any], full_key: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong between settings that are each right: found even beside other problems."""
    for alias in ("dicomStores", "fhirStores", "hl7v2Stores"):
        stores = [_named(item) for item in raw.get(alias, [])]
        names = [str(item.get("name", "")) if isinstance(item, dict) else "" for item in stores]
        yield from _twice(names, full_key[alias], ".name", "A switched-off store counts too.")
        for index, store in enumerate(stores):
            yield from _too_many_labels(raw, store, f"{full_key[alias]}[{index}].labels")
    for alias in ("serviceAgentRoles", "services"):
        items = [item if isinstance(item, str) else "" for item in raw.get(alias, [])]
        yield from _twice(items, full_key[alias], "", "Remove one of them.")
    missing = [item for item in NEEDED_SERVICES if item not in raw.get("services", SERVICES)]
    if missing:
        yield Problem(
            full_key["services"], f"lacks {' and '.join(missing)}, which every stack needs: add it."
        )


def _twice(values: Sequence[str], key: str, field: str, cure: str) -> Iterator[Problem]:
    for index, value, first in rules.repeated(values):
        if value:
            complaint = f"is the same as {key}[{first}]{field}. Allowed: each once. {cure}"
            yield Problem(f"{key}[{index}]{field}", complaint, show(value))


def _too_many_labels(raw: Mapping[str, Any], store: object, key: str) -> Iterator[Problem]:
    own = store.get("labels") if isinstance(store, dict) else None
    general = raw.get("labels")
    together = {*(own if isinstance(own, dict) else ()), *(general or ())}
    if len(together) > rules.MAX_LABELS:
        yield Problem(
            key,
            f"makes {len(together)} labels together with those of the stack. Allowed: at most "
            f"{rules.MAX_LABELS} on a store.",
        )


def _rank(key: str, order: Sequence[str]) -> int:
    """Where a problem stands in the list: as the settings are declared, unknown keys last."""
    root = key.partition("[")[0]
    root = root if root in order else root.partition(".")[0]
    return order.index(root) if root in order else len(order)


def _with_cure(problem: Problem) -> Problem:
    """Say how the project is set, which everyone meets first."""
    if problem.key != "gcp:project" or problem.value is not None:
        return problem
    return Problem(problem.key, f"{problem.complaint} Cure: pulumi config set gcp:project MY-ID")
