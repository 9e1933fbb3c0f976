"""Checks of FHIR stores."""

from conformance.check import Check
from conformance.checks.fhir import (
    bulk,
    consents,
    deidentification,
    previews,
    profiles,
    recovery,
    resources,
    searches,
    streams,
)

CHECKS: tuple[Check, ...] = (
    *resources.CHECKS,
    *bulk.CHECKS,
    *searches.CHECKS,
    *profiles.CHECKS,
    *recovery.CHECKS,
    *previews.CHECKS,
    *streams.CHECKS,
    *deidentification.CHECKS,
    *consents.CHECKS,
)
