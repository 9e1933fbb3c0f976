"""Comparison of a JSON schema with the copy of the Google provider's schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.standin.provider_schema import Field, ResourceSchema

Json = Mapping[str, Any]

GOOGLES = "Google's default is kept"
LATER = "no part of what this project makes"
NOT_OFFERED: Mapping[str, Mapping[str, str]] = {
    "gcp:bigquery/dataset:Dataset": {
        "deletionPolicy": GOOGLES,
        "defaultCollation": GOOGLES,
        "externalCatalogDatasetOptions": LATER,
        "externalDatasetReference": LATER,
        "friendlyName": LATER,
        "isCaseInsensitive": GOOGLES,
        "maxTimeTravelHours": GOOGLES,
        "resourceTags": LATER,
        "storageBillingModel": GOOGLES,
    },
    "gcp:kms/cryptoKey:CryptoKey": {
        "deletionPolicy": GOOGLES,
        "purpose": GOOGLES,
        "versionTemplate": GOOGLES,
        "destroyScheduledDuration": GOOGLES,
        "importOnly": GOOGLES,
        "cryptoKeyBackend": GOOGLES,
        "skipInitialVersionCreation": GOOGLES,
        "keyAccessJustificationsPolicy": LATER,
    },
    "gcp:pubsub/topic:Topic": {
        "deletionPolicy": GOOGLES,
        "schemaSettings": LATER,
        "tags": LATER,
        "ingestionDataSourceSettings": LATER,
        "messageTransforms": LATER,
    },
    "gcp:pubsub/subscription:Subscription": {
        "deletionPolicy": GOOGLES,
        "bigqueryConfig": LATER,
        "cloudStorageConfig": LATER,
        "messageTransforms": LATER,
        "tags": LATER,
    },
}
"""Resource type -> path of a field -> why neither the components nor the stack file set it."""

_TYPES = {
    "String": "string",
    "Bool": "boolean",
    "Int": "integer",
    "Float": "number",
    "Map": "object",
}


@dataclass(frozen=True)
class Offer:
    """A key that a user may set.

    Attributes:
        type: of JSON
        required: whether it has to be given
        values: the only values allowed; None for any
        max_items: of a list
    """

    type: str
    required: bool
    values: frozenset[str] | None = None
    max_items: int | None = None


@dataclass(frozen=True)
class Row:
    """How the keys of an object stand for the fields of a resource type.

    Attributes:
        token: of the resource type
        renamed: key -> path of the field, where they differ; "" for a key of the project's own
        own_reasons: path of a field -> why these keys do not set it
        converted: keys whose type is another than the field's
    """

    token: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    own_reasons: Mapping[str, str] = field(default_factory=dict)
    converted: frozenset[str] = frozenset()
    names_values: bool = True
    """Whether the schema of the keys says which values and how many items are allowed."""

    @property
    def not_offered(self) -> Mapping[str, str]:
        """Path of a field -> why no key sets it; its fields are not offered either."""
        return {**NOT_OFFERED.get(self.token, {}), **self.own_reasons}


def offers(schema: Json, definitions: Json, prefix: str = "") -> Iterator[tuple[str, Offer]]:
    """Every key of an object, nested ones by their path.

    Args:
        schema: with `properties` and `required`
        definitions: name -> schema of what `$ref` names
        prefix: of the paths
    """
    for key, declared in schema.get("properties", {}).items():
        plain = _plain(declared)
        inner = plain.get("items", plain) if plain.get("type") == "array" else plain
        inner = _plain(inner)
        nested = (
            definitions[inner["$ref"].removeprefix("#/$defs/").removeprefix("#/types/")]
            if (inner.get("$ref", "").startswith(("#/$defs/", "#/types/")))
            else None
        )
        values = inner.get("enum") or ([inner["const"]] if "const" in inner else None)
        type_ = plain.get("type", "object")
        yield (
            f"{prefix}{key}",
            Offer(
                type_,
                key in schema.get("required", []),
                None if values is None else frozenset(values),
                plain.get("maxItems"),
            ),
        )
        if nested is not None:
            yield from offers(nested, definitions, f"{prefix}{key}.")


def _plain(declared: Json) -> Json:
    """Return the schema of `X | None` as that of X."""
    if "anyOf" not in declared:
        return declared
    [one] = [item for item in declared["anyOf"] if item.get("type") != "null"]
    return dict(one)


def differences(row: Row, offered: Mapping[str, Offer], schema: ResourceSchema) -> list[str]:
    """Return what is wrong between the keys and the fields, one text each."""
    found = []
    paths: dict[str, tuple[str, Offer]] = {}
    for key, offer in offered.items():
        path = _renamed(row, key)
        if not path:
            continue
        if path not in schema.fields:
            found.append(f"{key}: the provider has no {path}")
        elif schema.fields[path].output:
            found.append(f"{key}: {path} is output only")
        else:
            paths[path] = key, offer
            found += _mismatches(row, key, offer, schema.fields[path])
    for path, provided in schema.fields.items():
        steps = path.split(".")
        parents = {".".join(steps[: n + 1]) for n in range(len(steps))}
        if not provided.output and path not in paths and not parents & row.not_offered.keys():
            found.append(f"{path}: no key sets it")
    stale = row.not_offered.keys() - schema.fields.keys()
    return found + [f"{path}: the provider has it no longer" for path in sorted(stale)]


def _renamed(row: Row, key: str) -> str:
    """Return the path of a key's field; a name given to a parent holds for its keys too."""
    first, _, rest = key.partition(".")
    if key in row.renamed:
        return row.renamed[key]
    if first in row.renamed:
        return f"{row.renamed[first]}.{rest}" if row.renamed[first] else ""
    return key


def _mismatches(row: Row, key: str, offer: Offer, provided: Field) -> Iterator[str]:
    single = provided.maxItems == 1
    is_list = provided.type in ("List", "Set") and not single
    wanted = "array" if is_list else _TYPES.get(provided.type, "object")
    if offer.type != wanted and key not in row.converted:
        yield f"{key}: is of type {offer.type}, the provider's is {wanted}"
    allowed = set(provided.values) - {""}
    if row.names_values and allowed and (offer.values is None or not offer.values <= allowed):
        yield f"{key}: takes values that the provider refuses: it allows {sorted(allowed)}"
    longest = provided.maxItems if row.names_values and is_list else None
    if longest is not None and (offer.max_items is None or offer.max_items > longest):
        yield f"{key}: takes more items than the {longest} of the provider"
    if provided.required and not offer.required and key not in row.converted:
        yield f"{key}: may be left out, and the provider requires it"


def constrained(schema: ResourceSchema) -> dict[str, str]:
    """Return path of each field with a constraint that no JSON schema says -> its constraints."""
    constraints = (
        "conflictsWith",
        "exactlyOneOf",
        "atLeastOneOf",
        "requiredWith",
        "minItems",
        "pattern",
    )
    found = {}
    for path, provided in schema.fields.items():
        named = [constraint for constraint in constraints if getattr(provided, constraint)]
        named += ["validated"] if provided.validated and not provided.values else []
        if named and not provided.output:
            found[path] = " ".join(named)
    return found
