"""Checks for values that the Google provider refuses although the API accepts them.

Observed with google-beta 7.45 under pulumi-gcp 10.2: each of these fails in the preview, the
condition during the update. A test compares them with the copy of the provider's schema.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi

NO_CONDITION = (
    "can't be given here: the Google provider can't find such a grant again, and the update fails. "
    "IAM conditions work under projectMembers and bigqueryMembers. Move the grant there, or remove "
    "the condition."
)
"""The provider reads these policies in version 1, where such a grant has another role name."""

ADMIN_CONSENTS = (
    "is set by Google alone: administrative consents are enforced by the consents themselves, and "
    "the Google provider only shows them. Remove it."
)
SINGLE_NOTIFICATION = (
    "is not known to the single form, which has pubsubTopic alone. Move it to notificationConfigs, "
    "which replaces notificationConfig."
)
BARE_PARSER_VERSION = (
    "needs one more field: the Google provider refuses version alone. Allowed: "
    "allowNullHeader, schema or segmentTerminator beside it. Add `allowNullHeader: false`, "
    "which is Google's default, or remove parserConfig."
)
OUTPUT_ONLY: Mapping[str, tuple[str, ...]] = {
    "FhirStoreConsentConfigArgs": ("enforced_admin_consents",)
}
"""Arguments that the SDK's classes have, and that no program may give."""


def store_errors(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the path and the error of each property of a store that the provider refuses.

    Args:
        properties: by the provider's Python names; values are classes of the SDK or dictionaries
    """
    if _has(properties.get("consent_config"), "enforced_admin_consents"):
        yield "consent_config.enforced_admin_consents", ADMIN_CONSENTS
    for name in ("send_full_resource", "send_previous_resource_on_delete"):
        if _has(properties.get("notification_config"), name):
            yield f"notification_config.{name}", SINGLE_NOTIFICATION
    parser = properties.get("parser_config")
    others = ("allow_null_header", "schema", "segment_terminator")
    if parser is not None and _is_known(parser) and not any(_has(parser, one) for one in others):
        yield "parser_config", BARE_PARSER_VERSION


def _has(value: Any, name: str) -> bool:
    """Whether an object of the SDK, or a dictionary of either spelling, has a field."""
    if value is None or not _is_known(value):
        return False
    if isinstance(value, Mapping):
        first, *others = name.split("_")
        camel = first + "".join(word.capitalize() for word in others)
        return any(value.get(key) is not None for key in (name, camel))
    return getattr(value, name, None) is not None


def _is_known(value: Any) -> bool:
    return not isinstance(value, pulumi.Output)
