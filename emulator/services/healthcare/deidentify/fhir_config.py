"""Checks of the FHIR settings of a DeidentifyConfig; `fhir_rules` reads them.

https://cloud.google.com/healthcare-api/docs/reference/rest/v1/DeidentifyConfig#FhirConfig
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from emulator.core.discovery import snake_case
from emulator.core.errors import bad_field

_PATH = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*")
ACTIONS = (
    "characterMaskField",
    "cleanTextField",
    "cryptoHashField",
    "dateShiftField",
    "keepField",
    "removeField",
)
Json = Mapping[str, Any]


def check(config: Json) -> None:
    """Refuse incomplete or contradictory FHIR settings in a configuration that fits the schema.

    Raises:
        ApiError: 400, naming the field
    """
    if config.get("fhir") is not None and config.get("fhirFieldConfig") is not None:
        raise bad_field("config", "config.fhir and config.fhir_field_config can't both be set")
    for name in ("fhir", "fhirFieldConfig"):
        for number, metadata in enumerate(config.get(name, {}).get("fieldMetadataList", [])):
            field = f"config.{snake_case(name)}.field_metadata_list[{number}]"
            _check_paths(metadata.get("paths", []), f"{field}.paths")
            if name != "fhir" and sum(action in metadata for action in ACTIONS) != 1:
                raise bad_field(field, f"{field}: exactly one action is required")


def _check_paths(paths: Iterable[str], field: str) -> None:
    for number, path in enumerate(paths):
        if not _PATH.fullmatch(path):
            raise bad_field(
                f"{field}[{number}]",
                f"{field}[{number}]: {path!r} is not a path of FHIR fields and types, such as "
                "Patient.HumanName",
            )
