"""The settings of HL7v2 stores that decide how messages are parsed, and their checks.

Inferred (conformance: hl7v2-store-settings-text, hl7v2-parser-version-text): what is refused, and
the texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.core.errors import bad_field, invalid_argument
from emulator.core.json_bytes import decode_bytes
from emulator.services.healthcare.hl7v2.message_filter import compile_filter
from emulator.services.healthcare.hl7v2.parsing.parsed_data import V1
from emulator.services.healthcare.hl7v2.parsing.syntax import CARRIAGE_RETURN
from emulator.services.healthcare.hl7v2.schematized.package import MSH_FIELD

_UNSPECIFIED = "PARSER_VERSION_UNSPECIFIED"

Store = Mapping[str, Any]


@dataclass(frozen=True)
class ParserSettings:
    """How a store parses messages.

    Attributes:
        version: of the parser, `V1`, `V2` or `V3`
        terminator: of segments
        allow_null_header: whether a message may have no MSH
        schema: the SchemaPackage; None without schematized parsing
    """

    version: str
    terminator: str
    allow_null_header: bool
    schema: Mapping[str, Any] | None

    @classmethod
    def of(cls, store: Store) -> "ParserSettings":
        """Return the settings of a store.

        Raises:
            ApiError: 400 for a terminator that is not valid
        """
        config = store.get("parserConfig", {})
        return cls(
            version=_version(store),
            terminator=_terminator(config.get("segmentTerminator", "")),
            allow_null_header=bool(config.get("allowNullHeader")),
            schema=config.get("schema"),
        )


def check_store(store: Store) -> None:
    """Refuse a store whose terminator, selectors or filters of notifications are not valid.

    Raises:
        ApiError: 400
    """
    schema = ParserSettings.of(store).schema or {}
    for layer in [*schema.get("schemas", []), *schema.get("types", [])]:
        for source in layer.get("version", []):
            if not MSH_FIELD.fullmatch(source.get("mshField", "")):
                raise invalid_argument(
                    f"invalid msh_field {source.get('mshField', '')!r}: such as 12 or 18[1].1"
                )
    for config in store.get("notificationConfigs", []):
        compile_filter(config.get("filter", ""), "UTC")


def check_change(before: Store, after: Store) -> None:
    """Refuse to change the version of a store's parser, which is immutable.

    Raises:
        ApiError: 400
    """
    if _version(before) != _version(after):
        raise invalid_argument(
            "parser_config.version is immutable: it can't be changed from "
            f"{_version(before)} to {_version(after)}"
        )


def _version(store: Store) -> str:
    version = str(store.get("parserConfig", {}).get("version") or _UNSPECIFIED)
    return V1 if version == _UNSPECIFIED else version


def _terminator(encoded: str) -> str:
    if not encoded:
        return CARRIAGE_RETURN
    field = "parser_config.segment_terminator"
    try:
        return decode_bytes(encoded).decode()
    except ValueError:
        raise bad_field(field, f"Invalid value at '{field}': not bytes of UTF-8") from None
