"""The field `consentConfig` of a FHIR store.

Documented (`ConsentConfig` of the discovery document): the fields, their defaults, and that stores
of DSTU2 and R5 have no consents. Inferred (conformance: fhir-consent-config): the texts of
refusals.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulator.core.errors import invalid_argument

FIELD, ADMIN_CONSENTS = "consentConfig", "enforcedAdminConsents"
VERSION = "V1"
DISABLED, MINIMUM, VERBOSE = "DISABLED", "MINIMUM", "VERBOSE"
_VERSIONS_WITHOUT = frozenset({"DSTU2", "R5"})


@dataclass(frozen=True)
class ConsentSettings:
    """The settings of a store about consents.

    Attributes:
        is_configured: whether consents can be applied
        is_enforced: whether they decide on access
        requires_scope: whether reads without the header `X-Consent-Scope` are refused
        log_level: of audit logs: `DISABLED`, `MINIMUM` or `VERBOSE`
    """

    is_configured: bool = False
    is_enforced: bool = False
    requires_scope: bool = False
    log_level: str = MINIMUM

    @classmethod
    def of(cls, store: Mapping[str, Any]) -> "ConsentSettings":
        """Return the settings of a store as a resource."""
        config = store.get(FIELD, {})
        level = config.get("accessDeterminationLogConfig", {}).get("logLevel", "")
        return cls(
            is_configured=bool(config),
            is_enforced=bool(config.get("accessEnforced")),
            requires_scope=config.get("consentHeaderHandling", {}).get("profile")
            == "REQUIRED_ON_READ",
            log_level=level if level in (DISABLED, VERBOSE) else MINIMUM,
        )


def check_store(store: Mapping[str, Any]) -> None:
    """Refuse a store whose consents can't be enforced.

    Raises:
        ApiError: 400
    """
    config = store.get(FIELD)
    if config is None:
        return
    if config.get("version") != VERSION:
        raise invalid_argument(f"consent_config.version is required: {VERSION}")
    if store.get("version") in _VERSIONS_WITHOUT:
        raise invalid_argument(
            f"consent_config is not supported by FHIR stores of version {store['version']}"
        )
