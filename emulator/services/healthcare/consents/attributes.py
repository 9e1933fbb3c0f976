"""Attribute definitions, and the values that consents, mappings and requests give to attributes.

Documented (the reference of `AttributeDefinition`, `Attribute` and `Policy`, and
https://cloud.google.com/healthcare-api/docs/how-tos/consent-policies): the form of ids, the numbers
of values, definitions and policies, and which categories may stand where. Inferred (conformance:
consent-definition-text, consent-attribute-text): the texts of refusals.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emulator.core.errors import invalid_argument
from emulator.services.healthcare.consents.authorization_rules import (
    Rule,
    compile_rule,
    is_attribute_name,
)

Json = Mapping[str, Any]

RESOURCE, REQUEST = "RESOURCE", "REQUEST"
MAX_DEFINITIONS = 200
MAX_POLICIES = 10
_MAX_ALLOWED_VALUES = 500
_ID = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]{0,255}")


def check_id(definition_id: str) -> None:
    """Refuse an id that rules could not name.

    Raises:
        ApiError: 400
    """
    if not _ID.fullmatch(definition_id) or not is_attribute_name(definition_id):
        raise invalid_argument(
            f"invalid attribute_definition_id {definition_id[:300]!r}: 1 to 256 letters, digits "
            "and underscores, not beginning with a digit, and no reserved word of the Common "
            "Expression Language"
        )


def check_definition(definition: Json) -> None:
    """Refuse a definition without a category or values, or with defaults outside of its values.

    Raises:
        ApiError: 400
    """
    category, allowed = definition.get("category"), definition.get("allowedValues", [])
    if category not in (RESOURCE, REQUEST):
        raise invalid_argument("attribute_definition.category must be RESOURCE or REQUEST")
    if not 0 < len(allowed) <= _MAX_ALLOWED_VALUES or "" in allowed:
        raise invalid_argument(
            f"attribute_definition.allowed_values: between 1 and {_MAX_ALLOWED_VALUES} values are "
            f"required, none of them empty, not {len(allowed)}"
        )
    try:
        "".join(allowed).encode()
    except UnicodeEncodeError:
        raise invalid_argument(
            "attribute_definition.allowed_values: a value is not valid Unicode"
        ) from None
    default = definition.get("dataMappingDefaultValue", "")
    if default and category != RESOURCE:
        raise invalid_argument(
            "attribute_definition.data_mapping_default_value applies to the category RESOURCE alone"
        )
    for field, values in (
        ("consent_default_values", definition.get("consentDefaultValues", [])),
        ("data_mapping_default_value", [default] if default else []),
    ):
        if wrong := sorted(set(values) - set(allowed)):
            raise invalid_argument(
                f"attribute_definition.{field}: {wrong[0][:100]!r} is not one of allowed_values"
            )


def check_change(before: Json, after: Json) -> None:
    """Refuse a change that takes allowed values away.

    Raises:
        ApiError: 400
    """
    removed = set(before["allowedValues"]) - set(after.get("allowedValues", []))
    if removed:
        raise invalid_argument(
            "attribute_definition.allowed_values must contain all previous values: "
            f"{sorted(removed)[0][:100]!r} is missing"
        )


@dataclass(frozen=True)
class Policy:
    """A policy of a consent, ready to be evaluated.

    Attributes:
        values: of RESOURCE attributes, one of which a mapping must have, by attribute
        rule: what a request must satisfy
    """

    values: Mapping[str, frozenset[str]]
    rule: Rule


class Definitions:
    """The attribute definitions of a store.

    Args:
        bodies: the definitions as resources
    """

    def __init__(self, bodies: Iterable[Json]) -> None:
        self._by_id = {body["name"].rpartition("/")[2]: body for body in bodies}

    @cached_property
    def request_ids(self) -> frozenset[str]:
        """The ids of the REQUEST attributes."""
        return frozenset(key for key, one in self._by_id.items() if one["category"] == REQUEST)

    def check_mapping(self, attributes: Sequence[Json]) -> None:
        """Refuse attributes of a mapping that are not defined, or do not have one value each.

        Raises:
            ApiError: 400
        """
        where = "user_data_mapping.resource_attributes"
        seen: set[str] = set()
        for index, attribute in enumerate(attributes):
            self._check(attribute, f"{where}[{index}]")
            name = attribute["attributeDefinitionId"]
            if len(attribute["values"]) != 1:
                raise invalid_argument(f"{where}[{index}].values: exactly one value is required")
            if name in seen:
                raise invalid_argument(f"{where}[{index}]: the attribute {name} is given twice")
            seen.add(name)

    def check_policies(self, policies: Sequence[Json]) -> None:
        """Refuse policies with attributes that are not defined, or with invalid rules.

        Raises:
            ApiError: 400
        """
        if len(policies) > MAX_POLICIES:
            raise invalid_argument(f"{len(policies)} policies: at most {MAX_POLICIES} are allowed")
        for index, policy in enumerate(policies):
            where = f"consent.policies[{index}]"
            for number, attribute in enumerate(policy.get("resourceAttributes", [])):
                self._check(attribute, f"{where}.resource_attributes[{number}]")
            expression = policy.get("authorizationRule", {}).get("expression", "")
            if not expression.strip():
                raise invalid_argument(f"{where}.authorization_rule.expression is required")
            try:
                compile_rule(expression, self.request_ids)
            except ValueError as error:
                raise invalid_argument(f"invalid {where}.authorization_rule: {error}") from None

    def check_values(self, values: Mapping[str, str], category: str, field: str) -> None:
        """Refuse values of a request whose attributes are not defined in a category.

        Args:
            values: by attribute
            category: `RESOURCE` or `REQUEST`
            field: of the request, for errors

        Raises:
            ApiError: 400
        """
        for name, value in values.items():
            self._check_value(name, [value], category, field)

    def policies(self, consent: Json) -> Iterator[Policy]:
        """Yield the policies of a consent."""
        for policy in consent.get("policies", []):
            values: dict[str, frozenset[str]] = {}
            for attribute in policy.get("resourceAttributes", []):
                name = attribute["attributeDefinitionId"]
                values[name] = values.get(name, frozenset()) | frozenset(attribute["values"])
            expression = policy["authorizationRule"]["expression"]
            yield Policy(values, compile_rule(expression, self.request_ids))

    def consent_defaults(self, category: str) -> Mapping[str, frozenset[str]]:
        """Return the default values in consents of the attributes of a category that have any."""
        return {
            key: frozenset(one["consentDefaultValues"])
            for key, one in self._by_id.items()
            if one["category"] == category and one.get("consentDefaultValues")
        }

    def mapping_values(self, mapping: Json) -> Mapping[str, str]:
        """Return the values of a mapping's attributes, with defaults."""
        defaults = {
            key: one["dataMappingDefaultValue"]
            for key, one in self._by_id.items()
            if one.get("dataMappingDefaultValue")
        }
        given = {
            attribute["attributeDefinitionId"]: attribute["values"][0]
            for attribute in mapping.get("resourceAttributes", [])
        }
        return {**defaults, **given}

    def _check(self, attribute: Json, where: str) -> None:
        values = attribute.get("values", [])
        if not values:
            raise invalid_argument(f"{where}.values is required")
        self._check_value(attribute.get("attributeDefinitionId", ""), values, RESOURCE, where)

    def _check_value(self, name: str, values: Sequence[str], category: str, where: str) -> None:
        definition = self._by_id.get(name)
        if definition is None:
            raise invalid_argument(
                f"{where}: the attribute {name[:300]!r} is not defined in the consent store"
            )
        if definition["category"] != category:
            raise invalid_argument(
                f"{where}: the attribute {name} is of the category {definition['category']}, not "
                f"{category}"
            )
        for value in values:
            if value not in definition["allowedValues"]:
                raise invalid_argument(
                    f"{where}: {value[:100]!r} is not one of the allowed values of {name}"
                )
