"""Values of options about FHIR resources; importing this module costs nothing."""

from enum import StrEnum


class _ApiName(StrEnum):
    """An option whose values the API spells in capitals."""

    @property
    def api_name(self) -> str:
        """As the Healthcare API spells it."""
        return self.name


class ContentStructure(_ApiName):
    """The content of the files of an import."""

    RESOURCE = "resource"
    BUNDLE = "bundle"
    RESOURCE_PRETTY = "resource-pretty"
    BUNDLE_PRETTY = "bundle-pretty"


class SchemaType(_ApiName):
    """The schema of the tables of an export."""

    ANALYTICS_V2 = "analytics-v2"
    ANALYTICS = "analytics"
